package accounts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func TestSignInTellsNobodyWhoHasAnAccount(t *testing.T) {
	t.Parallel()

	s, _, u := owned(t)
	ctx := t.Context()
	if got, err := s.SignIn(ctx, " ANA@example.org", password, here); err != nil || got.ID != u.ID {
		t.Fatalf("%+v, %v", got, err)
	}
	sentences := map[string]bool{}
	for name, try := range map[string][2]string{
		"wrong password": {email, "wrong horse battery"},
		"no account":     {"eve@example.org", password},
		"no address":     {"eve", password},
		"no password":    {email, ""},
	} {
		_, err := s.SignIn(ctx, try[0], try[1], here)
		wantKind(t, name, err, fault.Unauthenticated, "not right")
		sentences[fault.Message(err)] = true
	}
	if len(sentences) != 1 {
		t.Errorf("different sentences: %v", sentences)
	}

	// The fastest of a few says most about the work that was done.
	fastest := func(address string) time.Duration {
		best := time.Hour
		for i := range 5 {
			began := time.Now()
			_, err := s.SignIn(ctx, address, "wrong horse battery", fmt.Sprint("198.51.100.", i))
			wantKind(t, address, err, fault.Unauthenticated, "not right")
			best = min(best, time.Since(began))
		}
		return best
	}
	known, unknown := fastest(email), fastest("eve@example.org")
	// Without the work for nobody's password it would be several hundred times.
	if unknown < known/5 || unknown > 5*known {
		t.Errorf("an account takes %v, none takes %v", known, unknown)
	}
}

func TestGuessingIsThrottled(t *testing.T) {
	t.Parallel()

	s, c, _ := owned(t)
	ctx := t.Context()
	for _, address := range []string{email, "nobody@example.org"} { // both alike
		for i := range 8 {
			_, err := s.SignIn(ctx, address, "wrong horse battery", here)
			wantKind(t, fmt.Sprint(address, " ", i), err, fault.Unauthenticated, "not right")
		}
		_, err := s.SignIn(ctx, address, password, here)
		wantKind(t, address+" afterwards", err, fault.Limited, "Try again in")
	}
	if _, err := s.SignIn(ctx, email, password, "203.0.113.9"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	c.forward(15 * time.Minute)
	if _, err := s.SignIn(ctx, email, password, here); err != nil {
		t.Errorf("later: %v", err)
	}
}

// Signing in often is no failure.
func TestSuccessIsNotCounted(t *testing.T) {
	t.Parallel()

	s, _, _ := owned(t)
	for i := range 12 {
		if _, err := s.SignIn(t.Context(), email, password, here); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
}

func TestSignInLinkWorksOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, c := fresh(t, st)
		u := add(t, s, email, team.RoleOwner)
		v := viewer(t, s, browser(t, s, u))
		link := func() string {
			token, err := s.NewSignInLink(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		token := link()
		last, err := st.Events(t.Context(), v.Team.ID, 0, 1)
		if err != nil || len(last) != 1 || last[0].Type != "link.created" || last[0].ActorID != u.ID || strings.Contains(string(last[0].Entry), token) {
			t.Errorf("recorded %+v, %v, want who made a link, without the link", last, err)
		}
		if got, err := s.SignInWithLink(t.Context(), token); err != nil || got.ID != u.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		_, err = s.SignInWithLink(t.Context(), token)
		wantKind(t, "twice", err, fault.Expired, "has been used")
		token = link()
		c.forward(10 * time.Minute)
		_, err = s.SignInWithLink(t.Context(), token)
		wantKind(t, "too late", err, fault.Expired, "too old")
		setup, err := s.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.SignInWithLink(t.Context(), setup)
		wantKind(t, "a set-up link", err, fault.Expired, "")
	})
}

// Whoever has an IPv6 address has 2⁶⁴ of them.
func TestAnotherAddressOfTheSameNetworkDoesNotHelp(t *testing.T) {
	t.Parallel()

	s, _, _ := owned(t)
	ctx := t.Context()
	for i := range 8 {
		_, err := s.SignIn(ctx, email, "wrong horse battery", fmt.Sprintf("2001:db8:1:2::%d", i))
		wantKind(t, fmt.Sprint(i), err, fault.Unauthenticated, "not right")
	}
	_, err := s.SignIn(ctx, email, password, "2001:db8:1:2:ffff::1")
	wantKind(t, "from the same network", err, fault.Limited, "Try again in")
	if _, err := s.SignIn(ctx, email, password, "2001:db8:1:3::1"); err != nil {
		t.Errorf("from another network: %v", err)
	}
	for i := range 60 {
		if _, _, err := s.BeginDevice(ctx, "x", fmt.Sprintf("2001:db8:1:2::%d", i)); err != nil {
			t.Fatalf("login %d: %v", i, err)
		}
	}
	_, _, err = s.BeginDevice(ctx, "x", "2001:db8:1:2:ffff::1")
	wantKind(t, "one login more", err, fault.Limited, "Try again in")
}
