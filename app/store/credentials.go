package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// Credentials returns the team's credentials by name.
func (s *Store) Credentials(ctx context.Context, teamID string) ([]fleet.Credential, error) {
	var cs []fleet.Credential
	err := s.db.NewSelect().Model(&cs).Where("team_id = ?", teamID).Order("name").Scan(ctx)
	return cs, translate(err)
}

// Credential returns the team's credential with the given ID.
func (s *Store) Credential(ctx context.Context, teamID, id string) (fleet.Credential, error) {
	var c fleet.Credential
	err := s.db.NewSelect().Model(&c).Where("team_id = ?", teamID).Where("id = ?", id).Scan(ctx)
	return c, translate(err)
}

// CredentialByName returns the team's credential with the given name.
func (s *Store) CredentialByName(ctx context.Context, teamID, name string) (fleet.Credential, error) {
	var c fleet.Credential
	err := s.db.NewSelect().Model(&c).Where("team_id = ?", teamID).Where("name = ?", name).Scan(ctx)
	return c, translate(err)
}

// InsertCredential adds a credential. It fails with fault.Conflict where the
// name is taken.
func (s *Store) InsertCredential(ctx context.Context, c fleet.Credential, e audit.Event) error {
	return s.tx(ctx, c.TeamID, e, func(tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&c).Exec(ctx); err != nil {
			return err
		}
		return raise(ctx, tx, c.TeamID)
	})
}

// RotateCredential replaces what is sealed by the next version, which c is. It
// fails with fault.Conflict where somebody else made that version first.
func (s *Store) RotateCredential(ctx context.Context, c fleet.Credential, e audit.Event) error {
	return s.tx(ctx, c.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(&c).Column("hosts", "version", "sealed", "fingerprint", "rotated_at").
			Where("team_id = ?", c.TeamID).Where("id = ?", c.ID).Where("version = ?", c.Version-1).Exec(ctx)
		if err := swapped(res, err, fault.New(fault.Conflict, "Somebody else has just changed this credential. Look at it again.", nil)); err != nil {
			return err
		}
		return raise(ctx, tx, c.TeamID)
	})
}

// DeleteCredential removes a credential. It fails with fault.Conflict while a
// connector uses it, and with fault.NotFound where the team has none such.
func (s *Store) DeleteCredential(ctx context.Context, teamID, id string, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		used, err := tx.NewSelect().Table("connectors").Where("credential_id = ?", id).Exists(ctx)
		if err != nil {
			return err
		}
		if used {
			return fault.New(fault.Conflict, "A connector uses this credential. Take it out there first.", nil)
		}
		res, err := tx.NewDelete().Model((*fleet.Credential)(nil)).Where("team_id = ?", teamID).Where("id = ?", id).Exec(ctx)
		if err := swapped(res, err, fault.New(fault.NotFound, "There is no such credential.", nil)); err != nil {
			return err
		}
		return raise(ctx, tx, teamID)
	})
}
