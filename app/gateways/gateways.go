// Package gateways keeps the data planes of a team: what they are called, how
// strictly they act, and whether they may take part.
package gateways

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/identity"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Store is what gateways are kept in.
type Store interface {
	Gateways(ctx context.Context, teamID string) ([]fleet.Gateway, error)
	Gateway(ctx context.Context, id string) (fleet.Gateway, error)
	TeamGateway(ctx context.Context, teamID, idOrName string) (fleet.Gateway, error)
	InsertGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error
	UpdateGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error
	RevokeGateway(ctx context.Context, g fleet.Gateway, note string, e audit.Event) error
	Life
	Configurations
	Types
}

// Life notes what becomes of a gateway's certificate.
type Life interface {
	OfferGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error
	EnrolGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error
	RenewGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error
	SawGateway(ctx context.Context, id, version string, at time.Time) error
	TrafficTail(ctx context.Context, gatewayID string) (audit.Sealed, error)
}

// Configurations keeps what is configured for a gateway.
type Configurations interface {
	Configuration(ctx context.Context, teamID, gatewayID string) (store.Configuration, error)
	Connectors(ctx context.Context, gatewayIDs ...string) ([]fleet.Connector, error)
	Configure(ctx context.Context, teamID, gatewayID string, cs []fleet.Connector, rs []fleet.Rule, e audit.Event) error
	Credentials(ctx context.Context, teamID string) ([]fleet.Credential, error)
}

// Authority gives gateways their certificates.
type Authority interface {
	EnrolToken(ctx context.Context, gatewayID, teamID string) (token string, expires time.Time, err error)
	Enrol(ctx context.Context, token string, csrPEM []byte) (identity.Certificate, error)
	Renew(ctx context.Context, peer tls.ConnectionState, csrPEM []byte) (identity.Certificate, error)
	Revoke(ctx context.Context, gatewayID, reason string) error
	Check(ctx context.Context, state tls.ConnectionState) (identity.Identity, error)
	RootPEM() []byte
}

// Service is what can be done with gateways. Methods that change something for
// a viewer fail with fault.Forbidden where they may not manage.
type Service struct {
	Store     Store
	Authority Authority // may be set after Admit has been handed to it
	Bus       bus.Bus
	LinkURL   string        // where gateways reach their port: "https://link.example.com:8443"
	Snapshots func() []byte // public key that snapshots are signed with
	Now       func() time.Time
	Log       *slog.Logger
}

// Settings are what people say about a gateway.
type Settings struct {
	Name        string
	Environment string
	Enforcement policy.Enforcement
}

// Check fails with fault.Invalid where the settings make no sense.
func (s Settings) Check() error {
	if err := fleet.CheckName(s.Name); err != nil {
		return err
	}
	if err := fleet.CheckEnvironment(s.Environment); err != nil {
		return err
	}
	if s.Enforcement > policy.Monitor {
		return fault.New(fault.Invalid, "An enforcement level is monitor, soft_enforce or full_enforce.", nil)
	}
	return nil
}

// Create adds a gateway, which is not enrolled yet. It fails with
// fault.Invalid, and with fault.Conflict where the name is taken.
func (s *Service) Create(ctx context.Context, v team.Viewer, set Settings) (fleet.Gateway, error) {
	if err := manages(v); err != nil {
		return fleet.Gateway{}, err
	}
	if err := set.Check(); err != nil {
		return fleet.Gateway{}, err
	}
	g := fleet.Gateway{
		ID: "gw_" + strings.ToLower(rand.Text()), TeamID: v.Team.ID, Name: set.Name, Environment: set.Environment,
		Enforcement: set.Enforcement, Status: fleet.Active, CreatedAt: audit.Time(s.Now()),
	}
	if err := s.Store.InsertGateway(ctx, g, s.event(v, "gateway.created", g)); err != nil {
		return fleet.Gateway{}, fmt.Errorf("create gateway: %w", err)
	}
	s.Bus.Publish(ctx, bus.Gateways(g.TeamID))
	return g, nil
}

// List returns the team's gateways, revoked ones too, by name.
func (s *Service) List(ctx context.Context, teamID string) ([]fleet.Gateway, error) {
	gs, err := s.Store.Gateways(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list gateways: %w", err)
	}
	return gs, nil
}

// Find returns the team's gateway of that ID or name. It fails with
// fault.NotFound.
func (s *Service) Find(ctx context.Context, teamID, idOrName string) (fleet.Gateway, error) {
	g, err := s.Store.TeamGateway(ctx, teamID, audit.Plain(idOrName, 100))
	if err != nil {
		return fleet.Gateway{}, fmt.Errorf("find gateway: %w", err)
	}
	return g, nil
}

// Update changes a gateway's settings. It fails with fault.Invalid,
// fault.NotFound, and fault.Conflict where the name is taken.
func (s *Service) Update(ctx context.Context, v team.Viewer, id string, set Settings) error {
	if err := manages(v); err != nil {
		return err
	}
	if err := set.Check(); err != nil {
		return err
	}
	g, err := s.Find(ctx, v.Team.ID, id)
	if err != nil {
		return err
	}
	e := s.event(v, "gateway.updated", g)
	e.Detail["enforcement_before"] = g.Enforcement.String()
	e.Detail["enforcement"] = set.Enforcement.String()
	if g.Name != set.Name {
		e.Detail["renamed"] = set.Name
	}
	g.Name, g.Environment, g.Enforcement = set.Name, set.Environment, set.Enforcement
	if err := s.Store.UpdateGateway(ctx, g, e); err != nil {
		return fmt.Errorf("update gateway: %w", err)
	}
	s.changed(ctx, g.TeamID)
	return nil
}

// Revoke shuts a gateway out for good: its open polls end, what it has asked
// for is cancelled, and its certificates are worth nothing from then on. It
// fails with fault.NotFound, and with fault.Conflict where it has been done.
func (s *Service) Revoke(ctx context.Context, v team.Viewer, id string) error {
	if err := manages(v); err != nil {
		return err
	}
	g, err := s.Find(ctx, v.Team.ID, id)
	if err != nil {
		return err
	}
	if err := s.Store.RevokeGateway(ctx, g, "The gateway was revoked.", s.event(v, "gateway.revoked", g)); err != nil {
		return fmt.Errorf("revoke gateway: %w", err)
	}
	s.changed(ctx, g.TeamID)
	s.Bus.Publish(ctx, bus.Approvals(g.TeamID))
	// From here on Admit refuses it whatever it shows. The authority only
	// puts on record that its certificates are void, so its failure is told
	// and changes nothing.
	if err := s.Authority.Revoke(context.WithoutCancel(ctx), g.ID, "revoked by "+v.User.ID); err != nil {
		s.Log.ErrorContext(ctx, "the gateway is revoked, but its certificates could not be", "gateway", g.ID, "error", err)
	}
	return nil
}

// changed tells everybody who waits for news about the team's gateways.
func (s *Service) changed(ctx context.Context, teamID string) {
	s.Bus.Publish(ctx, bus.Config(teamID))
	s.Bus.Publish(ctx, bus.Gateways(teamID))
}

func manages(v team.Viewer) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change gateways.", nil)
	}
	return nil
}

func (s *Service) event(v team.Viewer, typ string, g fleet.Gateway) audit.Event {
	return audit.Event{
		Time: s.Now(), Type: typ, Actor: v.Actor(), Target: g.ID, Name: g.Name, Gateway: g.ID,
		Detail: map[string]string{"environment": g.Environment, "enforcement": g.Enforcement.String()},
	}
}
