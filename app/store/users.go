package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/migrations"
)

// HasUsers reports whether anybody has an account.
func (s *Store) HasUsers(ctx context.Context) (bool, error) {
	return hasUsers(ctx, s.db)
}

func hasUsers(ctx context.Context, db bun.IDB) (bool, error) {
	some, err := db.NewSelect().Model((*team.User)(nil)).Exists(ctx)
	return some, translate(err)
}

// User returns the user with the given ID.
func (s *Store) User(ctx context.Context, id string) (team.User, error) {
	var u team.User
	err := s.db.NewSelect().Model(&u).Where("id = ?", id).Scan(ctx)
	return u, translate(err)
}

// UserByEmail returns the user with the given address, in lower case.
func (s *Store) UserByEmail(ctx context.Context, email string) (team.User, error) {
	var u team.User
	err := s.db.NewSelect().Model(&u).Where("email = ?", email).Scan(ctx)
	return u, translate(err)
}

// InsertFirstUser adds the owner of a fresh server with their team. Where
// setupLink, a hash, is not "", the link is used up in the same transaction.
// It fails with fault.Forbidden where somebody has an account already: of
// several who try at once, one becomes owner. It fails with fault.Expired
// where the link is over or used.
func (s *Store) InsertFirstUser(ctx context.Context, u team.User, t team.Team, setupLink string, now time.Time, e audit.Event) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if s.dialect == migrations.Postgres {
			// There is no row yet that two registrations could quarrel over.
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('first user', 0))"); err != nil {
				return err
			}
		}
		switch some, err := hasUsers(ctx, tx); {
		case err != nil:
			return err
		case some:
			return fault.New(fault.Forbidden, "This server has an owner. Ask them to add you.", nil)
		}
		if setupLink != "" {
			if _, err := useLink(ctx, tx, setupLink, team.SetUpLink, now); err != nil {
				return err
			}
		}
		return insertTeam(ctx, tx, t, u, e)
	})
}

// InsertTeam adds a team with its owner, who is new, too.
func (s *Store) InsertTeam(ctx context.Context, t team.Team, owner team.User, e audit.Event) error {
	return s.write(ctx, func(tx bun.Tx) error { return insertTeam(ctx, tx, t, owner, e) })
}

// insertTeam needs no lock: nobody else knows the team yet.
func insertTeam(ctx context.Context, tx bun.Tx, t team.Team, owner team.User, e audit.Event) error {
	if _, err := tx.NewInsert().Model(&t).Exec(ctx); err != nil {
		return err
	}
	if err := insertMember(ctx, tx, owner, t.ID, team.RoleOwner, t.CreatedAt); err != nil {
		return err
	}
	return record(ctx, tx, t.ID, e)
}

// InsertUser adds a user to a team. It fails with fault.Conflict where the
// address has an account.
func (s *Store) InsertUser(ctx context.Context, u team.User, teamID string, role team.Role, now time.Time, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		return insertMember(ctx, tx, u, teamID, role, now)
	})
}

func insertMember(ctx context.Context, tx bun.Tx, u team.User, teamID string, role team.Role, now time.Time) error {
	if _, err := tx.NewInsert().Model(&u).Exec(ctx); err != nil {
		if taken(err) {
			return fault.New(fault.Conflict, "This address has an account already.", err)
		}
		return err
	}
	m := team.Membership{TeamID: teamID, UserID: u.ID, Role: role, CreatedAt: now}
	_, err := tx.NewInsert().Model(&m).Exec(ctx)
	return err
}
