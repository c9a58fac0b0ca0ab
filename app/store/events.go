package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
)

// record appends e to the team's chain. It belongs in the transaction of the
// change that e is about, after lockTeam: two events would otherwise claim the
// same place.
func record(ctx context.Context, tx bun.Tx, teamID string, e audit.Event) error {
	var last audit.EventRow
	if _, err := found(tx.NewSelect().Model(&last).ModelTableExpr("events AS event_row").
		Where("team_id = ?", teamID).Order("seq DESC").Limit(1).Scan(ctx)); err != nil {
		return err
	}
	entry := e.Bytes()
	seq := last.Seq + 1
	row := audit.EventRow{
		TeamID: teamID, Seq: seq, Time: audit.Time(e.Time),
		Type: audit.Plain(e.Type, 200), ActorID: audit.Plain(e.Actor.ID, 200),
		Target: audit.Plain(e.Target, 200), Gateway: audit.Plain(e.Gateway, 200),
		Entry: entry, Prev: last.Hash, Hash: audit.Link(seq, last.Hash, entry),
	}
	_, err := tx.NewInsert().Model(&row).ModelTableExpr("events").Exec(ctx)
	return err
}

// Events returns what the team recorded before the given place, newest first;
// before 0 starts at the newest.
func (s *Store) Events(ctx context.Context, teamID string, before int64, limit int) ([]audit.EventRow, error) {
	var rows []audit.EventRow
	q := s.db.NewSelect().Model(&rows).ModelTableExpr("events AS event_row").
		Where("team_id = ?", teamID).Order("seq DESC").Limit(int64(limit))
	if before > 0 {
		q.Where("seq < ?", before)
	}
	err := q.Scan(ctx)
	return rows, translate(err)
}

// EventChain returns what the team recorded after the given place, in order,
// as audit.Verify takes it.
func (s *Store) EventChain(ctx context.Context, teamID string, after int64, limit int) ([]audit.Sealed, error) {
	var rows []audit.EventRow
	if err := s.db.NewSelect().Model(&rows).ModelTableExpr("events AS event_row").
		Where("team_id = ?", teamID).Where("seq > ?", after).Order("seq").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, translate(err)
	}
	sealed := make([]audit.Sealed, len(rows))
	for i, r := range rows {
		sealed[i] = audit.Sealed{Seq: r.Seq, Hash: r.Hash, Entry: r.Entry}
	}
	return sealed, nil
}
