package web

import (
	"net/http"

	"github.com/tameflare/tameflare/domain/policy/packs"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// packs shows the policies that somebody may start from.
func (s *Server) packs(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "policies", "Policy packs")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.PacksPage(f, packs.All(), v.May(team.Manage)))
}
