package show

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// What a page can take.
const (
	maxOutput = 60 << 10 // bytes of text of all parts; titles and notes come on top
	maxText   = 16 << 10 // of one part
	maxLines  = 200      // of one part
	maxRows   = 400      // of all tables and diffs
	maxValue  = 300      // runes of a value in a table; longer ones get a part of their own
	maxTitle  = 80
	maxParts  = 32
	maxNotes  = 8
)

// sheet gathers parts, masks what they say, and leaves out what is too much.
// The zero sheet is empty.
type sheet struct {
	parts, notes []Part
	size, rows   int
	left         int // parts and rows that had no room
}

// done returns the notes and then the parts.
func (s *sheet) done() []Part {
	if s.left > 0 {
		s.notes = s.notes[:min(len(s.notes), maxNotes-1)]
		s.note(fmt.Sprintf("There is more than fits here: %s left out. See the exact bytes.", count(s.left, "part or row", "parts or rows")))
	}
	return append(s.notes, s.parts...)
}

// note adds a sentence of ours, once.
func (s *sheet) note(sentence string) {
	for _, n := range s.notes {
		if n.Text == sentence {
			return
		}
	}
	if len(s.notes) < maxNotes {
		s.notes = append(s.notes, Part{Kind: Note, Text: clip(sentence, 400)})
	}
}

func (s *sheet) prose(title, text string)  { s.add(Prose, title, text) }
func (s *sheet) code(title, text string)   { s.add(Code, title, text) }
func (s *sheet) amount(title, text string) { s.add(Amount, title, text) }

// text adds text of which nobody knows what it is.
func (s *sheet) text(title, text string) {
	if isDiff(text) {
		s.diff(title, text)
		return
	}
	s.code(title, text)
}

func (s *sheet) add(kind Kind, title, text string) {
	if text == "" {
		return
	}
	if len(s.parts) == maxParts { // before it costs anything
		s.left++
		return
	}
	if text = s.fit(text, maxText, maxLines); s.size+len(text) > maxOutput {
		s.left++
		return
	}
	s.size += len(text)
	s.parts = append(s.parts, Part{Kind: kind, Title: s.title(title), Text: text})
}

// table adds rows that have been made by row.
func (s *sheet) table(title string, rows [][2]string) { s.addRows(Table, title, rows) }

func (s *sheet) addRows(kind Kind, title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	if len(s.parts) == maxParts {
		s.left += len(rows)
		return
	}
	p := Part{Kind: kind, Title: s.title(title)}
	for i, r := range rows {
		size := len(r[0]) + len(r[1])
		if s.rows == maxRows || s.size+size > maxOutput {
			s.left += len(rows) - i
			break
		}
		s.rows, s.size = s.rows+1, s.size+size
		p.Rows = append(p.Rows, r)
	}
	if len(p.Rows) > 0 {
		s.parts = append(s.parts, p)
	}
}

// row makes a row of what the request calls by name, without a secret.
func (s *sheet) row(name, value string) [2]string {
	if secret := masked(name, value); secret != value {
		value = secret
	}
	return [2]string{s.title(name), s.fit(value, 4*maxValue, 8)}
}

func (s *sheet) title(title string) string { return clip(s.fit(title, 4*maxTitle, 1), maxTitle) }

// fit makes text fit to be shown: valid, without secrets and not too long.
func (s *sheet) fit(text string, size, lines int) string {
	all := text
	if len(text) > 2*size { // what is masked may run past what is shown
		text = text[:2*size]
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	s.hidden(text)
	text = Mask(text)
	cut := len(all) > 2*size
	at, n := 0, 0
	for n < lines {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			at = len(text)
			break
		}
		at, n = at+next+1, n+1
	}
	if at < len(text) {
		text, cut = text[:at], true
	}
	if len(text) > size {
		text, cut = text[:size], true
		for len(text) > 0 && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) {
			text = text[:len(text)-1]
		}
	}
	if !cut {
		return text
	}
	if lines == 1 {
		return strings.TrimSuffix(text, "\n") + "…"
	}
	more := strings.Count(all, "\n") - strings.Count(text, "\n")
	if !strings.HasSuffix(all, "\n") {
		more++
	}
	if strings.HasSuffix(text, "\n") && more > 0 {
		return text + "…and " + count(more, "more line", "more lines")
	}
	return text + "\n…and " + count(max(1, utf8.RuneCountInString(all)-utf8.RuneCountInString(text)), "more character", "more characters")
}

// clip shortens s to n runes.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// count writes 1 line, 2 lines and 1,234 lines.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(int64(n)) + " " + many
}

// grouped writes n with a comma between thousands.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// bytesOf writes a size as people do.
func bytesOf(n int64) string {
	switch {
	case n < 1<<10:
		return count(int(n), "byte", "bytes")
	case n < 1<<20:
		return fmt.Sprintf("%d KB", (n+1<<9)>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
