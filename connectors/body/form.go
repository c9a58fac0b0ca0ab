package body

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Form finds the values in data, which is application/x-www-form-urlencoded;
// an empty one has no fields. Each value is a String. Names are nested by
// brackets, and Each finds what is appended (d[]) as well as what has an index
// (d[0]).
//
// It fails with ErrAmbiguous where a % is not followed by two hexadecimal
// digits; where data has a NUL, a raw control byte, invalid UTF-8, brackets
// that are not in pairs after a name, or more than 1000 fields; where a wanted
// field is there twice or without a =, is a text and has fields, is a list of
// both kinds or one not in order; where a name is a wanted one but for its
// case, spaces around it, dots, or what PHP makes an underscore; and where
// semicolons as separators would make other wanted fields.
func (f *Finder) Form(data []byte, values []Value) error {
	r := urlencoded{fields: f.fields(values)}
	if !r.read(data) || !r.consistent() {
		return fail(r.values)
	}
	return nil
}

// urlencoded reads a form of names and values.
type urlencoded struct {
	fields
	field []byte // the name of the field being read
	text  []byte // what it says
}

func (r *urlencoded) read(data []byte) bool {
	for _, c := range data {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	count := 0
	for piece := range bytes.SplitSeq(data, []byte("&")) {
		if len(piece) == 0 {
			continue
		}
		if count++; count > maxFields || !r.piece(piece) {
			return false
		}
	}
	return true
}

func (r *urlencoded) piece(piece []byte) bool {
	if bytes.IndexByte(piece, ';') >= 0 && r.semicolons(piece) {
		return false
	}
	name, text, said := bytes.Cut(piece, []byte("="))
	var ok bool
	if r.field, ok = decode(r.field[:0], name, true); !ok {
		return false
	}
	if r.text, ok = decode(r.text[:0], text, true); !ok || !charset(r.field, r.text) {
		return false
	}
	n, k, ok := r.place(r.field)
	if n == nil || !ok {
		return ok
	}
	return said && r.add(n, k, Value{Kind: String, Text: string(r.text)})
}

// semicolons reports whether piece is or has a wanted field for those who
// separate by semicolons too.
func (r *urlencoded) semicolons(piece []byte) bool {
	for part := range bytes.SplitSeq(piece, []byte(";")) {
		name, _, _ := bytes.Cut(part, []byte("="))
		var ok bool
		if r.field, ok = decode(r.field[:0], name, true); !ok || r.mayName(r.field) {
			return true
		}
	}
	return false
}

// decode appends text to b without its percent signs and, where plus says so,
// with spaces for +. It is false where it is malformed, or the result has a
// NUL or is not valid UTF-8.
func decode(b, text []byte, plus bool) ([]byte, bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '%':
			if len(text)-i < 3 {
				return b, false
			}
			high, low := unhex(text[i+1]), unhex(text[i+2])
			if c = high<<4 | low; high > 15 || low > 15 || c == 0 {
				return b, false
			}
			i += 2
		case c == '+' && plus:
			c = ' '
		}
		b = append(b, c)
	}
	return b, utf8.Valid(b)
}

// unhex returns what a hexadecimal digit stands for, more than 15 where c is
// none.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// charset is false where a field says that the form is in a character set of
// another kind than UTF-8. HTML lets the field called _charset_ say that.
func charset(name, text []byte) bool {
	return !strings.EqualFold(string(name), "_charset_") || unicodeCharset(string(text))
}

// unicodeCharset reports whether text in the character set called name is
// UTF-8 to all readers.
func unicodeCharset(name string) bool {
	return strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "us-ascii")
}
