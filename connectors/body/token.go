package body

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func (s *scanner) number() bool {
	s.eat('-')
	if !s.eat('0') && !s.digits() {
		return false
	}
	if s.eat('.') && !s.digits() {
		return false
	}
	if s.eat('e') || s.eat('E') {
		if !s.eat('+') {
			s.eat('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > start
}

// skip reads a string that nobody wants.
func (s *scanner) skip() bool {
	s.at++
	for s.at < len(s.data) {
		c := s.data[s.at]
		s.at++
		switch {
		case c == '"':
			return true
		case c == '\\':
			if _, ok := s.escape(); !ok {
				return false
			}
		case c < ' ':
			return false
		}
	}
	return false
}

// string returns what a string says: a part of the data where it has no
// escapes, else new.
func (s *scanner) string() ([]byte, bool) {
	start := s.at + 1
	if !s.skip() {
		return nil, false
	}
	raw := s.data[start : s.at-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw, true
	}
	end := s.at
	text := make([]byte, 0, len(raw))
	for s.at = start; s.at < end-1; {
		c := s.data[s.at]
		s.at++
		if c != '\\' {
			text = append(text, c)
			continue
		}
		r, _ := s.escape() // It is well formed: skip has read it.
		text = utf8.AppendRune(text, r)
	}
	s.at = end
	return text, true
}

// escape reads on after a backslash.
func (s *scanner) escape() (rune, bool) {
	c := s.peek()
	s.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return s.unicode()
	}
	return 0, false
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
