package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
)

// AlertStep is an alert that requests of an upload have raised, and the event
// that tells of it where it is the first of its kind, run and host.
type AlertStep struct {
	Alert audit.Alert
	Event audit.Event
}

// MaxAlerts is how many alerts a gateway may raise in a day. Requests beyond
// that still carry theirs; nobody can fill a team's audit trail with them.
const MaxAlerts = 200

// raiseAlerts stores the alerts of an upload. The caller holds the team's lock.
func raiseAlerts(ctx context.Context, tx bun.Tx, steps []AlertStep) error {
	if len(steps) == 0 {
		return nil
	}
	first := steps[0].Alert
	n, err := tx.NewSelect().Model((*audit.Alert)(nil)).Where("gateway_id = ?", first.GatewayID).
		Where("first_at > ?", first.FirstAt.Add(-24*time.Hour)).Count(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		a := step.Alert
		res, err := tx.NewUpdate().Model((*audit.Alert)(nil)).
			Set("requests = requests + ?", a.Requests).Set("last_at = CASE WHEN last_at < ? THEN ? ELSE last_at END", a.LastAt, a.LastAt).
			Where("gateway_id = ?", a.GatewayID).Where("run_id = ?", a.RunID).Where("kind = ?", a.Kind).Where("host = ?", a.Host).Exec(ctx)
		if err != nil {
			return err
		}
		known, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if known > 0 || n >= MaxAlerts {
			continue
		}
		n++
		if _, err := tx.NewInsert().Model(&a).Exec(ctx); err != nil {
			return err
		}
		if err := record(ctx, tx, a.TeamID, step.Event); err != nil {
			return err
		}
	}
	return nil
}

// Alerts returns the team's alerts of which there was a request since a time,
// the latest first.
func (s *Store) Alerts(ctx context.Context, teamID string, since time.Time, limit int) ([]audit.Alert, error) {
	var all []audit.Alert
	err := s.db.NewSelect().Model(&all).Where("team_id = ?", teamID).Where("last_at >= ?", since).
		Order("last_at DESC", "gateway_id", "run_id", "kind", "host").Limit(int64(limit)).Scan(ctx)
	return all, translate(err)
}
