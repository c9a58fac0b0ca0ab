package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
)

// ApprovalNews returns those of a team's approvals that f chooses and that were
// opened or have changed after a place among the team's events, as they are
// now, the oldest first, and the place to go on from. Events of a team are
// written one after the other, so nothing comes to stand before a place that
// was returned. After a negative place, or one that is not there yet, it returns
// no approvals, and the newest place. Limit is of events: where there are more,
// the place returned is before them.
func (s *Store) ApprovalNews(ctx context.Context, teamID string, f approval.Filter, after int64, limit int) (as []approval.Approval, through int64, err error) {
	// First the place, then what is before it: what comes in between is for
	// the next time.
	var newest audit.EventRow
	if _, err := found(s.db.NewSelect().Model(&newest).ModelTableExpr("events AS event_row").Column("seq").
		Where("team_id = ?", teamID).Order("seq DESC").Limit(1).Scan(ctx)); err != nil {
		return nil, 0, translate(err)
	}
	if after < 0 || after >= newest.Seq {
		return nil, newest.Seq, nil
	}
	var rows []audit.EventRow
	if err := s.db.NewSelect().Model(&rows).ModelTableExpr("events AS event_row").Column("seq", "target").
		Where("team_id = ?", teamID).Where("seq > ?", after).Where("seq <= ?", newest.Seq).
		Where("type LIKE 'approval.%'").Order("seq").Limit(int64(limit)).Scan(ctx); err != nil {
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
	q := s.db.NewSelect().Model(&as).Where("team_id = ?", teamID).Where("id IN (?)", bun.List(ids)).Order("created_at", "id")
	chosen(q, f)
	return as, through, translate(q.Scan(ctx))
}
