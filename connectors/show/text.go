package show

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isText reports whether data is text that a person can read. The last rune
// may be cut off where data is not whole.
func isText(data []byte, whole bool) bool {
	if !whole {
		for i := 1; i < utf8.UTFMax && i <= len(data); i++ {
			if utf8.RuneStart(data[len(data)-i]) {
				if !utf8.FullRune(data[len(data)-i:]) {
					data = data[:len(data)-i]
				}
				break
			}
		}
	}
	if !utf8.Valid(data) {
		return false
	}
	odd := 0
	for _, c := range data {
		if c == 0 {
			return false
		}
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\x1b' {
			odd++
		}
	}
	return odd <= len(data)/20
}

// hidden notes what in text makes it look otherwise than it is.
func (s *sheet) hidden(text string) {
	for _, r := range text {
		switch {
		case r < 0x80:
		case unicode.Is(unicode.Bidi_Control, r):
			s.note("The text has characters that change the direction of writing. What you see may not be in the order in which it is sent.")
		case r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u00ad', r == '\u180e', '\u2061' <= r && r <= '\u2064', r == '\u3164', r == '\u115f', r == '\u1160', r == '\uffa0':
			s.note("The text has characters that have no width, and cannot be seen.")
		case 0xE0000 <= r && r <= 0xE007F:
			s.note("The text has invisible tags, in which words can be hidden from people that programs read.")
		}
	}
}

// isDiff reports whether text looks like a unified diff.
func isDiff(text string) bool {
	if strings.HasPrefix(text, "diff --git ") {
		return strings.Contains(text, "\n@@ -") || strings.Contains(text, "\n--- ")
	}
	at := strings.Index(text, "@@ -")
	if at < 0 || at > 0 && text[at-1] != '\n' {
		return false
	}
	line, _, _ := strings.Cut(text[at:], "\n")
	if strings.Count(line, "@@") < 2 || !strings.Contains(line, " +") {
		return false
	}
	before := "\n" + text[:at]
	return at == 0 || strings.Contains(before, "\n--- ") && strings.Contains(before, "\n+++ ")
}

// diff shows text as a diff. All of its lines are shown, also those that are
// not part of it, as far as they fit.
func (s *sheet) diff(title, text string) {
	lines := strings.Split(strings.TrimSuffix(s.fit(text, maxText, maxLines), "\n"), "\n")
	rows := make([][2]string, 0, len(lines))
	inside := false // of a hunk, where --- and +++ are lines like others
	for i, line := range lines {
		class := Same
		switch {
		case strings.HasPrefix(line, "@@"):
			class, inside = Hunk, true
		case strings.HasPrefix(line, "diff "), strings.HasPrefix(line, "Index: "):
			class, inside = File, false
		case strings.HasPrefix(line, "--- ") && (!inside || i+1 < len(lines) && strings.HasPrefix(lines[i+1], "+++ ")):
			class, inside = File, false
		case strings.HasPrefix(line, "+++ ") && !inside:
			class = File
		case strings.HasPrefix(line, "+"):
			class = Added
		case strings.HasPrefix(line, "-"):
			class = Removed
		}
		rows = append(rows, [2]string{class, line})
	}
	s.addRows(Diff, title, rows)
}

// rest shows what of n has no part of its own: short values in a table, long
// ones below it.
func (s *sheet) rest(title string, n *node) {
	var rows [][2]string
	type long struct{ name, text string }
	var longs []long
	n.walk("", func(path string, v *node) {
		if path == "" {
			path = "value"
		}
		value := v.text
		switch {
		case v.kind == object:
			value = "{}"
		case v.kind == list:
			value = "[]"
		case v.kind == null && !v.cut:
			value = "null"
		case v.kind == text && (utf8.RuneCountInString(value) > maxValue || strings.Count(value, "\n") > 2) && masked(path, value) == value:
			longs = append(longs, long{path, value})
			return
		}
		if len(rows) > maxRows {
			s.left++
			return
		}
		if v.cut {
			value += "…"
		}
		rows = append(rows, s.row(path, value))
	})
	s.table(title, rows)
	for _, l := range longs {
		s.text(l.name, l.text)
	}
}
