package web

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// render writes c. It renders first, so that a failure can still be reported.
func render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "HX-Request")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // it fails only where the reader has left
	return nil
}

// byHTMX reports whether a script asks, which wants a fragment and not a page.
func byHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// fail reports err, in the one place where errors become answers. V is who
// asked, where that is known.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, v team.Viewer, err error) {
	id, _ := r.Context().Value(requestID{}).(string)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = fault.New(fault.Invalid, "That is more than fits into a form.", err)
	}
	kind := fault.Of(err)
	shown := ""
	if kind == fault.Internal {
		s.Log.ErrorContext(r.Context(), "request failed", "request", id, "method", r.Method, "route", r.Pattern, "error", err)
		shown = id
	}
	if kind == fault.Unauthenticated && s.sendToSignIn(w, r) {
		return
	}
	page := views.Failure(theme(r), heading(kind), fault.Message(err), shown, v.Role != team.Nobody)
	if byHTMX(r) {
		w.Header().Set("HX-Retarget", "#notices")
		w.Header().Set("HX-Reswap", "beforeend")
		page = views.Toast("bad", fault.Message(err), shown)
	}
	if err := render(w, r, kind.Status(), page); err != nil {
		s.Log.ErrorContext(r.Context(), "failure could not be shown", "request", id, "error", err)
		http.Error(w, "Something went wrong on our side.", http.StatusInternalServerError)
	}
}

// sendToSignIn leads who is not signed in to where they can, and back. A
// stream, and a form that was sent, get an honest refusal.
func (s *Server) sendToSignIn(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		http.Error(w, "Sign in to go on.", http.StatusUnauthorized)
		return true
	case byHTMX(r):
		w.Header().Set("HX-Redirect", "/sign-in")
		w.WriteHeader(http.StatusUnauthorized)
		return true
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return false
	}
	to := "/sign-in"
	if fresh, err := s.Accounts.NeedsSetup(r.Context()); err == nil && fresh {
		to = "/register"
	} else if next := r.URL.RequestURI(); next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}

func heading(k fault.Kind) string {
	switch k {
	case fault.Invalid:
		return "That does not make sense here"
	case fault.Unauthenticated:
		return "Sign in first"
	case fault.Forbidden:
		return "You may not do this"
	case fault.NotFound:
		return "There is no such page"
	case fault.Conflict:
		return "Somebody was faster"
	case fault.Expired:
		return "That is over"
	case fault.Unavailable:
		return "Not just now"
	case fault.Limited:
		return "Too fast"
	case fault.Internal:
	}
	return "Something went wrong"
}

// notHere says why nothing answers a request.
func notHere() error {
	return fault.New(fault.NotFound, "Nothing is at this address. It may have been removed, or belong to another team.", nil)
}

// theme is the class of a person's choice; "" leaves it to the system.
func theme(r *http.Request) string {
	if c, err := r.Cookie("theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// see leads to another page after something was done.
func see(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // callers pass paths of ours, and what local has checked
	return nil
}
