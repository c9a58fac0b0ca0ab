// Package configuration is everything that the dashboard can configure, as one
// document: written from what there is, and made so.
//
// What a document says about a gateway is all there is about it afterwards.
// Gateways, credentials, policies and approver groups that it does not name are
// left alone, unless it is asked to prune them.
package configuration

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Store is what configurations are read from and written to.
type Store interface {
	vault.Store
	Revision(ctx context.Context, teamID string) (int64, error)
	Gateways(ctx context.Context, teamID string) ([]fleet.Gateway, error)
	Configuration(ctx context.Context, teamID, gatewayID string) (store.Configuration, error)
	ConnectorTypes(ctx context.Context, teamID string) ([]fleet.ConnectorType, error)
	Policies(ctx context.Context, teamID string) ([]fleet.Policy, error)
	Groups(ctx context.Context, teamID string) ([]team.Group, error)
	Members(ctx context.Context, teamID string) ([]store.Member, error)
	Carry(ctx context.Context, p store.Plan) error
}

// Service exports and applies configurations.
type Service struct {
	Store     Store
	Vault     *vault.Service // seals what a document brings; the store writes it with the rest
	Authority gateways.Authority
	Bus       bus.Bus
	Now       func() time.Time
	Log       *slog.Logger
}

// Options say how a document is applied.
type Options struct {
	DryRun bool // only say what would change
	Prune  bool // also remove gateways, credentials, policies and groups that the document does not name
}

// Export returns the team's configuration. Secrets are not in it, and neither
// is where they came from. It fails with fault.Unavailable where the
// configuration keeps changing while it is read.
func (s *Service) Export(ctx context.Context, teamID string) (*config.Document, error) {
	now, err := s.read(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("export configuration: %w", err)
	}
	return now.document(), nil
}

const attempts = 3

// Apply makes the team's configuration what a document says, all of it or
// nothing, and returns what that changes. Secrets are by the names of the
// document's credentials; one that is in the vault already needs none. It
// fails with fault.Forbidden where v may not manage, with fault.Invalid where
// the document cannot be had, and with fault.Conflict where somebody else was
// changing the configuration at the same time.
func (s *Service) Apply(ctx context.Context, v team.Viewer, doc *config.Document, secrets map[string]credential.Secret, opt Options) ([]config.Change, error) {
	if !v.May(team.Manage) {
		return nil, fault.New(fault.Forbidden, "Only owners and admins apply configurations.", nil)
	}
	if err := checkSecrets(doc, secrets); err != nil {
		return nil, err
	}
	asked := map[string]credential.AccessToken{}
	for left := attempts; ; left-- {
		changes, err := s.apply(ctx, v, doc, secrets, asked, opt)
		if fault.Of(err) == fault.Conflict && left > 1 {
			continue // somebody was faster: look again at what there is
		}
		if err != nil {
			return nil, fmt.Errorf("apply configuration: %w", err)
		}
		return changes, nil
	}
}

func (s *Service) apply(ctx context.Context, v team.Viewer, doc *config.Document, secrets map[string]credential.Secret, asked map[string]credential.AccessToken, opt Options) ([]config.Change, error) {
	now, err := s.read(ctx, v.Team.ID)
	if err != nil {
		return nil, err
	}
	p := planner{s: s, v: v, now: now, opt: opt}
	if err := p.make(ctx, doc, secrets); err != nil {
		return nil, err
	}
	if opt.DryRun || len(p.changes) == 0 {
		return p.changes, nil
	}
	if len(p.drafts) > 0 {
		ctx = context.WithoutCancel(ctx) // an answer that gets lost may have used up a refresh token
	}
	if err := p.seal(ctx, asked); err != nil {
		return nil, err
	}
	if err := s.Store.Carry(ctx, p.plan); err != nil {
		return nil, err
	}
	s.Bus.Publish(ctx, bus.Config(v.Team.ID))
	s.Bus.Publish(ctx, bus.Gateways(v.Team.ID))
	if len(p.plan.Revoke) > 0 {
		s.Bus.Publish(ctx, bus.Approvals(v.Team.ID))
	}
	for _, step := range p.plan.Revoke {
		if err := s.Authority.Revoke(context.WithoutCancel(ctx), step.Gateway.ID, "pruned by "+v.User.ID); err != nil {
			s.Log.ErrorContext(ctx, "the gateway is revoked, but its certificates could not be", "gateway", step.Gateway.ID, "error", err)
		}
	}
	return p.changes, nil
}

// state is a team's configuration at a revision.
type state struct {
	revision    int64
	types       []fleet.ConnectorType
	groups      []team.Group
	members     []store.Member // of the team
	credentials []fleet.Credential
	gateways    []gateway
	policies    []fleet.Policy
}

type gateway struct {
	fleet.Gateway
	connectors []gateways.Connector
}

// read reads everything as of one revision: whatever matters raises it, so if
// it is the same afterwards, nothing has changed in between.
func (s *Service) read(ctx context.Context, teamID string) (state, error) {
	for range attempts {
		var now state
		var err error
		if now.revision, err = s.Store.Revision(ctx, teamID); err != nil {
			return state{}, err
		}
		if now.types, err = s.Store.ConnectorTypes(ctx, teamID); err != nil {
			return state{}, err
		}
		if now.credentials, err = s.Store.Credentials(ctx, teamID); err != nil {
			return state{}, err
		}
		if now.policies, err = s.Store.Policies(ctx, teamID); err != nil {
			return state{}, err
		}
		if now.groups, err = s.Store.Groups(ctx, teamID); err != nil {
			return state{}, err
		}
		if now.members, err = s.Store.Members(ctx, teamID); err != nil {
			return state{}, err
		}
		all, err := s.Store.Gateways(ctx, teamID)
		if err != nil {
			return state{}, err
		}
		for _, g := range all {
			if g.Status != fleet.Active {
				continue
			}
			c, err := s.Store.Configuration(ctx, teamID, g.ID)
			if err != nil {
				return state{}, err
			}
			now.gateways = append(now.gateways, gateway{c.Gateway, gateways.Collect(c.Connectors, c.Rules)})
		}
		after, err := s.Store.Revision(ctx, teamID)
		if err != nil {
			return state{}, err
		}
		if after == now.revision {
			return now, nil
		}
	}
	return state{}, fault.New(fault.Unavailable, "The configuration keeps changing. Try again in a moment.", nil)
}

func (st state) credential(name string) (fleet.Credential, bool) {
	i := slices.IndexFunc(st.credentials, func(c fleet.Credential) bool { return c.Name == name })
	if i < 0 {
		return fleet.Credential{}, false
	}
	return st.credentials[i], true
}

func (st state) gateway(name string) (gateway, bool) {
	i := slices.IndexFunc(st.gateways, func(g gateway) bool { return g.Name == name })
	if i < 0 {
		return gateway{}, false
	}
	return st.gateways[i], true
}
