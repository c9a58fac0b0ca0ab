package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// InsertLogin adds a login that somebody asks for. It has no event: anybody
// may ask, and no team is concerned until somebody confirms.
func (s *Store) InsertLogin(ctx context.Context, l team.Login) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&l).Exec(ctx)
		return err
	})
}

// Login returns the login with the given ID.
func (s *Store) Login(ctx context.Context, id string) (team.Login, error) {
	return s.loginWhere(ctx, "id = ?", id)
}

// LoginByUserCode returns the device login with the given user code.
func (s *Store) LoginByUserCode(ctx context.Context, code string) (team.Login, error) {
	return s.loginWhere(ctx, "user_code = ?", code)
}

// LoginByDevice returns the login whose device code has the given hash.
func (s *Store) LoginByDevice(ctx context.Context, hash string) (team.Login, error) {
	return s.loginWhere(ctx, "device_hash = ?", hash)
}

// LoginByCode returns the login whose authorization code has the given hash.
func (s *Store) LoginByCode(ctx context.Context, hash string) (team.Login, error) {
	return s.loginWhere(ctx, "code_hash = ?", hash)
}

func (s *Store) loginWhere(ctx context.Context, where, value string) (team.Login, error) {
	var l team.Login
	err := s.db.NewSelect().Model(&l).Where(where, value).Scan(ctx)
	return l, translate(err)
}

// SettleLogin writes what l's UserID decided, with the code for a loopback
// login. It fails with fault.Conflict where it was decided already.
func (s *Store) SettleLogin(ctx context.Context, l team.Login, e audit.Event) error {
	return s.tx(ctx, l.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(&l).Column("status", "user_id", "team_id", "code_hash", "expires_at").
			Where("id = ?", l.ID).Where("status = ?", team.LoginPending).Exec(ctx)
		return swapped(res, err, fault.New(fault.Conflict, "This sign-in has been confirmed or refused already.", nil))
	})
}

// UseLogin exchanges an approved login for its token. Of several who try at
// once one gets it; the others fail with fault.Conflict.
func (s *Store) UseLogin(ctx context.Context, id string, t team.Token, e audit.Event) error {
	return s.tx(ctx, t.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("logins").Set("status = ?", team.LoginUsed).
			Where("id = ?", id).Where("status = ?", team.LoginApproved).Exec(ctx)
		if err := swapped(res, err, fault.New(fault.Conflict, "This sign-in has been used.", nil)); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&t).Exec(ctx)
		return err
	})
}

// SpoilLogin makes an approved login worthless: somebody came with its code
// and could not show that they had begun it.
func (s *Store) SpoilLogin(ctx context.Context, l team.Login, e audit.Event) error {
	return s.tx(ctx, l.TeamID, e, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("logins").Set("status = ?", team.LoginDenied).Set("attempts = attempts + 1").
			Where("id = ?", l.ID).Where("status = ?", team.LoginApproved).Exec(ctx)
		return err
	})
}

// PolledLogin notes when a device asked, and how long it is to wait between
// two questions from now on.
func (s *Store) PolledLogin(ctx context.Context, id string, at time.Time, seconds int) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("logins").Set("last_polled_at = ?", at).Set("poll_seconds = ?", seconds).
			Where("id = ?", id).Exec(ctx)
		return err
	})
}
