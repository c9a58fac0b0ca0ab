package store

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
)

// requestColumns are the columns that a later entry may change.
var requestColumns = strings.Fields(`seq time run_id method scheme host path query connector action class risk resource
	decision would decided_by rule_id reason code approval_id credential alert
	policy_id policy_version score reported reported_as facts why snapshot step status sent received error
	decide_us held_ms upstream_ms total_ms`)

// putRequests writes rows, in the place of those that their gateway has
// written before. The row of another gateway stays as it is.
func putRequests(ctx context.Context, tx bun.Tx, rows []audit.Request) error {
	q := tx.NewInsert().Model(&rows).On("CONFLICT (id) DO UPDATE").Where("request.gateway_id = EXCLUDED.gateway_id").
		Returning("NULL") // bun would ask for what is NULL, row by row
	for _, c := range requestColumns {
		q.Set("? = EXCLUDED.?", bun.Ident(c), bun.Ident(c))
	}
	_, err := q.Exec(ctx)
	return err
}

// Request returns one of the team's requests. It fails with fault.NotFound.
func (s *Store) Request(ctx context.Context, teamID, id string) (audit.Request, error) {
	var r audit.Request
	ok, err := found(s.db.NewSelect().Model(&r).Where("id = ?", id).Where("team_id = ?", teamID).Scan(ctx))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no such request.", nil)
	}
	return r, translate(err)
}

// GatewayRequests returns those of a gateway's requests that have one of ids.
func (s *Store) GatewayRequests(ctx context.Context, gatewayID string, ids []string) ([]audit.Request, error) {
	var rs []audit.Request
	if len(ids) == 0 {
		return nil, nil
	}
	err := s.db.NewSelect().Model(&rs).Where("id IN (?)", bun.List(ids)).Where("gateway_id = ?", gatewayID).Scan(ctx)
	return rs, translate(err)
}

// Requests returns the team's requests, newest first.
func (s *Store) Requests(ctx context.Context, teamID string, f audit.Filter, after page.Cursor, limit int) ([]audit.Request, error) {
	var rs []audit.Request
	q := s.db.NewSelect().Model(&rs).Where("team_id = ?", teamID).Order("time DESC", "id DESC").Limit(int64(limit))
	for column, want := range map[string]string{
		"decision": f.Decision, "gateway_id": f.GatewayID, "host": f.Host, "method": f.Method, "run_id": f.Run,
	} {
		if want != "" {
			q.Where("? = ?", bun.Ident(column), want)
		}
	}
	if prefix, star := strings.CutSuffix(f.Action, "*"); star {
		q.Where(`action LIKE ? ESCAPE '!'`, like(prefix)+"%")
	} else if f.Action != "" {
		q.Where("action = ?", f.Action)
	}
	if f.Text != "" {
		text := "%" + like(strings.ToLower(f.Text)) + "%"
		q.Where(`(lower(host) LIKE ? ESCAPE '!' OR lower(path) LIKE ? ESCAPE '!' OR lower(action) LIKE ? ESCAPE '!' OR lower(resource) LIKE ? ESCAPE '!')`,
			text, text, text, text)
	}
	if f.Killed {
		q.Where("decided_by = ?", policy.ByKillSwitch)
	}
	if f.Flagged {
		q.Where("would <> ''")
	}
	switch f.Alert {
	case "":
	case audit.AnyAlert:
		q.Where("alert <> ''")
	default:
		q.Where("alert = ?", f.Alert).Where("alert <> ''") // the index is of those
	}
	if !f.Since.IsZero() {
		q.Where("time >= ?", f.Since)
	}
	if !f.Until.IsZero() {
		q.Where("time < ?", f.Until)
	}
	if !after.IsZero() {
		q.Where("(time, id) < (?, ?)", after.Time, after.ID)
	}
	return rs, translate(q.Scan(ctx))
}

// like returns s as a LIKE pattern that matches nothing else.
func like(s string) string { return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) }

// Tallies counts the team's requests since the first of starts, for each
// stretch between one of them and the next; the last has no end. Starts are in
// order.
func (s *Store) Tallies(ctx context.Context, teamID string, starts []time.Time) ([]audit.Bucket, error) {
	buckets := make([]audit.Bucket, len(starts))
	if len(starts) == 0 {
		return buckets, nil
	}
	// The stretches are spelled out: the two databases share no word for the
	// hour of a time.
	var place strings.Builder
	var args []any
	place.WriteString("CASE")
	for i := len(starts) - 1; i >= 0; i-- {
		buckets[i].Start = starts[i]
		place.WriteString(" WHEN time >= ? THEN ?")
		args = append(args, starts[i], i)
	}
	place.WriteString(" END AS place")
	var counts []struct {
		Place   int
		Outcome string
		N       int64
	}
	err := s.db.NewSelect().Model((*audit.Request)(nil)).ColumnExpr(place.String(), args...).
		ColumnExpr("CASE WHEN decided_by = ? THEN 'killed' WHEN would <> '' THEN 'flagged' ELSE decision END AS outcome", policy.ByKillSwitch).
		ColumnExpr("count(*) AS n").
		Where("team_id = ?", teamID).Where("time >= ?", starts[0]).GroupExpr("1, 2").Scan(ctx, &counts)
	if err != nil {
		return nil, translate(err)
	}
	for _, c := range counts {
		t := &buckets[c.Place].Tally
		switch c.Outcome {
		case "killed":
			t.Killed += c.N
		case "flagged":
			t.Flagged += c.N
		case policy.Allow.String():
			t.Allowed += c.N
		case policy.RequireApproval.String():
			t.Held += c.N
		default: // what says nothing was refused
			t.Denied += c.N
		}
	}
	return buckets, nil
}
