package approvals

import (
	"context"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// Decide settles the approval as v wants it, and returns it as it now is: still
// pending where v has agreed and others have to as well. If somebody was
// faster, it returns their decision with a fault.Conflict, and so it does where
// v has agreed before. It fails with fault.Forbidden where v may not decide any
// more, may not agree (see approval.MayAgree; with approval.ErrNotFresh where
// only a proof of who they are is missing), or a kill switch stops the request
// (then with ErrKilled), with fault.Expired where the time to answer is over,
// with fault.Invalid where it cannot count for as long as choice says, and with
// fault.NotFound where v's team has no such approval.
func (s *Service) Decide(ctx context.Context, v team.Viewer, id string, choice approval.Decision) (approval.Approval, error) {
	if !v.May(team.Decide) {
		return approval.Approval{}, mayNotDecide()
	}
	verdict, now := choice.Verdict, s.now()
	got, err := s.Store.ChangeApproval(ctx, v.Team.ID, audit.Plain(id, maxText), v.User.ID, func(st store.Standing) (approval.Approval, audit.Event, error) {
		if !st.Role.May(team.Decide) { // not when they signed in, but now
			return approval.Approval{}, audit.Event{}, mayNotDecide()
		}
		d := decider(v, st, choice, now)
		next, err := st.Approval.Recount(st.Who).Decide(d, verdict, now)
		if err != nil {
			return approval.Approval{}, audit.Event{}, err
		}
		if verdict == approval.Grant {
			switch {
			case st.Gateway.Status != fleet.Active:
				return approval.Approval{}, audit.Event{}, shutOut()
			case st.Kill != nil:
				return approval.Approval{}, audit.Event{}, killed(*st.Kill)
			}
		}
		e := next.Event(v.Actor(), now)
		e.Detail["channel"], e.Detail["auth"], e.Detail["note"] = string(d.Channel), d.Auth, d.Note
		if choice.Via != "" {
			e.Detail["integration"] = audit.Plain(choice.Via, maxText)
		}
		if next.Status == approval.Pending {
			e.Type = approval.Agreed
		}
		if next.Wanted() > 1 && verdict == approval.Grant {
			e.Detail["agreed"] = next.Progress()
		}
		if !next.RepeatUntil.IsZero() {
			e.Detail["repeat_until"] = next.RepeatUntil.Format(time.RFC3339)
		}
		return next, e, nil
	})
	switch fault.Of(err) { //nolint:exhaustive // the rest is handled below
	case fault.Forbidden, fault.Invalid:
		return approval.Approval{}, fmt.Errorf("decide: %w", err)
	case fault.Expired:
		if over, lerr := s.lapse(ctx, got); lerr == nil {
			got = over
		}
	}
	if err != nil {
		return got, fmt.Errorf("decide: %w", err)
	}
	s.rang(ctx, got)
	return got, nil
}

// decider is v as they are now, making that choice.
func decider(v team.Viewer, st store.Standing, choice approval.Decision, now time.Time) approval.Decider {
	d := st.Who(v.User.ID)
	d.Name, d.Role, d.Auth, d.Fresh = v.User.Name, st.Role, v.Auth, v.Auth == "session" && v.Fresh(now)
	d.Channel, d.Note, d.For = choice.Channel, audit.Plain(choice.Note, maxText), choice.For
	return d
}

// MayAgree fails with what Decide would say to v's agreement, so that a page
// can say it before: with fault.Forbidden, and with approval.ErrNotFresh in its
// chain where a proof of who they are is all that is missing.
func (s *Service) MayAgree(ctx context.Context, v team.Viewer, a approval.Approval) error {
	if a.TeamID != v.Team.ID {
		return none()
	}
	st, err := s.Store.ApprovalStanding(ctx, a, v.User.ID)
	if err != nil {
		return fmt.Errorf("look at who may agree: %w", err)
	}
	if !v.May(team.Decide) || !st.Role.May(team.Decide) {
		return mayNotDecide()
	}
	return a.MayAgree(decider(v, st, approval.Decision{}, s.now()))
}

func mayNotDecide() error {
	return fault.New(fault.Forbidden, "Viewers do not decide. Ask an owner or admin to make you a member.", nil)
}

// noGrant is why a grant is cancelled whose giver has lost their role since.
const noGrant = "Somebody who approved this may not approve it any more."

// Use redeems a grant for the request that it was given for; the gateway sends
// the request after that, and only after that. It fails with fault.Conflict
// where the grant is not there, is used, or is for another request, or where
// somebody who gave it could not give it any more: that cancels it. It fails with
// fault.Expired where it has lapsed, and with fault.Forbidden where a kill
// switch stops the request (then with ErrKilled) or the gateway is revoked.
func (s *Service) Use(ctx context.Context, gw fleet.Gateway, id string, use wire.Use) (approval.Approval, error) {
	now := s.now()
	got, err := s.Store.ChangeApproval(ctx, gw.TeamID, audit.Plain(id, maxText), "", func(st store.Standing) (approval.Approval, audit.Event, error) {
		switch {
		case st.Approval.GatewayID != gw.ID:
			return approval.Approval{}, audit.Event{}, none()
		case st.Gateway.Status != fleet.Active:
			return approval.Approval{}, audit.Event{}, shutOut()
		case st.Kill != nil:
			return approval.Approval{}, audit.Event{}, killed(*st.Kill)
		}
		next, err := st.Approval.Use(use.Fingerprint, now)
		if fault.Of(err) == fault.Forbidden { // which is said to gateways that are shut out, and to no other
			s.Log.WarnContext(ctx, "a grant was shown with another request", "gateway", gw.ID, "approval", id)
			err = fault.New(fault.Conflict, fault.Message(err), err)
		}
		if err == nil && !st.Approval.Stands(st.Who) {
			next, _ = st.Approval.Cancel(noGrant, now)
			return next, next.Event(audit.System(), now), nil
		}
		e := next.Event(machine(gw), now)
		e.Detail["request"] = audit.Plain(use.RequestID, maxText)
		return next, e, err
	})
	if fault.Of(err) == fault.Expired {
		if over, lerr := s.lapse(ctx, got); lerr == nil {
			got = over
		}
	}
	if err != nil {
		return got, fmt.Errorf("use approval: %w", err)
	}
	s.rang(ctx, got)
	if got.Status != approval.Executed {
		return got, fmt.Errorf("use approval: %w", fault.New(fault.Conflict, noGrant, nil))
	}
	return got, nil
}
