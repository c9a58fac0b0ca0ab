package approvals

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/wire"
)

// house is a server with approvals, of which the last change is the newest
// place.
type house struct {
	mu      sync.Mutex
	order   []string
	now     map[string]rest.Approval
	changes []string // IDs, in order
	away    error
	refuse  error // of the next decisions
	rung    chan struct{}
	settled []string
	lists   int
}

func newHouse() *house {
	return &house{now: map[string]rest.Approval{}, rung: make(chan struct{})}
}

// put makes or changes an approval.
func (h *house) put(a rest.Approval) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set(a)
}

func (h *house) set(a rest.Approval) rest.Approval {
	was, there := h.now[a.ID]
	if !there {
		h.order = append(h.order, a.ID)
		a.CreatedAt = time.Now()
		a.ExpiresAt = cmp.Or(a.ExpiresAt, a.CreatedAt.Add(10*time.Minute))
	} else {
		a.CreatedAt = was.CreatedAt
	}
	a.Status = cmp.Or(a.Status, approval.Pending)
	a.Gateway, a.Risk = cmp.Or(a.Gateway, "deploy-bot"), cmp.Or(a.Risk, "low")
	a.Seq = was.Seq + 1
	h.now[a.ID] = a
	h.changes = append(h.changes, a.ID)
	close(h.rung)
	h.rung = make(chan struct{})
	return a
}

func (h *house) goAway(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.away = err
	close(h.rung)
	h.rung = make(chan struct{})
}

func (h *house) Pending(context.Context) ([]rest.Approval, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lists++
	var as []rest.Approval
	for _, id := range h.order {
		if a := h.now[id]; a.Status == approval.Pending {
			as = append(as, a)
		}
	}
	return as, h.away
}

func (h *house) News(ctx context.Context, after int64, wait time.Duration) (rest.News, error) {
	over := time.After(wait)
	for {
		h.mu.Lock()
		rung, place, err := h.rung, int64(len(h.changes)), h.away
		var as []rest.Approval
		if after >= 0 && after < place {
			for _, id := range h.changes[after:] {
				as = append(as, h.now[id])
			}
		}
		h.mu.Unlock()
		if err != nil {
			return rest.News{}, err
		}
		if after < 0 || len(as) > 0 || place < after {
			return rest.News{Items: as, After: place}, nil
		}
		select {
		case <-rung:
		case <-over:
			return rest.News{After: place}, nil
		case <-ctx.Done():
			return rest.News{}, ctx.Err()
		}
	}
}

func (h *house) Get(_ context.Context, id string) (rest.Approval, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.now[id]
	if !ok {
		return a, fault.New(fault.NotFound, "There is no such approval.", nil)
	}
	a.History = &rest.History{Asked: 4, Approved: 3, Denied: 1}
	return a, h.away
}

func (h *house) Body(context.Context, string) (rest.Body, error) {
	return rest.Body{Bytes: []byte("{\"text\":\"hi\\u001b[31m\"}"), Whole: true, Type: "application/json", Size: 20}, nil
}

func (h *house) Settle(_ context.Context, id string, d rest.Decision) (rest.Approval, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.now[id]
	switch {
	case h.refuse != nil:
		return rest.Approval{}, h.refuse
	case a.Status != approval.Pending:
		p := rest.Problem{Problem: wire.Problem{Status: 409, Code: "conflict", Detail: "Already settled."}, Approval: &a}
		return rest.Approval{}, apiclient.Said("https://flare.test", p)
	}
	a.Status, a.Decider, a.Channel, a.Note, a.DecidedAt = approval.Approved, "Ana", "cli", d.Reason, time.Now()
	if d.Verdict == rest.Deny {
		a.Status = approval.Denied
	}
	h.settled = append(h.settled, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", id, d.Verdict, d.For, d.Reason)))
	return h.set(a), nil
}

// screen is what a person sees: both streams, as they come.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// take returns what was written since it was last asked.
func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.text.Reset()
	return s.text.String()
}

// seat is somebody who watches a house.
type seat struct {
	*testing.T
	*house
	screen screen
	w      *watcher
	lines  chan string
	ended  chan error
	stop   context.CancelFunc
}

// sit watches. It is called in a bubble.
func sit(t *testing.T, h *house, interactive bool, timeout time.Duration, edit ...func(*watcher)) *seat {
	t.Helper()
	s := &seat{T: t, house: h, lines: make(chan string), ended: make(chan error, 1)}
	s.w = newWatcher(&console.Console{Out: &s.screen, Err: &s.screen, Now: time.Now}, h)
	if interactive {
		s.w.lines = s.lines
	}
	for _, e := range edit {
		e(s.w)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { s.ended <- s.w.run(ctx, h, timeout) }()
	synctest.Wait()
	return s
}

// types types a line after having had time to read, and waits for what comes.
func (s *seat) types(line string) {
	s.Helper()
	time.Sleep(time.Second) // of the bubble's clock
	s.lines <- line
	synctest.Wait()
}

// sees fails where the screen has not got all texts, and returns what it has.
func (s *seat) sees(texts ...string) string {
	s.Helper()
	synctest.Wait()
	got := s.screen.take()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			s.Errorf("the screen has no %q:\n%s", text, got)
		}
	}
	return got
}

// leaves ends the watch, and returns with what.
func (s *seat) leaves() error {
	s.stop()
	synctest.Wait()
	return <-s.ended
}

func (s *seat) decided(want ...string) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.settled, want) {
		s.Errorf("decided %q, want %q", s.settled, want)
	}
}

var errGone = fault.New(fault.Unavailable, "The server does not answer.", errors.New("refused"))
