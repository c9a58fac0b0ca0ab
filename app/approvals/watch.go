package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fleet"
)

// maxChanges is how many changes are told at once. Whoever has more to hear
// asks again.
const maxChanges = 500

// Changes returns a gateway's approvals that have changed after a place, as
// they are now, and the place to go on from; as soon as there is one, or none
// when wait is over or ctx ends. Without a place, or with one that is ahead of
// the record, as after a restore, it returns at once with the newest. It fails
// with fault.Forbidden as soon as the gateway is revoked.
//
// It is one poll for all that a gateway holds, where Wait is one for each.
func (s *Service) Changes(ctx context.Context, gw fleet.Gateway, after int64, wait time.Duration) (as []approval.Approval, through int64, err error) {
	rung, stop := s.Bus.Subscribe(bus.Approvals(gw.TeamID)) // before the first look, or a ring could fall between
	defer stop()
	fleetRung, stopFleet := s.Bus.Subscribe(bus.Gateways(gw.TeamID))
	defer stopFleet()
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(bus.Interval)
	defer again.Stop()

	for last := wait <= 0; ; {
		as, through, err = s.changed(context.WithoutCancel(ctx), gw, after)
		if err != nil || last || len(as) > 0 || after <= 0 || through < after {
			return as, through, err
		}
		after = through // the rest of the team need not be looked through again
		select {
		case <-rung:
		case <-fleetRung:
		case <-again.C:
		case <-over.C:
			last = true
		case <-ctx.Done():
			return nil, through, nil
		}
	}
}

func (s *Service) changed(ctx context.Context, gw fleet.Gateway, after int64) ([]approval.Approval, int64, error) {
	now, err := s.Store.Gateway(ctx, gw.ID)
	if err != nil {
		return nil, 0, fmt.Errorf("look for changed approvals: %w", err)
	}
	if now.Status != fleet.Active {
		return nil, 0, shutOut()
	}
	as, through, err := s.Store.ApprovalChanges(ctx, gw, after, maxChanges)
	if err != nil {
		return nil, 0, fmt.Errorf("look for changed approvals: %w", err)
	}
	return as, through, nil
}
