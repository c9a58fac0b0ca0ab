package slack

import (
	"context"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
)

// Hash is what a code is stored as.
func Hash(code string) string { return hash(code) }

// Verify looks at a message's signature.
func Verify(h http.Header, body []byte, secret credential.Secret, now time.Time) (string, error) {
	return verify(h, body, secret, now)
}

// Plain and Lines make text safe to look at; Escape makes it safe in mrkdwn.
var (
	Plain  = plain
	Lines  = lines
	Escape = escape
	Parts  = parts
)

// ReadAction reads the payload of an interaction; all that tests want to know
// is whether it can be.
func ReadAction(payload []byte) error {
	_, err := readAction(payload)
	return err
}

// Inline is for how long an answer is waited for.
const Inline = inline

// FillDesk leaves no place for another message but n.
func (s *Service) FillDesk(n int, job func()) {
	for range queue - n {
		s.inbox() <- func(context.Context) { job() }
	}
}
