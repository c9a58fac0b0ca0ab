package accounts_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

const (
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	redirect = "http://127.0.0.1:40123/callback"
)

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func begin(t *testing.T, s *accounts.Service) team.Login {
	t.Helper()
	l, err := s.BeginLoopback(t.Context(), accounts.LoopbackLogin{
		RedirectURI: redirect, State: "st-1", Challenge: challenge(), Client: "tameflare 0.1.0 on laptop", IP: here,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// approve confirms l as u and returns the code that their browser brings.
func approve(t *testing.T, s *accounts.Service, u team.User, l team.Login) string {
	t.Helper()
	to, err := s.ConfirmLogin(t.Context(), viewer(t, s, browser(t, s, u)), l.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, redirect+"?") || at.Query().Get("state") != "st-1" {
		t.Fatalf("sent to %q: %v", to, err)
	}
	return at.Query().Get("code")
}

func TestLoopbackLogin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, _ := fresh(t, st)
		u := add(t, s, email, team.RoleOwner)
		l := begin(t, s)
		if shown, err := s.Login(t.Context(), l.ID); err != nil || shown.Words != team.PairingWords(challenge()) || shown.ClientIP != here {
			t.Errorf("%+v, %v", shown, err)
		}
		code := approve(t, s, u, l)
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				secret, _, v, err := s.ExchangeCode(t.Context(), code, verifier, redirect)
				if err != nil {
					wantKind(t, "the others", err, fault.Unauthenticated, "used")
					return
				}
				won.Add(1)
				if got, err := s.TokenViewer(t.Context(), secret.Reveal(), here); err != nil || got.User.ID != u.ID || v.User.ID != u.ID || v.Auth != "token" {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		wg.Wait()
		if n := won.Load(); n != 1 {
			t.Errorf("%d tokens for one code, want 1", n)
		}
	})
}

func TestCodeIsGoodForWhoBeganOnly(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		verifier, redirect string
		later              time.Duration
	}{
		"another verifier": {"x" + verifier[1:], redirect, 0},
		"no verifier":      {"", redirect, 0},
		"another redirect": {verifier, "http://127.0.0.1:40124/callback", 0},
		"too late":         {verifier, redirect, time.Minute},
	} {
		s, clock, u := owned(t)
		code := approve(t, s, u, begin(t, s))
		clock.forward(c.later)
		_, _, _, err := s.ExchangeCode(t.Context(), code, c.verifier, c.redirect)
		wantKind(t, name, err, fault.Unauthenticated, "Run tameflare login again")
		// And then it is worthless: whoever came knew the code.
		_, _, _, err = s.ExchangeCode(t.Context(), code, verifier, redirect)
		wantKind(t, name+", again", err, fault.Unauthenticated, "Run tameflare login again")
	}
	s, _, _ := owned(t)
	_, _, _, err := s.ExchangeCode(t.Context(), "", verifier, redirect)
	wantKind(t, "no code", err, fault.Unauthenticated, "")
}

func TestAnswerGoesToLoopbackOnly(t *testing.T) {
	t.Parallel()

	s, _, _ := owned(t)
	for uri, fine := range map[string]bool{
		"http://127.0.0.1:1/":               true,
		"http://[::1]:65535/callback":       true,
		"http://127.0.0.1:80":               true,
		"":                                  false,
		"http://127.0.0.1/callback":         false,
		"http://127.0.0.1:0/":               false,
		"http://127.0.0.1:99999/":           false,
		"https://127.0.0.1:80/":             false,
		"http://localhost:80/":              false,
		"http://127.0.0.2:80/":              false,
		"http://evil.example:80/":           false,
		"http://127.0.0.1@evil.example:80/": false,
		"http://evil@127.0.0.1:80/":         false,
		"http://127.0.0.1:80/?a=b":          false,
		"http://127.0.0.1:80/?":             false,
		"http://127.0.0.1:80/#x":            false,
		"http://[::1%25lo]:80/":             false,
		"http://[::ffff:127.0.0.1]:80/":     false,
		"http://127.0.0.1:80/<x>":           false,
		"javascript:alert(1)":               false,
		"//evil.example:80/":                false,
	} {
		_, err := s.BeginLoopback(t.Context(), accounts.LoopbackLogin{RedirectURI: uri, State: "s", Challenge: challenge()})
		if fine && err != nil || !fine && fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", uri, err)
		}
	}
	for name, b := range map[string]accounts.LoopbackLogin{
		"no challenge":    {RedirectURI: redirect, State: "s"},
		"plain challenge": {RedirectURI: redirect, State: "s", Challenge: "abc"},
		"no state":        {RedirectURI: redirect, Challenge: challenge()},
		"odd state":       {RedirectURI: redirect, State: "a&code=b", Challenge: challenge()},
	} {
		_, err := s.BeginLoopback(t.Context(), b)
		wantKind(t, name, err, fault.Invalid, "The login")
	}
}

