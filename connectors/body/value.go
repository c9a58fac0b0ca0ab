package body

import (
	"bytes"
	"strconv"
	"strings"
)

// maxValues is how many values a body may have that is decoded as a whole, so
// that a small body cannot become a large tree.
const maxValues = 64 << 10

// maxDigits is how many significant digits a fraction, or a number beyond
// 64 bits, may have. With more it would no longer be the number that is sent.
const maxDigits = 17

// DecodeJSON returns the value that data is: maps by text, lists, texts,
// int64, float64, bool and nil. It fails with ErrAmbiguous where Check does;
// where keys of one object differ only in case, or have a NUL, as texts may
// not either; where a number is out of reach of both types, or more exact; and
// where there are more than 65536 values.
func DecodeJSON(data []byte) (any, error) {
	d := decoder{scanner: scanner{data: data}}
	if !d.valid() {
		return nil, ErrAmbiguous
	}
	d.space()
	v, ok := d.any(0)
	if d.space(); !ok || d.at != len(data) {
		return nil, ErrAmbiguous
	}
	return v, nil
}

// decoder makes values of what a scanner reads.
type decoder struct {
	scanner
	count int
}

func (d *decoder) any(depth int) (any, bool) {
	if d.count++; d.count > maxValues || depth >= maxDepth {
		return nil, false
	}
	switch c := d.peek(); {
	case c == '{':
		return d.fields(depth)
	case c == '[':
		return d.elements(depth)
	case c == '"':
		return d.text()
	case c == 't':
		return true, d.word("true", nil, Bool)
	case c == 'f':
		return false, d.word("false", nil, Bool)
	case c == 'n':
		return nil, d.word("null", nil, Null)
	case c == '-' || '0' <= c && c <= '9':
		start := d.at
		if !d.number() {
			return nil, false
		}
		return number(string(d.data[start:d.at]))
	}
	return nil, false
}

// text reads a string. One with a NUL is cut off by some.
func (d *decoder) text() (string, bool) {
	text, ok := d.string()
	return string(text), ok && bytes.IndexByte(text, 0) < 0
}

func (d *decoder) elements(depth int) (any, bool) {
	list := []any{}
	d.at++
	d.space()
	if d.eat(']') {
		return list, true
	}
	for {
		d.space()
		v, ok := d.any(depth + 1)
		if !ok {
			return nil, false
		}
		list = append(list, v)
		d.space()
		if d.eat(']') {
			return list, true
		}
		if !d.eat(',') {
			return nil, false
		}
	}
}

func (d *decoder) fields(depth int) (any, bool) {
	m := map[string]any{}
	d.at++
	d.space()
	if d.eat('}') {
		return m, true
	}
	for {
		d.space()
		if d.peek() != '"' {
			return nil, false
		}
		key, ok := d.text()
		if d.space(); !ok || !d.eat(':') {
			return nil, false
		}
		d.space()
		v, ok := d.any(depth + 1)
		if _, twice := m[key]; !ok || twice {
			return nil, false
		}
		m[key] = v
		d.space()
		if d.eat('}') {
			return m, unlike(m)
		}
		if !d.eat(',') {
			return nil, false
		}
	}
}

// unlike reports whether no two keys of m are the same to readers who ignore
// case.
func unlike(m map[string]any) bool {
	if len(m) < 2 {
		return true
	}
	folded := make(map[string]struct{}, len(m))
	var buf []byte
	for key := range m {
		buf = fold(buf[:0], []byte(key))
		folded[string(buf)] = struct{}{}
	}
	return len(folded) == len(m)
}

// number reads a number of JSON.
func number(text string) (any, bool) {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, true
		}
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	digits := strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
	if len(strings.TrimRight(digits, "0")) > maxDigits {
		return nil, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && (f != 0 || digits == "")
}
