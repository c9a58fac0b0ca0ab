package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/static"
)

func TestEveryAnswerSaysWhatBrowsersMayDo(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	}
	check := func(t *testing.T, h *house, q visit, want map[string]string) {
		t.Helper()
		w := h.do(t, q)
		for name, value := range want {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%s %s (%d): %s is %q, want %q", q.method, q.path, w.Code, name, got, value)
			}
		}
		if w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: no request id", q.path)
		}
	}
	walk(t, func(t *testing.T, h *house, rt route, q visit) {
		q.as = h.owner
		if strings.HasSuffix(rt.pattern, "/cli/login/{id}") {
			return // its own test
		}
		check(t, h, q, want)
	})
	h := furnished(t)
	check(t, h, visit{path: "/nowhere"}, want)
	check(t, h, visit{path: "/", header: map[string]string{"Host": "evil.example"}}, want)
	delete(want, "Cache-Control")
	check(t, h, visit{path: static.Path("app.css")}, want)
	if got := h.do(t, visit{path: "/"}).Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("over http: HSTS %q, want none", got)
	}
	h.BaseURL, h.Loopback = "https://flare.example.com", false
	w := h.do(t, visit{path: "/sign-in", header: map[string]string{"Host": "flare.example.com"}})
	if got := w.Header().Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
		t.Errorf("over https: HSTS %q, want a year", got)
	}
}

func TestOnlyOurOwnNamesAreAnswered(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for _, server := range []struct {
		base     string
		loopback bool
		hosts    map[string]bool
	}{
		{"http://127.0.0.1:8080", true, map[string]bool{
			"127.0.0.1:8080": true, "localhost:8080": true, "LOCALHOST:9": true, "[::1]:8080": true, "127.0.0.1": true,
			"evil.example": false, "127.0.0.1.evil.example:8080": false, "localhost.evil.example": false, "192.168.1.4:8080": false, "": false,
		}},
		{"https://flare.example.com", false, map[string]bool{
			"flare.example.com": true, "FLARE.example.com:443": true,
			"flare.example.com:80": false, "localhost": false, "127.0.0.1:8080": false, "flare.example.com.evil.example": false, "evil.example": false,
		}},
	} {
		h.BaseURL, h.Loopback = server.base, server.loopback
		for name, ours := range server.hosts {
			w := h.do(t, visit{path: "/sign-in", header: map[string]string{"Host": name}})
			if got := w.Code == http.StatusOK; got != ours {
				t.Errorf("%s asked as %q: %d, want it answered: %v", server.base, name, w.Code, ours)
			}
		}
	}
	if w := h.do(t, visit{path: "/livez", header: map[string]string{"Host": "10.1.2.3:8080"}}); w.Code != http.StatusNoContent {
		t.Errorf("health by address: %d, want 204", w.Code)
	}
}

func TestReadySaysWhetherTheDatabaseAnswers(t *testing.T) {
	t.Parallel()
	h := empty(t)
	h.Ready = h.store.Ping
	if w := h.do(t, visit{path: "/readyz"}); w.Code != http.StatusNoContent {
		t.Errorf("%d, want 204", w.Code)
	}
	h.Ready = func(context.Context) error { return errors.New("secret database host") }
	w := h.do(t, visit{path: "/readyz"})
	if w.Code != http.StatusServiceUnavailable || w.Body.Len() != 0 {
		t.Errorf("%d %q, want 503 and no word", w.Code, w.Body)
	}
}

// broken approvals fail in a way that nobody expected.
type broken struct {
	Approvals
	panics bool
}

func (b broken) PendingCount(context.Context, string) (int, error) {
	if b.panics {
		panic("secret text in a panic")
	}
	return 0, errors.New("secret text of a driver")
}

func (b broken) Get(context.Context, string, string) (approval.Approval, error) {
	return approval.Approval{}, errors.New("secret text of a driver")
}

func (b broken) List(context.Context, string, approval.Filter, page.Cursor, int) ([]approval.Approval, page.Cursor, error) {
	return nil, page.Cursor{}, errors.New("secret text of a driver")
}

func TestUnclassifiedErrorsSayNothing(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for name, b := range map[string]broken{"an error": {Approvals: h.Approvals}, "a panic": {Approvals: h.Approvals, panics: true}} {
		h.Approvals = b
		h.log.Reset()
		w := h.do(t, visit{path: "/approvals", as: h.owner})
		id := w.Header().Get("X-Request-Id")
		if w.Code != http.StatusInternalServerError {
			t.Errorf("%s: %d, want 500", name, w.Code)
		}
		wantSays(t, name, w.Body.String(), "Something went wrong on our side.", id)
		wantSilent(t, name, w.Body.String(), "secret text")
		if n := strings.Count(h.log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%s: logged %d times, want once", name, n)
		}
		wantSays(t, name+" in the log", h.log.String(), "secret text", id)
	}
}

func TestScriptsGetANoticeInsteadOfAPage(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.do(t, visit{path: "/approvals/apr_none/card", as: h.owner, header: map[string]string{"HX-Request": "true"}})
	if w.Code != http.StatusNotFound || w.Header().Get("HX-Retarget") != "#notices" || w.Header().Get("HX-Reswap") != "beforeend" {
		t.Errorf("%d %v, want 404 among the notices", w.Code, w.Header())
	}
	wantSays(t, "notice", w.Body.String(), "There is no such approval.")
	wantSilent(t, "notice", w.Body.String(), "<html")
	w = h.do(t, visit{path: "/approvals/cards", header: map[string]string{"HX-Request": "true"}})
	if w.Code != http.StatusUnauthorized || w.Header().Get("HX-Redirect") != "/sign-in" {
		t.Errorf("signed out: %d %q, want 401 and the way to sign in", w.Code, w.Header().Get("HX-Redirect"))
	}
}

func TestLargeFormsAreRefused(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.post(t, "/vault", "name", "big", "type", "http", "secret", strings.Repeat("s", maxBody))
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d, want 422", w.Code)
	}
	wantSays(t, "large form", w.Body.String(), "That is more than fits into a form.")
}

func TestReturnAddressesStayHere(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/approvals/apr_1":        "/approvals/apr_1",
		"/traffic?decision=deny":  "/traffic?decision=deny",
		"":                        "/",
		"//evil.example":          "/",
		"///evil.example":         "/",
		"/\\evil.example":         "/",
		"/%5cevil.example":        "/",
		"\\\\evil.example":        "/",
		"https://evil.example":    "/",
		"https:evil.example":      "/",
		"javascript:alert(1)":     "/",
		"/\t/evil.example":        "/",
		"/\r\nSet-Cookie: a=b":    "/",
		"evil.example":            "/",
		"/%2f/evil.example":       "/",
		"/sign-out":               "/",
		"/a\x00b":                 "/",
		strings.Repeat("/a", 400): "/",
	} {
		if got := local(next); got != want {
			t.Errorf("local(%q) = %q, want %q", next, got, want)
		}
	}
}
