package outbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	dispatch "github.com/tameflare/tameflare/app/outbox"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/outbox"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

const patience = 20 * time.Second

// deliver is a deliverer that is a function.
type deliver func(ctx context.Context, i outbox.Item) dispatch.Result

func (d deliver) Deliver(ctx context.Context, i outbox.Item) dispatch.Result { return d(ctx, i) }

type route func(i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error)

func (r route) Items(_ context.Context, _ string, i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error) {
	return r(i, a, c)
}

// house is a store with a team, and a dispatcher of it.
type house struct {
	*dispatch.Service
	store *store.Store
	owner team.Viewer
	clock *atomic.Int64 // what is added to the time
}

func furnished(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{store: s, owner: storetest.Owner(t, s), clock: new(atomic.Int64)}
	h.Service = h.another()
	return h
}

// another is another server's dispatcher on the same store.
func (h *house) another() *dispatch.Service {
	return &dispatch.Service{
		Store: h.store, Bus: new(bus.Local), Log: slog.New(slog.DiscardHandler),
		Now:     func() time.Time { return time.Now().Add(time.Duration(h.clock.Load())) },
		Deliver: map[outbox.Kind]dispatch.Deliverer{}, Route: map[integration.Kind]dispatch.Router{},
	}
}

func (h *house) item(kind outbox.Kind, lane, to, ref string) outbox.Item {
	return dispatch.Completed(outbox.Item{TeamID: h.owner.Team.ID, Kind: kind, Lane: lane, Integration: to, Ref: ref, Payload: []byte("{}")}, h.Now())
}

func (h *house) add(t *testing.T, items ...outbox.Item) {
	t.Helper()
	if err := h.store.AddItems(t.Context(), items...); err != nil {
		t.Fatalf("add items: %v", err)
	}
	h.Bus.Publish(t.Context(), bus.Outbox)
}

// run runs a dispatcher until stop, which says how it ended.
func run(t *testing.T, s *dispatch.Service) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return stop
}

// ended waits until the integration's deliveries are as they should be.
func (h *house) ended(t *testing.T, to string, want func([]outbox.Item) bool) []outbox.Item {
	t.Helper()
	for until := time.Now().Add(patience); ; {
		items, err := h.store.Deliveries(t.Context(), h.owner.Team.ID, to, page.Cursor{}, 1000)
		if err != nil {
			t.Fatalf("list deliveries: %v", err)
		}
		if want(items) {
			return items
		}
		if time.Now().After(until) {
			t.Fatalf("deliveries: %+v", items)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

func all(f func(outbox.Item) bool) func([]outbox.Item) bool {
	return func(items []outbox.Item) bool {
		return len(items) > 0 && !slices.ContainsFunc(items, func(i outbox.Item) bool { return !f(i) })
	}
}

func isDone(i outbox.Item) bool { return !i.DoneAt.IsZero() }

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing came", what)
		panic("unreachable")
	}
}

func TestItemIsDelivered(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		got := make(chan outbox.Item, 10)
		h.Deliver[outbox.Webhook] = deliver(func(_ context.Context, i outbox.Item) dispatch.Result {
			got <- i
			return dispatch.Result{Done: true, Answer: 204}
		})
		want := h.item(outbox.Webhook, "", "int_1", "")
		h.add(t, want) // before anybody looks
		stop := run(t, h.Service)
		if i := receive(t, got, "what was there"); i.ID != want.ID || i.Attempts != 1 || string(i.Payload) != "{}" {
			t.Errorf("got %+v", i)
		}
		h.add(t, h.item(outbox.Webhook, "", "int_1", ""))
		receive(t, got, "what was rung")
		items := h.ended(t, "int_1", all(isDone))
		if len(items) != 2 || items[1].Answer != 204 || items[1].Failed || items[1].Error != "" || items[1].Attempts != 1 {
			t.Errorf("became %+v", items)
		}
		if err := stop(); err != nil || len(got) != 0 {
			t.Errorf("delivered %d too many, %v", len(got), err)
		}
	})
}

