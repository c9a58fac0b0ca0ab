package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// InsertToken adds a token.
func (s *Store) InsertToken(ctx context.Context, t team.Token, e audit.Event) error {
	return s.tx(ctx, t.TeamID, e, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&t).Exec(ctx)
		return err
	})
}

// TokenByHash returns the token with the given hash, also one that counts no
// longer.
func (s *Store) TokenByHash(ctx context.Context, hash string) (team.Token, error) {
	var t team.Token
	err := s.db.NewSelect().Model(&t).Where("hash = ?", hash).Scan(ctx)
	return t, translate(err)
}

// Tokens returns the user's tokens in the team that have not been revoked,
// newest first.
func (s *Store) Tokens(ctx context.Context, teamID, userID string) ([]team.Token, error) {
	var ts []team.Token
	err := s.db.NewSelect().Model(&ts).Where("team_id = ?", teamID).Where("user_id = ?", userID).
		Where("revoked_at IS NULL").Order("created_at DESC", "id").Scan(ctx)
	return ts, translate(err)
}

// Token returns the team's token with the given ID.
func (s *Store) Token(ctx context.Context, teamID, id string) (team.Token, error) {
	var t team.Token
	err := s.db.NewSelect().Model(&t).Where("team_id = ?", teamID).Where("id = ?", id).Scan(ctx)
	return t, translate(err)
}

// TouchToken notes that the token was used.
func (s *Store) TouchToken(ctx context.Context, id string, used time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("tokens").Set("last_used_at = ?", used).Where("id = ?", id).Exec(ctx)
		return err
	})
}

// RevokeToken ends a token. It fails with fault.NotFound where the team has no
// such token that still counts.
func (s *Store) RevokeToken(ctx context.Context, teamID, id string, now time.Time, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error { return revokeToken(ctx, tx, teamID, id, now) })
}

// RevokeTokenAndSessions is RevokeToken, and ends the sessions of userID, but
// for the one called keep: whoever had the token may have opened one with it.
func (s *Store) RevokeTokenAndSessions(ctx context.Context, teamID, id, userID, keep string, now time.Time, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		if err := revokeToken(ctx, tx, teamID, id, now); err != nil {
			return err
		}
		_, err := tx.NewDelete().Table("sessions").Where("user_id = ?", userID).Where("id <> ?", keep).Exec(ctx)
		return err
	})
}

func revokeToken(ctx context.Context, tx bun.Tx, teamID, id string, now time.Time) error {
	res, err := tx.NewUpdate().Table("tokens").Set("revoked_at = ?", now).
		Where("team_id = ?", teamID).Where("id = ?", id).Where("revoked_at IS NULL").Exec(ctx)
	return swapped(res, err, fault.New(fault.NotFound, "There is no such token, or it has been revoked.", nil))
}
