package body

import "strings"

// disposition is what a Content-Disposition says.
type disposition struct {
	name  string
	short string // The name as some would cut it, if it has a quote or semicolon.
	named bool
	file  bool
}

// readDisposition reads form-data and its parameters. It is false where there
// is not exactly one name, and where readers would not agree on where a
// parameter ends.
func readDisposition(value string) (d disposition, ok bool) {
	kind, rest, more := strings.Cut(value, ";")
	if !strings.EqualFold(strings.TrimRight(kind, " \t"), "form-data") {
		return d, false
	}
	seen := make(map[string]bool)
	for more {
		var name, text, short string
		name, rest, ok = strings.Cut(strings.TrimLeft(rest, " \t"), "=")
		name = strings.ToLower(name)
		if !ok || !isToken(name) || seen[name] || strings.Contains(name, "*") && name != "filename*" {
			return d, false
		}
		seen[name] = true
		if strings.HasPrefix(rest, `"`) {
			text, short, rest, ok = quoted(rest[1:])
			if more = rest != ""; ok && more {
				rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), ";")
			}
		} else {
			text, rest, more = strings.Cut(rest, ";")
			text = strings.TrimRight(text, " \t")
			// PHP takes single quotes for quotes.
			ok = isToken(text) && !strings.Contains(text, "'") || name == "filename*"
		}
		if !ok {
			return d, false
		}
		switch name {
		case "name":
			if strings.Contains(text, `\`) {
				return d, false
			}
			d.name, d.short, d.named = text, short, true
		case "filename", "filename*":
			d.file = true
		}
	}
	return d, d.named
}

// quoted reads on after the first quote, up to the last. Only a quote can be
// escaped: readers differ about other backslashes, which stay. It is false
// where readers who know no escapes, or no quotes, would find a parameter in
// the text; short is what they take for the text, empty where it is the same.
func quoted(s string) (text, short, rest string, ok bool) {
	var b strings.Builder
	escapes, separates := false, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			rest = s[i+1:]
			return b.String(), short, rest, !escapes || strings.IndexByte(rest, ';') < 0
		case strings.HasPrefix(s[i:], `\\"`):
			return "", "", "", false
		case strings.HasPrefix(s[i:], `\"`):
			if short == "" {
				short = b.String()
			}
			escapes = true
			i++
		case s[i] == ';':
			if short == "" {
				short = b.String()
			}
			separates = true
		case s[i] == '=' && separates:
			return "", "", "", false
		}
		if escapes && separates {
			return "", "", "", false
		}
		b.WriteByte(s[i])
	}
	return "", "", "", false
}
