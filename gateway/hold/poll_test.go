package hold_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/hold"
)

// ledger is a server with many approvals, whose changes it numbers.
type ledger struct {
	mu      sync.Mutex
	rows    map[string]wire.Approval
	changed []string
	news    chan struct{}
	old     bool
	down    int // answers to polls that fail
	polls   int // under way
	most    int // of them at once
	singles int // polls for one approval

	answering func(id string) // called between the look and the answer
	placing   func()          // the same, where a place is asked for
}

func newLedger() *ledger {
	return &ledger{rows: map[string]wire.Approval{}, news: make(chan struct{}), changed: []string{"other", "other"}}
}

func (l *ledger) Ask(_ context.Context, ask wire.Ask) (wire.Approval, error) {
	l.mu.Lock()
	id := "apr_" + ask.Fingerprint
	a, ok := l.rows[id]
	if !ok {
		a = wire.Approval{ID: id, Status: approval.Pending, Seq: 1}
		l.rows[id] = a
	}
	answering := l.answering
	l.mu.Unlock()
	if answering != nil {
		answering(id)
	}
	return a, nil
}

func (l *ledger) settle(id string, s approval.Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.rows[id]
	a.Status, a.Seq = s, a.Seq+1
	l.rows[id] = a
	l.changed = append(l.changed, id)
	close(l.news)
	l.news = make(chan struct{})
}

func (l *ledger) until(ctx context.Context, wait time.Duration, done func() bool) {
	over := time.After(wait)
	for {
		l.mu.Lock()
		yes, news := done(), l.news
		l.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-news:
		case <-over:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (l *ledger) Wait(ctx context.Context, id string, seq int64, wait time.Duration) (wire.Approval, error) {
	if wait > 0 {
		l.mu.Lock()
		l.singles++
		l.mu.Unlock()
		l.until(ctx, wait, func() bool { return l.rows[id].Seq > seq })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.rows[id]
	if !ok {
		return a, fault.New(fault.NotFound, "There is no such approval.", nil)
	}
	return a, ctx.Err()
}

func (l *ledger) Changes(ctx context.Context, after int64, wait time.Duration) (wire.Changes, error) {
	l.mu.Lock()
	if l.old {
		l.mu.Unlock()
		return wire.Changes{}, fault.New(fault.NotFound, "There is nothing here.", nil)
	}
	if l.down > 0 {
		l.down--
		l.mu.Unlock()
		return wire.Changes{}, down
	}
	l.polls++
	l.most = max(l.most, l.polls)
	newest := int64(len(l.changed))
	placing := l.placing
	l.mu.Unlock()
	if after == 0 && placing != nil {
		placing()
	}
	if after > 0 && after <= newest {
		l.until(ctx, wait, func() bool { return int64(len(l.changed)) != after || l.down > 0 })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.polls--
	if l.down > 0 {
		l.down--
		return wire.Changes{}, down
	}
	if after == 0 {
		return wire.Changes{After: newest}, nil
	}
	out := wire.Changes{After: int64(len(l.changed))}
	for _, id := range l.changed[min(after, out.After):] {
		out.Approvals = append(out.Approvals, l.rows[id])
	}
	return out, ctx.Err()
}

func (l *ledger) Use(context.Context, string, wire.Use) (wire.Approval, error) {
	return wire.Approval{}, nil
}

// holds holds n questions and returns what becomes of each.
func holds(ctx context.Context, d *hold.Desk, n int) func() map[string]approval.Status {
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[string]approval.Status{}
	for i := range n {
		fingerprint := strconv.Itoa(i)
		all.Go(func() {
			a, err := d.Hold(ctx, &wire.Ask{Fingerprint: fingerprint}, time.Hour)
			mu.Lock()
			defer mu.Unlock()
			got[fingerprint] = a.Status
			if err != nil {
				got[fingerprint] = approval.Status(fault.Of(err).String())
			}
		})
	}
	return func() map[string]approval.Status { all.Wait(); return got }
}

func TestOnePollHearsOfAllThatWait(t *testing.T) {
	t.Parallel()

	for name, old := range map[string]bool{"a server of today": false, "one that knows only single approvals": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				const n = 300
				l := newLedger()
				l.old = old
				result := holds(t.Context(), &hold.Desk{Server: l}, n)
				synctest.Wait()
				began := time.Now()
				for i := range n {
					l.settle("apr_"+strconv.Itoa(i), []approval.Status{approval.Approved, approval.Denied}[i%2])
				}
				got := result()
				for i := range n {
					if want := []approval.Status{approval.Approved, approval.Denied}[i%2]; got[strconv.Itoa(i)] != want {
						t.Errorf("question %d: %q, want %q", i, got[strconv.Itoa(i)], want)
					}
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("they heard of it after %v", took)
				}
				synctest.Wait()
				if l.most > 1 || l.polls != 0 || (l.singles > 0) != old {
					t.Errorf("%d polls at once, %d left, %d for single approvals", l.most, l.polls, l.singles)
				}
			})
		})
	}
}

// Whatever a change coincides with, it is heard of at once.
func TestNoChangeFallsBetween(t *testing.T) {
	t.Parallel()

	for name, arrange := range map[string]func(l *ledger){
		"decided while the answer is on its way": func(l *ledger) {
			l.answering = func(id string) {
				if id == "apr_1" {
					time.Sleep(time.Second) // the poll for the first is there by now
					l.settle(id, approval.Approved)
					time.Sleep(time.Second) // and has told of the change
				}
			}
		},
		"decided before there was a place, which comes late": func(l *ledger) {
			l.placing = func() {
				l.settle("apr_0", approval.Approved)
				l.settle("apr_1", approval.Approved)
				time.Sleep(time.Minute)
			}
		},
		"decided while the connection was down": func(l *ledger) {
			time.AfterFunc(time.Minute, func() {
				l.mu.Lock()
				l.down = 1
				l.mu.Unlock()
				l.settle("apr_1", approval.Approved)
			})
		},
		"decided before the server was restored": func(l *ledger) {
			time.AfterFunc(time.Minute, func() {
				l.settle("apr_1", approval.Approved)
				l.mu.Lock()
				defer l.mu.Unlock()
				l.changed = l.changed[:1] // what the poll has heard of is ahead of that
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				l := newLedger()
				arrange(l)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				got := holds(ctx, &hold.Desk{Server: l}, 2)()
				if got["1"] != approval.Approved {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

func TestWhoeverLooksWaitsForADecisionAndNoLonger(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		d := &hold.Desk{Server: l}
		if _, err := d.Look(t.Context(), "apr_0", time.Minute); fault.Of(err) != fault.NotFound {
			t.Errorf("nothing there: %v", err)
		}
		_, _ = l.Ask(t.Context(), wire.Ask{Fingerprint: "0"})
		began := time.Now()
		if a, err := d.Look(t.Context(), "apr_0", 27*time.Second); err != nil || a.Status != approval.Pending || time.Since(began) != 27*time.Second {
			t.Errorf("still pending: %+v, %v after %v", a, err, time.Since(began))
		}
		time.AfterFunc(time.Second, func() { l.settle("apr_0", approval.Denied) })
		began = time.Now()
		if a, err := d.Look(t.Context(), "apr_0", time.Minute); err != nil || a.Status != approval.Denied || time.Since(began) != time.Second {
			t.Errorf("denied: %+v, %v after %v", a, err, time.Since(began))
		}
	})
}