// The commit is told to the dispatcher, and not found out by looking.
func TestRungItemGoesOutAtOnce(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	got := make(chan time.Time, 1)
	h.Deliver[outbox.Webhook] = deliver(func(context.Context, outbox.Item) dispatch.Result {
		got <- time.Now()
		return dispatch.Result{Done: true}
	})
	run(t, h.Service)
	var took []time.Duration
	for range 50 {
		i := h.item(outbox.Webhook, "", "int_1", "")
		if err := h.store.AddItems(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		committed := time.Now()
		h.Bus.Publish(t.Context(), bus.Outbox)
		took = append(took, receive(t, got, "delivery").Sub(committed))
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > 50*time.Millisecond { // on an idle machine the slowest is, too
		t.Errorf("commit to delivery: median %v, slowest %v", median, took[len(took)-1])
	}
	t.Logf("commit to delivery: median %v, slowest of %d %v", took[len(took)/2], len(took), took[len(took)-1])
}

func TestChangeIsToldToWhoeverWantsToKnow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		for id, enabled := range map[string]bool{"int_on": true, "int_off": false} {
			h.integrate(t, id, integration.Webhook, enabled)
		}
		h.integrate(t, "int_mail", integration.Email, true) // whose mails nobody routes here
		h.Route[integration.Webhook] = route(func(i integration.Integration, a approval.Approval, c outbox.Change) ([]outbox.Item, error) {
			return []outbox.Item{{Kind: outbox.Webhook, Payload: []byte(c.Type + " " + a.Sentence + " " + i.ID)}, {Kind: outbox.Webhook, Payload: []byte("second")}}, nil
		})
		got := make(chan outbox.Item, 10)
		h.Deliver[outbox.Webhook] = deliver(func(_ context.Context, i outbox.Item) dispatch.Result {
			got <- i
			return dispatch.Result{Done: true}
		})
		run(t, h.Service)
		a := h.open(t)
		h.Bus.Publish(t.Context(), bus.Outbox)
		first, second := receive(t, got, "first"), receive(t, got, "second")
		if first.Integration != "int_on" || first.Ref != a.ID || first.TeamID != a.TeamID || string(first.Payload) != "approval.opened merge it int_on" || string(second.Payload) != "second" || first.Lane != second.Lane {
			t.Errorf("got %+v, %+v", first, second)
		}
		h.ended(t, "int_on", func(items []outbox.Item) bool { return len(items) == 2 && all(isDone)(items) })
		h.ended(t, "", all(isDone)) // the change itself
		if len(got) != 0 {
			t.Errorf("%d too many", len(got))
		}
	})
}

// One integration whose settings make no sense does not silence the others.
func TestBrokenRouteDoesNotSilenceOthers(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	h.integrate(t, "int_broken", integration.Email, true)
	h.integrate(t, "int_fine", integration.Webhook, true)
	tries := 0
	h.Route[integration.Email] = route(func(integration.Integration, approval.Approval, outbox.Change) ([]outbox.Item, error) {
		tries++
		return nil, fmt.Errorf("settings of nobody")
	})
	h.Route[integration.Webhook] = route(func(integration.Integration, approval.Approval, outbox.Change) ([]outbox.Item, error) {
		return []outbox.Item{{Kind: outbox.Webhook}}, nil
	})
	got := make(chan outbox.Item, 10)
	h.Deliver[outbox.Webhook] = deliver(func(_ context.Context, i outbox.Item) dispatch.Result {
		got <- i
		return dispatch.Result{Done: true}
	})
	run(t, h.Service)
	h.open(t)
	h.Bus.Publish(t.Context(), bus.Outbox)
	receive(t, got, "the other's")
	if tries != 3 {
		t.Errorf("tried %d times, want 3", tries)
	}
}

func TestWhatBecomesOfAnAttempt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		result  dispatch.Result
		panics  bool
		age     time.Duration
		kind    outbox.Kind
		pause   time.Duration
		failed  bool
		problem string
	}{
		"nothing said":            {kind: outbox.Webhook, pause: 5 * time.Second},
		"a panic":                 {kind: outbox.Webhook, panics: true, pause: 5 * time.Second, problem: "Something went wrong on our side."},
		"it says when":            {kind: outbox.Webhook, result: dispatch.Result{Retry: time.Hour, Answer: 429, Problem: "Too fast."}, pause: time.Hour, problem: "Too fast."},
		"given up":                {kind: outbox.Webhook, result: dispatch.Result{Failed: true, Problem: "Gone."}, failed: true, problem: "Gone."},
		"a card of an hour ago":   {kind: outbox.Slack, age: time.Hour, failed: true},
		"a mail of an hour ago":   {kind: outbox.Email, age: time.Hour, failed: true},
		"a webhook of 3 days ago": {kind: outbox.Webhook, age: 72 * time.Hour, pause: 5 * time.Second},
		"a webhook of 4 days ago": {kind: outbox.Webhook, age: 96 * time.Hour, failed: true},
		"a kind of nobody's":      {kind: "pager", pause: time.Minute, problem: "This server does not deliver that."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := furnished(t, storetest.Open(t))
			if tt.kind != "pager" {
				h.Deliver[tt.kind] = deliver(func(context.Context, outbox.Item) dispatch.Result {
					if tt.panics {
						panic("canary")
					}
					return tt.result
				})
			}
			i := h.item(tt.kind, "", "int_1", "")
			i.CreatedAt = i.CreatedAt.Add(-tt.age)
			before := audit.Time(h.Now())
			h.add(t, i)
			run(t, h.Service)
			got := h.ended(t, "int_1", all(func(i outbox.Item) bool { return i.Attempts == 1 && i.ClaimedUntil.IsZero() }))[0]
			after := h.Now()
			if got.Failed != tt.failed || isDone(got) != tt.failed || got.Error != tt.problem || got.Answer != tt.result.Answer {
				t.Errorf("became %+v", got)
			}
			slack := tt.pause / 10
			if !tt.failed && (got.DueAt.Before(before.Add(tt.pause-slack)) || got.DueAt.After(after.Add(tt.pause+slack))) {
				t.Errorf("due again %v later, want about %v", got.DueAt.Sub(before), tt.pause)
			}
		})
	}
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	for kind, least := range map[outbox.Kind]time.Duration{outbox.Webhook: 65 * time.Hour, outbox.Slack: 15 * time.Minute} {
		var last, sum time.Duration
		for n := 1; n <= 11; n++ {
			d := dispatch.Pause(kind, n)
			if d < last*8/10 || d <= 0 {
				t.Errorf("%s: %v after %v", kind, d, last)
			}
			last, sum = d, sum+d
		}
		if sum < least {
			t.Errorf("%s: given up after %v", kind, sum)
		}
	}
}

