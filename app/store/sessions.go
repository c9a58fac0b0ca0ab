package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// InsertSession signs a browser in.
func (s *Store) InsertSession(ctx context.Context, session team.Session, e audit.Event) error {
	return s.tx(ctx, session.TeamID, e, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&session).Exec(ctx)
		return err
	})
}

// Session returns the session with the given ID, a hash.
func (s *Store) Session(ctx context.Context, id string) (team.Session, error) {
	var session team.Session
	err := s.db.NewSelect().Model(&session).Where("id = ?", id).Scan(ctx)
	return session, translate(err)
}

// TouchSession notes that the session was used, and when it now ends.
func (s *Store) TouchSession(ctx context.Context, id, ip string, seen time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("sessions").Set("last_seen_at = ?", seen).Set("ip = ?", ip).Where("id = ?", id).Exec(ctx)
		return err
	})
}

// ConfirmSession notes that the session's user has proved who they are. It
// fails with fault.Unauthenticated where it is not theirs, or gone.
func (s *Store) ConfirmSession(ctx context.Context, teamID, id, userID string, at time.Time, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("sessions").Set("confirmed_at = ?", at).
			Where("id = ?", id).Where("user_id = ?", userID).Where("team_id = ?", teamID).Exec(ctx)
		return swapped(res, err, fault.New(fault.Unauthenticated, "Sign in to go on.", nil))
	})
}

// DeleteSession signs a browser out. A session that is gone already is no
// failure, and is recorded all the same: somebody did sign out.
func (s *Store) DeleteSession(ctx context.Context, teamID, id string, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		_, err := tx.NewDelete().Table("sessions").Where("id = ?", id).Exec(ctx)
		return err
	})
}

// ForgetExpired removes sessions, links and logins that are over.
func (s *Store) ForgetExpired(ctx context.Context, idleSince, now time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if _, err := tx.NewDelete().Table("sessions").Where("expires_at <= ? OR last_seen_at <= ?", now, idleSince).Exec(ctx); err != nil {
			return err
		}
		// A day later, so that whoever comes late still hears why.
		for _, table := range []string{"links", "logins", "ca_tokens"} {
			if _, err := tx.NewDelete().Table(table).Where("expires_at <= ?", now.Add(-24*time.Hour)).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
