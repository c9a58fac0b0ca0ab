package body

import (
	"bytes"
	"slices"
)

// scanner reads JSON as RFC 8259 has it, and nothing that readers are known to
// differ about. Its data is valid UTF-8.
type scanner struct {
	finding
	data []byte
	at   int
	keys [][]byte // of the objects that are open
	buf  []byte   // for folding a key
}

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) eat(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// value reads any value that stands within depth others. Where n is nil,
// nothing of it is wanted.
func (s *scanner) value(depth int, n *node) bool {
	switch c := s.peek(); {
	case c == '{':
		return depth < maxDepth && s.object(depth, n)
	case c == '[':
		return depth < maxDepth && s.array(depth, n)
	case c == '"' && n == nil:
		return s.skip()
	case c == '"':
		text, ok := s.string()
		if !ok || bytes.IndexByte(text, 0) >= 0 {
			return false
		}
		s.foundScalar(n, Value{Kind: String, Text: string(text)})
		return true
	case c == 't':
		return s.word("true", n, Bool)
	case c == 'f':
		return s.word("false", n, Bool)
	case c == 'n':
		return s.word("null", n, Null)
	case c == '-' || '0' <= c && c <= '9':
		start := s.at
		ok := s.number()
		if ok && n != nil {
			s.foundScalar(n, Value{Kind: Number, Text: string(s.data[start:s.at])})
		}
		return ok
	}
	return false
}

func (s *scanner) word(w string, n *node, kind Kind) bool {
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	if n != nil {
		v := Value{Kind: kind}
		if kind == Bool {
			v.Text = w
		}
		s.foundScalar(n, v)
	}
	return true
}

func (s *scanner) array(depth int, n *node) bool {
	var each *node
	if n != nil {
		s.foundArray(n)
		each = n.each
	}
	s.at++
	s.space()
	if s.eat(']') {
		return true
	}
	for {
		s.space()
		if !s.value(depth+1, each) {
			return false
		}
		s.space()
		if s.eat(']') {
			return true
		}
		if !s.eat(',') {
			return false
		}
	}
}

func (s *scanner) object(depth int, n *node) bool {
	if n != nil {
		s.foundObject(n)
	}
	s.at++
	s.space()
	if s.eat('}') {
		return true
	}
	base := len(s.keys)
	for {
		s.space()
		if s.peek() != '"' {
			return false
		}
		key, ok := s.string()
		s.space()
		if !ok || !s.eat(':') || bytes.IndexByte(key, 0) >= 0 {
			return false
		}
		field, ok := s.field(n, key)
		if !ok {
			return false
		}
		s.keys = append(s.keys, key)
		s.space()
		if !s.value(depth+1, field) {
			return false
		}
		s.space()
		if s.eat('}') {
			break
		}
		if !s.eat(',') {
			return false
		}
	}
	once := distinct(s.keys[base:])
	s.keys = s.keys[:base]
	return once
}

// field returns what is wanted of the field key of an object at n. It is false
// where key is a wanted one but for its case.
func (s *scanner) field(n *node, key []byte) (*node, bool) {
	if n == nil || n.fields == nil {
		return nil, true
	}
	if field := n.fields[string(key)]; field != nil {
		return field, true
	}
	s.buf = fold(s.buf[:0], key)
	return nil, !n.folded[string(s.buf)]
}

// distinct reports whether no key is there twice. It may reorder them.
func distinct(keys [][]byte) bool {
	if len(keys) > 16 {
		slices.SortFunc(keys, bytes.Compare)
		for i := 1; i < len(keys); i++ {
			if bytes.Equal(keys[i], keys[i-1]) {
				return false
			}
		}
		return true
	}
	for i, key := range keys {
		for _, other := range keys[:i] {
			if bytes.Equal(key, other) {
				return false
			}
		}
	}
	return true
}
