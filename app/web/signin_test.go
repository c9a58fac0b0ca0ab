package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/domain/team"
)

const password = "correct horse battery"

func (h *house) cookieOf(t *testing.T, header http.Header) string {
	t.Helper()
	cs, err := http.ParseSetCookie(header.Get("Set-Cookie"))
	if err != nil {
		t.Fatalf("no session cookie: %v", err)
	}
	if cs.Name != "tameflare" || !cs.HttpOnly || cs.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %v, want HttpOnly and SameSite=Lax", cs)
	}
	return cs.Value
}

func TestTheFirstToRegisterBecomesOwner(t *testing.T) {
	t.Parallel()
	h := empty(t)
	if w := h.do(t, visit{path: "/traffic"}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/register" {
		t.Errorf("fresh server: %d to %q, want 303 to /register", w.Code, w.Header().Get("Location"))
	}
	wantSays(t, "form", h.do(t, visit{path: "/register"}).Body.String(), "You become the owner")
	for name, c := range map[string]struct {
		fields []string
		says   string
	}{
		"no address":     {[]string{"email", "nobody", "password", password}, "Write an e-mail address"},
		"short password": {[]string{"email", "ana@example.org", "name", "Ana <b>", "password", "short"}, "character"},
		"nothing at all": {nil, "Write an e-mail address"},
	} {
		w := h.do(t, visit{method: "POST", path: "/register", form: form(c.fields...)})
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", name, w.Code)
		}
		wantSays(t, name, w.Body.String(), c.says, `aria-invalid="true"`)
		wantSilent(t, name, w.Body.String(), `value="short"`, "<b>\"")
		if name == "short password" {
			wantSays(t, name, w.Body.String(), `value="ana@example.org"`, `value="Ana &lt;b&gt;"`)
		}
	}
	w := h.do(t, visit{method: "POST", path: "/register", form: form("email", "ana@example.org", "name", "Ana", "password", password, "team", "acme")})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("%d to %q, want 303 to /\n%s", w.Code, w.Header().Get("Location"), w.Body)
	}
	page := h.do(t, visit{path: "/", cookie: h.cookieOf(t, w.Header())})
	wantSays(t, "overview", page.Body.String(), "Ana", "Owner · acme", "Get started")
	if w := h.do(t, visit{path: "/register"}); w.Header().Get("Location") != "/sign-in" {
		t.Errorf("second: %d to %q, want the way to /sign-in", w.Code, w.Header().Get("Location"))
	}
	if w := h.do(t, visit{method: "POST", path: "/register", form: form("email", "eve@example.org", "password", password)}); w.Code != http.StatusForbidden {
		t.Errorf("second registration: %d, want 403", w.Code)
	}
}

func TestRegisteringFromElsewhereTakesTheSetUpLink(t *testing.T) {
	t.Parallel()
	h := empty(t)
	h.BaseURL, h.Loopback = "http://127.0.0.1:8080", false
	wantSays(t, "without the link", h.do(t, visit{path: "/register"}).Body.String(), "Open the set-up link")
	fields := []string{"email", "ana@example.org", "password", password}
	if w := h.do(t, visit{method: "POST", path: "/register", form: form(fields...)}); w.Code != http.StatusForbidden {
		t.Errorf("without the link: %d, want 403", w.Code)
	}
	if w := h.do(t, visit{method: "POST", path: "/register", form: form(append(fields, "setup", "wrong")...)}); w.Code != http.StatusGone {
		t.Errorf("with a wrong link: %d, want 410", w.Code)
	}
	token, err := h.accounts.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantSays(t, "with the link", h.do(t, visit{path: "/register?setup=" + token}).Body.String(), token)
	if w := h.do(t, visit{method: "POST", path: "/register", form: form(append(fields, "setup", token)...)}); w.Code != http.StatusSeeOther {
		t.Errorf("with the link: %d, want 303\n%s", w.Code, w.Body)
	}
}