func TestConfirmingNeedsABrowserAndHappensOnce(t *testing.T) {
	t.Parallel()

	s, clock, u := owned(t)
	ctx := t.Context()
	v := viewer(t, s, browser(t, s, u))
	l := begin(t, s)
	byToken := v
	byToken.Auth = "token"
	for name, v := range map[string]team.Viewer{"a token": byToken, "nobody": {}, "no role": {Auth: "session"}} {
		_, err := s.ConfirmLogin(ctx, v, l.ID, true)
		wantKind(t, name, err, fault.Forbidden, "in the browser")
	}
	to, err := s.ConfirmLogin(ctx, v, l.ID, false)
	if err != nil || !strings.Contains(to, "error=access_denied") || strings.Contains(to, "code=") {
		t.Errorf("refused: %q, %v", to, err)
	}
	_, err = s.ConfirmLogin(ctx, v, l.ID, true)
	wantKind(t, "after that", err, fault.Conflict, "already")
	_, err = s.ConfirmLogin(ctx, v, "login_x", true)
	wantKind(t, "no such login", err, fault.NotFound, "no such sign-in")
	l = begin(t, s)
	clock.forward(10 * time.Minute)
	_, err = s.ConfirmLogin(ctx, v, l.ID, true)
	wantKind(t, "too late", err, fault.Expired, "ten minutes")
}

func TestDeviceLogin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, clock := fresh(t, st)
		u := add(t, s, email, team.RoleOwner)
		ctx := t.Context()
		v := viewer(t, s, browser(t, s, u))
		poll := func(code string) error {
			_, _, _, err := s.PollDevice(ctx, code)
			return err
		}
		l, secret, err := s.BeginDevice(ctx, "tameflare on server", here)
		if err != nil {
			t.Fatal(err)
		}
		code := secret.Reveal()
		if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(l.UserCode) || l.PollSeconds != 5 {
			t.Errorf("%+v", l)
		}
		if err := poll(code); !errors.Is(err, accounts.Pending) {
			t.Errorf("at first: %v", err)
		}
		if err := poll(code); !errors.Is(err, accounts.SlowDown) {
			t.Errorf("at once: %v", err)
		}
		clock.forward(6 * time.Second) // it is ten by now
		if err := poll(code); !errors.Is(err, accounts.SlowDown) {
			t.Errorf("as often as before: %v", err)
		}
		clock.forward(15 * time.Second)
		if err := poll(code); !errors.Is(err, accounts.Pending) {
			t.Errorf("patiently: %v", err)
		}
		found, err := s.LoginByUserCode(ctx, v, " "+strings.ToLower(strings.ReplaceAll(l.UserCode, "-", " "))+"\n")
		if err != nil || found.ID != l.ID || found.Words != l.Words {
			t.Fatalf("%+v, %v", found, err)
		}
		if to, err := s.ConfirmLogin(ctx, v, l.ID, true); err != nil || to != "" {
			t.Fatalf("%q, %v", to, err)
		}
		clock.forward(15 * time.Second)
		token, _, got, err := s.PollDevice(ctx, code)
		if err != nil || got.User.ID != u.ID {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := s.TokenViewer(ctx, token.Reveal(), here); err != nil {
			t.Error(err)
		}
		clock.forward(15 * time.Second)
		if err := poll(code); !errors.Is(err, accounts.ExpiredToken) {
			t.Errorf("again: %v", err)
		}
		if err := poll("x"); !errors.Is(err, accounts.ExpiredToken) {
			t.Errorf("invented: %v", err)
		}

		l, secret, _ = s.BeginDevice(ctx, "x", here)
		if _, err := s.ConfirmLogin(ctx, v, l.ID, false); err != nil {
			t.Fatal(err)
		}
		if err := poll(secret.Reveal()); !errors.Is(err, accounts.Denied) {
			t.Errorf("refused: %v", err)
		}
		_, secret, _ = s.BeginDevice(ctx, "x", here)
		clock.forward(10 * time.Minute)
		if err := poll(secret.Reveal()); !errors.Is(err, accounts.ExpiredToken) {
			t.Errorf("too late: %v", err)
		}
	})
}

func TestUserCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()

	s, _, u := owned(t)
	v := viewer(t, s, browser(t, s, u))
	l, _, err := s.BeginDevice(t.Context(), "x", here)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 { // the right one does not count
		if _, err := s.LoginByUserCode(t.Context(), v, l.UserCode); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		_, err := s.LoginByUserCode(t.Context(), v, fmt.Sprintf("BBBB-BBB%c", "BCDFG"[i]))
		wantKind(t, "a guess", err, fault.NotFound, "no such code")
	}
	_, err = s.LoginByUserCode(t.Context(), v, l.UserCode)
	wantKind(t, "after five", err, fault.Limited, "Try again in")
}

func TestLoginsAreNotBegunByTheThousand(t *testing.T) {
	t.Parallel()

	s, _, _ := owned(t)
	var err error
	for n := 0; err == nil; n++ {
		if n > 100 {
			t.Fatal("a hundred were begun")
		}
		_, _, err = s.BeginDevice(t.Context(), "x", here)
	}
	wantKind(t, "too many", err, fault.Limited, "Try again in")
	if _, _, err := s.BeginDevice(t.Context(), "x", "203.0.113.9"); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
}
