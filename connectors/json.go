package connectors

import (
	"errors"
	"strconv"
)

// errAmbiguous says that two readers could understand the same JSON
// differently, or one of them not at all.
var errAmbiguous = errors.New("not one unambiguous JSON object")

// maxDepth is how deep JSON may nest. GitHub's own bodies go to 5.
const maxDepth = 64

// value is a field of a JSON object: a scalar, or that it is there but is none.
type value struct {
	kind valueKind
	text string // of a string, unescaped; of a number, as written
}

type valueKind uint8

const (
	absent valueKind = iota
	isNull
	isString
	isNumber
	isTrue
	isFalse
	isOther // an object or array
)

// param returns v as rules see it, and false where it is no scalar.
func (v value) param() (any, bool) {
	switch v.kind {
	case isString:
		return v.text, true
	case isTrue, isFalse:
		return v.kind == isTrue, true
	case isNumber:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(v.text, 64)
		return f, err == nil
	case absent, isNull, isOther:
	}
	return nil, false
}

// readFields finds the fields called names at the top of the JSON object in
// data. It reads all of data, and fails with errAmbiguous where that is not
// exactly one object, says a key twice at any depth, or is not valid UTF-8.
func readFields(data []byte, names []string, values []value) error {
	s := scanner{data: data}
	s.space()
	if s.peek() != '{' {
		return errAmbiguous
	}
	if _, ok := s.value(0, names, values); !ok {
		return errAmbiguous
	}
	s.space()
	if s.at != len(data) {
		return errAmbiguous
	}
	return nil
}
