// Package body says what stands in chosen places of a request's body.
//
// A body is JSON, a form or a multipart form. Each is read as its standard has
// it, and nothing is read that readers are known to differ about: a gateway
// that understood a body otherwise than the service does would decide about
// another request than the one that is carried out. So a body is read in full,
// and what is not certain is [ErrAmbiguous], never a guess.
package body

import "errors"

// ErrAmbiguous says that two readers could understand the same body
// differently, or one of them not at all.
var ErrAmbiguous = errors.New("body: not one unambiguous reading")

// Kind is what stands in a place.
type Kind uint8

const (
	// Absent means that the place is not there.
	Absent Kind = iota
	// Null is null, at the place or on the way to it.
	Null
	// String is text, which is all that forms have.
	String
	// Number is a JSON number.
	Number
	// Bool is true or false.
	Bool
	// List is what a path with Each finds: scalars only, maybe none.
	List
	// Other is whatever cannot be said as one of these: an object, an array
	// where the path has no Each, something else than an array where it has
	// one, a list with an element that is no scalar, a scalar where the path
	// leads on, a file. Callers treat it as unknown.
	Other
)

// Value is what a body says in one place. Its text is a copy.
type Value struct {
	Kind Kind
	// Text is a string without its escapes, a number as it is written, or
	// true or false.
	Text string
	// List is the elements of a List, in their order, as Text would be.
	List []string
}

// fail makes every value unknown, so that nobody takes for absent what was
// not understood.
func fail(values []Value) error {
	for i := range values {
		values[i] = Value{Kind: Other}
	}
	return ErrAmbiguous
}
