package approvals

import (
	"context"
	"fmt"
	"slices"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
)

const (
	defaultPage = 50
	maxPage     = 500
	maxFilter   = 200
)

// List returns the team's approvals, newest first, from after a place on, and
// the next place; that is zero at the end.
func (s *Service) List(ctx context.Context, teamID string, f Filter, after Cursor, limit int) ([]approval.Approval, Cursor, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	for _, text := range []*string{&f.GatewayID, &f.Connector, &f.Action, &f.Risk, &f.Channel, &f.Decider, &f.Text} {
		*text = audit.Plain(*text, maxFilter)
	}
	as, err := s.Store.Approvals(ctx, teamID, f, after, limit+1)
	if err != nil {
		return nil, Cursor{}, fmt.Errorf("list approvals: %w", err)
	}
	var next Cursor
	if len(as) > limit {
		as = as[:limit]
		next = Cursor{Time: as[limit-1].CreatedAt, ID: as[limit-1].ID}
	}
	now := s.now()
	for i := range as {
		as[i], _ = as[i].Lapse(now) // what Run has not come to yet
	}
	if len(f.Status) > 0 {
		as = slices.DeleteFunc(as, func(a approval.Approval) bool { return !slices.Contains(f.Status, a.Status) })
	}
	return as, next, nil
}

// Get returns one of the team's approvals. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, teamID, id string) (approval.Approval, error) {
	a, err := s.Store.Approval(ctx, audit.Plain(id, maxText))
	if err != nil {
		return approval.Approval{}, fmt.Errorf("get approval: %w", err)
	}
	if a.TeamID != teamID {
		return approval.Approval{}, none()
	}
	a, _ = a.Lapse(s.now())
	return a, nil
}

// PendingCount returns how many requests of the team wait for a person.
func (s *Service) PendingCount(ctx context.Context, teamID string) (int, error) {
	n, err := s.Store.PendingApprovals(ctx, teamID, s.now())
	if err != nil {
		return 0, fmt.Errorf("count approvals: %w", err)
	}
	return n, nil
}
