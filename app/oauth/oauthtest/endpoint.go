// Package oauthtest is a token endpoint for tests: over TLS, strict about who
// asks, and merciless about a refresh token that is used twice.
package oauthtest

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/oauth"
	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/domain/credential"
)

// Endpoint is a token endpoint and its one client.
type Endpoint struct {
	*httptest.Server

	ClientID     string
	ClientSecret string // "" for a public client
	Auth         credential.ClientAuth
	Lifetime     time.Duration
	Grace        bool // takes the refresh token before the current one as long as that was not used (RFC 9700, 4.14.2)
	Keep         bool // does not rotate

	mu       sync.Mutex
	requests int
	reuses   int
	revoked  bool
	current  string // refresh token
	before   string
	forgot   string
	access   []string
	secrets  []string // all that it ever gave out or was shown
	forms    []url.Values
	refusal  func(w http.ResponseWriter)
}

// New starts an endpoint with a confidential client, for as long as t runs.
func New(t testing.TB) *Endpoint {
	t.Helper()
	e := &Endpoint{ClientID: "the client", ClientSecret: "cs+" + rand.Text() + "/:&", Auth: credential.ClientBasic, Lifetime: time.Hour}
	e.secrets = append(e.secrets, e.ClientSecret)
	e.Server = httptest.NewTLSServer(e)
	t.Cleanup(e.Close)
	return e
}

// Client returns a client that may ask the endpoint.
func (e *Endpoint) Client() *oauth.Client {
	roots := x509.NewCertPool()
	roots.AddCert(e.Certificate())
	return &oauth.Client{Roots: roots, Allow: []outbound.Allowed{{Host: "127.0.0.1", Range: netip.MustParsePrefix("127.0.0.0/8")}}}
}

// OAuth returns the settings with which the endpoint is asked.
func (e *Endpoint) OAuth(g credential.Grant) credential.OAuth {
	return credential.OAuth{Grant: g, TokenURL: e.URL + "/token", ClientID: e.ClientID, Scope: "read write", ClientAuth: e.Auth}
}

// SignIn returns a fresh refresh token, as a person would get one.
func (e *Endpoint) SignIn() credential.Secret {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revoked, e.before = false, ""
	e.current = e.made("rt-")
	return credential.NewSecret(e.current)
}

// Answer makes the endpoint answer so and not look at what it is asked; nil
// makes it look again.
func (e *Endpoint) Answer(f func(w http.ResponseWriter)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refusal = f
}

// Revoke ends the grant, as a person would at the service.
func (e *Endpoint) Revoke() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.revoked = true
}

// Forget takes the newest rotation back, as an endpoint does that failed to
// write it down: the refresh token before it is good, and the newest unknown.
func (e *Endpoint) Forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgot, e.current, e.before = e.current, e.before, ""
}

// Requests is how often a token was asked for, and Reuses how often with a
// refresh token that had been used.
func (e *Endpoint) Requests() int { e.mu.Lock(); defer e.mu.Unlock(); return e.requests }

// Reuses: see Requests.
func (e *Endpoint) Reuses() int { e.mu.Lock(); defer e.mu.Unlock(); return e.reuses }

// Access is the newest access token.
func (e *Endpoint) Access() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.access) == 0 {
		return ""
	}
	return e.access[len(e.access)-1]
}

// Last is the form of the newest request.
func (e *Endpoint) Last() url.Values {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.forms) == 0 {
		return nil
	}
	return e.forms[len(e.forms)-1]
}

// Secrets are all that must be found nowhere.
func (e *Endpoint) Secrets() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.secrets...)
}

func (e *Endpoint) made(prefix string) string {
	s := prefix + rand.Text()
	e.secrets = append(e.secrets, s)
	return s
}

func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests++
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.URL.Path != "/token" {
		http.Error(w, "no", http.StatusNotFound)
		return
	}
	e.forms = append(e.forms, r.PostForm)
	if e.refusal != nil {
		e.refusal(w)
		return
	}
	if !e.knows(r) {
		Say(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "echo " + r.PostForm.Encode()})
		return
	}
	out := map[string]any{"token_type": "bearer", "expires_in": int(e.Lifetime.Seconds()), "scope": r.PostForm.Get("scope")}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
	case "refresh_token":
		if !e.rotate(r.PostForm.Get("refresh_token")) {
			Say(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "echo " + r.PostForm.Encode()})
			return
		}
		out["refresh_token"] = e.current
	default:
		Say(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	access := e.made("at-")
	e.access = append(e.access, access)
	out["access_token"] = access
	Say(w, http.StatusOK, out)
}

// rotate reports whether a refresh token is good, and makes the next one.
func (e *Endpoint) rotate(token string) bool {
	switch {
	case e.revoked || token == "" || token == e.forgot:
		return false
	case token == e.current:
		e.before = e.current
	case token == e.before && e.Grace: // the one after it was never used
	default:
		e.reuses++
		e.revoked = true
		return false
	}
	if !e.Keep {
		e.current = e.made("rt-")
	}
	return true
}

func (e *Endpoint) knows(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	form := r.PostForm
	switch {
	case e.ClientSecret == "":
		return !basic && form.Get("client_id") == e.ClientID && !form.Has("client_secret")
	case e.Auth == credential.ClientBasic:
		id, err1 := url.QueryUnescape(id)
		secret, err2 := url.QueryUnescape(secret)
		return basic && err1 == nil && err2 == nil && id == e.ClientID && secret == e.ClientSecret && !form.Has("client_id") && !form.Has("client_secret")
	}
	return !basic && form.Get("client_id") == e.ClientID && form.Get("client_secret") == e.ClientSecret
}

// Say answers with JSON.
func Say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Status answers with nothing but a status.
func Status(status int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(status) }
}

// Text answers with a body as it is.
func Text(status int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = strings.NewReader(body).WriteTo(w)
	}
}
