package accounts_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func TestTokenSignsInUntilItEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, c := fresh(t, st)
		ctx := t.Context()
		u := add(t, s, email, team.RoleOwner)
		secret, row, err := s.NewTokenFor(ctx, "Ana@example.org", "ci", 0)
		if err != nil {
			t.Fatal(err)
		}
		text := secret.Reveal()
		if !regexp.MustCompile(`^tfc_[0-9A-Za-z]{49}$`).MatchString(text) || row.Hint != text[49:] || row.Hash == text {
			t.Errorf("%q: %+v", text, row)
		}
		v, err := s.TokenViewer(ctx, text, here)
		if err != nil || v.User.ID != u.ID || v.Role != team.RoleOwner || v.Auth != "token" || v.By != row.ID {
			t.Errorf("%+v, %v", v, err)
		}
		ts, err := s.Tokens(ctx, v)
		if err != nil || len(ts) != 1 || ts[0].Name != "ci" || !ts[0].LastUsedAt.Equal(c.Now()) {
			t.Errorf("%+v, %v", ts, err)
		}

		swapped := []byte(text)
		swapped[10], swapped[11] = swapped[11]+1, swapped[10]
		for what, other := range map[string]string{
			"nothing": "", "the hash": row.Hash, "cut": text[:52], "longer": text + "0", "another": string(swapped),
		} {
			_, err := s.TokenViewer(ctx, other, here)
			wantKind(t, what, err, fault.Unauthenticated, "tameflare login")
		}
		_, err = s.TokenViewer(ctx, row.Hash, here)
		wantKind(t, "the hash", err, fault.Unauthenticated, "not a TameFlare token")

		c.forward(90*24*time.Hour - time.Second)
		if _, err := s.TokenViewer(ctx, text, here); err != nil {
			t.Errorf("on the last day: %v", err)
		}
		c.forward(time.Second)
		_, err = s.TokenViewer(ctx, text, here)
		wantKind(t, "after 90 days", err, fault.Unauthenticated, "expired")
	})
}

// Whoever had the token may have opened a session with it, which must not
// outlive the token.
func TestRevokingATokenEndsTheSessionsItMayHaveOpened(t *testing.T) {
	t.Parallel()

	s, _, ana := owned(t)
	ctx := t.Context()
	_, row, err := s.NewTokenFor(ctx, ana.Email, "laptop", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	opened, mine := browser(t, s, ana), browser(t, s, ana)
	if err := s.RevokeToken(ctx, viewer(t, s, mine), row.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Viewer(ctx, opened, here); fault.Of(err) != fault.Unauthenticated {
		t.Errorf("another session: %v", err)
	}
	if _, err := s.Viewer(ctx, mine, here); err != nil {
		t.Errorf("the session that revoked it: %v", err)
	}

	secret, row, err := s.NewTokenFor(ctx, ana.Email, "laptop", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.TokenViewer(ctx, secret.Reveal(), here)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RevokeToken(ctx, v, row.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Viewer(ctx, mine, here); err != nil {
		t.Errorf("a browser, after the command line signed itself out: %v", err)
	}
}

func TestTokenIsRevokedByItsOwnerOrTheTeams(t *testing.T) {
	t.Parallel()

	s, _, ana := owned(t)
	ctx := t.Context()
	bob, eve := add(t, s, "bob@example.org", team.RoleMember), add(t, s, "eve@example.org", team.RoleAdmin)
	token := func() (string, string) {
		secret, row, err := s.NewTokenFor(ctx, bob.Email, "laptop", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return secret.Reveal(), row.ID
	}
	text, id := token()
	wantKind(t, "an admin", s.RevokeToken(ctx, viewer(t, s, browser(t, s, eve)), id), fault.NotFound, "no such token")
	for name, u := range map[string]team.User{"its owner": bob, "the team's owner": ana} {
		if err := s.RevokeToken(ctx, viewer(t, s, browser(t, s, u)), id); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := s.TokenViewer(ctx, text, here)
		wantKind(t, name, err, fault.Unauthenticated, "revoked")
		wantKind(t, "twice", s.RevokeToken(ctx, viewer(t, s, browser(t, s, ana)), id), fault.NotFound, "has been revoked")
		text, id = token()
	}
	_, _, err := s.NewTokenFor(ctx, "nobody@example.org", "x", 0)
	wantKind(t, "nobody's", err, fault.NotFound, "no account")
}
