package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// Wait returns a gateway's approval once there is more to know than at seq, or
// as it is when wait is over or ctx ends. It fails with fault.NotFound where
// the gateway has none of that ID, and with fault.Forbidden as soon as the
// gateway is revoked.
func (s *Service) Wait(ctx context.Context, gw fleet.Gateway, id string, seq int64, wait time.Duration) (approval.Approval, error) {
	rung, stop := s.Bus.Subscribe(bus.Approval(id)) // before the first look, or a ring could fall between
	defer stop()
	fleetRung, stopFleet := s.Bus.Subscribe(bus.Gateways(gw.TeamID))
	defer stopFleet()
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(bus.Interval)
	defer again.Stop()

	for last := wait <= 0; ; {
		a, err := s.look(context.WithoutCancel(ctx), gw, id) // also when it has just ended, so as to answer
		if err != nil || last || a.Heard() > seq || a.Status.Final() {
			return a, err
		}
		// Its time may be over before the next look.
		ends := time.NewTimer(a.ExpiresAt.Sub(s.Now()))
		select {
		case <-rung:
		case <-fleetRung:
		case <-again.C:
		case <-ends.C:
		case <-over.C:
			last = true
		case <-ctx.Done():
			ends.Stop()
			return a, nil
		}
		ends.Stop()
	}
}

// look reads a gateway's approval, and ends it where its time is over.
func (s *Service) look(ctx context.Context, gw fleet.Gateway, id string) (approval.Approval, error) {
	now, err := s.Store.Gateway(ctx, gw.ID)
	if err != nil {
		return approval.Approval{}, fmt.Errorf("wait for approval: %w", err)
	}
	if now.Status != fleet.Active {
		return approval.Approval{}, shutOut()
	}
	a, err := s.Store.Approval(ctx, audit.Plain(id, maxText))
	if err != nil {
		return approval.Approval{}, fmt.Errorf("wait for approval: %w", err)
	}
	if a.GatewayID != gw.ID {
		return approval.Approval{}, none()
	}
	return s.lapse(ctx, a)
}

// lapse ends a where its time is over, and returns it as it is then.
func (s *Service) lapse(ctx context.Context, a approval.Approval) (approval.Approval, error) {
	if _, over := a.Lapse(s.now()); !over {
		return a, nil
	}
	got, err := s.Store.ChangeApproval(ctx, a.TeamID, a.ID, "", s.lapsed)
	if fault.Of(err) == fault.Conflict { // somebody else did, or decided
		return got, nil
	}
	if err != nil {
		return a, fmt.Errorf("end approval: %w", err)
	}
	s.rang(ctx, got)
	return got, nil
}
