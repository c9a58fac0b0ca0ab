package show

import "strings"

// slack shows where a message goes and all that people will read of it, with
// its marks as they are.
func (s *sheet) slack(root *node) {
	for _, f := range root.fields { // which forms have as text
		if f.name == "blocks" || f.name == "attachments" || f.name == "view" || f.name == "metadata" {
			if v := f.value; v.kind == text && looksJSON([]byte(v.text)) {
				if inside, err := parse([]byte(v.text), !v.cut); err == nil {
					*v = *inside
				}
			}
		}
	}
	var rows [][2]string
	for _, name := range []string{"channel", "channel_id", "channels", "user", "thread_ts", "username"} {
		if v := root.get(name); v != nil && v.kind == text {
			rows = append(rows, s.row(spoken(name), root.take(name)))
		}
	}
	s.table("", rows)
	s.prose("Text", root.take("text", "markdown_text"))
	for _, name := range []string{"blocks", "attachments", "view"} {
		var said []string
		root.get(name).walk(name, func(path string, v *node) {
			last := path[strings.LastIndexByte(path, '.')+1:]
			if v.kind != text {
				return
			}
			switch last {
			case "text", "pretext", "title", "fallback", "value", "markdown_text":
				said = append(said, v.text)
				v.shown = true
			case "type":
				v.shown = oneOf(v.text, blockTypes)
			}
		})
		s.prose(spoken(name), strings.Join(said, "\n"))
	}
	s.rest("Details", root)
}

// blockTypes say how a text is laid out, and nothing else.
var blockTypes = []string{
	"section", "mrkdwn", "plain_text", "divider", "header", "context", "rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "text", "markdown",
}
