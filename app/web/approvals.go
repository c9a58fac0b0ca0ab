package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const (
	maxCards = 100
	// cardsPage is how many cards stand on a page of the inbox. Ten thousand
	// that wait are as quick to look at as fifty.
	cardsPage = 50
	maxNote   = 500
	// lingers is how long a card stays in its place after somebody else has
	// decided, so that nothing jumps under a pointer.
	lingers = 2 * time.Minute
)

func (s *Server) approvals(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "approvals", "Approvals")
	if err != nil {
		return err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	in, as, err := s.inbox(r, v, false)
	if err != nil {
		return err
	}
	if err := s.inboxFilter(r, v, &in, gs); err != nil {
		return err
	}
	for _, a := range as {
		about(&f, v, chosen(gs, a.GatewayID)...)
	}
	repeating, err := s.Approvals.Repeating(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for _, a := range repeating {
		in.Repeats = append(in.Repeats, views.Repeat{Card: s.plainCard(v, a), Until: a.RepeatUntil.UTC().Format("15:04") + " UTC"})
	}
	in.Waiting = f.Waiting
	return render(w, r, http.StatusOK, views.ApprovalsPage(f, in))
}

// approvalCards is the list again, for a page that is open: what waits, and
// what was settled a moment ago.
func (s *Server) approvalCards(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	in, _, err := s.inbox(r, v, true)
	if err != nil {
		return err
	}
	if in.First != "" || in.Next != "" { // only then it is said how many there are
		if in.Waiting, err = s.Approvals.PendingCount(r.Context(), v.Team.ID); err != nil {
			return err
		}
	}
	return render(w, r, http.StatusOK, views.ApprovalCards(in))
}

// inbox is one page of what waits, the longest first, and with settled also
// what did a moment ago.
func (s *Server) inbox(r *http.Request, v team.Viewer, settled bool) (views.Inbox, []approval.Approval, error) {
	q := r.URL.Query()
	in := views.Inbox{MayDecide: v.May(team.Decide)}
	filter, shown, kept, err := readApprovalFilter(q, false)
	if err != nil {
		return in, nil, err
	}
	in.Filter = shown
	at, err := page.Parse(q.Get("after"))
	if err != nil {
		return in, nil, err
	}
	filter.Status, filter.Oldest = []approval.Status{approval.Pending}, true
	as, next, err := s.Approvals.List(r.Context(), v.Team.ID, filter, at, cardsPage)
	if err != nil {
		return in, nil, err
	}
	if settled && at.IsZero() {
		if as, err = s.lingering(r, v, filter, as); err != nil {
			return in, nil, err
		}
	}
	if in.Cards, err = s.cards(r.Context(), v, as); err != nil {
		return in, nil, err
	}
	in.First, in.Next = pages("/approvals", cloneQuery(kept), at, next)
	if !at.IsZero() {
		kept.Set("after", at.String())
	}
	in.Query = kept.Encode()
	return in, as, nil
}

// lingering adds what was settled a moment ago, in its place.
func (s *Server) lingering(r *http.Request, v team.Viewer, f approval.Filter, as []approval.Approval) ([]approval.Approval, error) {
	f.Status, f.Oldest = decided, false
	settled, _, err := s.Approvals.List(r.Context(), v.Team.ID, f, page.Cursor{}, cardsPage)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	for _, a := range settled {
		if at := latest(a.DecidedAt, a.EndedAt); a.Repeats == "" && now.Sub(at) < lingers {
			as = append(as, a)
		}
	}
	slices.SortStableFunc(as, func(a, b approval.Approval) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return as, nil
}

var decided = []approval.Status{approval.Approved, approval.Denied, approval.Expired, approval.Cancelled, approval.Executed, approval.Unused}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// pages are the addresses of the first page and of the next one.
func pages(path string, q url.Values, at, next page.Cursor) (first, further string) {
	if !at.IsZero() {
		first = address(path, q)
	}
	if !next.IsZero() {
		q.Set("after", next.String())
		further = address(path, q)
	}
	return first, further
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func cloneQuery(q url.Values) url.Values {
	c := make(url.Values, len(q))
	for k, vs := range q {
		c[k] = slices.Clone(vs)
	}
	return c
}

func gatewayOptions(gs []fleet.Gateway) []views.Option {
	var all []views.Option
	for _, g := range gs {
		all = append(all, views.Option{Value: g.ID, Text: g.Name})
	}
	return all
}
