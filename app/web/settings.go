package web

import (
	"net/http"

	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) settings(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "settings", "Settings")
	if err != nil {
		return err
	}
	ts, err := s.Accounts.Tokens(r.Context(), v)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.SettingsPage(f, ts, s.Now()))
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := s.Accounts.RevokeToken(r.Context(), v, r.PathValue("id")); err != nil {
		return err
	}
	return see(w, r, "/settings")
}
