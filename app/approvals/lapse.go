package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
)

const (
	lapseEvery = time.Second
	lapseBatch = 100
)

// Run ends approvals whose time is over, until ctx ends. What an approval may
// still be used for never depends on it: time alone decides that. It is for
// the pages, and for the record.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(lapseEvery)
	defer tick.Stop()
	for {
		if err := s.Lapse(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "approvals whose time is over wait for the next round", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Lapse ends every approval whose time is over now.
func (s *Service) Lapse(ctx context.Context) error {
	for {
		due, err := s.Store.DueApprovals(ctx, s.now(), lapseBatch)
		if err != nil {
			return fmt.Errorf("find due approvals: %w", err)
		}
		for _, a := range due {
			if _, err := s.lapse(ctx, a); err != nil {
				return err
			}
		}
		if len(due) < lapseBatch {
			return nil
		}
	}
}

func (s *Service) lapsed(st store.Standing) (approval.Approval, audit.Event, error) {
	now := s.now()
	next, over := st.Approval.Lapse(now)
	if !over {
		return approval.Approval{}, audit.Event{}, fault.New(fault.Conflict, st.Approval.Settled(), nil)
	}
	return next, next.Event(audit.System(), now), nil
}
