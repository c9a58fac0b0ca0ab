// Package fault classifies the failures that cross a boundary.
//
// Most errors are plain: they are wrapped on the way up and logged once. An
// error becomes a fault where the code knows what the failure means to the
// caller, and from there on it carries a Kind, for programs, and a message,
// for people. Everything else is Internal, and its text never leaves the
// process.
package fault

import (
	"errors"
	"net/http"
)

// Kind says what sort of failure an error is.
type Kind uint8

// The zero Kind is Internal, so an error nobody classified says nothing.
const (
	Internal        Kind = iota // our doing: logged, never shown
	Invalid                     // the request makes no sense as sent
	Unauthenticated             // we do not know who is asking
	Forbidden                   // we know, and they may not
	NotFound                    // there is no such thing, or not for them
	Conflict                    // it was changed by someone else first
	Expired                     // it was valid once
	Unavailable                 // try again later
	Limited                     // too much, too fast: try again later
)

var kinds = [...]struct {
	code   string
	status int
}{
	Internal:        {"internal", http.StatusInternalServerError},
	Invalid:         {"invalid", http.StatusUnprocessableEntity},
	Unauthenticated: {"unauthenticated", http.StatusUnauthorized},
	Forbidden:       {"forbidden", http.StatusForbidden},
	NotFound:        {"not_found", http.StatusNotFound},
	Conflict:        {"conflict", http.StatusConflict},
	Expired:         {"expired", http.StatusGone},
	Unavailable:     {"unavailable", http.StatusServiceUnavailable},
	Limited:         {"rate_limited", http.StatusTooManyRequests},
}

// String returns the code that goes over the wire.
func (k Kind) String() string { return kinds[k].code }

// Status returns the HTTP status that a failure of kind k is reported with.
func (k Kind) Status() int { return kinds[k].status }

// Parse is the inverse of String. An unknown code is Internal.
func Parse(code string) Kind {
	for k, v := range kinds {
		if v.code == code {
			return Kind(k)
		}
	}
	return Internal
}

type fault struct {
	kind    Kind
	message string
	err     error
}

// New returns an error of kind k. The message is a sentence for the person
// who asked; the cause, which may be nil, is for the log only.
func New(k Kind, message string, cause error) error { return &fault{k, message, cause} }

func (f *fault) Error() string {
	if f.err == nil {
		return f.kind.String() + ": " + f.message
	}
	return f.kind.String() + ": " + f.message + ": " + f.err.Error()
}

func (f *fault) Unwrap() error { return f.err }

// Of reports the kind of err: that of the outermost fault in its chain.
func Of(err error) Kind {
	if f, ok := errors.AsType[*fault](err); ok {
		return f.kind
	}
	return Internal
}

// Message returns what may be shown to whoever caused err.
func Message(err error) string {
	if f, ok := errors.AsType[*fault](err); ok && f.kind != Internal {
		return f.message
	}
	return "Something went wrong on our side."
}
