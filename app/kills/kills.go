// Package kills stops agents at once: a team, a gateway, a connector, or one
// connector of one gateway.
//
// A kill is a row, and it is on until somebody lifts it. Pulling it raises the
// team's revision, so the gateways hear of it as they hear of everything else,
// and cancels in the same transaction what it stops and people were asked.
package kills

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// Store is what kills are kept in.
type Store interface {
	Kills(ctx context.Context, teamID string) ([]fleet.Kill, error)
	Pull(ctx context.Context, k fleet.Kill, userID string, may func(store.Standing) error, e audit.Event) (fleet.Kill, error)
	Lift(ctx context.Context, teamID, id, by string, at time.Time, e audit.Event) error
}

// Service pulls and lifts kill switches.
type Service struct {
	Store Store
	Bus   bus.Bus
	Now   func() time.Time
}

// Scope is what a kill switch stops. The zero Scope is the whole team.
type Scope struct {
	GatewayID string
	Connector string // a connector type, or a configured name
}

const maxReason = 500

// Pull turns a kill switch on. One that is on already for the same scope is
// returned as it is. It fails with fault.Forbidden where v may not pull it,
// with fault.NotFound where v's team has no such gateway and with
// fault.Invalid where there can be no such connector.
func (s *Service) Pull(ctx context.Context, v team.Viewer, scope Scope, reason string) (fleet.Kill, error) {
	if !v.May(team.Decide) {
		return fleet.Kill{}, mayNotPull()
	}
	k, err := s.kill(v.Team.ID, scope, reason)
	if err != nil {
		return fleet.Kill{}, err
	}
	k.PulledBy = v.User.ID
	got, err := s.Store.Pull(ctx, k, v.User.ID, func(st store.Standing) error {
		if !st.Role.May(team.Decide) {
			return mayNotPull()
		}
		return nil
	}, event("kill.pulled", k, v.Actor(), k.PulledAt))
	if err != nil {
		return fleet.Kill{}, fmt.Errorf("pull kill switch: %w", err)
	}
	s.rang(ctx, v.Team.ID)
	return got, nil
}

func mayNotPull() error {
	return fault.New(fault.Forbidden, "Viewers do not pull the kill switch. Ask a member, admin or owner, at once.", nil)
}

func (s *Service) kill(teamID string, scope Scope, reason string) (fleet.Kill, error) {
	if scope.Connector != "" && fleet.CheckName(scope.Connector) != nil {
		return fleet.Kill{}, fault.New(fault.Invalid, "There is no connector of that name.", nil)
	}
	return fleet.Kill{
		ID: "kill_" + strings.ToLower(rand.Text()), TeamID: teamID, GatewayID: audit.Plain(scope.GatewayID, 100), Connector: scope.Connector,
		Reason: audit.Plain(strings.TrimSpace(reason), maxReason), PulledAt: audit.Time(s.Now()),
	}, nil
}

// Lift turns a kill switch off. It fails with fault.Forbidden where v may not
// lift it, with fault.NotFound where v's team has none of that ID, and with
// fault.Conflict where somebody has lifted it.
func (s *Service) Lift(ctx context.Context, v team.Viewer, id string) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins lift the kill switch.", nil)
	}
	id, now := audit.Plain(id, 100), audit.Time(s.Now())
	e := event("kill.lifted", fleet.Kill{ID: id}, v.Actor(), now)
	if err := s.Store.Lift(ctx, v.Team.ID, id, v.User.ID, now, e); err != nil {
		return fmt.Errorf("lift kill switch: %w", err)
	}
	s.rang(ctx, v.Team.ID)
	return nil
}

// Active returns the team's kill switches that are on, the newest first.
func (s *Service) Active(ctx context.Context, teamID string) ([]fleet.Kill, error) {
	ks, err := s.Store.Kills(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list kill switches: %w", err)
	}
	return ks, nil
}

// Report notes a kill switch that was pulled or lifted on a gateway's machine.
// It concerns that gateway alone, and never lifts what a person has pulled
// here. Saying the same twice changes nothing.
func (s *Service) Report(ctx context.Context, gw fleet.Gateway, r wire.KillReport) error {
	k, err := s.kill(gw.TeamID, Scope{GatewayID: gw.ID, Connector: r.Connector}, r.Reason)
	if err != nil {
		return err
	}
	k.PulledBy = "gateway:" + gw.ID
	by := audit.Actor{Kind: audit.ByGateway, ID: gw.ID, Name: gw.Name, Auth: "mtls"}
	if r.On {
		e := event("kill.pulled", k, by, k.PulledAt)
		e.Detail["at"] = audit.Time(r.At).Format(time.RFC3339Nano)
		if _, err := s.Store.Pull(ctx, k, "", nil, e); err != nil {
			return fmt.Errorf("note kill switch: %w", err)
		}
		s.rang(ctx, gw.TeamID)
		return nil
	}
	on, err := s.Active(ctx, gw.TeamID)
	if err != nil {
		return err
	}
	for _, o := range on {
		if o.PulledBy != k.PulledBy || o.Connector != k.Connector {
			continue
		}
		err := s.Store.Lift(ctx, gw.TeamID, o.ID, k.PulledBy, k.PulledAt, event("kill.lifted", o, by, k.PulledAt))
		if err != nil && fault.Of(err) != fault.Conflict {
			return fmt.Errorf("note kill switch: %w", err)
		}
		s.rang(ctx, gw.TeamID)
	}
	return nil
}

// rang tells the gateways first: a page may wait.
func (s *Service) rang(ctx context.Context, teamID string) {
	s.Bus.Publish(ctx, bus.Config(teamID))
	s.Bus.Publish(ctx, bus.Approvals(teamID))
	s.Bus.Publish(ctx, bus.Gateways(teamID))
}

func event(typ string, k fleet.Kill, by audit.Actor, at time.Time) audit.Event {
	e := audit.Event{Time: at, Type: typ, Actor: by, Target: k.ID, Gateway: k.GatewayID, Detail: map[string]string{}}
	for name, value := range map[string]string{"connector": k.Connector, "reason": k.Reason} {
		if value != "" {
			e.Detail[name] = value
		}
	}
	return e
}
