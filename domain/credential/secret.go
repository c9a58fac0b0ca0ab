// Package credential holds secrets and the ways in which services take them.
package credential

import (
	"errors"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a string that does not print, log or marshal itself.
type Secret struct{ value string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value. Its callers are the places to review.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.value == "" }

func (Secret) String() string       { return redacted }
func (Secret) GoString() string     { return redacted }
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
func (Secret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("credential: a Secret does not marshal")
}
func (Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("credential: a Secret does not marshal")
}
