package web

import (
	"net/http"

	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const historyPage = 50

func (s *Server) history(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	q := r.URL.Query()
	filter, shown, kept, err := readApprovalFilter(q, true)
	if err != nil {
		return err
	}
	at, err := page.Parse(q.Get("after"))
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "approvals", "Approvals")
	if err != nil {
		return err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	rows, next, err := s.Approvals.List(r.Context(), v.Team.ID, filter, at, historyPage)
	if err != nil {
		return err
	}
	h := views.History{Filter: shown, MayDecide: v.May(team.Decide), Waiting: f.Waiting}
	for _, a := range rows {
		h.Rows = append(h.Rows, s.plainCard(v, a))
	}
	h.Filter.Gateways = gatewayOptions(gs)
	if h.Filter.Connectors, err = s.connectorNames(r, v); err != nil {
		return err
	}
	about(&f, v, chosen(gs, filter.GatewayID)...)
	h.Newest, h.Older = pages("/approvals/history", kept, at, next)
	return render(w, r, http.StatusOK, views.HistoryPage(f, h))
}
