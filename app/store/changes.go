package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
)

// ApprovalChanges returns those approvals of a gateway that have changed after
// a place among its team's events, as they are now, and the place to go on
// from. Events of a team are written one after the other, so nothing comes to
// stand before a place that was returned. After 0, or a place that is not there
// yet, it returns no approvals, and the newest place. Limit is of events: where
// there are more, the place returned is before them.
func (s *Store) ApprovalChanges(ctx context.Context, gw fleet.Gateway, after int64, limit int) (as []approval.Approval, through int64, err error) {
	// First the place, then what is before it: what comes in between is for
	// the next time.
	var newest audit.EventRow
	if _, err := found(s.db.NewSelect().Model(&newest).ModelTableExpr("events AS event_row").Column("seq").
		Where("team_id = ?", gw.TeamID).Order("seq DESC").Limit(1).Scan(ctx)); err != nil {
		return nil, 0, translate(err)
	}
	if after <= 0 || after >= newest.Seq {
		return nil, newest.Seq, nil
	}
	var rows []audit.EventRow
	if err := s.db.NewSelect().Model(&rows).ModelTableExpr("events AS event_row").Column("seq", "target").
		Where("team_id = ?", gw.TeamID).Where("seq > ?", after).Where("seq <= ?", newest.Seq).
		Where("gateway = ?", gw.ID).Where("type LIKE 'approval.%'").Where("type <> 'approval.opened'").
		Order("seq").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, 0, translate(err)
	}
	through = newest.Seq
	if len(rows) == limit {
		through = rows[len(rows)-1].Seq
	}
	ids := make([]string, 0, len(rows))
	for _, row := range rows {
		if !slices.Contains(ids, row.Target) {
			ids = append(ids, row.Target)
		}
	}
	if len(ids) == 0 {
		return nil, through, nil
	}
	err = s.db.NewSelect().Model(&as).Where("id IN (?)", bun.List(ids)).Where("gateway_id = ?", gw.ID).Scan(ctx)
	return as, through, translate(err)
}
