package api

import (
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

// choice is what a caller decided.
func (c *call) choice(in rest.Decision) (approval.Decision, error) {
	d := approval.Decision{Channel: c.channel(), Note: in.Reason}
	switch in.Verdict {
	case rest.Approve:
		d.Verdict = approval.Grant
	case rest.Deny:
	default:
		return d, fault.New(fault.Invalid, "A verdict is approve or deny.", nil)
	}
	if in.For == "" {
		return d, nil
	}
	if d.Verdict != approval.Grant {
		return d, fault.New(fault.Invalid, "Only an approval can count for a while.", nil)
	}
	var err error
	if d.For, err = time.ParseDuration(in.For); err != nil || d.For <= 0 || d.For > approval.MaxRepeat {
		return d, fault.New(fault.Invalid, "For how long an approval counts is like 15m or 2h, and at most 8h.", nil)
	}
	return d, nil
}

func (s *Server) decide(c *call, in rest.Decision) (rest.Approval, error) {
	d, err := c.choice(in)
	if err != nil {
		return rest.Approval{}, err
	}
	return s.settled(s.Approvals.Decide(c.Context(), c.viewer, c.PathValue("id"), d))
}

// decideAll settles several approvals that are alike. It fails where they
// cannot be settled together; what becomes of each is in the answer.
func (s *Server) decideAll(c *call, in rest.Decisions) (rest.List[rest.Outcome], error) {
	none := rest.List[rest.Outcome]{}
	d, err := c.choice(in.Decision)
	if err != nil {
		return none, err
	}
	outcomes, err := s.Approvals.DecideAll(c.Context(), c.viewer, in.IDs, d)
	if err != nil {
		return none, err
	}
	out := rest.List[rest.Outcome]{Items: make([]rest.Outcome, 0, len(outcomes))}
	for _, o := range outcomes {
		one := rest.Outcome{ID: o.Approval.ID}
		if o.Approval.Status != "" { // it is there
			a := s.shownApproval(o.Approval)
			one.Approval = &a
		}
		if o.Err != nil {
			p := problem(o.Err)
			one.Problem = &p
			s.note(c.Request, p, o.Err)
		}
		out.Items = append(out.Items, one)
	}
	return out, nil
}

// endRepeat makes an approval count for no other request any more.
func (s *Server) endRepeat(c *call, _ nothing) (rest.Approval, error) {
	return s.settled(s.Approvals.EndRepeat(c.Context(), c.viewer, c.PathValue("id")))
}

// settled is the answer of a call that changes an approval: where it fails,
// callers see how the approval now is.
func (s *Server) settled(a approval.Approval, err error) (rest.Approval, error) {
	if err != nil && a.ID != "" {
		return rest.Approval{}, &decided{s.shownApproval(a), err}
	}
	return s.shownApproval(a), err
}
