package curl

import (
	"strings"
)

// boundary is always the same, so that a command always makes the same bytes.
// A real one is random; nothing is named by it.
const boundary = "------------------------tameflare0000000"

// part is a field of a multipart form.
type part struct{ name, value, contentType, filename string }

// addForm is -F: "name=value", "name=@file", "name=<file", each maybe with
// ";type=…" and ";filename=…" after it.
func (c *call) addForm(v string) error {
	name, value, err := formField(v)
	if err != nil {
		return err
	}
	if strings.HasPrefix(value, "=(") || value == "=)" || strings.HasPrefix(value, "(") && name == "" {
		return bad("Forms within forms, with =( ), are not read here.")
	}
	if strings.HasPrefix(value, "@") || strings.HasPrefix(value, "<") {
		c.unread = true
		c.notes.add(fileUnread)
		c.form = append(c.form, part{name: name})
		return nil
	}
	text, rest := formWord(value)
	p := part{name: name, value: text}
	for rest != "" {
		var setting string
		setting, rest = formWord(strings.TrimLeft(rest[1:], " "))
		key, value, _ := strings.Cut(setting, "=")
		switch key {
		case "type":
			p.contentType = value
		case "filename":
			p.filename = value
		default:
			c.notes.add("What stands after a semicolon in a form's field is left out, as curl does; --form-string takes it.")
		}
	}
	c.form = append(c.form, p)
	return nil
}

// addFormString is --form-string, where nothing has a meaning of its own.
func (c *call) addFormString(v string) error {
	name, value, err := formField(v)
	c.form = append(c.form, part{name: name, value: value})
	return err
}

func formField(v string) (name, value string, err error) {
	name, value, ok := strings.Cut(v, "=")
	if !ok {
		return "", "", bad("A form's field is written like -F name=value.")
	}
	return name, value, nil
}

// formWord is a value up to the next semicolon, which is the first of rest.
// One in quotes may have semicolons in it.
func formWord(s string) (word, rest string) {
	key := ""
	inside, quoted := strings.CutPrefix(s, `"`)
	if name, value, ok := strings.Cut(s, `="`); ok && !quoted && (name == "type" || name == "filename") {
		key, inside, quoted = name+"=", value, true
	}
	if quoted {
		var b strings.Builder
		for i := 0; i < len(inside); i++ {
			switch {
			case inside[i] == '\\' && i+1 < len(inside) && (inside[i+1] == '"' || inside[i+1] == '\\'):
				i++
				b.WriteByte(inside[i])
			case inside[i] == '"':
				after := strings.IndexByte(inside[i+1:], ';')
				if after < 0 {
					return key + b.String(), ""
				}
				return key + b.String(), inside[i+1+after:]
			default:
				b.WriteByte(inside[i])
			}
		}
	}
	if i := strings.IndexByte(s, ';'); i >= 0 {
		return strings.TrimRight(s[:i], " "), s[i:]
	}
	return s, ""
}

// multipart writes the form as it is sent.
func multipart(parts []part) []byte {
	quote := strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + quote(p.name) + `"`)
		if p.filename != "" {
			b.WriteString(`; filename="` + quote(p.filename) + `"`)
		}
		if p.contentType != "" {
			b.WriteString("\r\nContent-Type: " + quote(p.contentType))
		}
		b.WriteString("\r\n\r\n" + p.value + "\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return []byte(b.String())
}
