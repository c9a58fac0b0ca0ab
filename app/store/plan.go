package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// Plan is a change of many things that belong together. Each step has its own
// event.
type Plan struct {
	TeamID         string
	Revision       int64 // that the plan was made at
	Types          []TypeStep
	Groups         []GroupStep // before what asks for them
	Credentials    []CredentialStep
	Gateways       []GatewayStep
	Configure      []ConfigureStep
	ForgetPolicies []PolicyStep // before Policies, so that names are free
	Policies       []PolicyStep
	Revoke         []GatewayStep
	Forget         []CredentialStep
	ForgetTypes    []TypeStep
	ForgetGroups   []GroupStep
}

// CredentialStep adds a credential, makes its next version, or forgets it.
type CredentialStep struct {
	Credential fleet.Credential
	New        bool
	Event      audit.Event
}

// GatewayStep adds a gateway, changes its settings, or revokes it.
type GatewayStep struct {
	Gateway fleet.Gateway
	New     bool
	Event   audit.Event
}

// ConfigureStep replaces what is configured for a gateway.
type ConfigureStep struct {
	GatewayID  string
	Connectors []fleet.Connector
	Rules      []fleet.Rule
	Event      audit.Event
}

// Carry makes all of a plan happen, or nothing of it. It fails with
// fault.Conflict where something was changed since the plan was made.
func (s *Store) Carry(ctx context.Context, p Plan) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, p.TeamID); err != nil {
			return err
		}
		now, err := revision(ctx, tx, p.TeamID)
		if err != nil {
			return err
		}
		if now != p.Revision {
			return fault.New(fault.Conflict, "Somebody has changed the configuration meanwhile. Apply again.", nil)
		}
		return p.carry(ctx, tx)
	})
}

func (p Plan) carry(ctx context.Context, tx bun.Tx) error {
	for _, step := range p.Types {
		if err := putType(ctx, tx, step); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.Groups {
		if err := putGroup(ctx, tx, step); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.Credentials {
		if err := putCredential(ctx, tx, step); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.Gateways {
		if err := putGateway(ctx, tx, step); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.Configure {
		if err := configure(ctx, tx, p.TeamID, step.GatewayID, step.Connectors, step.Rules); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	if err := p.carryPolicies(ctx, tx); err != nil {
		return err
	}
	for _, step := range p.Revoke {
		if err := revokeGateway(ctx, tx, step.Gateway, "The gateway was revoked.", step.Event); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.Forget {
		res, err := tx.NewDelete().Model((*fleet.Credential)(nil)).Where("id = ?", step.Credential.ID).Where("team_id = ?", p.TeamID).Exec(ctx)
		if err := swapped(res, err, fault.New(fault.NotFound, "There is no such credential.", nil)); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.ForgetTypes { // nothing uses them any more, by now
		if err := forgetType(ctx, tx, step.Type); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.ForgetGroups { // the same
		if err := forgetGroup(ctx, tx, step.Group); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	return raise(ctx, tx, p.TeamID)
}

func (p Plan) carryPolicies(ctx context.Context, tx bun.Tx) error {
	for _, step := range p.ForgetPolicies {
		if err := forgetPolicy(ctx, tx, step.Policy); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	for _, step := range p.Policies {
		if err := putPolicy(ctx, tx, step); err != nil {
			return err
		}
		if err := record(ctx, tx, p.TeamID, step.Event); err != nil {
			return err
		}
	}
	return nil
}

func putCredential(ctx context.Context, tx bun.Tx, step CredentialStep) error {
	c := step.Credential
	if step.New {
		_, err := tx.NewInsert().Model(&c).Exec(ctx)
		return named(err, "There is a credential of that name already.")
	}
	res, err := tx.NewUpdate().Model(&c).Column(rotated...).
		Where("id = ?", c.ID).Where("team_id = ?", c.TeamID).Where("version = ?", c.Version-1).Exec(ctx)
	return swapped(res, err, fault.New(fault.Conflict, "Somebody has just changed the credential "+c.Name+". Apply again.", nil))
}

func putGateway(ctx context.Context, tx bun.Tx, step GatewayStep) error {
	g := step.Gateway
	if step.New {
		_, err := tx.NewInsert().Model(&g).Exec(ctx)
		return named(err, "There is a gateway of that name already.")
	}
	res, err := tx.NewUpdate().Model(&g).Column("environment", "enforcement").
		Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Where("status = ?", fleet.Active).Exec(ctx)
	return swapped(res, err, noGateway)
}