func TestSigningInComesBackToThePageAsked(t *testing.T) {
	t.Parallel()
	h := empty(t)
	if _, err := h.accounts.Register(t.Context(), accounts.Registration{Email: "ana@example.org", Password: password, Loopback: true}); err != nil {
		t.Fatal(err)
	}
	w := h.do(t, visit{path: "/approvals/apr_1?x=y"})
	if to := w.Header().Get("Location"); to != "/sign-in?next=%2Fapprovals%2Fapr_1%3Fx%3Dy" {
		t.Errorf("led to %q", to)
	}
	var texts []string
	for name, who := range map[string]string{"wrong password": "ana@example.org", "nobody": "bob@example.org"} {
		w := h.do(t, visit{method: "POST", path: "/sign-in", form: form("email", who, "password", "wrong wrong wrong", "next", "/traffic")})
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", name, w.Code)
		}
		wantSays(t, name, w.Body.String(), "The e-mail address or the password is not right.", `value="`+who+`"`, `value="/traffic"`)
		wantSilent(t, name, w.Body.String(), "wrong wrong")
		texts = append(texts, strings.ReplaceAll(w.Body.String(), who, ""))
	}
	if texts[0] != texts[1] {
		t.Error("the page tells whether there is such an account")
	}
	for next, want := range map[string]string{"/approvals/apr_1?x=y": "/approvals/apr_1?x=y", "//evil.example": "/"} {
		w := h.do(t, visit{method: "POST", path: "/sign-in", form: form("email", "ana@example.org", "password", password, "next", next)})
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("next %q: %d to %q, want 303 to %q", next, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestSigningInAndOutEndsTheSessionBefore(t *testing.T) {
	t.Parallel()
	h := empty(t)
	if _, err := h.accounts.Register(t.Context(), accounts.Registration{Email: "ana@example.org", Password: password, Loopback: true}); err != nil {
		t.Fatal(err)
	}
	in := visit{method: "POST", path: "/sign-in", form: form("email", "ana@example.org", "password", password)}
	first := h.cookieOf(t, h.do(t, in).Header())
	in.cookie = first
	second := h.cookieOf(t, h.do(t, in).Header())
	if first == second {
		t.Error("two sign-ins have the same session")
	}
	if w := h.do(t, visit{path: "/traffic", cookie: first}); w.Code != http.StatusSeeOther {
		t.Errorf("the session before: %d, want 303 to sign in", w.Code)
	}
	w := h.do(t, visit{method: "POST", path: "/sign-out", cookie: second})
	if c, err := http.ParseSetCookie(w.Header().Get("Set-Cookie")); err != nil || c.MaxAge >= 0 {
		t.Errorf("signed out: cookie %v, want it cleared", w.Header())
	}
	if w := h.do(t, visit{path: "/traffic", cookie: second}); w.Code != http.StatusSeeOther {
		t.Errorf("after signing out: %d, want 303 to sign in", w.Code)
	}
}

func TestOpeningASignInLinkDoesNotUseIt(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	token, err := h.accounts.NewSignInLink(t.Context(), h.owner)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as a mail scanner does
		wantSays(t, "link", h.do(t, visit{path: "/sign-in/link?token=" + token}).Body.String(), token)
	}
	use := visit{method: "POST", path: "/sign-in/link", form: form("token", token, "next", "/approvals")}
	w := h.do(t, use)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/approvals" {
		t.Errorf("%d to %q, want 303 to /approvals", w.Code, w.Header().Get("Location"))
	}
	h.cookieOf(t, w.Header())
	if w := h.do(t, use); w.Code != http.StatusGone {
		t.Errorf("second time: %d, want 410", w.Code)
	}
}

func TestTheCommandLineGetsItsAnswerOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.do(t, visit{path: "/cli/login/" + h.login.ID, as: h.owner})
	wantSays(t, "page", w.Body.String(), h.login.Words, "tameflare on laptop", "127.0.0.1", "you have started this just now")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://127.0.0.1:41234;") {
		t.Errorf("policy %q, want the form to lead to that port", csp)
	}
	if w := h.post(t, "/cli/login/"+h.login.ID); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no choice: %d, want 422", w.Code)
	}
	w = h.post(t, "/cli/login/"+h.login.ID, "choice", "approve")
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "http://127.0.0.1:41234/callback?") || !strings.Contains(to, "code=") {
		t.Errorf("%d to %q, want the command line", w.Code, to)
	}
	if w := h.do(t, visit{path: "/cli/login/" + h.login.ID, as: h.owner}); w.Code != http.StatusConflict {
		t.Errorf("asked again: %d, want 409", w.Code)
	}
	for uri, want := range map[string]string{
		"http://127.0.0.1:7/x": " http://127.0.0.1:7", "http://[::1]:7/x": " http:", "https://127.0.0.1:7/": "", "http://evil.example/": "", "": "",
	} {
		if got := formTarget(team.Login{Kind: team.LoopbackLogin, RedirectURI: uri}); got != want {
			t.Errorf("formTarget(%q) = %q, want %q", uri, got, want)
		}
	}
}

func TestADeviceIsConnectedByItsCode(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	l, _, err := h.accounts.BeginDevice(t.Context(), "tameflare on server", "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	if w := h.do(t, visit{path: "/cli/login/" + l.ID, as: h.owner}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/device" {
		t.Errorf("a link to it: %d to %q, want to be asked for the code", w.Code, w.Header().Get("Location"))
	}
	wantSays(t, "form", h.get(t, "/device?code="+l.UserCode), `value="`+l.UserCode+`"`)
	w := h.post(t, "/device", "code", "XXXX-XXXX")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("wrong code: %d, want 422", w.Code)
	}
	wantSays(t, "wrong code", w.Body.String(), "There is no such code", `value="XXXX-XXXX"`)
	w = h.post(t, "/device", "code", strings.ToLower(l.UserCode))
	wantSays(t, "confirm", w.Body.String(), l.Words, "192.0.2.7", "/cli/login/"+l.ID)
	w = h.post(t, "/cli/login/"+l.ID, "choice", "approve")
	wantSays(t, "done", w.Body.String(), "The command line is signed in")
}
