package store

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Connectors returns what is configured for gateways, in order.
func (s *Store) Connectors(ctx context.Context, gatewayIDs ...string) ([]fleet.Connector, error) {
	cs, err := connectors(ctx, s.db, gatewayIDs...)
	return cs, translate(err)
}

func connectors(ctx context.Context, db bun.IDB, gatewayIDs ...string) ([]fleet.Connector, error) {
	var cs []fleet.Connector
	if len(gatewayIDs) == 0 {
		return nil, nil
	}
	err := db.NewSelect().Model(&cs).Where("gateway_id IN (?)", bun.List(gatewayIDs)).Order("gateway_id", "position", "id").Scan(ctx)
	return cs, err
}

// Configure replaces what is configured for a gateway, and raises the team's
// revision. It fails with fault.NotFound where the team has no such gateway or
// credential, and with fault.Invalid where a rule asks for a group that it does
// not have.
func (s *Store) Configure(ctx context.Context, teamID, gatewayID string, cs []fleet.Connector, rs []fleet.Rule, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		return configure(ctx, tx, teamID, gatewayID, cs, rs)
	})
}

func configure(ctx context.Context, tx bun.Tx, teamID, gatewayID string, cs []fleet.Connector, rs []fleet.Rule) error {
	active, err := tx.NewSelect().Model((*fleet.Gateway)(nil)).
		Where("id = ?", gatewayID).Where("team_id = ?", teamID).Where("status = ?", fleet.Active).Exists(ctx)
	if err != nil {
		return err
	}
	if !active {
		return noGateway
	}
	for _, c := range cs {
		if c.CredentialID == "" {
			continue
		}
		// The foreign key asks whether there is such a credential; whose it
		// is has to be asked here.
		ours, err := tx.NewSelect().Model((*fleet.Credential)(nil)).Where("id = ?", c.CredentialID).Where("team_id = ?", teamID).Exists(ctx)
		if err != nil {
			return err
		}
		if !ours {
			return fault.New(fault.NotFound, "There is no such credential in the vault.", nil)
		}
	}
	for _, r := range rs {
		if err := wanted(ctx, tx, teamID, r.Approvers.Groups(), "the rule "+string(r.Pattern)); err != nil {
			return err
		}
	}
	if err := unconfigure(ctx, tx, gatewayID); err != nil {
		return err
	}
	if len(cs) > 0 {
		if _, err := tx.NewInsert().Model(&cs).Exec(ctx); err != nil {
			return err
		}
	}
	if len(rs) > 0 {
		if _, err := tx.NewInsert().Model(&rs).Exec(ctx); err != nil {
			return err
		}
	}
	return raise(ctx, tx, teamID)
}

// unconfigure removes what is configured for a gateway.
func unconfigure(ctx context.Context, tx bun.Tx, gatewayID string) error {
	if _, err := tx.NewDelete().Model((*fleet.Rule)(nil)).Where("gateway_id = ?", gatewayID).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewDelete().Model((*fleet.Connector)(nil)).Where("gateway_id = ?", gatewayID).Exec(ctx)
	return err
}

// Configuration is everything that gateways have to know, as it was at one
// revision of their team.
type Configuration struct {
	Revision   int64
	Gateway    fleet.Gateway
	Connectors []fleet.Connector
	Rules      []fleet.Rule
	Kills      []fleet.Kill          // those that are on, of the whole team
	Types      []fleet.ConnectorType // of the whole team
	Policies   []fleet.Policy        // those that are enabled, of the whole team, without their documents
}

// Configuration reads a gateway's configuration, all of it as of one moment:
// half of an old and half of a new one might allow what neither does.
func (s *Store) Configuration(ctx context.Context, teamID, gatewayID string) (Configuration, error) {
	var c Configuration
	err := s.snapshot(ctx, func(tx bun.Tx) error {
		var err error
		if c.Revision, err = revision(ctx, tx, teamID); err != nil {
			return err
		}
		if c.Gateway, err = gateway(ctx, tx, gatewayID); err != nil {
			return err
		}
		if c.Gateway.TeamID != teamID {
			return noGateway
		}
		if c.Connectors, err = connectors(ctx, tx, gatewayID); err != nil {
			return err
		}
		if c.Rules, err = rules(ctx, tx, gatewayID); err != nil {
			return err
		}
		if c.Kills, err = activeKills(ctx, tx, teamID); err != nil {
			return err
		}
		if c.Types, err = connectorTypes(ctx, tx, teamID); err != nil {
			return err
		}
		c.Policies, err = enabledPolicies(ctx, tx, teamID)
		return err
	})
	return c, err
}

// snapshot runs read in a transaction that sees the database as it was at its
// beginning.
func (s *Store) snapshot(ctx context.Context, read func(tx bun.Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if s.Shared() {
		opts.Isolation = sql.LevelRepeatableRead // SQLite knows nothing less
	}
	return translate(s.db.RunInTx(ctx, opts, func(_ context.Context, tx bun.Tx) error { return read(tx) }))
}

// Revision returns the team's revision.
func (s *Store) Revision(ctx context.Context, teamID string) (int64, error) {
	n, err := revision(ctx, s.db, teamID)
	return n, translate(err)
}

func revision(ctx context.Context, db bun.IDB, teamID string) (int64, error) {
	var n int64
	err := db.NewSelect().Model((*team.Team)(nil)).Column("revision").Where("id = ?", teamID).Scan(ctx, &n)
	return n, err
}

// RaiseRevision makes the team's revision n. It fails with fault.Conflict
// where it is that high already.
func (s *Store) RaiseRevision(ctx context.Context, teamID string, n int64, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model((*team.Team)(nil)).Set("revision = ?", n).
			Where("id = ?", teamID).Where("revision < ?", n).Exec(ctx)
		return swapped(res, err, fault.New(fault.Conflict, "The revision has been raised already.", nil))
	})
}