// Several servers share the work, and while one has an item no other gets it.
func TestTwoDispatchersDeliverNothingTwice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		const many = 200
		var mu sync.Mutex
		delivered, order := map[string]int{}, map[string][]string{}
		d := deliver(func(_ context.Context, i outbox.Item) dispatch.Result {
			mu.Lock()
			defer mu.Unlock()
			delivered[i.ID]++
			order[i.Lane] = append(order[i.Lane], i.ID)
			return dispatch.Result{Done: true}
		})
		var items []outbox.Item
		want := map[string][]string{}
		for n := range many {
			i := h.item(outbox.Webhook, fmt.Sprintf("lane %d", n%7), "int_1", "")
			i.CreatedAt = i.CreatedAt.Add(time.Duration(n-many) * time.Millisecond)
			items = append(items, i)
			want[i.Lane] = append(want[i.Lane], i.ID)
		}
		h.add(t, items...)
		other := h.another()
		h.Deliver[outbox.Webhook], other.Deliver[outbox.Webhook] = d, d
		run(t, h.Service)
		run(t, other)
		h.ended(t, "int_1", all(isDone))
		mu.Lock()
		defer mu.Unlock()
		for id, n := range delivered {
			if n != 1 {
				t.Errorf("%s was delivered %d times", id, n)
			}
		}
		if len(delivered) != many {
			t.Errorf("%d delivered, want %d", len(delivered), many)
		}
		for lane, ids := range want {
			if !slices.Equal(order[lane], ids) {
				t.Errorf("%s went out of order", lane)
			}
		}
	})
}

func TestWhatADeadServerHadComesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		h.add(t, h.item(outbox.Webhook, "", "int_1", ""))
		now := audit.Time(h.Now())
		claimed, err := s.ClaimItems(t.Context(), now, now.Add(dispatch.Lease), 10) // and the server is gone
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claim: %v, %v", claimed, err)
		}
		got := make(chan outbox.Item, 10)
		h.Deliver[outbox.Webhook] = deliver(func(_ context.Context, i outbox.Item) dispatch.Result {
			got <- i
			return dispatch.Result{Done: true, Answer: 200}
		})
		run(t, h.Service)
		h.Bus.Publish(t.Context(), bus.Outbox)
		h.add(t, h.item(outbox.Webhook, "", "int_2", ""))
		if i := receive(t, got, "another's"); i.Integration != "int_2" {
			t.Fatalf("while the lease held: %+v", i)
		}
		h.ended(t, "int_2", all(isDone))
		h.clock.Add(int64(dispatch.Lease))
		h.Bus.Publish(t.Context(), bus.Outbox)
		if i := receive(t, got, "the dead one's"); i.Integration != "int_1" || i.Attempts != 2 {
			t.Errorf("got %+v", i)
		}
		h.ended(t, "int_1", all(isDone))
		// The dead one was only slow: what it says now counts no more.
		claimed[0].Failed, claimed[0].DoneAt = true, now
		if err := s.EndItem(t.Context(), claimed[0], h.item(outbox.Webhook, "", "int_3", "")); err != nil {
			t.Fatal(err)
		}
		if i := h.ended(t, "int_1", all(isDone))[0]; i.Failed || i.Answer != 200 {
			t.Errorf("became %+v", i)
		}
		if items, err := s.Deliveries(t.Context(), h.owner.Team.ID, "int_3", page.Cursor{}, 10); err != nil || len(items) != 0 {
			t.Errorf("what followed from it: %v, %v", items, err)
		}
	})
}

