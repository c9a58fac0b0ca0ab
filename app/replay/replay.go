// Package replay says what policies would change, by deciding again about
// recorded requests.
//
// Both times today's access rules count, and no kill switch. What the record
// does not show of a request (bodies, headers) is unknown, and takes the
// stricter way in both.
package replay

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
)

// Store is what requests and configurations are read from.
type Store interface {
	Gateways(ctx context.Context, teamID string) ([]fleet.Gateway, error)
	Configuration(ctx context.Context, teamID, gatewayID string) (store.Configuration, error)
	RecordedRequests(ctx context.Context, teamID, gatewayID string, since, until time.Time, after page.Cursor, limit int) ([]audit.Request, error)
	CountRecorded(ctx context.Context, teamID, gatewayID string, since, until time.Time) (int64, error)
}

// Service replays. Jobs are made while Run runs.
type Service struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger

	mu     sync.Mutex
	jobs   map[string]*job
	queue  []*job           // that nobody has begun, the oldest first
	served map[string]int64 // when a team had its last turn
	turn   int64
	bell   chan struct{} // rings when there is a job to be done
}

// Change is how the policies would be.
type Change struct {
	Policies []fleet.Policy // all that would be enabled
}

// Example is a request whose decision would be another.
type Example struct {
	Request  audit.Request
	Gateway  string // its name
	Was, Now policy.Decision
	Policy   string // the name of the one that would decide; "" for none
	Rule     string // and of its rule
	Line     int
}

// Outcome is how many requests would newly come to one end, and the newest of
// them.
type Outcome struct {
	N        int64
	Examples []Example
}

// Report is what a Change would change. Decisions are compared as at full
// enforcement, so that one can be tried at a gateway that only watches.
type Report struct {
	Since, Until time.Time
	Requests     int64
	Same         int64
	Denied       Outcome
	Held         Outcome
	Allowed      Outcome
}

const (
	pageSize = 2000
	examples = 50
)

// Compare decides about the team's requests of a time once as things are and
// once as they would be after c. Progress, which may be nil, hears from time to
// time how far it is. It fails with fault.Invalid where a gateway could not use
// c, and as ctx does.
func (s *Service) Compare(ctx context.Context, teamID string, c Change, since, until time.Time, progress func(done, total int64)) (Report, error) {
	r := Report{Since: since, Until: until}
	all, err := s.gateways(ctx, teamID, since, until)
	if err != nil {
		return r, fmt.Errorf("replay: %w", err)
	}
	if err := usable(c); err != nil {
		return r, fmt.Errorf("replay: %w", err)
	}
	t := tally{report: &r, progress: progress}
	for _, g := range all {
		t.total += g.requests
	}
	t.tell()
	for _, g := range all { // one at a time, since compiled policies can be large
		if err := s.one(ctx, teamID, g, c, since, until, &t); err != nil {
			return r, fmt.Errorf("replay gateway %s: %w", g.name, err)
		}
	}
	for _, o := range []*Outcome{&r.Denied, &r.Held, &r.Allowed} {
		slices.SortStableFunc(o.Examples, func(a, b Example) int { return b.Request.Time.Compare(a.Request.Time) })
		o.Examples = o.Examples[:min(len(o.Examples), examples)]
	}
	return r, nil
}

// counted is a gateway with requests to be replayed.
type counted struct {
	id, name string
	requests int64
}

// gateways are those that take part and have requests.
func (s *Service) gateways(ctx context.Context, teamID string, since, until time.Time) ([]counted, error) {
	gs, err := s.Store.Gateways(ctx, teamID)
	if err != nil {
		return nil, err
	}
	var all []counted
	for _, g := range gs {
		if g.Status != fleet.Active {
			continue
		}
		n, err := s.Store.CountRecorded(ctx, teamID, g.ID, since, until)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			all = append(all, counted{g.ID, g.Name, n})
		}
	}
	return all, nil
}

// usable fails where no gateway could use c, also where there is none to try.
func usable(c Change) error {
	_, err := judge.Of(store.Configuration{Policies: c.Policies})
	return err
}

// pair is a gateway as it decides, and as it would.
type pair struct{ was, now *judge.Judge }

func (s *Service) one(ctx context.Context, teamID string, g counted, c Change, since, until time.Time, t *tally) error {
	conf, err := s.Store.Configuration(ctx, teamID, g.id)
	if err != nil {
		return err
	}
	conf.Kills = nil
	var p pair
	if p.was, err = judge.Of(conf); err != nil {
		return err
	}
	conf.Policies = c.Policies
	if p.now, err = judge.Of(conf); err != nil {
		return err
	}
	return s.compare(ctx, teamID, p, since, until, t)
}

// compare reads pages and decides about them side by side.
func (s *Service) compare(ctx context.Context, teamID string, p pair, since, until time.Time, t *tally) error {
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan []audit.Request, 2)
	group.Go(func() error {
		defer close(pages)
		var after page.Cursor
		for {
			rs, err := s.Store.RecordedRequests(ctx, teamID, p.was.Gateway.ID, since, until, after, pageSize)
			if err != nil || len(rs) == 0 {
				return err
			}
			select {
			case pages <- rs:
			case <-ctx.Done():
				return ctx.Err()
			}
			if len(rs) < pageSize {
				return nil
			}
			last := rs[len(rs)-1]
			after = page.Cursor{Time: last.Time, ID: last.ID}
		}
	})
	group.Go(func() error {
		o := outcomes{}
		for rs := range pages {
			for i := range rs {
				o.weigh(p, &rs[i], t.report)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			t.add(int64(len(rs)))
		}
		return nil
	})
	return group.Wait()
}

// outcomes counts how many examples of one gateway there are already.
type outcomes struct{ denied, held, allowed int }

func (o *outcomes) weigh(p pair, row *audit.Request, r *Report) {
	r.Requests++
	q, ok := p.was.Question(row)
	if !ok {
		r.Same++
		return
	}
	was, now := p.was.Engine.Decide(q), p.now.Engine.Decide(q)
	if was.Would == now.Would {
		r.Same++
		return
	}
	out, n := &r.Denied, &o.denied
	switch now.Would {
	case policy.RequireApproval:
		out, n = &r.Held, &o.held
	case policy.Allow:
		out, n = &r.Allowed, &o.allowed
	case policy.Deny:
	}
	out.N++
	if *n < examples { // the newest come first
		*n++
		out.Examples = append(out.Examples, p.example(row, q, was, now))
	}
}

func (p pair) example(row *audit.Request, q policy.Question, was, now policy.Decision) Example {
	e := Example{Request: *row, Gateway: p.was.Gateway.Name, Was: was, Now: now}
	_, why := p.now.Engine.Explain(q)
	for _, c := range why.Considered {
		if c.Decides {
			e.Policy, e.Rule, e.Line = p.now.Policies[now.Policy].Name, c.Name, c.Line
		}
	}
	return e
}

// tally says how far a replay is.
type tally struct {
	report   *Report
	done     int64
	total    int64
	progress func(done, total int64)
}

func (t *tally) add(n int64) {
	t.done += n
	t.tell()
}

func (t *tally) tell() {
	if t.progress != nil {
		t.progress(t.done, max(t.total, t.done))
	}
}
