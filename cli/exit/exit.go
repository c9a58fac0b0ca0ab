// Package exit says with which code the program ends.
package exit

import (
	"context"
	"errors"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

// What the codes mean. Scripts rely on them.
const (
	OK            = 0
	Failure       = 1
	Usage         = 2 // wrong usage, or cancelled by the user
	Degraded      = 3
	Auth          = 4 // a sign-in is needed or was refused
	Denied        = 5 // by policy, or by one's role; also where a test of a policy fails
	Pending       = 6 // nobody has decided yet
	Killed        = 7 // the kill switch is on
	Run           = 125
	NotExecutable = 126
	NotFound      = 127
	Signalled     = 128 // plus the signal's number
)

// Help is the text of "tameflare help exit-codes".
const Help = `Exit codes of tameflare:

  0        ok
  1        failure
  2        wrong usage, or cancelled
  3        degraded: something needs attention
  4        sign in first, or the sign-in is not good any more
  5        denied by policy, or by your role; a test of a policy fails
  6        still pending
  7        the kill switch is on
  125      run failed before the command started
  126/127  the command cannot be executed / was not found
  n        otherwise run ends with the command's own code
  128+n    the command was ended by signal n
`

// Error is an error with a code of its own.
type Error struct {
	Code   int
	Err    error          // what to say; nil for nothing
	Signal syscall.Signal // that ended the command, 0 for none: the program ends by the same
}

func (e *Error) Error() string {
	if e.Err == nil {
		return "exit"
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// With gives err a code. Nil stays nil.
func With(code int, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Code: code, Err: err}
}

// Wrong is an error of wrong usage: message says what to do.
func Wrong(message string) error {
	return &Error{Code: Usage, Err: fault.New(fault.Invalid, message, nil)}
}

// Silent ends the program with a code, with nothing to say.
func Silent(code int) error { return &Error{Code: code} }

// Code returns the code for err.
func Code(err error) int {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if errors.Is(err, context.Canceled) {
		return Usage
	}
	switch fault.Of(err) {
	case fault.Unauthenticated:
		return Auth
	case fault.Forbidden:
		return Denied
	default:
		return Failure
	}
}

// Message returns what to say about err, "" for nothing. The innermost
// sentence for people is enough where there is one.
func Message(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Err == nil {
		return ""
	}
	if errors.Is(err, context.Canceled) {
		return "Cancelled."
	}
	if fault.Of(err) != fault.Internal {
		return fault.Message(err)
	}
	return err.Error()
}
