package hold_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/hold"
)

// server holds one approval, which a test settles.
type server struct {
	mu      sync.Mutex
	asked   int
	waiting int
	old     bool // knows no changes
	looks   int
	now     wire.Approval
	down    error
	news    chan struct{}
}

func newServer(s approval.Status) *server {
	return &server{now: wire.Approval{ID: "apr_1", Status: s, Seq: 1}, news: make(chan struct{})}
}

func (s *server) settle(status approval.Status, down error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Status, s.down = status, down
	s.now.Seq++
	close(s.news)
	s.news = make(chan struct{})
}

func (s *server) Ask(context.Context, wire.Ask) (wire.Approval, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.now, s.down
}

func (s *server) Wait(ctx context.Context, _ string, seq int64, wait time.Duration) (wire.Approval, error) {
	s.mu.Lock()
	if s.looks++; wait <= 0 {
		defer s.mu.Unlock()
		return s.now, s.down
	}
	s.mu.Unlock()
	return s.poll(ctx, seq, wait)
}

func (s *server) Changes(ctx context.Context, after int64, wait time.Duration) (wire.Changes, error) {
	s.mu.Lock()
	old, seq, down := s.old, s.now.Seq, s.down
	s.mu.Unlock()
	switch {
	case old:
		return wire.Changes{}, fault.New(fault.NotFound, "There is nothing here.", nil)
	case after == 0:
		return wire.Changes{After: seq}, down
	}
	a, err := s.poll(ctx, after, wait)
	if a.Seq <= after {
		return wire.Changes{After: after}, err
	}
	return wire.Changes{After: a.Seq, Approvals: []wire.Approval{a}}, err
}

func (s *server) poll(ctx context.Context, seq int64, wait time.Duration) (wire.Approval, error) {
	s.mu.Lock()
	s.waiting++
	defer func() { s.waiting--; s.mu.Unlock() }()
	if s.now.Seq > seq {
		return s.now, s.down
	}
	news := s.news
	s.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-news:
	case <-time.After(wait):
	}
	s.mu.Lock()
	if ctx.Err() != nil {
		return wire.Approval{}, ctx.Err()
	}
	return s.now, s.down
}

func (s *server) Use(context.Context, string, wire.Use) (wire.Approval, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.Status != approval.Approved {
		return s.now, fault.New(fault.Conflict, "It is used.", nil)
	}
	s.now.Status = approval.Executed
	return s.now, nil
}

var down = fault.New(fault.Unavailable, "Not there.", nil)

func TestAHoldEndsWithTheDecision(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		at   approval.Status // when asked
		then approval.Status // after a minute
		err  error           // after a minute
		hold time.Duration
		want approval.Status
		kind fault.Kind
		took time.Duration
	}{
		"approved while it waits":    {at: approval.Pending, then: approval.Approved, hold: time.Hour, want: approval.Approved, took: time.Minute},
		"denied while it waits":      {at: approval.Pending, then: approval.Denied, hold: time.Hour, want: approval.Denied, took: time.Minute},
		"cancelled by a kill switch": {at: approval.Pending, then: approval.Cancelled, hold: time.Hour, want: approval.Cancelled, took: time.Minute},
		"something unheard of":       {at: approval.Pending, then: "postponed", hold: time.Hour, want: "postponed", took: time.Minute},
		"nobody answers":             {at: approval.Pending, then: approval.Approved, hold: 55 * time.Second, want: approval.Pending, took: 55 * time.Second},
		"approved before":            {at: approval.Approved, then: approval.Approved, hold: time.Hour, want: approval.Approved},
		"no hold at all":             {at: approval.Pending, then: approval.Approved, want: approval.Pending},
		"the server goes away":       {at: approval.Pending, then: approval.Pending, err: down, hold: time.Hour, kind: fault.Unavailable, took: time.Minute + 250*time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				s := newServer(tt.at)
				d := &hold.Desk{Server: s}
				time.AfterFunc(time.Minute, func() { s.settle(tt.then, tt.err) })
				began := time.Now()
				a, err := d.Hold(t.Context(), &wire.Ask{Fingerprint: "f"}, tt.hold)
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if a.Status != tt.want || (err != nil) != (tt.kind != 0) || fault.Of(err) != tt.kind {
					t.Errorf("got %q, %v; want %q, %v", a.Status, err, tt.want, tt.kind)
				}
				synctest.Wait()
				if s.waiting != 0 {
					t.Error("somebody still waits")
				}
			})
		})
	}
}

func TestNobodyIsAskedWhenTheServerIsGone(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newServer(approval.Pending)
		s.down = down
		began := time.Now()
		if _, err := (&hold.Desk{Server: s}).Hold(t.Context(), &wire.Ask{}, time.Hour); fault.Of(err) != fault.Unavailable {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

func TestTheSameRequestIsAskedOnce(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newServer(approval.Pending)
		var told int
		var mu sync.Mutex
		d := &hold.Desk{Server: s, Waiting: func(_ *wire.Ask, a wire.Approval, until time.Time) {
			mu.Lock()
			defer mu.Unlock()
			if a.ID != "apr_1" || time.Until(until) != time.Hour {
				t.Errorf("told of %q until %v", a.ID, until)
			}
			told++
		}}
		first, gone := context.WithCancel(t.Context())
		var holders sync.WaitGroup
		holders.Go(func() {
			if _, err := d.Hold(first, &wire.Ask{Fingerprint: "f"}, time.Hour); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who left got %v", err)
			}
		})
		synctest.Wait()
		for range 10 {
			holders.Go(func() {
				if a, err := d.Hold(t.Context(), &wire.Ask{Fingerprint: "f"}, time.Hour); a.Status != approval.Approved || err != nil {
					t.Errorf("got %q, %v", a.Status, err)
				}
			})
		}
		synctest.Wait()
		gone() // the first leaves; the others go on
		synctest.Wait()
		if s.asked != 1 || s.waiting != 1 || told != 11 {
			t.Errorf("asked %d times, %d polls, %d told; want 1, 1, 11", s.asked, s.waiting, told)
		}
		s.settle(approval.Approved, nil)
		holders.Wait()

		var wins, conflicts int
		for range 10 {
			switch err := d.Use(t.Context(), "apr_1", wire.Use{}); {
			case err == nil:
				wins++
			case fault.Of(err) == fault.Conflict:
				conflicts++
			}
		}
		if wins != 1 || conflicts != 9 {
			t.Errorf("%d used the grant, %d conflicts", wins, conflicts)
		}
	})
}

func TestWhoeverLeavesStopsWaitingAtOnce(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := newServer(approval.Pending)
		d := &hold.Desk{Server: s}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		began := time.Now()
		if _, err := d.Hold(ctx, &wire.Ask{}, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 7*time.Second {
			t.Errorf("took %v", took)
		}
		synctest.Wait()
		if s.waiting != 0 {
			t.Error("the poll goes on with nobody there")
		}
	})
}

// odd answers as no server should.
type odd struct{ *server }

func (odd) Use(context.Context, string, wire.Use) (wire.Approval, error) {
	return wire.Approval{Status: "understood"}, nil
}

func TestOnlyExecutedIsAGrant(t *testing.T) {
	t.Parallel()

	d := &hold.Desk{Server: odd{newServer(approval.Approved)}}
	if err := d.Use(t.Context(), "apr_1", wire.Use{}); fault.Of(err) != fault.Conflict {
		t.Errorf("got %v", err)
	}
}