// An address that does not answer holds up its own messages only.
func TestSlowIntegrationLeavesWorkersForOthers(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	h.Workers = 9
	got, release := make(chan outbox.Item, 100), make(chan struct{})
	h.Deliver[outbox.Webhook] = deliver(func(_ context.Context, i outbox.Item) dispatch.Result {
		if i.Integration == "int_slow" {
			<-release
		}
		got <- i
		return dispatch.Result{Done: true}
	})
	var items []outbox.Item
	for range 40 {
		items = append(items, h.item(outbox.Webhook, "", "int_slow", ""))
	}
	h.add(t, items...)
	stop := run(t, h.Service)
	for range 20 {
		h.add(t, h.item(outbox.Webhook, "", "int_fast", ""))
		if i := receive(t, got, "the fast one's"); i.Integration != "int_fast" {
			t.Fatalf("got %+v", i)
		}
	}
	close(release)
	h.ended(t, "int_slow", all(isDone))
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsUnderWayIsBroughtToItsEnd(t *testing.T) {
	t.Parallel()
	h := furnished(t, storetest.Open(t))
	begun, release := make(chan context.Context, 1), make(chan struct{})
	h.Deliver[outbox.Webhook] = deliver(func(ctx context.Context, _ outbox.Item) dispatch.Result {
		begun <- ctx
		<-release
		return dispatch.Result{Done: true}
	})
	h.add(t, h.item(outbox.Webhook, "", "int_1", ""))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	d := receive(t, begun, "delivery")
	cancel()
	h.add(t, h.item(outbox.Webhook, "", "int_2", "")) // which is left to the next server
	if d.Err() != nil {
		t.Error("a delivery was broken off")
	}
	select {
	case err := <-done:
		t.Fatalf("it ended before the delivery: %v", err)
	default:
	}
	close(release)
	if err := receive(t, done, "end"); err != nil {
		t.Error(err)
	}
	h.ended(t, "int_1", all(isDone))
	if items, err := h.store.Deliveries(t.Context(), h.owner.Team.ID, "int_2", page.Cursor{}, 10); err != nil || len(items) != 1 || items[0].Attempts != 0 {
		t.Errorf("left: %+v, %v", items, err)
	}
}

func TestOldDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := furnished(t, s)
		h.Deliver[outbox.Webhook] = deliver(func(context.Context, outbox.Item) dispatch.Result { return dispatch.Result{Done: true} })
		h.add(t, h.item(outbox.Webhook, "", "int_1", ""))
		stop := run(t, h.Service)
		h.ended(t, "int_1", all(isDone))
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		h.clock.Add(int64(dispatch.Keep + time.Minute))
		h.add(t, h.item(outbox.Webhook, "", "int_2", ""))
		run(t, h.Service)
		h.ended(t, "int_1", func(items []outbox.Item) bool { return len(items) == 0 })
		h.ended(t, "int_2", all(isDone))
	})
}

func (h *house) integrate(t *testing.T, id string, kind integration.Kind, enabled bool) {
	t.Helper()
	now := audit.Time(time.Now())
	i := integration.Integration{ID: id, TeamID: h.owner.Team.ID, Kind: kind, Name: id, Settings: json.RawMessage("{}"), Version: 1, Enabled: enabled, CreatedBy: h.owner.User.ID, CreatedAt: now}
	if err := h.store.InsertIntegration(t.Context(), i, 50, audit.Event{Time: now, Type: "integration.created"}); err != nil {
		t.Fatalf("insert integration: %v", err)
	}
}

func (h *house) open(t *testing.T) approval.Approval {
	t.Helper()
	g := storetest.Gateway(t, h.store, h.owner, "bot")
	now := audit.Time(time.Now())
	a := approval.Approval{
		ID: "apr_1", TeamID: h.owner.Team.ID, GatewayID: g.ID, GatewayName: g.Name, Fingerprint: strings.Repeat("a", 64),
		Sentence: "merge it", Method: "PUT", URL: "https://api.github.com/", Status: approval.Pending, CreatedAt: now, ExpiresAt: now.Add(time.Hour), TTL: time.Hour, Seq: 1, Needs: 1,
	}
	got, _, err := h.store.OpenApproval(t.Context(), store.Asked{Approval: a}, func(store.Standing) (approval.Approval, []audit.Event, error) {
		return a, []audit.Event{{Time: now, Type: "approval.opened", Target: a.ID}}, nil
	})
	if err != nil {
		t.Fatalf("open approval: %v", err)
	}
	return got
}
