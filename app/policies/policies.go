// Package policies keeps what a team's policies say, and how they have said it
// before.
//
// A policy is its document: what is compiled of it is worked out when it is
// saved, and nothing is saved that a gateway would refuse or that does not
// pass its own tests. A change is made to the version that its author has
// seen, or not at all.
package policies

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/team"
)

// Store is what policies are kept in.
type Store interface {
	Policies(ctx context.Context, teamID string) ([]fleet.Policy, error)
	Policy(ctx context.Context, teamID, idOrName string) (fleet.Policy, error)
	PolicyVersions(ctx context.Context, teamID, id string) ([]fleet.PolicyVersion, error)
	PolicyVersion(ctx context.Context, teamID, id string, n int64) (fleet.PolicyVersion, error)
	Changes
}

// Changes is what a change is made with.
type Changes interface {
	Revision(ctx context.Context, teamID string) (int64, error)
	Carry(ctx context.Context, p store.Plan) error
}

// Known makes what documents are read with: the catalogue of the connector
// types that a team has, and what names the requests in tests.
type Known interface {
	For(ctx context.Context, teamID string) (document.Catalogue, document.Reader, error)
}

// Service is what can be done with policies. Methods that change something for
// a viewer fail with fault.Forbidden where they may not manage.
type Service struct {
	Store Store
	Known Known
	Bus   bus.Bus
	Now   func() time.Time
	Log   *slog.Logger
}

// List returns the team's policies, by priority and then by name.
func (s *Service) List(ctx context.Context, teamID string) ([]fleet.Policy, error) {
	all, err := s.Store.Policies(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	return all, nil
}

// Find returns the team's policy of that ID or name. It fails with
// fault.NotFound.
func (s *Service) Find(ctx context.Context, teamID, idOrName string) (fleet.Policy, error) {
	p, err := s.Store.Policy(ctx, teamID, audit.Plain(idOrName, 200))
	if err != nil {
		return fleet.Policy{}, fmt.Errorf("find policy: %w", err)
	}
	return p, nil
}

// Versions returns how a policy has been, newest first. A policy that was
// deleted has them still; what never was has none.
func (s *Service) Versions(ctx context.Context, teamID, id string) ([]fleet.PolicyVersion, error) {
	all, err := s.Store.PolicyVersions(ctx, teamID, audit.Plain(id, 100))
	if err != nil {
		return nil, fmt.Errorf("list versions of a policy: %w", err)
	}
	return all, nil
}

// Version returns a policy as it was in its nth version. It fails with
// fault.NotFound.
func (s *Service) Version(ctx context.Context, teamID, id string, n int64) (fleet.PolicyVersion, error) {
	v, err := s.Store.PolicyVersion(ctx, teamID, audit.Plain(id, 100), n)
	if err != nil {
		return fleet.PolicyVersion{}, fmt.Errorf("find version of a policy: %w", err)
	}
	return v, nil
}

func manages(v team.Viewer) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change policies.", nil)
	}
	return nil
}
