package store

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/page"
)

// judgedColumns are what is needed to decide about a request again, and to
// name it.
var judgedColumns = strings.Fields(`id gateway_id time run_id method scheme host path query connector action class risk resource facts decision would decided_by step`)

// RecordedRequests returns those of a gateway's requests that have an action,
// from since until before until, newest first, with the columns that are
// needed to decide about them again.
func (s *Store) RecordedRequests(ctx context.Context, teamID, gatewayID string, since, until time.Time, after page.Cursor, limit int) ([]audit.Request, error) {
	rs := make([]audit.Request, 0, limit)
	q := s.recorded(teamID, gatewayID, since, until).Model(&rs).Column(judgedColumns...).Order("time DESC", "id DESC").Limit(int64(limit))
	if !after.IsZero() {
		q.Where("(time, id) < (?, ?)", after.Time, after.ID)
	}
	return rs, translate(q.Scan(ctx))
}

// CountRecorded returns how many requests RecordedRequests has.
func (s *Store) CountRecorded(ctx context.Context, teamID, gatewayID string, since, until time.Time) (int64, error) {
	n, err := s.recorded(teamID, gatewayID, since, until).Model((*audit.Request)(nil)).Count(ctx)
	return n, translate(err)
}

func (s *Store) recorded(teamID, gatewayID string, since, until time.Time) *bun.SelectQuery {
	return s.db.NewSelect().Where("team_id = ?", teamID).Where("gateway_id = ?", gatewayID).
		Where("time >= ?", since).Where("time < ?", until).Where("action <> ''")
}
