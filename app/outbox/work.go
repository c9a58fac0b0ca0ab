package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/outbox"
)

// work delivers i and writes what came of it.
func (s *Service) work(ctx context.Context, i outbox.Item) {
	r := s.attempt(ctx, i)
	now := audit.Time(s.Now())
	next := s.complete(i, r.Next, now)
	i.Answer, i.Error = r.Answer, r.Problem
	switch wait := r.Retry; {
	case r.Done:
		i.DoneAt, i.Error = now, ""
	case r.Failed:
		i.DoneAt, i.Failed = now, true
	default:
		if wait <= 0 {
			wait = Pause(i.Kind, i.Attempts)
		}
		if i.DueAt = audit.Time(now.Add(wait)); i.DueAt.Sub(i.CreatedAt) > patienceOf(i.Kind) {
			i.DoneAt, i.Failed = now, true
		}
	}
	if i.Failed {
		s.Log.WarnContext(ctx, "a delivery is given up", "item", i.ID, "kind", i.Kind, "integration", i.Integration, "about", i.Ref, "attempts", i.Attempts, "answer", i.Answer, "problem", i.Error)
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	if err := s.Store.EndItem(ctx, i, next...); err != nil {
		// The lease runs out, and it is delivered again.
		s.Log.WarnContext(ctx, "what became of a delivery could not be written", "item", i.ID, "error", err)
	}
}

// attempt never panics, and takes no longer than Patience where the deliverer
// listens to its context.
func (s *Service) attempt(ctx context.Context, i outbox.Item) (r Result) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "a delivery panicked", "item", i.ID, "kind", i.Kind, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			r = Result{Problem: fault.Message(nil)}
		}
	}()
	if d := s.Deliver[i.Kind]; d != nil {
		return d.Deliver(ctx, i)
	}
	if i.Kind == outbox.Approval {
		return s.fanOut(ctx, i)
	}
	return Result{Retry: time.Minute, Problem: "This server does not deliver that."} // another may
}

// fanOut makes items for each integration that wants to know of a change.
func (s *Service) fanOut(ctx context.Context, i outbox.Item) Result {
	var c outbox.Change
	if err := json.Unmarshal(i.Payload, &c); err != nil {
		return Result{Failed: true, Problem: "It does not say what happened."}
	}
	a, err := s.Store.Approval(ctx, i.Ref)
	if fault.Of(err) == fault.NotFound {
		return Result{Failed: true, Problem: fault.Message(err)}
	}
	if err != nil {
		return s.later(ctx, i, err)
	}
	all, err := s.Store.Integrations(ctx, i.TeamID)
	if err != nil {
		return s.later(ctx, i, err)
	}
	r := Result{Done: true}
	for _, to := range all {
		route := s.Route[to.Kind]
		if !to.Enabled || route == nil {
			continue
		}
		items, err := route.Items(ctx, i.TeamID, to, a, c)
		if err != nil && i.Attempts < routeAttempts {
			return s.later(ctx, i, err)
		}
		if err != nil { // the others are not to suffer for it
			s.Log.ErrorContext(ctx, "an integration is not told", "integration", to.ID, "approval", a.ID, "change", c.Type, "error", err)
		}
		for _, n := range items {
			n.Integration = cmp.Or(n.Integration, to.ID)
			r.Next = append(r.Next, n)
		}
	}
	return r
}

// routeAttempts is how often it is tried to find out what an integration wants
// to know, before the others are told without it.
const routeAttempts = 3

func (s *Service) later(ctx context.Context, i outbox.Item, err error) Result {
	s.Log.WarnContext(ctx, "telling of a change waits for the next round", "item", i.ID, "approval", i.Ref, "error", err)
	return Result{Retry: time.Duration(i.Attempts) * time.Second, Problem: fault.Message(err)}
}

// complete fills in what every item has: what follows from i is of the same
// team and about the same, due at once, in a lane of its integration's and
// its approval's.
func (s *Service) complete(i outbox.Item, next []outbox.Item, now time.Time) []outbox.Item {
	all := make([]outbox.Item, len(next))
	for n, f := range next {
		f.TeamID, f.Ref, f.Integration = i.TeamID, cmp.Or(f.Ref, i.Ref), cmp.Or(f.Integration, i.Integration)
		if f.CreatedAt.IsZero() { // one after the other, so that a lane keeps their order
			f.CreatedAt = now.Add(time.Duration(n) * time.Microsecond)
		}
		all[n] = Completed(f, now)
	}
	return all
}

// Completed fills in an item that is added at now: its ID, its times, and a
// lane of its integration's and its approval's, where it has none.
func Completed(i outbox.Item, now time.Time) outbox.Item {
	now = audit.Time(now)
	if i.CreatedAt.IsZero() {
		i.CreatedAt = now
	}
	i.ID = cmp.Or(i.ID, store.NewItemID(i.CreatedAt))
	i.Lane = cmp.Or(i.Lane, i.Integration+" "+cmp.Or(i.Ref, i.ID)+" "+i.Target)
	if i.DueAt.IsZero() {
		i.DueAt = now
	}
	return i
}

// Pause is the usual time between an attempt, of which it was the n-th, and
// the next: a little more or less, so that not all come at once.
func Pause(k outbox.Kind, n int) time.Duration {
	steps := quick
	if k == outbox.Webhook {
		steps = slow
	}
	d := steps[min(max(n, 1), len(steps))-1]
	return d - d/10 + rand.N(d/5) //nolint:gosec // it spreads load, and guards nothing
}

var (
	quick = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}
	slow  = []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 22 * time.Hour,
	}
)

// patienceOf is how long after it was written an item is given up. Whoever is
// to decide has no use for a card of an hour ago; a program that was down over
// the weekend has for its messages.
func patienceOf(k outbox.Kind) time.Duration {
	switch k {
	case outbox.Webhook, outbox.Approval:
		return 80 * time.Hour
	case outbox.Slack, outbox.Email:
	}
	return time.Hour
}
