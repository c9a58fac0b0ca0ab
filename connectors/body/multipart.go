package body

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Multipart finds the values in data, a multipart/form-data body whose parts
// are separated by boundary. Text is a String; a file, or a part that says it
// is more than plain text, is Other. Names are nested as in forms.
//
// It fails with ErrAmbiguous wherever Form would for the same names, and where
// data is not written as RFC 7578 has it: with a boundary that RFC 2046 does
// not allow or that occurs elsewhere than at the beginning of a line; with
// text around the parts, with lines that do not end in CR LF, or without the
// last boundary; with a part that has not exactly one name, is in a character
// set of another kind than UTF-8, or has parts itself; with a wanted part that
// is encoded; and with too many parts or too long headers.
func (f *Finder) Multipart(data []byte, boundary string, values []Value) error {
	r := multipart{f.fields(values)}
	if !r.read(data, boundary) || !r.consistent() {
		return fail(r.values)
	}
	return nil
}

// multipart reads a form of parts.
type multipart struct{ fields }

var crlf = []byte("\r\n")

func (r *multipart) read(data []byte, boundary string) bool {
	if !isBoundary(boundary) {
		return false
	}
	delimiter := []byte("--" + boundary)
	data, ok := bytes.CutPrefix(bytes.TrimPrefix(data, crlf), delimiter)
	if !ok {
		return false
	}
	for range maxFields + 1 {
		if rest, last := bytes.CutPrefix(data, []byte("--")); last {
			return len(rest) == 0 || string(rest) == "\r\n"
		}
		if data, ok = bytes.CutPrefix(data, crlf); !ok {
			return false
		}
		// Wherever the delimiter is next, it must end the part: readers differ
		// in what they take for the beginning of a line.
		end := bytes.Index(data, delimiter)
		if end < 0 {
			return false
		}
		part, ok := bytes.CutSuffix(data[:end], crlf)
		if !ok || !r.part(part) {
			return false
		}
		data = data[end+len(delimiter):]
	}
	return false
}

// isBoundary reports whether boundary is one by RFC 2046, without the bytes at
// which some readers of Content-Type end it, such as PHP at a comma.
func isBoundary(boundary string) bool {
	if len(boundary) == 0 || len(boundary) > 70 {
		return false
	}
	for i := range len(boundary) {
		if c := boundary[i]; !isAlphanumeric(c) && strings.IndexByte("'+_-./:=?", c) < 0 {
			return false
		}
	}
	return true
}

func (r *multipart) part(part []byte) bool {
	headers, content, ok := bytes.Cut(part, []byte("\r\n\r\n"))
	if !ok {
		return false
	}
	h, ok := readHeader(headers)
	name, short := []byte(h.disposition.name), []byte(h.disposition.short)
	if !ok || r.mayName(short) || !charset(name, content) {
		return false
	}
	if bytes.Contains(name, []byte("=?")) {
		return false // Mail readers decode such a word.
	}
	if bytes.IndexByte(name, '%') >= 0 {
		// Browsers write quotes and line ends so; some readers undo that.
		var decoded []byte
		if decoded, ok = decode(nil, name, false); !ok || r.mayName(decoded) {
			return false
		}
	}
	n, k, ok := r.place(name)
	if n == nil || !ok {
		return ok
	}
	if h.encoded {
		return false
	}
	if h.disposition.file || !h.text {
		return r.add(n, k, Value{Kind: Other})
	}
	return utf8.Valid(content) && bytes.IndexByte(content, 0) < 0 && r.add(n, k, Value{Kind: String, Text: string(content)})
}
