package vault_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/oauth/oauthtest"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) to(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// safe is a log that many write to.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// oauthHouse is a vault and a token endpoint.
type oauthHouse struct {
	*vault.Service
	store  *store.Store
	master vault.Master
	owner  team.Viewer
	end    *oauthtest.Endpoint
	clock  *clock
	log    *safe

	mu   sync.Mutex
	rung int
}

func oauthIn(t *testing.T, st *store.Store) *oauthHouse {
	t.Helper()
	h := &oauthHouse{store: st, master: master(t), end: oauthtest.New(t), clock: &clock{at: now}, log: &safe{}}
	h.owner = owner(t, st, h.master)
	h.Service = h.server(st)
	return h
}

func eachOAuth(t *testing.T, test func(t *testing.T, h *oauthHouse)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, st *store.Store) { test(t, oauthIn(t, st)) })
}

// server is another server's vault, with st for its store.
func (h *oauthHouse) server(st vault.Store) *vault.Service {
	return &vault.Service{
		Store: st, Master: h.master, Tokens: h.end.Client(), Now: h.clock.Now,
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Changed: func(context.Context, string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.rung++
		},
	}
}

func (h *oauthHouse) rings() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rung
}

func (h *oauthHouse) entry(g credential.Grant) vault.Entry {
	e := vault.Entry{Name: "login", Type: "http", Hosts: []string{"api.example"}, OAuth: h.end.OAuth(g), ClientSecret: credential.NewSecret(h.end.ClientSecret)}
	if g == credential.RefreshToken {
		e.RefreshToken = h.end.SignIn()
	}
	return e
}

func (h *oauthHouse) put(t *testing.T, g credential.Grant) fleet.Credential {
	t.Helper()
	c, err := h.PutEntry(t.Context(), h.owner, h.entry(g))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// now returns the credential as it is stored.
func (h *oauthHouse) row(t *testing.T, id string) fleet.Credential {
	t.Helper()
	c, err := h.store.Credential(t.Context(), h.owner.Team.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// due moves the clock to when the credential is to be looked at.
func (h *oauthHouse) due(t *testing.T, id string) fleet.Credential {
	t.Helper()
	c := h.row(t, id)
	if c.Refresh.NextAt.IsZero() {
		t.Fatalf("never due: %+v", c.Refresh)
	}
	h.clock.to(c.Refresh.NextAt)
	return c
}

func (h *oauthHouse) wantServed(t *testing.T, id, want string) {
	t.Helper()
	secret, _, err := h.Reveal(t.Context(), h.owner.Team.ID, id)
	if err != nil || secret.Reveal() != want {
		t.Errorf("gateways get %q, %v, want %q", secret.Reveal(), err, want)
	}
}

func (h *oauthHouse) revision(t *testing.T) int64 {
	t.Helper()
	n, err := h.store.Revision(t.Context(), h.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// events are the types of what was recorded, the newest first.
func (h *oauthHouse) events(t *testing.T) []string {
	t.Helper()
	rows, err := h.store.Events(t.Context(), h.owner.Team.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, r := range rows {
		types = append(types, r.Type)
	}
	return types
}
