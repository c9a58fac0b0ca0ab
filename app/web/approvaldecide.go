package web

import (
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// ways are what a form can choose.
var ways = map[string]approval.Decision{
	"approve":     {Verdict: approval.Grant},
	"approve-15m": {Verdict: approval.Grant, For: 15 * time.Minute},
	"approve-1h":  {Verdict: approval.Grant, For: time.Hour},
	"approve-8h":  {Verdict: approval.Grant, For: 8 * time.Hour},
	"deny":        {Verdict: approval.Deny},
}

// choice reads a decision from a form.
func choice(r *http.Request) (approval.Decision, error) {
	d, ok := ways[r.PostForm.Get("choice")]
	if !ok {
		return d, fault.New(fault.Invalid, "Choose to approve the request or to deny it.", nil)
	}
	d.Channel, d.Note = approval.Dashboard, text(r, "reason")
	if len([]rune(d.Note)) > maxNote {
		return d, fault.New(fault.Invalid, "A reason is at most 500 characters.", nil)
	}
	return d, nil
}

// confirmed is v after the password of the form, where there is one. It fails
// with fault.Invalid where that is wrong.
func (s *Server) confirmed(r *http.Request, v team.Viewer) (team.Viewer, error) {
	password := r.PostForm.Get("password")
	if password == "" {
		return v, nil
	}
	if err := s.Accounts.Confirm(r.Context(), v, password, s.ip(r)); err != nil {
		return v, err
	}
	return s.viewer(r)
}

// decide settles an approval. If somebody was faster, or time was over, or v
// cannot agree, the answer is the card as it now is, with the reason.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	d, err := choice(r)
	if err != nil {
		return s.notDecided(w, r, v, approval.Approval{}, err)
	}
	if d.Verdict == approval.Grant {
		if v, err = s.confirmed(r, v); err != nil {
			return s.notDecided(w, r, v, approval.Approval{}, err)
		}
	}
	a, err := s.Approvals.Decide(r.Context(), v, r.PathValue("id"), d)
	switch {
	case err != nil:
		return s.notDecided(w, r, v, a, err)
	case byHTMX(r):
		return s.showCard(w, r, v, http.StatusOK, a, "")
	}
	return see(w, r, "/approvals/"+a.ID)
}

// notDecided shows the card with the reason why it was not decided. A is the
// approval as it is, where that is known.
func (s *Server) notDecided(w http.ResponseWriter, r *http.Request, v team.Viewer, a approval.Approval, why error) error {
	switch k := fault.Of(why); k {
	case fault.Conflict, fault.Expired, fault.Forbidden, fault.Invalid, fault.Limited:
		if a.ID == "" {
			var err error
			if a, err = s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id")); err != nil {
				return err
			}
		}
		if byHTMX(r) {
			return s.showCard(w, r, v, k.Status(), a, fault.Message(why))
		}
		return s.showApproval(w, r, v, k.Status(), a, fault.Message(why))
	case fault.Internal, fault.NotFound, fault.Unauthenticated, fault.Unavailable:
	}
	return why
}

// decideSeveral settles what was chosen together, and says what became of each.
func (s *Server) decideSeveral(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	d, err := choice(r)
	if err != nil {
		return err
	}
	if d.For != 0 {
		return fault.New(fault.Invalid, "Several requests are approved once each.", nil)
	}
	outcomes, err := s.Approvals.DecideAll(r.Context(), v, r.PostForm["id"], d)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "approvals", "Decided together")
	if err != nil {
		return err
	}
	var all []views.Outcome
	for _, o := range outcomes {
		one := views.Outcome{Card: s.plainCard(v, o.Approval)}
		if o.Err != nil {
			one.Problem = fault.Message(o.Err)
		}
		all = append(all, one)
	}
	return render(w, r, http.StatusOK, views.OutcomesPage(f, all))
}

// endRepeat makes an approval count for no other request any more.
func (s *Server) endRepeat(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if _, err := s.Approvals.EndRepeat(r.Context(), v, r.PathValue("id")); err != nil {
		return err
	}
	return see(w, r, "/approvals")
}
