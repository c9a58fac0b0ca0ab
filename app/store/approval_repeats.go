package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
)

// repeating returns the newest approval that counts for the same request at
// now.
func repeating(ctx context.Context, db bun.IDB, gatewayID, fingerprint string, now time.Time) (a approval.Approval, ok bool, err error) {
	ok, err = found(db.NewSelect().Model(&a).Where("gateway_id = ?", gatewayID).Where("fingerprint = ?", fingerprint).
		Where("repeat_until > ?", now).Order("decided_at DESC", "id").Limit(1).Scan(ctx))
	return a, ok && a.Repeating(now), err
}

// RepeatingApprovals returns the team's approvals that count for the same
// request for a while at now, the one that ends first at the top.
func (s *Store) RepeatingApprovals(ctx context.Context, teamID string, now time.Time, limit int) ([]approval.Approval, error) {
	var as []approval.Approval
	err := s.db.NewSelect().Model(&as).Where("team_id = ?", teamID).Where("repeat_until > ?", now).
		Order("repeat_until", "id").Limit(int64(limit)).Scan(ctx)
	return as, translate(err)
}

// repeats returns what counts for the same request for a while at now, in a
// team or at one gateway of it.
func repeats(ctx context.Context, tx bun.Tx, teamID, gatewayID string, now time.Time) ([]approval.Approval, error) {
	var as []approval.Approval
	q := tx.NewSelect().Model(&as).Where("team_id = ?", teamID).Where("repeat_until > ?", now).Order("created_at", "id")
	if gatewayID != "" {
		q.Where("gateway_id = ?", gatewayID)
	}
	return as, q.Scan(ctx)
}

// endRepeats makes as count for themselves only, on behalf of whoever e names.
func endRepeats(ctx context.Context, tx bun.Tx, as []approval.Approval, note string, e audit.Event) error {
	at := audit.Time(e.Time)
	for _, was := range as {
		next, changed := was.EndRepeat(at)
		if !changed {
			continue
		}
		ended := next.Event(e.Actor, at)
		ended.Type, ended.Detail["note"] = approval.RepeatEnded, note
		if err := swap(ctx, tx, was, next, ended); err != nil {
			return err
		}
	}
	return nil
}

// endRepeatsOf ends what was approved for a while for the request that denied
// is about, too.
func endRepeatsOf(ctx context.Context, tx bun.Tx, denied approval.Approval, e audit.Event) error {
	var as []approval.Approval
	if err := tx.NewSelect().Model(&as).Where("gateway_id = ?", denied.GatewayID).Where("fingerprint = ?", denied.Fingerprint).
		Where("repeat_until > ?", audit.Time(e.Time)).Order("created_at", "id").Scan(ctx); err != nil {
		return err
	}
	return endRepeats(ctx, tx, as, "The same request was denied.", e)
}
