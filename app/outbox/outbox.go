// Package outbox delivers to the outside what was written to be told.
//
// An item is in the database since the change that it tells about, so it
// survives whatever happens to a server, and nothing that happens outside can
// hold up a decision. It goes out after that, at least once: whoever takes an
// item has it for a while, and another gets it where the first one vanished.
package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
)

const (
	// Lease is for how long whoever takes an item has it. It is longer than
	// Patience by far, for servers whose clocks do not agree.
	Lease = 60 * time.Second
	// Patience is what a delivery may take.
	Patience = 20 * time.Second
	// Keep is for how long is known what was delivered.
	Keep = 14 * 24 * time.Hour

	defaultWorkers = 16
	// batch is how many items are taken at once. An integration that does not
	// answer is left alone while so many deliveries to it are under way, so
	// that the others have workers left.
	batch = 4
	again = 2 * time.Second // between two looks, where nobody rings
)

// Store keeps the items, and what they are about.
type Store interface {
	ClaimItems(ctx context.Context, now, until time.Time, limit int, busy ...string) ([]outbox.Item, error)
	EndItem(ctx context.Context, i outbox.Item, next ...outbox.Item) error
	Tidy
	Approval(ctx context.Context, id string) (approval.Approval, error)
	Integrations(ctx context.Context, teamID string) ([]integration.Integration, error)
}

// Tidy removes what is of no use any more.
type Tidy interface {
	PurgeItems(ctx context.Context, before time.Time, limit int) (int, error)
	ForgetMessages(ctx context.Context, before time.Time) error
}

// Deliverer delivers items of one kind. It has Patience; what it begins it
// brings to an end within that. The same item may come again.
type Deliverer interface {
	Deliver(ctx context.Context, i outbox.Item) Result
}

// Result is what came of a delivery. The zero Result is to be tried again.
type Result struct {
	Done    bool
	Failed  bool          // it is given up
	Retry   time.Duration // until the next attempt; 0 is the usual time
	Answer  int           // HTTP status, 0 for none
	Problem string        // for people; never a secret, never the other side's text
	Next    []outbox.Item // what follows from it, written with it; see Service.complete
}

// Router says what is to be delivered where an approval was opened or changed,
// for the integrations of one kind.
type Router interface {
	Items(ctx context.Context, teamID string, i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error)
}

// Service delivers. Its Run may run in any number of servers on one database.
type Service struct {
	Store   Store
	Bus     bus.Bus
	Now     func() time.Time
	Log     *slog.Logger
	Deliver map[outbox.Kind]Deliverer
	Route   map[integration.Kind]Router
	Workers int // deliveries at once; 0 is 16
}

// Run delivers until ctx ends, and then ends what is under way.
func (s *Service) Run(ctx context.Context) error {
	rung, stop := s.Bus.Subscribe(bus.Outbox) // before the first look, or a ring could fall between
	defer stop()
	tick := time.NewTicker(again)
	defer tick.Stop()
	d := dispatcher{s: s, ended: make(chan outbox.Item), running: map[string]int{}}
	tidied := time.Time{}
	for ctx.Err() == nil {
		d.take(ctx)
		if now := s.Now(); now.Sub(tidied) >= time.Hour {
			s.purge(ctx, now)
			tidied = now
		}
		select {
		case <-rung:
		case <-tick.C:
		case i := <-d.ended:
			d.end(i)
		case <-ctx.Done():
		}
	}
	for d.busy > 0 {
		d.end(<-d.ended)
	}
	return nil
}

func (s *Service) purge(ctx context.Context, now time.Time) {
	if err := s.Store.ForgetMessages(ctx, audit.Time(now.Add(-remembered))); err != nil {
		s.Log.WarnContext(ctx, "messages that came in long ago are forgotten another time", "error", err)
	}
	for ctx.Err() == nil {
		n, err := s.Store.PurgeItems(ctx, audit.Time(now.Add(-Keep)), purgeBatch)
		if err != nil {
			s.Log.WarnContext(ctx, "what was delivered long ago is removed another time", "error", err)
		}
		if err != nil || n < purgeBatch {
			return
		}
	}
}

const (
	purgeBatch = 500
	// remembered is for how long is known which signed messages came in: by
	// far longer than one of them is taken.
	remembered = 24 * time.Hour
)

// dispatcher is what Run knows of what is under way.
type dispatcher struct {
	s       *Service
	ended   chan outbox.Item
	busy    int
	running map[string]int // by integration
}

// take claims what is due and begins to deliver it, as long as there are
// workers.
func (d *dispatcher) take(ctx context.Context) {
	workers := d.s.Workers
	if workers <= 0 {
		workers = defaultWorkers
	}
	for d.busy < workers && ctx.Err() == nil {
		var full []string
		for id, n := range d.running {
			if id != "" && n >= batch {
				full = append(full, id)
			}
		}
		now := audit.Time(d.s.Now())
		limit := min(batch, workers-d.busy)
		items, err := d.s.Store.ClaimItems(ctx, now, now.Add(Lease), limit, full...)
		if err != nil {
			if ctx.Err() == nil {
				d.s.Log.WarnContext(ctx, "deliveries wait for the next round", "error", err)
			}
			return
		}
		for _, i := range items {
			d.busy++
			d.running[i.Integration]++
			// Once begun it is brought to its end, also while the server stops.
			go func() {
				defer func() { d.ended <- i }()
				d.s.work(context.WithoutCancel(ctx), i)
			}()
		}
		if len(items) < limit {
			return
		}
	}
}

func (d *dispatcher) end(i outbox.Item) {
	d.busy--
	if d.running[i.Integration]--; d.running[i.Integration] == 0 {
		delete(d.running, i.Integration)
	}
}
