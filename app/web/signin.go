package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// registerForm is for the first person on a fresh server.
func (s *Server) registerForm(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	fresh, err := s.Accounts.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	if !fresh {
		return see(w, r, "/sign-in")
	}
	setup := r.URL.Query().Get("setup")
	return render(w, r, http.StatusOK, views.Register(theme(r), views.RegisterForm{Setup: setup, NeedsLink: setup == "" && !s.Loopback}))
}

func (s *Server) register(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	f := views.RegisterForm{Name: text(r, "name"), Email: text(r, "email"), Team: text(r, "team"), Setup: text(r, "setup")}
	u, err := s.Accounts.Register(r.Context(), accounts.Registration{
		Email: f.Email, Name: f.Name, Password: r.PostForm.Get("password"), Team: f.Team, SetupToken: f.Setup, Loopback: s.Loopback, IP: s.ip(r),
	})
	if k := fault.Of(err); err != nil && k != fault.Internal {
		f.Errors = views.Errors{registrationField(r, err): fault.Message(err)}
		f.NeedsLink = k == fault.Forbidden && f.Setup == "" && !s.Loopback
		return render(w, r, k.Status(), views.Register(theme(r), f))
	}
	if err != nil {
		return err
	}
	return s.start(w, r, u, "/")
}

// registrationField guesses which field a refused registration is about, so
// that the sentence stands beside it.
func registrationField(r *http.Request, err error) string {
	if fault.Of(err) != fault.Invalid {
		return ""
	}
	if !looksLikeEmail(r.PostForm.Get("email")) {
		return "email"
	}
	return "password"
}

func (s *Server) signInForm(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	next := r.URL.Query().Get("next")
	if _, err := s.viewer(r); err == nil {
		return see(w, r, local(next))
	}
	fresh, err := s.Accounts.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	if fresh {
		return see(w, r, "/register")
	}
	return render(w, r, http.StatusOK, views.SignIn(theme(r), views.SignInForm{Next: next}))
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	f := views.SignInForm{Email: text(r, "email"), Next: text(r, "next")}
	u, err := s.Accounts.SignIn(r.Context(), f.Email, r.PostForm.Get("password"), s.ip(r))
	if k := fault.Of(err); err != nil && k != fault.Internal {
		f.Errors = views.Errors{"": fault.Message(err)}
		return render(w, r, k.Status(), views.SignIn(theme(r), f))
	}
	if err != nil {
		return err
	}
	return s.start(w, r, u, f.Next)
}

// signInLinkForm shows a button and does nothing: whoever scans mail opens links.
func (s *Server) signInLinkForm(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	q := r.URL.Query()
	return render(w, r, http.StatusOK, views.SignInLink(theme(r), q.Get("token"), q.Get("next")))
}

func (s *Server) signInLink(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	u, err := s.Accounts.SignInWithLink(r.Context(), r.PostForm.Get("token"))
	if err != nil {
		return err
	}
	return s.begin(w, r, s.Accounts.StartLinkedSession, u, text(r, "next"))
}

// start signs the browser in of whoever has just shown their password.
func (s *Server) start(w http.ResponseWriter, r *http.Request, u team.User, next string) error {
	return s.begin(w, r, s.Accounts.StartSession, u, next)
}

// starter begins a session, and returns its ID.
type starter func(ctx context.Context, userID, userAgent, ip string) (credential.Secret, error)

// begin signs the browser in. Each sign-in has a new session, and the one that
// the browser had before ends.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, start starter, u team.User, next string) error {
	if old, err := s.viewer(r); err == nil {
		if err := s.Accounts.EndSession(r.Context(), old); err != nil {
			return fmt.Errorf("end the session before: %w", err)
		}
	}
	id, err := start(r.Context(), u.ID, r.UserAgent(), s.ip(r))
	if err != nil {
		return err
	}
	s.Cookies.Write(w, r, id)
	return see(w, r, local(next))
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := s.Accounts.EndSession(r.Context(), v); err != nil {
		return err
	}
	s.Cookies.Clear(w, r)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	return see(w, r, "/sign-in")
}
