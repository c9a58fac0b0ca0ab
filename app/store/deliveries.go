package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/page"
)

// Deliveries returns what was, or is to be, delivered to one of the team's
// integrations, newest first, from after a place on.
func (s *Store) Deliveries(ctx context.Context, teamID, integrationID string, after page.Cursor, limit int) ([]outbox.Item, error) {
	var items []outbox.Item
	q := s.db.NewSelect().Model(&items).ModelTableExpr("outbox AS item").
		Where("item.team_id = ?", teamID).Where("item.integration = ?", integrationID).
		Order("item.created_at DESC", "item.id DESC").Limit(int64(limit))
	if !after.IsZero() {
		q.Where("(item.created_at, item.id) < (?, ?)", after.Time, after.ID)
	}
	return items, translate(q.Scan(ctx))
}

// Delivery returns one of the team's. It fails with fault.NotFound.
func (s *Store) Delivery(ctx context.Context, teamID, id string) (outbox.Item, error) {
	var i outbox.Item
	ok, err := found(s.db.NewSelect().Model(&i).ModelTableExpr("outbox AS item").
		Where("item.team_id = ?", teamID).Where("item.id = ?", id).Scan(ctx))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no such delivery, or it was too long ago.", nil)
	}
	return i, translate(err)
}

// FailingSince returns since when nothing that was written for an integration
// after a time could be delivered, though it was tried; zero where nothing was
// tried in vain.
func (s *Store) FailingSince(ctx context.Context, integrationID string, after time.Time) (time.Time, error) {
	var i outbox.Item
	_, err := found(s.db.NewSelect().Model(&i).ModelTableExpr("outbox AS item").
		Where("item.integration = ?", integrationID).Where("item.created_at > ?", after).
		Where("item.attempts > 0").Where("(item.done_at IS NULL OR item.failed)").
		Order("item.created_at", "item.id").Limit(1).Scan(ctx))
	return i.CreatedAt, translate(err)
}

// PurgeItems removes up to limit items that were done before a time, and says
// how many it removed.
func (s *Store) PurgeItems(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := s.write(ctx, func(tx bun.Tx) error {
		res, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE done_at < ? LIMIT ?)", before, limit)
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	return int(n), err
}
