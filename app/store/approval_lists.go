package store

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/page"
)

// Approvals returns the team's approvals, newest first, unless f wants it otherwise.
func (s *Store) Approvals(ctx context.Context, teamID string, f approval.Filter, after page.Cursor, limit int) ([]approval.Approval, error) {
	var as []approval.Approval
	q := s.db.NewSelect().Model(&as).Where("team_id = ?", teamID).Limit(int64(limit))
	chosen(q, f)
	order, beyond := []string{"created_at DESC", "id DESC"}, "(created_at, id) < (?, ?)"
	if f.Oldest {
		order, beyond = []string{"created_at", "id"}, "(created_at, id) > (?, ?)"
	}
	q.Order(order...)
	if !after.IsZero() {
		q.Where(beyond, after.Time, after.ID)
	}
	return as, translate(q.Scan(ctx))
}

// chosen limits q to what f chooses.
func chosen(q *bun.SelectQuery, f approval.Filter) {
	if len(f.Status) > 0 {
		q.Where("status IN (?)", bun.List(f.Status))
	}
	for column, want := range map[string]string{"gateway_id": f.GatewayID, "connector": f.Connector, "risk": f.Risk, "channel": f.Channel} {
		if want != "" {
			q.Where("? = ?", bun.Ident(column), want)
		}
	}
	if prefix, star := strings.CutSuffix(f.Action, "*"); star {
		q.Where(`action_name LIKE ? ESCAPE '!'`, like(prefix)+"%")
	} else if f.Action != "" {
		q.Where("action_name = ?", f.Action)
	}
	if f.Decider != "" {
		q.Where("(decided_by = ? OR decider_name = ?)", f.Decider, f.Decider)
	}
	if f.Text != "" {
		text := "%" + like(strings.ToLower(f.Text)) + "%"
		q.Where(`(lower(sentence) LIKE ? ESCAPE '!' OR lower(url) LIKE ? ESCAPE '!' OR lower(action_name) LIKE ? ESCAPE '!' OR lower(resource) LIKE ? ESCAPE '!' OR lower(principal) LIKE ? ESCAPE '!' OR lower(reason) LIKE ? ESCAPE '!')`,
			text, text, text, text, text, text)
	}
}

// PendingApprovals counts what waits for a person at now.
func (s *Store) PendingApprovals(ctx context.Context, teamID string, now time.Time) (int, error) {
	n, err := s.db.NewSelect().Model((*approval.Approval)(nil)).Where("team_id = ?", teamID).
		Where("status = ?", approval.Pending).Where("expires_at > ?", now).Count(ctx)
	return int(n), translate(err)
}

// DueApprovals returns open approvals whose time is over at now.
func (s *Store) DueApprovals(ctx context.Context, now time.Time, limit int) ([]approval.Approval, error) {
	var as []approval.Approval
	err := s.db.NewSelect().Model(&as).Where("status IN (?)", bun.List(open)).Where("expires_at <= ?", now).
		Order("expires_at").Limit(int64(limit)).Scan(ctx)
	return as, translate(err)
}

// AlikeApprovals returns what a's gateway asked of a's action since a time,
// newest first, without a itself.
func (s *Store) AlikeApprovals(ctx context.Context, a approval.Approval, since time.Time, limit int) ([]approval.Approval, error) {
	var as []approval.Approval
	err := s.db.NewSelect().Model(&as).Where("gateway_id = ?", a.GatewayID).Where("action_name = ?", a.ActionName).
		Where("created_at >= ?", since).Where("id <> ?", a.ID).Order("created_at DESC", "id DESC").Limit(int64(limit)).Scan(ctx)
	return as, translate(err)
}
