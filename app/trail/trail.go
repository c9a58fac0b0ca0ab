// Package trail keeps what agents did and what people changed, and finds it
// again.
//
// Gateways write their own chains and send them up in pieces; what has been
// stored once is never replaced. Requests as pages see them are worked out from
// the entries on the way in, and could be worked out again.
package trail

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/page"
)

// Store is what the trail is kept in.
type Store interface {
	TrafficTail(ctx context.Context, gatewayID string) (audit.Sealed, error)
	Traffic(ctx context.Context, gatewayID string, from, through int64, whole bool) ([]audit.Sealed, error)
	GatewayRequests(ctx context.Context, gatewayID string, ids []string) ([]audit.Request, error)
	AppendTraffic(ctx context.Context, u store.Upload) error
	Searches
}

// Searches finds what is stored.
type Searches interface {
	Request(ctx context.Context, teamID, id string) (audit.Request, error)
	Requests(ctx context.Context, teamID string, f audit.Filter, after page.Cursor, limit int) ([]audit.Request, error)
	Events(ctx context.Context, teamID string, before int64, limit int) ([]audit.EventRow, error)
	Tallies(ctx context.Context, teamID string, starts []time.Time) ([]audit.Bucket, error)
	Alerts(ctx context.Context, teamID string, since time.Time, limit int) ([]audit.Alert, error)
}

// Filter chooses requests, and Cursor is a place among them.
type (
	Filter = audit.Filter
	Cursor = page.Cursor
)

// Service takes in what gateways record, and searches it.
type Service struct {
	Store Store
	Bus   bus.Bus
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	defaultPage = 50
	maxPage     = 1000
)

// Requests returns the team's requests, newest first, from after a place on,
// and the next place; that is zero at the end.
func (s *Service) Requests(ctx context.Context, teamID string, f Filter, after Cursor, limit int) ([]audit.Request, Cursor, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	limit = min(limit, maxPage)
	f.Text, f.Action = audit.Plain(f.Text, 200), audit.Plain(f.Action, 200)
	f.Host, f.Run, f.Method, f.GatewayID = audit.Plain(f.Host, 300), audit.Plain(f.Run, 100), audit.Plain(f.Method, 50), audit.Plain(f.GatewayID, 100)
	f.Alert = audit.Plain(f.Alert, maxKind)
	rs, err := s.Store.Requests(ctx, teamID, f, after, limit+1)
	if err != nil {
		return nil, Cursor{}, fmt.Errorf("search requests: %w", err)
	}
	var next Cursor
	if len(rs) > limit {
		rs = rs[:limit]
		next = Cursor{Time: rs[limit-1].Time, ID: rs[limit-1].ID}
	}
	return rs, next, nil
}

// Request returns one of the team's requests. It fails with fault.NotFound.
func (s *Service) Request(ctx context.Context, teamID, id string) (audit.Request, error) {
	r, err := s.Store.Request(ctx, teamID, audit.Plain(id, 100))
	if err != nil {
		return audit.Request{}, fmt.Errorf("find request: %w", err)
	}
	return r, nil
}

// Events returns what people and the server did before a place in the team's
// chain, newest first; before 0 begins at the newest.
func (s *Service) Events(ctx context.Context, teamID string, before int64, limit int) ([]audit.EventRow, error) {
	if limit <= 0 {
		limit = defaultPage
	}
	rows, err := s.Store.Events(ctx, teamID, before, min(limit, maxPage))
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return rows, nil
}

// Summary counts a team's requests.
type Summary struct {
	audit.Tally
	Buckets []audit.Bucket // in order, of the same length; the last ends now
}

const buckets = 24

// Summary counts the team's requests since a time, in 24 stretches.
func (s *Service) Summary(ctx context.Context, teamID string, since time.Time) (Summary, error) {
	now := audit.Time(s.Now())
	since = audit.Time(since)
	step := max(now.Sub(since)/buckets, time.Second)
	starts := make([]time.Time, buckets)
	for i := range starts {
		starts[i] = since.Add(time.Duration(i) * step)
	}
	bs, err := s.Store.Tallies(ctx, teamID, starts)
	if err != nil {
		return Summary{}, fmt.Errorf("count requests: %w", err)
	}
	sum := Summary{Buckets: bs}
	for _, b := range bs {
		sum.Add(b.Tally)
	}
	return sum, nil
}
