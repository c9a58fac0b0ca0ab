package approvals

import (
	"context"
	"fmt"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// EndRepeat makes the approval count for no other request any more: the next
// one is put to people again. What was granted because of it, and not yet used,
// stays granted. It fails with fault.Forbidden where v may not decide, with
// fault.NotFound, and with fault.Conflict, and the approval, where it does not
// count for any.
func (s *Service) EndRepeat(ctx context.Context, v team.Viewer, id string) (approval.Approval, error) {
	if !v.May(team.Decide) {
		return approval.Approval{}, mayNotDecide()
	}
	now := s.now()
	got, err := s.Store.ChangeApproval(ctx, v.Team.ID, audit.Plain(id, maxText), v.User.ID, func(st store.Standing) (approval.Approval, audit.Event, error) {
		if !st.Role.May(team.Decide) {
			return approval.Approval{}, audit.Event{}, mayNotDecide()
		}
		next, changed := st.Approval.EndRepeat(now)
		if !changed {
			return approval.Approval{}, audit.Event{}, fault.New(fault.Conflict, "This approval does not count for other requests, or not any more.", nil)
		}
		e := next.Event(v.Actor(), now)
		e.Type, e.Detail["auth"] = approval.RepeatEnded, v.Auth
		return next, e, nil
	})
	switch fault.Of(err) { //nolint:exhaustive // all others are handled alike
	case fault.Forbidden:
		return approval.Approval{}, fmt.Errorf("end repeat: %w", err)
	}
	if err != nil {
		return got, fmt.Errorf("end repeat: %w", err)
	}
	s.rang(ctx, got)
	return got, nil
}

// maxRepeating is how many standing decisions a page shows.
const maxRepeating = 50

// Repeating returns the team's approvals that count for the same request for a
// while, the one that ends first at the top.
func (s *Service) Repeating(ctx context.Context, teamID string) ([]approval.Approval, error) {
	as, err := s.Store.RepeatingApprovals(ctx, teamID, s.now(), maxRepeating)
	if err != nil {
		return nil, fmt.Errorf("list standing approvals: %w", err)
	}
	return as, nil
}
