package accounts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func TestAPasswordIsFreshForAWhile(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, c := fresh(t, st)
		u, err := s.Register(t.Context(), accounts.Registration{Email: email, Name: "Ana", Password: password, Loopback: true, IP: here})
		if err != nil {
			t.Fatal(err)
		}
		id := browser(t, s, u)
		isFresh := func(when string, want bool) {
			t.Helper()
			if v := viewer(t, s, id); v.Fresh(c.Now()) != want {
				t.Errorf("%s: confirmed at %v, want fresh %v", when, v.ConfirmedAt, want)
			}
		}
		isFresh("after signing in", true)
		c.forward(team.StepUpWindow)
		isFresh("later", false)
		wantKind(t, "another password", s.Confirm(t.Context(), viewer(t, s, id), "not the password", here), fault.Invalid, "is not right")
		isFresh("after a wrong password", false)
		if err := s.Confirm(t.Context(), viewer(t, s, id), password, here); err != nil {
			t.Fatal(err)
		}
		isFresh("after the right one", true)
		last, err := st.Events(t.Context(), viewer(t, s, id).Team.ID, 0, 1)
		if err != nil || last[0].Type != "user.confirmed" || last[0].ActorID != u.ID || strings.Contains(string(last[0].Entry), password) {
			t.Errorf("recorded %+v, %v", last, err)
		}
	})
}

// Whoever has a token makes a link of it, so a link proves nothing more.
func TestALinkIsNoFreshProof(t *testing.T) {
	t.Parallel()

	s, c, u := owned(t)
	id, err := s.StartLinkedSession(t.Context(), u.ID, "Firefox", here)
	if err != nil {
		t.Fatal(err)
	}
	v := viewer(t, s, id.Reveal())
	if v.Fresh(c.Now()) || !v.ConfirmedAt.IsZero() {
		t.Errorf("confirmed at %v", v.ConfirmedAt)
	}
	if err := s.Confirm(t.Context(), v, password, here); err != nil {
		t.Fatal(err)
	}
	if v = viewer(t, s, id.Reveal()); !v.Fresh(c.Now()) {
		t.Error("the password did not count")
	}
}

func TestWhatCannotConfirm(t *testing.T) {
	t.Parallel()

	s, c, u := owned(t)
	id := browser(t, s, u)
	mine := viewer(t, s, id)
	c.forward(time.Hour)

	byToken := mine
	byToken.Auth, byToken.By = "token", "tok_1"
	wantKind(t, "a token", s.Confirm(t.Context(), byToken, password, here), fault.Forbidden, "in the dashboard")
	bySlack := mine
	bySlack.Auth = "slack"
	wantKind(t, "a chat", s.Confirm(t.Context(), bySlack, password, here), fault.Forbidden, "")
	wantKind(t, "a long password", s.Confirm(t.Context(), mine, strings.Repeat("x", 10_000), here), fault.Invalid, "")

	ben := add(t, s, "ben@example.org", team.RoleMember)
	other := viewer(t, s, browser(t, s, ben))
	stolen := other
	stolen.User = u // Ana's password, and Ben's session
	stolen.User.Email = email
	wantKind(t, "somebody else's session", s.Confirm(t.Context(), stolen, password, here), fault.Unauthenticated, "")

	if err := s.EndSession(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "a session that is over", s.Confirm(t.Context(), mine, password, here), fault.Unauthenticated, "")
}

// Guessing here is guessing at the door.
func TestConfirmingIsThrottledLikeSigningIn(t *testing.T) {
	t.Parallel()

	s, _, u := owned(t)
	v := viewer(t, s, browser(t, s, u))
	for range 8 {
		wantKind(t, "guess", s.Confirm(t.Context(), v, "wrong password", here), fault.Invalid, "")
	}
	wantKind(t, "the right one, too late", s.Confirm(t.Context(), v, password, here), fault.Limited, "Too many attempts")
	_, err := s.SignIn(t.Context(), email, password, here)
	wantKind(t, "signing in", err, fault.Limited, "")
}
