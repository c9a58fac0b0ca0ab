package accounts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func TestFirstToRegisterOwnsTheServer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := fresh(t, st)
		ctx := t.Context()
		if needs, err := s.NeedsSetup(ctx); err != nil || !needs {
			t.Fatalf("fresh: %v, %v", needs, err)
		}
		u, err := s.Register(ctx, accounts.Registration{Email: " Ana@Example.org ", Password: password, Loopback: true, IP: here})
		if err != nil {
			t.Fatal(err)
		}
		if u.Email != email || u.Name != "ana" || strings.Contains(u.PasswordHash, password) || !strings.HasPrefix(u.PasswordHash, "$argon2id$") {
			t.Errorf("%+v", u)
		}
		v := viewer(t, s, browser(t, s, u))
		if v.Role != team.RoleOwner || v.Team.Name != "ana's team" || v.Auth != "session" || v.IP != here {
			t.Errorf("%+v", v)
		}
		if needs, err := s.NeedsSetup(ctx); err != nil || needs {
			t.Errorf("afterwards: %v, %v", needs, err)
		}
		_, err = s.Register(ctx, accounts.Registration{Email: "eve@example.org", Password: password, Loopback: true})
		wantKind(t, "the second", err, fault.Forbidden, "has an owner")
	})
}

func TestOffLoopbackOnlyTheSetupLinkRegisters(t *testing.T) {
	t.Parallel()

	s, c := fresh(t, storetest.Open(t))
	ctx := t.Context()
	old, err := s.SetupLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.forward(25 * time.Hour)
	token, err := s.SetupLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r := accounts.Registration{Email: email, Password: password}
	_, err = s.Register(ctx, r)
	wantKind(t, "without a link", err, fault.Forbidden, "set-up link")
	for _, bad := range []string{old, "x", strings.ToUpper(token)} {
		r.SetupToken = bad
		_, err = s.Register(ctx, r)
		wantKind(t, "with "+bad, err, fault.Expired, "link")
	}
	r.SetupToken, r.Password = token, "short"
	_, err = s.Register(ctx, r)
	wantKind(t, "with a short password", err, fault.Invalid, "12 characters") // and the link is still good
	r.Password = password
	if _, err := s.Register(ctx, r); err != nil {
		t.Errorf("with the link: %v", err)
	}
}

func TestRegistrationThatMakesNoSense(t *testing.T) {
	t.Parallel()

	s, _ := fresh(t, storetest.Open(t))
	for name, c := range map[string]struct{ email, password, sentence string }{
		"no address":           {"", password, "like ana@example.com"},
		"a name":               {"ana", password, "like ana@example.com"},
		"with a display name":  {"Ana <ana@example.org>", password, "like ana@example.com"},
		"two addresses":        {"a@example.org,b@example.org", password, "like ana@example.com"},
		"a line break":         {"ana@example.org\r\nBcc: x", password, "like ana@example.com"},
		"no password":          {email, "", "12 characters"},
		"eleven characters":    {email, "elevenchars", "12 characters"},
		"eleven wide ones":     {email, strings.Repeat("é", 11), "12 characters"},
		"far too long":         {email, strings.Repeat("ab", 300), "512"},
		"the address":          {email, "ANA@example.org", "cannot be the e-mail"},
		"in every list":        {email, "Password1234", "first that anybody"},
		"one character":        {email, strings.Repeat("z", 20), "first that anybody"},
		"what cannot be typed": {email, "correct\x00horse battery", "cannot be typed"},
	} {
		_, err := s.Register(t.Context(), accounts.Registration{Email: c.email, Password: c.password, Loopback: true})
		wantKind(t, name, err, fault.Invalid, c.sentence)
	}
	if needs, err := s.NeedsSetup(t.Context()); err != nil || !needs {
		t.Errorf("an account was made: %v", err)
	}
}

func TestConsoleAddsPeople(t *testing.T) {
	t.Parallel()

	s, _ := fresh(t, storetest.Open(t))
	ctx := t.Context()
	secret := credential.NewSecret(password)
	_, err := s.AddUser(ctx, accounts.NewUser{Email: email, Role: team.RoleViewer, Password: secret})
	wantKind(t, "the first as a viewer", err, fault.Invalid, "role owner")
	_, err = s.AddUser(ctx, accounts.NewUser{Email: email, Role: "root", Password: secret})
	wantKind(t, "no such role", err, fault.Invalid, "owner, admin, member or viewer")

	owner := add(t, s, email, team.RoleOwner)
	bob := add(t, s, "bob@example.org", team.RoleViewer)
	_, err = s.AddUser(ctx, accounts.NewUser{Email: "Bob@example.org", Role: team.RoleOwner, Password: secret})
	wantKind(t, "again", err, fault.Conflict, "has an account")

	a, b := viewer(t, s, browser(t, s, owner)), viewer(t, s, browser(t, s, bob))
	if a.Role != team.RoleOwner || b.Role != team.RoleViewer || a.Team.ID != b.Team.ID {
		t.Errorf("%+v and %+v", a, b)
	}
	if _, err := s.SignIn(ctx, "bob@example.org", password, here); err != nil {
		t.Errorf("sign in: %v", err)
	}
}
