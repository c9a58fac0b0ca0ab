package connectors

import (
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON as RFC 8259 has it, and nothing that readers are known to
// differ about.
type scanner struct {
	data []byte
	at   int
	keys []string // of the objects that are open
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

// value reads any value. Fields of this value itself, if it is an object, go
// where names says.
func (s *scanner) value(depth int, names []string, values []value) (value, bool) {
	if depth > maxDepth {
		return value{}, false
	}
	switch c := s.peek(); {
	case c == '{':
		return value{kind: isOther}, s.object(depth, names, values)
	case c == '[':
		return value{kind: isOther}, s.array(depth)
	case c == '"':
		text, ok := s.string()
		return value{isString, text}, ok
	case c == 't':
		return value{kind: isTrue}, s.word("true")
	case c == 'f':
		return value{kind: isFalse}, s.word("false")
	case c == 'n':
		return value{kind: isNull}, s.word("null")
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	return value{}, false
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

func (s *scanner) array(depth int) bool {
	s.at++
	s.space()
	if s.eat(']') {
		return true
	}
	for {
		s.space()
		if _, ok := s.value(depth+1, nil, nil); !ok {
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

func (s *scanner) object(depth int, names []string, values []value) bool {
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
		if !ok || !s.eat(':') {
			return false
		}
		s.space()
		v, ok := s.value(depth+1, nil, nil)
		if !ok {
			return false
		}
		s.keys = append(s.keys, key)
		if i := slices.Index(names, key); i >= 0 {
			values[i] = v
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

// distinct reports whether no key is there twice. It may reorder them.
func distinct(keys []string) bool {
	if len(keys) > 16 {
		slices.Sort(keys)
		for i := 1; i < len(keys); i++ {
			if keys[i] == keys[i-1] {
				return false
			}
		}
		return true
	}
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			return false
		}
	}
	return true
}

func (s *scanner) number() (value, bool) {
	start := s.at
	s.eat('-')
	if !s.eat('0') && !s.digits() {
		return value{}, false
	}
	if s.eat('.') && !s.digits() {
		return value{}, false
	}
	if s.eat('e') || s.eat('E') {
		if !s.eat('+') {
			s.eat('-')
		}
		if !s.digits() {
			return value{}, false
		}
	}
	return value{isNumber, string(s.data[start:s.at])}, true
}

func (s *scanner) digits() bool {
	start := s.at
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > start
}

func (s *scanner) string() (string, bool) {
	s.at++
	start := s.at
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			text := s.data[start:s.at]
			s.at++
			return string(text), utf8.Valid(text)
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			return "", false
		}
		s.at++
	}
	return "", false
}

// escaped reads on from the first backslash of a string.
func (s *scanner) escaped(start int) (string, bool) {
	text := slices.Clone(s.data[start:s.at])
	for s.at < len(s.data) {
		c := s.data[s.at]
		s.at++
		switch {
		case c == '"':
			return string(text), utf8.Valid(text)
		case c < 0x20:
			return "", false
		case c != '\\':
			text = append(text, c)
			continue
		}
		c = s.peek()
		s.at++
		switch c {
		case '"', '\\', '/':
			text = append(text, c)
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, ok := s.unicode()
			if !ok {
				return "", false
			}
			text = utf8.AppendRune(text, r)
		default:
			return "", false
		}
	}
	return "", false
}

// unicode reads the four digits after \u, and the second half of a pair.
// Half a pair is refused: readers differ in what they make of it.
func (s *scanner) unicode() (rune, bool) {
	r, ok := s.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !s.eat('\\') || !s.eat('u') {
		return 0, false
	}
	low, ok := s.hex4()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (s *scanner) hex4() (rune, bool) {
	if len(s.data)-s.at < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.data[s.at:s.at+4]), 16, 16)
	s.at += 4
	return rune(n), err == nil
}
