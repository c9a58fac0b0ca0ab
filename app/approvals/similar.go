package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
)

const (
	similarSince = 30 * 24 * time.Hour
	similarMost  = 200 // how many are looked through
)

// Similar returns what a's gateway asked before of a's action, and how it
// ended. Of more than 200 it looks at the newest.
func (s *Service) Similar(ctx context.Context, a approval.Approval) (approval.History, error) {
	now := s.now()
	as, err := s.Store.AlikeApprovals(ctx, a, now.Add(-similarSince), similarMost)
	if err != nil {
		return approval.History{}, fmt.Errorf("look for similar approvals: %w", err)
	}
	for i := range as {
		as[i], _ = as[i].Lapse(now)
	}
	return a.Similar(as), nil
}
