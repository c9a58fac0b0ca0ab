package show

import "strings"

// pretty writes n with a line for each value, in the order of the keys.
func (n *node) pretty() string {
	var b strings.Builder
	n.write(&b, "", "")
	return b.String()
}

func (n *node) write(b *strings.Builder, name, indent string) {
	switch {
	case n.kind == object && len(n.fields) > 0:
		b.WriteString("{\n")
		for i, f := range n.fields {
			b.WriteString(indent + "  " + quote(f.name) + ": ")
			f.value.write(b, f.name, indent+"  ")
			b.WriteString(afterOne(i == len(n.fields)-1))
		}
		b.WriteString(indent + "}")
	case n.kind == list && len(n.items) > 0:
		b.WriteString("[\n")
		for i, item := range n.items {
			b.WriteString(indent + "  ")
			item.write(b, name, indent+"  ")
			b.WriteString(afterOne(i == len(n.items)-1))
		}
		b.WriteString(indent + "]")
	case n.kind == object:
		b.WriteString("{}")
	case n.kind == list:
		b.WriteString("[]")
	case n.kind == text:
		b.WriteString(quote(masked(name, n.text)))
	case n.kind == number:
		b.WriteString(masked(name, n.text))
	case n.kind == boolean:
		b.WriteString(n.text)
	case !n.cut:
		b.WriteString("null")
	}
	if n.cut {
		b.WriteString(" …")
	}
}

func afterOne(last bool) string {
	if last {
		return "\n"
	}
	return ",\n"
}

// quote writes a string of JSON with as few escapes as there can be.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			if at := strings.IndexByte("\b\f\n\r\t", c); at >= 0 {
				b.WriteString([]string{`\b`, `\f`, `\n`, `\r`, `\t`}[at])
			} else {
				b.WriteString(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
			}
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
