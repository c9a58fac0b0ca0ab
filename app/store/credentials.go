package store

import (
	"context"
	"time"

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

// rotated are the columns that a next version brings. It ends what a refresher
// is at: that was about the version before.
var rotated = append([]string{"hosts", "fingerprint", "rotated_at",
	"oauth_grant", "oauth_token_url", "oauth_client_id", "oauth_scope", "oauth_audience", "oauth_resource", "oauth_client_auth"}, refreshed...)

// refreshed are those that a refresher changes.
var refreshed = []string{"version", "sealed", "refresh_state", "refresh_problem", "refresh_failures",
	"refresh_expires_at", "refresh_next_at", "refresh_holder", "refresh_held_until"}

// RotateCredential replaces what is sealed by the next version, which c is. It
// fails with fault.Conflict where somebody else made that version first.
func (s *Store) RotateCredential(ctx context.Context, c fleet.Credential, e audit.Event) error {
	return s.tx(ctx, c.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(&c).Column(rotated...).
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

// DueCredentials returns credentials of all teams that it is time to look at,
// and that nobody holds, the most overdue first.
func (s *Store) DueCredentials(ctx context.Context, now time.Time, limit int64) ([]fleet.Credential, error) {
	var cs []fleet.Credential
	err := s.db.NewSelect().Model(&cs).Where("refresh_next_at <= ?", now).Where(free, now).
		Order("refresh_next_at", "id").Limit(limit).Scan(ctx)
	return cs, translate(err)
}

const free = "(refresh_held_until IS NULL OR refresh_held_until <= ?)"

// HoldCredential makes holder the only one who may refresh c until a moment.
// It fails with fault.Conflict where somebody else holds it, or where c is not
// how it stands any more: then what was read is not what is to be sent. One
// swap, so that of many on any number of servers one wins.
func (s *Store) HoldCredential(ctx context.Context, c fleet.Credential, holder string, now, until time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("credentials").Set("refresh_holder = ?", holder).Set("refresh_held_until = ?", until).
			Where("team_id = ?", c.TeamID).Where("id = ?", c.ID).
			Where("version = ?", c.Version).Where("refresh_failures = ?", c.Refresh.Failures).Where("refresh_state = ?", c.Refresh.State).
			Where(free, now).Exec(ctx)
		return swapped(res, err, fault.New(fault.Conflict, "This credential is being refreshed just now.", nil))
	})
}

// SettleRefresh writes what came of a refresh by holder of version was, and
// lets go of the credential in the same transaction: nobody can come between.
// An event without a type is none; tell raises the team's revision. It fails
// with fault.Conflict where holder does not hold that version any more.
func (s *Store) SettleRefresh(ctx context.Context, c fleet.Credential, was int64, holder string, e audit.Event, tell bool) error {
	c.Refresh.Holder, c.Refresh.HeldUntil = "", time.Time{}
	return s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, c.TeamID); err != nil {
			return err
		}
		res, err := tx.NewUpdate().Model(&c).Column(refreshed...).
			Where("team_id = ?", c.TeamID).Where("id = ?", c.ID).Where("version = ?", was).Where("refresh_holder = ?", holder).Exec(ctx)
		if err := swapped(res, err, fault.New(fault.Conflict, "This credential has been changed meanwhile.", nil)); err != nil {
			return err
		}
		if tell {
			if err := raise(ctx, tx, c.TeamID); err != nil {
				return err
			}
		}
		if e.Type == "" {
			return nil
		}
		return record(ctx, tx, c.TeamID, e)
	})
}
