package show

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxMessages is how many of the last messages are shown one by one.
const maxMessages = 8

// model shows what a language model is asked, and what it is given to work
// with.
func (s *sheet) model(root *node) {
	var rows [][2]string
	for _, name := range []string{"model", "max_tokens", "max_completion_tokens", "max_output_tokens", "stream", "temperature"} {
		if value := root.take(name); value != "" {
			rows = append(rows, s.row(spoken(name), value))
		}
	}
	if tools := toolNames(root.get("tools")); tools != "" {
		rows = append(rows, s.row("Tools", tools))
	}
	s.table("", rows)
	for _, name := range []string{"system", "instructions"} {
		if v := root.get(name); v != nil {
			s.prose(spoken(name), spokenBy(v))
		}
	}
	for _, name := range []string{"messages", "input"} {
		if v := root.get(name); v != nil && v.kind == list && len(v.items) > 0 && v.items[0].kind == object {
			s.messages(v)
		}
	}
	s.writing(root, "prompt", "input")
	s.rest("Details", root)
}

func (s *sheet) messages(all *node) {
	size := 0
	all.walk("", func(_ string, v *node) { size += utf8.RuneCountInString(v.text) })
	if n := len(all.items); n > maxMessages {
		s.note(fmt.Sprintf("The last %d of %s, which have %s in all. Those before are below, in Details.", maxMessages, count(n, "message", "messages"), count(size, "character", "characters")))
	}
	for _, m := range all.items[max(0, len(all.items)-maxMessages):] {
		content := m.get("content")
		if content == nil {
			continue
		}
		said, who := spokenBy(content), plainText(m.get("role", "type"))
		if said != "" {
			m.take("role")
			s.prose(spoken(who), said)
		}
	}
}

// spokenBy returns what content says: a text, or a list of parts of which the
// texts are taken and counted as shown.
func spokenBy(content *node) string {
	if content.kind == text {
		content.shown = true
		return content.text
	}
	var said []string
	for _, part := range content.items {
		if part.kind == text {
			part.shown = true
			said = append(said, part.text)
			continue
		}
		if t := part.take("text"); t != "" {
			said = append(said, t)
			if kind := part.get("type"); kind != nil && oneOf(kind.text, []string{"text", "input_text", "output_text"}) {
				kind.shown = true
			}
			continue
		}
		if kind := plainText(part.get("type")); kind != "" {
			about := "(" + strings.ReplaceAll(kind, "_", " ")
			if name := plainText(part.get("name")); name != "" {
				about += " " + name
			}
			said = append(said, about+")")
		}
		if inner := part.get("content"); inner != nil {
			if t := spokenBy(inner); t != "" {
				said = append(said, t)
			}
		}
	}
	return strings.Join(said, "\n")
}

// toolNames lists the tools that a model is given. What they are stays with
// the rest.
func toolNames(tools *node) string {
	if tools == nil || tools.kind != list {
		return ""
	}
	var names []string
	for _, t := range tools.items {
		name := plainText(t.get("name"))
		if name == "" {
			name = plainText(t.get("function").get("name"))
		}
		if name == "" {
			name = plainText(t.get("type"))
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%d: %s", len(tools.items), strings.Join(names, ", "))
}
