package graphql

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote returns what a token that is a string says.
func unquote(kind byte, text string) string {
	if kind == block {
		return unblock(text[3 : len(text)-3])
	}
	text = text[1 : len(text)-1]
	next := strings.IndexByte(text, '\\')
	if next < 0 {
		return text
	}
	b := make([]byte, 0, len(text))
	for ; next >= 0; next = strings.IndexByte(text, '\\') {
		b = append(b, text[:next]...)
		r, n := escaped(text[next:])
		b = utf8.AppendRune(b, r)
		text = text[next+n:]
	}
	return string(append(b, text...))
}

// unblock is BlockStringValue of the specification: without the indentation
// that all lines but the first share, and without blank lines around it.
func unblock(raw string) string {
	raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), `\"""`, `"""`)
	lines := strings.Split(raw, "\n")
	indent := -1
	for _, line := range lines[1:] {
		if n := len(line) - len(strings.TrimLeft(line, " \t")); n < len(line) && (indent < 0 || n < indent) {
			indent = n
		}
	}
	for i, line := range lines[1:] {
		if indent > 0 {
			lines[i+1] = line[min(indent, len(line)):]
		}
	}
	blank := func(line string) bool { return strings.Trim(line, " \t") == "" }
	for len(lines) > 0 && blank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && blank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n")
}

// escaped reads an escape at the beginning of s, and returns the rune and how
// long it is: 0 where it is none.
func escaped(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	const known, meaning = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(known, s[1]); i >= 0 {
		return rune(meaning[i]), 2
	}
	r, ok := unicodeEscape(s)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	low, ok := unicodeEscape(s[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

func unicodeEscape(s string) (r rune, ok bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
