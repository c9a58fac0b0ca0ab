package accounts_test

import (
	"net/http"
	"net/http/httptest"
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

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		s, c := fresh(t, st)
		u := add(t, s, email, team.RoleOwner)
		over := func(what, session string) {
			t.Helper()
			v, err := s.Viewer(t.Context(), session, here)
			wantKind(t, what, err, fault.Unauthenticated, "Sign in")
			if v.May(team.View) {
				t.Errorf("%s: may look", what)
			}
		}
		idle := browser(t, s, u)
		c.forward(12*time.Hour - time.Second)
		viewer(t, s, idle) // which keeps it
		c.forward(12*time.Hour - time.Second)
		viewer(t, s, idle)
		c.forward(12 * time.Hour)
		over("after 12 idle hours", idle)

		busy := browser(t, s, u)
		for range 7*24/6 - 1 {
			c.forward(6 * time.Hour)
			viewer(t, s, busy)
		}
		c.forward(6 * time.Hour)
		over("after 7 busy days", busy)

		out, other := browser(t, s, u), browser(t, s, u)
		if out == other {
			t.Error("two sign-ins have one ID")
		}
		if err := s.EndSession(t.Context(), viewer(t, s, out)); err != nil {
			t.Fatal(err)
		}
		over("after signing out", out)
		viewer(t, s, other)

		over("nothing", "")
		over("an invented one", strings.Repeat("a", 52))
		over("another case", strings.ToUpper(other))
	})
}

// Whoever reads the database cannot sign in with what stands there.
func TestSessionIsKeptAsHash(t *testing.T) {
	t.Parallel()

	s, _, u := owned(t)
	id := browser(t, s, u)
	v := viewer(t, s, id)
	if v.By == id || strings.Contains(v.By, id) {
		t.Error("the row's ID is the cookie's")
	}
	_, err := s.Viewer(t.Context(), v.By, here)
	wantKind(t, "with the hash", err, fault.Unauthenticated, "")
}

func TestCookieHoldsARandomIDOnly(t *testing.T) {
	t.Parallel()

	id := strings.Repeat("a1", 26)
	for name, c := range map[string]struct {
		cookies accounts.Cookies
		name    string
	}{
		"https": {accounts.Cookies{Secure: true}, "__Host-tameflare"},
		"http":  {accounts.Cookies{}, "tameflare"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		c.cookies.Write(w, r, credential.NewSecret(id))
		set := w.Result().Cookies()
		if len(set) != 1 {
			t.Fatalf("%s: %v", name, set)
		}
		k := set[0]
		if k.Name != c.name || k.Value != id || k.Path != "/" || k.Domain != "" || !k.HttpOnly || k.Secure != c.cookies.Secure ||
			k.SameSite != http.SameSiteLaxMode || k.MaxAge != 7*24*3600 {
			t.Errorf("%s: %s", name, k)
		}
		back := httptest.NewRequest("GET", "/", nil)
		back.AddCookie(k)
		if got := c.cookies.Read(back); got != id {
			t.Errorf("%s: read %q", name, got)
		}
		w = httptest.NewRecorder()
		c.cookies.Clear(w, back)
		if k := w.Result().Cookies()[0]; k.Name != c.name || k.MaxAge >= 0 || k.Value != "" {
			t.Errorf("%s: cleared as %s", name, k)
		}
	}
}

func TestCookieOfAnotherShapeIsNone(t *testing.T) {
	t.Parallel()

	for _, value := range []string{"", "x", strings.Repeat("A", 52), strings.Repeat("a", 53), strings.Repeat("é", 26)} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", "tameflare="+value)
		if got := (accounts.Cookies{}).Read(r); got != "" {
			t.Errorf("%q: read %q", value, got)
		}
	}
	// What plain http may set does not count on https.
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "tameflare="+strings.Repeat("a", 52))
	if got := (accounts.Cookies{Secure: true}).Read(r); got != "" {
		t.Errorf("read %q", got)
	}
}
