package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/spool"
	"github.com/tameflare/tameflare/gateway/state"
)

// Spool is what has to be delivered.
type Spool interface {
	Batch(after int64, count, size int) ([]audit.Sealed, error)
	Forget(through int64) error
	Changed() <-chan struct{}
	Stats() spool.Stats
}

// Link keeps a gateway in touch with its server. Its fields are set before Run
// and not changed after; make one with Open.
type Link struct {
	Identity Identity
	Current  *decide.Current
	Spool    Spool
	Kills    *Kills
	Log      *slog.Logger

	version string // of this program
	dir     state.Dir
	seal    SealKey
	client  atomic.Pointer[client]
	cert    atomic.Pointer[certificate]
	wake    chan struct{} // to those who wait to try again
	calls   chan struct{} // holds one for each call about an approval

	mu     sync.Mutex
	status Status
	refuse int // handshakes in a row that the server refused our certificate in
}

// Status is how the link is doing.
type Status struct {
	Reachable  bool
	Since      time.Time // of Reachable as it is now
	Problem    string    // a sentence; "" where there is none
	EnrolAgain bool      // nothing else will help
	CertUntil  time.Time
	Delivery   string // why the audit is not delivered, where it is the server that does not take it
}

// Open prepares the link of the gateway in dir, and takes up the last good
// snapshot that is kept there. It fails with fault.NotFound where the gateway
// has not been enrolled.
func Open(dir state.Dir, current *decide.Current, version string, log *slog.Logger) (*Link, error) {
	id, err := Load(dir)
	if err != nil {
		return nil, err
	}
	l := &Link{Identity: id, Current: current, Log: log, version: version, dir: dir, wake: make(chan struct{}, 1), calls: make(chan struct{}, maxCalls)}
	if l.seal, err = LoadSealKey(dir, id.GatewayID); err != nil {
		return nil, fmt.Errorf("open link: %w", err)
	}
	b, err := dir.Read(clientFile)
	if err != nil {
		return nil, fmt.Errorf("open link: %w", err)
	}
	if err := l.use(b); err != nil {
		return nil, fmt.Errorf("open link: %w", err)
	}
	l.Kills = openKills(dir, current)
	if err := l.restore(); err != nil {
		log.Warn("the snapshot on disk cannot be used", "error", err)
	}
	return l, nil
}

// Run keeps in touch until ctx ends, and then delivers what it can within the
// time that a shutdown has for it.
func (l *Link) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.follow(ctx) })
	g.Go(func() error { return l.renew(ctx) })
	g.Go(func() error { return l.deliver(ctx) })
	g.Go(func() error { return l.report(ctx) })
	err := g.Wait()
	l.client.Load().close()
	return err
}

// Status returns how the link is doing.
func (l *Link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.status
	if cert := l.cert.Load(); cert != nil {
		s.CertUntil = cert.leaf.NotAfter
	}
	return s
}

// heard notes what came of a call: that is how the gateway knows whether its
// server is there.
func (l *Link) heard(err error) {
	if _, no := errors.AsType[refused](err); no || errors.Is(err, context.Canceled) {
		return // a refusal is judged by the one who polls: others may be refused for less
	}
	reachable, problem := true, ""
	if err != nil && fault.Of(err) == fault.Unavailable {
		reachable, problem = false, fault.Message(err)
	}
	l.mu.Lock()
	was := l.status.Reachable
	if was != reachable || l.status.Since.IsZero() {
		l.status.Reachable, l.status.Since = reachable, time.Now()
	}
	l.status.Problem = problem
	if reachable {
		l.status.EnrolAgain = false
	}
	l.mu.Unlock()
	switch {
	case was && !reachable:
		l.Log.Warn("the server cannot be reached", "error", err)
	case !was && reachable:
		l.Log.Info("the server is reachable", "url", l.Identity.LinkURL)
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

func (l *Link) reachable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status.Reachable || l.status.Since.IsZero()
}

// again says in the status that only enrolling helps.
func (l *Link) again(problem string) {
	l.mu.Lock()
	l.status.Problem, l.status.EnrolAgain = problem, true
	if l.status.Reachable || l.status.Since.IsZero() {
		l.status.Reachable, l.status.Since = false, time.Now()
	}
	l.mu.Unlock()
}

// backoff is how long to wait before another attempt: longer each time, and
// never the same for two gateways.
type backoff struct {
	first, longest time.Duration
	next           time.Duration
}

func (b *backoff) reset() { b.next = 0 }

// wait waits, or until ctx ends.
func (b *backoff) wait(ctx context.Context) {
	b.next = min(max(b.first, 2*b.next), b.longest)
	pause(ctx, b.next/2+rand.N(b.next/2+1)) //nolint:gosec // it spreads the load, and guards nothing
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
