// Package accounts says who is asking: people with a password, browsers with a
// session, and command lines with a token.
//
// What proves somebody's identity is random, shown once and kept as a hash. The
// sentences of a refusal are the same whether or not there is such an account.
package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
)

// Service signs people in and out. Store, Keys, Now and Log are needed.
type Service struct {
	Store *store.Store
	Keys  Keys
	Now   func() time.Time
	Log   *slog.Logger

	passwords passwords
	failures  throttle // of signing in, by account and by address
	guesses   throttle // of a device's user code, by who types it
	begun     throttle // logins, by address
}

// Keys makes the data key of a new team, wrapped.
type Keys interface {
	NewTeamKey(teamID string) ([]byte, error)
}

const (
	sessionIdle = 12 * time.Hour
	sessionLife = 7 * 24 * time.Hour
	tokenLife   = 90 * 24 * time.Hour
	setUpLife   = 24 * time.Hour
	signInLife  = 10 * time.Minute
	loginLife   = 10 * time.Minute
	codeLife    = time.Minute // from the confirmation to the exchange
)

func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// sessionIDSize is the length of two rand.Text, which are 130 bits each.
const sessionIDSize = 52

// newSecret returns 260 random bits in lower case letters and digits.
func newSecret() credential.Secret {
	return credential.NewSecret(strings.ToLower(rand.Text() + rand.Text()))
}

// hash is how a random secret is kept. It has enough bits of its own that
// nothing slower is needed.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// now is the time as the database will return it.
func (s *Service) now() time.Time { return audit.Time(s.Now()) }

// clamp makes what somebody sent fit for a row.
func clamp(text string, limit int) string { return audit.Plain(strings.TrimSpace(text), limit) }
