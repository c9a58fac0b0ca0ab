package accounts_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

const (
	email    = "ana@example.org"
	password = "correct horse battery"
	here     = "192.0.2.1"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type noKeys struct{}

func (noKeys) NewTeamKey(string) ([]byte, error) { return []byte("key"), nil }

func fresh(t *testing.T, st *store.Store) (*accounts.Service, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	return &accounts.Service{Store: st, Keys: noKeys{}, Now: c.Now, Log: slog.New(slog.DiscardHandler)}, c
}

// owned is a server with an owner, ana.
func owned(t *testing.T) (*accounts.Service, *clock, team.User) {
	t.Helper()
	s, c := fresh(t, storetest.Open(t))
	u, err := s.Register(t.Context(), accounts.Registration{Email: email, Name: "Ana", Password: password, Loopback: true, IP: here})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, u
}

// browser signs u in and returns the session's ID.
func browser(t *testing.T, s *accounts.Service, u team.User) string {
	t.Helper()
	id, err := s.StartSession(t.Context(), u.ID, "Firefox", here)
	if err != nil {
		t.Fatal(err)
	}
	return id.Reveal()
}

func viewer(t *testing.T, s *accounts.Service, session string) team.Viewer {
	t.Helper()
	v, err := s.Viewer(t.Context(), session, here)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func add(t *testing.T, s *accounts.Service, email string, role team.Role) team.User {
	t.Helper()
	u, err := s.AddUser(t.Context(), accounts.NewUser{Email: email, Role: role, Password: credential.NewSecret(password)})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func wantKind(t *testing.T, what string, err error, want fault.Kind, sentence string) {
	t.Helper()
	if err == nil || fault.Of(err) != want || !strings.Contains(fault.Message(err), sentence) {
		t.Errorf("%s: %v, want %v with %q", what, err, want, sentence)
	}
}
