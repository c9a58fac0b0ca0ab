// Package rawjson cuts JSON into its parts, and leaves each as it was written.
//
// It is for JSON that body.Check has let pass: it checks nothing again. Of
// anything else it finds some parts or none, and never one beyond the data.
package rawjson

import (
	"bytes"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// Span is where a part stands in the data.
type Span struct{ Start, End int }

// Of returns the part.
func (s Span) Of(data []byte) []byte { return data[s.Start:s.End:s.End] }

// Members yields the keys of the object that data is, without their escapes,
// and their values. It yields nothing where data is no object.
func Members(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for key, span := range MembersAt(data, 0) {
			if !yield(key, span.Of(data)) {
				return
			}
		}
	}
}

// Elements yields the elements of the array that data is, and nothing where it
// is none.
func Elements(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for span := range ElementsAt(data, 0) {
			if !yield(span.Of(data)) {
				return
			}
		}
	}
}

// MembersAt is Members of the object that begins at the given place in data.
func MembersAt(data []byte, at int) iter.Seq2[string, Span] {
	return func(yield func(string, Span) bool) {
		at, ok := enter(data, at, '{')
		for ok {
			start := at
			at = skip(data, at)
			key := data[start:at]
			at = after(data, at, ':')
			start, at = at, skip(data, at)
			if start == at || !yield(Text(key), Span{start, at}) {
				return
			}
			at, ok = more(data, at)
		}
	}
}

// ElementsAt is Elements of the array that begins at the given place in data.
func ElementsAt(data []byte, at int) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		at, ok := enter(data, at, '[')
		for ok {
			start := at
			at = skip(data, at)
			if start == at || !yield(Span{start, at}) {
				return
			}
			at, ok = more(data, at)
		}
	}
}

// First returns the first byte that is no space: of { [ " t f n, a digit, or
// the minus sign. It is 0 where there is none.
func First(data []byte) byte {
	if at := space(data, 0); at < len(data) {
		return data[at]
	}
	return 0
}

// Text returns what the string that data is says, and "" where it is none.
func Text(data []byte) string {
	data = bytes.Trim(data, " \t\r\n")
	if len(data) < 2 || data[0] != '"' {
		return ""
	}
	data = data[1 : len(data)-1]
	next := bytes.IndexByte(data, '\\')
	if next < 0 {
		return string(data)
	}
	text := make([]byte, 0, len(data))
	for ; next >= 0; next = bytes.IndexByte(data, '\\') {
		text = append(text, data[:next]...)
		data = data[next+1:]
		if len(data) == 0 {
			break
		}
		c := data[0]
		data = data[1:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(data)
			data = data[min(4, len(data)):]
			if utf16.IsSurrogate(r) {
				if !bytes.HasPrefix(data, []byte(`\u`)) {
					r = utf8.RuneError
				} else {
					r = utf16.DecodeRune(r, hex4(data[2:]))
					data = data[min(6, len(data)):]
				}
			}
			text = utf8.AppendRune(text, r)
			continue
		}
		text = append(text, c)
	}
	return string(append(text, data...))
}

func hex4(data []byte) (r rune) {
	for _, c := range data[:min(4, len(data))] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		default:
			c = (c|0x20)&0x1f + 9
		}
		r = r<<4 | rune(c&0xf)
	}
	return r
}

// enter goes to what follows open, which stands next, and reports whether that is a part.
func enter(data []byte, at int, open byte) (int, bool) {
	at = space(data, at)
	if at == len(data) || data[at] != open {
		return at, false
	}
	at = space(data, at+1)
	return at, at < len(data) && data[at] != '}' && data[at] != ']'
}

// more goes on from the end of a part to the beginning of the next, if there
// is one.
func more(data []byte, at int) (int, bool) {
	at = space(data, at)
	if at == len(data) || data[at] != ',' {
		return at, false
	}
	return space(data, at+1), true
}

func after(data []byte, at int, c byte) int {
	at = space(data, at)
	if at < len(data) && data[at] == c {
		at = space(data, at+1)
	}
	return at
}

func space(data []byte, at int) int {
	for at < len(data) {
		switch data[at] {
		case ' ', '\t', '\r', '\n':
			at++
		default:
			return at
		}
	}
	return at
}

// skip returns where the value ends that begins at the given place.
func skip(data []byte, at int) int {
	for depth := 0; at < len(data); {
		switch data[at] {
		case '"':
			at = quoted(data, at)
		case '{', '[':
			depth++
			at++
			continue
		case '}', ']':
			if depth == 0 {
				return at
			}
			depth--
			at++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			at++
			if depth == 0 && at < len(data) && !ends(data[at]) {
				continue // in a number or word
			}
		}
		if depth == 0 {
			return at
		}
	}
	return at
}

func ends(c byte) bool {
	switch c {
	case ',', ':', '}', ']', ' ', '\t', '\r', '\n', '"', '{', '[':
		return true
	}
	return false
}

// quoted returns where the string ends that begins at the given place.
func quoted(data []byte, at int) int {
	for at++; at < len(data); at++ {
		switch data[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(data)
}
