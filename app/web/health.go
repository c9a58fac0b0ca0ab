package web

import (
	"context"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/team"
)

// live says that the process answers.
func (s *Server) live(w http.ResponseWriter, _ *http.Request, _ team.Viewer) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ready says whether requests can be served.
func (s *Server) ready(w http.ResponseWriter, r *http.Request, _ team.Viewer) error {
	if s.Ready != nil {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			s.Log.WarnContext(ctx, "not ready", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			return nil
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
