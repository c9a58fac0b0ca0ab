package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// maxBody holds a vault's largest secret, three bytes for each of its own as a form sends it.
const maxBody = 256 << 10

// contentPolicy is what a page may load and where its forms may go. Forms is where
// else they may go, for the one page whose form leads back to a command line.
func contentPolicy(forms string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"form-action 'self'" + forms + "; base-uri 'none'; frame-ancestors 'none'"
}

// protect is what every request needs, around the mux.
func (s *Server) protect(mux http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, team.Viewer{}, fault.New(fault.Forbidden, "This request came from another site, so nothing was done.", nil))
	}))
	limit := func(n int64) http.Handler { return http.MaxBytesHandler(cross.Handler(mux), n) }
	limited, types, policies := limit(maxBody), limit(maxTypeBody), limit(maxPolicyBody)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := "req-" + strings.ToLower(rand.Text())
		r = r.WithContext(context.WithValue(r.Context(), requestID{}, id))
		s.secure(w.Header(), id)
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				s.fail(w, r, team.Viewer{}, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		if !s.ours(r) {
			s.fail(w, r, team.Viewer{}, fault.New(fault.Forbidden, "This server does not answer under that name. Open it at "+s.BaseURL+".", nil))
			return
		}
		switch {
		case strings.HasPrefix(r.URL.Path, "/connector-types"):
			types.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/policies"):
			policies.ServeHTTP(w, r)
		default:
			limited.ServeHTTP(w, r)
		}
	})
}

type requestID struct{}

// secure sets what browsers are told with every answer.
func (s *Server) secure(h http.Header, id string) {
	h.Set("X-Request-Id", id)
	h.Set("Content-Security-Policy", contentPolicy(""))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	h.Set("Cache-Control", "no-store")
	if s.https() {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

func (s *Server) https() bool { return strings.HasPrefix(s.BaseURL, "https://") }

// ours reports whether the request names this server. Another name that leads
// here is somebody else's, who could read our answers with it.
func (s *Server) ours(r *http.Request) bool {
	if r.URL.Path == "/livez" || r.URL.Path == "/readyz" { // asked by address, and they say nothing
		return true
	}
	host := strings.ToLower(r.Host)
	if base, err := url.Parse(s.BaseURL); err == nil && base.Host != "" && withPort(host, base.Scheme) == withPort(strings.ToLower(base.Host), base.Scheme) {
		return true
	}
	if !s.Loopback {
		return false
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if name == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && addr.IsLoopback()
}

func withPort(host, scheme string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	if scheme == "https" {
		return host + ":443"
	}
	return host + ":80"
}

// local returns next where it is a page of ours, and "/" for anything else: a
// link to our sign-in page must not lead elsewhere.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || !strings.HasPrefix(next, "/") || len(next) > 500 || u.Scheme != "" || u.Host != "" || u.User != nil ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "/"
	}
	if p := u.Path; strings.HasPrefix(p, "//") || strings.Contains(p, "\\") || p == "/sign-out" {
		return "/"
	}
	return next
}
