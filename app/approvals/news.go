package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/approval"
)

// News returns those of the team's approvals that f chooses and that were
// opened or have changed after a place, as they are now, the oldest first, and
// the place to go on from; as soon as there is one, or none when wait is over
// or ctx ends. Before the first place, which is negative, and with a place that
// is ahead of the record, as after a restore, it returns at once with the
// newest; whoever gets a lower place than they had reads the lists again.
func (s *Service) News(ctx context.Context, teamID string, f Filter, after int64, wait time.Duration) (as []approval.Approval, through int64, err error) {
	rung, stop := s.Bus.Subscribe(bus.Approvals(teamID)) // before the first look, or a ring could fall between
	defer stop()
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(bus.Interval)
	defer again.Stop()

	for last := wait <= 0; ; {
		as, through, err = s.Store.ApprovalNews(context.WithoutCancel(ctx), teamID, f, after, maxChanges)
		if err != nil {
			return nil, 0, fmt.Errorf("look for news of approvals: %w", err)
		}
		if last || len(as) > 0 || after < 0 || through < after {
			return as, through, nil
		}
		after = through // what f does not choose need not be looked through again
		select {
		case <-rung:
		case <-again.C:
		case <-over.C:
			last = true
		case <-ctx.Done():
			return nil, through, nil
		}
	}
}
