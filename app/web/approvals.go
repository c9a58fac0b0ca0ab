package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const (
	maxCards = 100
	maxNote  = 500
	// lingers is how long a card stays in its place after somebody else has
	// decided, so that nothing jumps under a pointer.
	lingers = 2 * time.Minute
)

func (s *Server) approvals(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "approvals", "Approvals")
	if err != nil {
		return err
	}
	pending, err := s.pending(r, v)
	if err != nil {
		return err
	}
	ids := make([]string, len(pending))
	for i, a := range pending {
		ids[i] = a.GatewayID
	}
	if err := s.aboutIDs(r.Context(), &f, v, ids...); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ApprovalsPage(f, views.Approvals{Cards: pending, MayDecide: v.May(team.Decide), Now: s.Now(), Waiting: f.Waiting}))
}

// approvalCards is the list again, for a page that is open: what waits, and
// what was settled a moment ago.
func (s *Server) approvalCards(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	now := s.Now()
	cards, err := s.pending(r, v)
	if err != nil {
		return err
	}
	settled, _, err := s.Approvals.List(r.Context(), v.Team.ID, approval.Filter{Status: decided}, page.Cursor{}, maxCards)
	if err != nil {
		return err
	}
	for _, a := range settled {
		if at := latest(a.DecidedAt, a.EndedAt); now.Sub(at) < lingers {
			cards = append(cards, a)
		}
	}
	slices.SortStableFunc(cards, func(a, b approval.Approval) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return render(w, r, http.StatusOK, views.ApprovalCards(views.Approvals{Cards: cards, MayDecide: v.May(team.Decide), Now: now}))
}

var decided = []approval.Status{approval.Approved, approval.Denied, approval.Expired, approval.Cancelled, approval.Executed, approval.Unused}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Server) approval(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showApproval(w, r, v, http.StatusOK, a, "")
}

func (s *Server) showApproval(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, a approval.Approval, note string) error {
	f, err := s.frame(r, v, "approvals", "Approval")
	if err != nil {
		return err
	}
	if err := s.aboutIDs(r.Context(), &f, v, a.GatewayID); err != nil {
		return err
	}
	return render(w, r, status, views.ApprovalPage(f, a, v.May(team.Decide), s.Now(), note))
}

func (s *Server) approvalCard(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ApprovalCard(a, v.May(team.Decide), s.Now(), ""))
}

// decide settles an approval. If somebody was faster, or time was over, the
// answer is the card as it now is, with the reason.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	verdict := approval.Deny
	switch r.PostForm.Get("choice") {
	case "approve":
		verdict = approval.Grant
	case "deny":
	default:
		return fault.New(fault.Invalid, "Choose to approve the request or to deny it.", nil)
	}
	note := text(r, "reason")
	if len([]rune(note)) > maxNote {
		return fault.New(fault.Invalid, "A reason is at most 500 characters.", nil)
	}
	a, err := s.Approvals.Decide(r.Context(), v, r.PathValue("id"), approval.Decision{Channel: approval.Dashboard, Verdict: verdict, Note: note})
	k := fault.Of(err)
	switch late := k == fault.Conflict || k == fault.Expired; {
	case err != nil && (!late || a.ID == ""):
		return err
	case err != nil && byHTMX(r):
		return render(w, r, k.Status(), views.ApprovalCard(a, true, s.Now(), fault.Message(err)))
	case err != nil:
		return s.showApproval(w, r, v, k.Status(), a, fault.Message(err))
	case byHTMX(r):
		return render(w, r, http.StatusOK, views.ApprovalCard(a, true, s.Now(), ""))
	}
	return see(w, r, "/approvals/"+a.ID)
}

const historyPage = 50

var outcomes = map[string][]approval.Status{
	"":          decided,
	"approved":  {approval.Approved, approval.Executed, approval.Unused},
	"denied":    {approval.Denied},
	"expired":   {approval.Expired},
	"cancelled": {approval.Cancelled},
}

func (s *Server) history(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	q := r.URL.Query()
	h := views.History{Status: q.Get("status"), Gateway: q.Get("gateway"), MayDecide: v.May(team.Decide)}
	status, ok := outcomes[h.Status]
	if !ok {
		return fault.New(fault.Invalid, "There is no such outcome to filter by.", nil)
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
	var next page.Cursor
	h.Rows, next, err = s.Approvals.List(r.Context(), v.Team.ID, approval.Filter{Status: status, GatewayID: h.Gateway}, at, historyPage)
	if err != nil {
		return err
	}
	h.Waiting, h.Gateways = f.Waiting, gatewayOptions(gs)
	about(&f, v, chosen(gs, h.Gateway)...)
	q.Del("after")
	h.Newest, h.Older = pages("/approvals/history", q, at, next)
	return render(w, r, http.StatusOK, views.HistoryPage(f, h))
}

// pages are the addresses of the newest and of the next older page.
func pages(path string, q url.Values, at, next page.Cursor) (newest, older string) {
	if !at.IsZero() {
		newest = address(path, q)
	}
	if !next.IsZero() {
		q.Set("after", next.String())
		older = address(path, q)
	}
	return newest, older
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func gatewayOptions(gs []fleet.Gateway) []views.Option {
	var all []views.Option
	for _, g := range gs {
		all = append(all, views.Option{Value: g.ID, Text: g.Name})
	}
	return all
}
