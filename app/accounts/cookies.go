package accounts

import (
	"net/http"
	"strings"

	"github.com/gorilla/sessions"

	"github.com/tameflare/tameflare/domain/credential"
)

// Cookies carries a session's random ID between a browser and us, and nothing
// else: what the session is stands in its row, so that it can be ended.
//
// It is a gorilla session store whose sessions have an ID and no values. Its
// own defaults would be SameSite=None and 30 days.
type Cookies struct {
	Secure bool // the dashboard is reached by https
}

// name makes the browser refuse what another host of the same domain, or plain
// http, tries to set in our place.
func (c Cookies) name() string {
	if c.Secure {
		return "__Host-tameflare"
	}
	return "tameflare"
}

// Read returns the session ID that r carries, empty where it carries none.
func (c Cookies) Read(r *http.Request) string {
	session, _ := c.New(r, c.name()) // New does not fail
	return session.ID
}

// Write makes the browser carry id from now on.
func (c Cookies) Write(w http.ResponseWriter, r *http.Request, id credential.Secret) {
	session := c.blank(c.name())
	session.ID = id.Reveal()
	_ = c.Save(r, w, session) // does not fail
}

// Clear makes the browser forget its session.
func (c Cookies) Clear(w http.ResponseWriter, r *http.Request) {
	session := c.blank(c.name())
	session.Options.MaxAge = -1
	_ = c.Save(r, w, session)
}

var _ sessions.Store = Cookies{}

// Get returns the session of r, the same one however often it is asked.
func (c Cookies) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(c, name)
}

// New returns the session of r, without an ID where r carries none.
func (c Cookies) New(r *http.Request, name string) (*sessions.Session, error) {
	session := c.blank(name)
	if cookie, err := r.Cookie(name); err == nil && plausible(cookie.Value) {
		session.ID, session.IsNew = cookie.Value, false
	}
	return session, nil
}

// Save writes the cookie of session.
func (c Cookies) Save(_ *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	http.SetCookie(w, sessions.NewCookie(session.Name(), session.ID, session.Options))
	return nil
}

func (c Cookies) blank(name string) *sessions.Session {
	session := sessions.NewSession(c, name)
	session.IsNew = true
	session.Options = &sessions.Options{
		Path:     "/",
		MaxAge:   int(sessionLife.Seconds()),
		Secure:   c.Secure,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
	return session
}

// plausible spares the database what cannot be an ID of ours.
func plausible(id string) bool {
	return len(id) == sessionIDSize && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
