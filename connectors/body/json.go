package body

import "unicode/utf8"

// maxDepth is how deep JSON may nest. The services' own bodies go to 10 or so.
const maxDepth = 64

// openKeys is for how many keys of open objects there is room from the start:
// for those of most bodies.
const openKeys = 20

// JSON finds the values in data, which is one JSON object, or an array where a
// path begins with Each. It fails with ErrAmbiguous where data is anything
// else; where an object says a key twice, whatever its escapes, at any depth;
// where a key differs only in case from a wanted one beside it; where half a
// surrogate pair is escaped, or a NUL in a key or wanted string; and where
// data nests deeper than 64.
func (f *Finder) JSON(data []byte, values []Value) error {
	var keys [openKeys][]byte
	var buf [64]byte
	s := scanner{data: data, finding: f.find(values), keys: keys[:0], buf: buf[:0]}
	s.space()
	if c := s.peek(); c != '{' && (c != '[' || f.root.each == nil) {
		return fail(s.values)
	}
	if !s.document(&f.root) {
		return fail(s.values)
	}
	return nil
}

// Check fails with ErrAmbiguous unless data is exactly one JSON value, in valid
// UTF-8, that says no key twice at any depth and nests no deeper than 64.
func Check(data []byte) error {
	var keys [openKeys][]byte
	s := scanner{data: data, keys: keys[:0]}
	if !s.document(nil) {
		return ErrAmbiguous
	}
	return nil
}

// document reads all of the data as one value.
func (s *scanner) document(n *node) bool {
	if !s.valid() {
		return false
	}
	s.space()
	if !s.value(0, n) {
		return false
	}
	s.space()
	return s.at == len(s.data)
}

func (s *scanner) valid() bool { return utf8.Valid(s.data) }
