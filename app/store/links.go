package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// OfferLink adds a one-time link that somebody in a team asked for.
func (s *Store) OfferLink(ctx context.Context, teamID string, l team.Link, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&l).Exec(ctx)
		return err
	})
}

// InsertLink adds a one-time link of the server's own. It has no event: nobody
// asked, and what counts is its use.
func (s *Store) InsertLink(ctx context.Context, l team.Link) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&l).Exec(ctx)
		return err
	})
}

// UseLink uses a link up and returns it. It fails with fault.Expired where it
// is over, used, or never was: of several who try at once, one gets it.
func (s *Store) UseLink(ctx context.Context, hash, kind string, now time.Time) (team.Link, error) {
	var l team.Link
	err := s.write(ctx, func(tx bun.Tx) error {
		var err error
		l, err = useLink(ctx, tx, hash, kind, now)
		return err
	})
	return l, err
}

func useLink(ctx context.Context, tx bun.Tx, hash, kind string, now time.Time) (team.Link, error) {
	over := fault.New(fault.Expired, "This link has been used or is too old.", nil)
	res, err := tx.NewUpdate().Table("links").Set("used_at = ?", now).
		Where("hash = ?", hash).Where("kind = ?", kind).Where("used_at IS NULL").Where("expires_at > ?", now).Exec(ctx)
	if err := swapped(res, err, over); err != nil {
		return team.Link{}, err
	}
	var l team.Link
	err = tx.NewSelect().Model(&l).Where("hash = ?", hash).Scan(ctx)
	return l, err
}
