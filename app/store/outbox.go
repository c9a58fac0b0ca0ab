package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/migrations"
)

// NewItemID returns an ID that sorts after those of earlier times.
func NewItemID(at time.Time) string { return newItemID(at, 0) }

// newItemID returns an ID that sorts after those of earlier times, and after
// those of the same time and a lower place.
func newItemID(at time.Time, place int64) string {
	return fmt.Sprintf("out_%015x%04x%s", at.UnixMicro(), place, strings.ToLower(rand.Text()[:10]))
}

// tellOf adds the item that says that a was opened or changed, in the
// transaction that does so, where the team has anybody to tell.
func tellOf(ctx context.Context, tx bun.Tx, a approval.Approval, e audit.Event) error {
	wanted, err := tx.NewSelect().Table("integrations").Where("team_id = ?", a.TeamID).Where("enabled").Where("kind <> 'inbound'").Exists(ctx)
	if err != nil || !wanted {
		return err
	}
	at := audit.Time(e.Time)
	payload, err := json.Marshal(outbox.Change{Type: e.Type, Seq: a.Seq, At: at})
	if err != nil {
		return err
	}
	item := outbox.Item{
		ID: newItemID(at, a.Seq), TeamID: a.TeamID, Kind: outbox.Approval, Lane: "approval " + a.ID, Ref: a.ID,
		Payload: payload, CreatedAt: at, DueAt: at,
	}
	return insertItem(ctx, tx, item)
}

func insertItem(ctx context.Context, tx bun.Tx, i outbox.Item) error {
	_, err := tx.NewInsert().Model(&i).ModelTableExpr("outbox").Exec(ctx)
	return err
}

// AddItems adds items that nothing else has to be written with.
func (s *Store) AddItems(ctx context.Context, items ...outbox.Item) error {
	return s.write(ctx, func(tx bun.Tx) error {
		for _, i := range items {
			if err := insertItem(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// ClaimItems takes up to limit items that are due at now, for as long as until:
// nobody else gets one of them before. Of a lane it takes the oldest only, and
// none while another of it is under way or waits for its next attempt. It takes
// none of the integrations that busy names.
func (s *Store) ClaimItems(ctx context.Context, now, until time.Time, limit int, busy ...string) ([]outbox.Item, error) {
	var items []outbox.Item
	err := s.write(ctx, func(tx bun.Tx) error {
		q := tx.NewSelect().Model(&items).ModelTableExpr("outbox AS item").
			Where("item.done_at IS NULL").Where("item.due_at <= ?", now).
			Where("(item.claimed_until IS NULL OR item.claimed_until <= ?)", now).
			Where("NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.lane = item.lane AND older.done_at IS NULL AND (older.created_at, older.id) < (item.created_at, item.id))").
			OrderExpr("item.due_at, item.created_at").Limit(int64(limit))
		if len(busy) > 0 {
			q.Where("item.integration NOT IN (?)", bun.List(busy))
		}
		if s.dialect == migrations.Postgres {
			q.For("UPDATE OF item SKIP LOCKED")
		}
		if err := q.Scan(ctx); err != nil || len(items) == 0 {
			return err
		}
		ids := make([]string, len(items))
		for i := range items {
			ids[i] = items[i].ID
			items[i].Attempts++
			items[i].ClaimedUntil = until
		}
		_, err := tx.NewUpdate().Table("outbox").Set("claimed_until = ?", until).Set("attempts = attempts + 1").
			Where("id IN (?)", bun.List(ids)).Exec(ctx)
		return err
	})
	return items, err
}

// EndItem writes what became of an item that was claimed: done, failed, or due
// again. Whoever's claim has run out changes nothing. With it come the items
// that follow from it.
func (s *Store) EndItem(ctx context.Context, i outbox.Item, next ...outbox.Item) error {
	return s.write(ctx, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("outbox").
			Set("done_at = ?", nullTime(i.DoneAt)).Set("due_at = ?", i.DueAt).Set("failed = ?", i.Failed).
			Set("answer = ?", i.Answer).Set("error = ?", audit.Plain(i.Error, 500)).Set("claimed_until = NULL").
			Where("id = ?", i.ID).Where("claimed_until = ?", i.ClaimedUntil).Where("done_at IS NULL").Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err // somebody else has it now, and makes what follows
		}
		for _, n := range next {
			if err := insertItem(ctx, tx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
