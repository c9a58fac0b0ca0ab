package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// TypeStep adds a connector type, makes its next version, or removes it.
type TypeStep struct {
	Type  fleet.ConnectorType
	New   bool
	Event audit.Event
}

// ConnectorTypes returns the team's own connector types, by name.
func (s *Store) ConnectorTypes(ctx context.Context, teamID string) ([]fleet.ConnectorType, error) {
	all, err := connectorTypes(ctx, s.db, teamID)
	return all, translate(err)
}

func connectorTypes(ctx context.Context, db bun.IDB, teamID string) ([]fleet.ConnectorType, error) {
	var all []fleet.ConnectorType
	err := db.NewSelect().Model(&all).Where("team_id = ?", teamID).Order("name").Scan(ctx)
	return all, err
}

func putType(ctx context.Context, tx bun.Tx, step TypeStep) error {
	t := step.Type
	if step.New {
		_, err := tx.NewInsert().Model(&t).Exec(ctx)
		return named(err, "There is a connector type of that name already.")
	}
	res, err := tx.NewUpdate().Model(&t).Column("definition", "version", "changed_at").
		Where("id = ?", t.ID).Where("team_id = ?", t.TeamID).Where("version = ?", t.Version-1).Exec(ctx)
	return swapped(res, err, fault.New(fault.Conflict, "Somebody has just changed the connector type "+t.Name+". Look at it again.", nil))
}

// forgetType removes a type that nothing uses any more.
func forgetType(ctx context.Context, tx bun.Tx, t fleet.ConnectorType) error {
	used, err := tx.NewSelect().Table("connectors").Join("JOIN gateways ON gateways.id = connectors.gateway_id").
		Where("gateways.team_id = ?", t.TeamID).Where("connectors.type = ?", t.Name).Exists(ctx)
	if err != nil {
		return err
	}
	if !used {
		used, err = tx.NewSelect().Table("credentials").Where("team_id = ?", t.TeamID).Where("type = ?", t.Name).Exists(ctx)
		if err != nil {
			return err
		}
	}
	if used {
		return fault.New(fault.Conflict, "The connector type "+t.Name+" is in use. Remove the connectors and credentials that are of it first.", nil)
	}
	res, err := tx.NewDelete().Model((*fleet.ConnectorType)(nil)).Where("id = ?", t.ID).Where("team_id = ?", t.TeamID).Exec(ctx)
	return swapped(res, err, fault.New(fault.NotFound, "There is no such connector type.", nil))
}
