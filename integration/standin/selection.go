package standin

import "strings"

// selection is what a GraphQL document asks for of an object: fields, under the
// names that they are to have in the answer.
type selection []selected

type selected struct {
	as, field string
	of        selection // nil where nothing is asked for of it
}

// document reads what clients ask for. It is for documents that a client has
// written well: GitHub would refuse others.
type document struct {
	words     []string
	fragments map[string]selection
}

// selectionOf returns what a document asks for at its root.
func selectionOf(text string) selection {
	var root selection
	d := document{fragments: map[string]selection{}}
	for _, pass := range []int{1, 2} { // fragments may come after their use
		d.words = words(text)
		for len(d.words) > 0 {
			kind, name := d.next(), ""
			if kind == "fragment" {
				name = d.next()
			}
			for len(d.words) > 0 && kind != "{" && d.words[0] != "{" {
				if d.next() == "(" {
					d.skip()
				}
			}
			if kind != "{" {
				d.next()
			}
			switch s := d.read(); {
			case name != "":
				d.fragments[name] = s
			case pass == 2:
				root = s
			}
		}
	}
	return root
}

func (d *document) next() string {
	if len(d.words) == 0 {
		return ""
	}
	word := d.words[0]
	d.words = d.words[1:]
	return word
}

func (d *document) peek(word string) bool { return len(d.words) > 0 && d.words[0] == word }

// skip passes over what is in parentheses, the first of which has been read.
func (d *document) skip() {
	for depth := 1; depth > 0 && len(d.words) > 0; {
		switch d.next() {
		case "(":
			depth++
		case ")":
			depth--
		}
	}
}

// read reads what is in braces, the first of which has been read.
func (d *document) read() selection {
	s := selection{}
	for len(d.words) > 0 {
		switch word := d.next(); word {
		case "}":
			return s
		case "...":
			switch {
			case d.peek("on"):
				d.next()
				d.next()
				d.next()
				s = append(s, d.read()...)
			case d.peek("{"):
				d.next()
				s = append(s, d.read()...)
			default:
				s = append(s, d.fragments[d.next()]...)
			}
		default:
			f := selected{as: word, field: word}
			if d.peek(":") {
				d.next()
				f.field = d.next()
			}
			if d.peek("(") {
				d.next()
				d.skip()
			}
			if d.peek("{") {
				d.next()
				f.of = d.read()
			}
			s = append(s, f)
		}
	}
	return s
}

// words cuts a document into names and marks. Text in quotes is left out.
func words(text string) []string {
	var all []string
	for text = strings.TrimLeft(text, " \t\r\n,"); text != ""; text = strings.TrimLeft(text, " \t\r\n,") {
		n := 1
		switch {
		case strings.HasPrefix(text, "..."):
			n = 3
		case text[0] == '"':
			n = 2 + strings.IndexByte(text[1:], '"')
			text = text[n:]
			continue
		case !strings.ContainsRune("{}():[]!$=@|&", rune(text[0])):
			if n = strings.IndexAny(text, " \t\r\n,{}():[]!$=@|&\"."); n <= 0 {
				n = 1
			}
		}
		all, text = append(all, text[:n]), text[n:]
	}
	return all
}

// of returns of an object what is asked for. What it does not have is null.
func (s selection) of(object map[string]any) map[string]any {
	answer := map[string]any{}
	for _, f := range s {
		value, ok := object[f.as]
		if !ok {
			value = object[f.field]
		}
		switch v := value.(type) {
		case map[string]any:
			if was, ok := answer[f.as].(map[string]any); ok { // asked for twice, in parts
				for name, part := range f.of.of(v) {
					was[name] = part
				}
				continue
			}
			value = f.of.of(v)
		case []any:
			all := make([]any, 0, len(v))
			for _, item := range v {
				if o, ok := item.(map[string]any); ok {
					item = f.of.of(o)
				}
				all = append(all, item)
			}
			value = all
		}
		answer[f.as] = value
	}
	return answer
}
