package approvals_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type fixture struct {
	*approvals.Service
	store *store.Store
	bus   *bus.Local
	clock *clock
	owner team.Viewer
	gw    fleet.Gateway
	url   string // of the database
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.EachURL(t, func(t *testing.T, url string) {
		s := storetest.OpenURL(t, url)
		f := fixture{url: url, store: s, bus: new(bus.Local), clock: &clock{now: audit.Time(time.Now())}}
		f.Service = &approvals.Service{Store: s, Bus: f.bus, Now: f.clock.Now, Log: slog.New(slog.DiscardHandler)}
		f.owner = storetest.Owner(t, s)
		f.gw = storetest.Gateway(t, s, f.owner, "deploy-bot")
		test(t, f)
	})
}

func question(fingerprint byte) wire.Ask {
	return wire.Ask{
		Fingerprint: strings.Repeat(string(fingerprint), 64), RequestID: "req_1", RunID: "run_1", Principal: "ana@laptop", RuleID: "rule_1",
		Reason: "Merges need a person.", Action: action.Action{Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.High, Resource: "acme/site#12"},
		Sentence: "merge acme/site#12", Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge",
		BodyDigest: strings.Repeat("0", 64), BodySize: 2,
	}
}

func (f fixture) ask(t *testing.T, fingerprint byte) approval.Approval {
	t.Helper()
	a, err := f.Ask(t.Context(), f.gw, question(fingerprint))
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return a
}

func (f fixture) decide(t *testing.T, id string, v approval.Verdict) approval.Approval {
	t.Helper()
	a, err := f.Decide(t.Context(), f.owner, id, approval.Decision{Channel: approval.Dashboard, Verdict: v})
	if err != nil {
		t.Fatalf("decide: %v", err)
	}
	return a
}

func (f fixture) events(t *testing.T, prefix string) (types []string) {
	t.Helper()
	chain, err := f.store.EventChain(t.Context(), f.owner.Team.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Verify(0, "", chain); err != nil {
		t.Error(err)
	}
	for _, e := range chain {
		ev, err := (audit.EventRow{Entry: e.Entry}).Event()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(ev.Type, prefix) {
			types = append(types, ev.Type)
		}
	}
	return types
}

func TestEightDecideAndOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.ask(t, 'a')
		people := make([]team.Viewer, 8)
		for i := range people {
			people[i] = storetest.Member(t, f.store, f.owner, fmt.Sprintf("Person %d", i), team.RoleMember)
		}
		got := make([]approval.Approval, len(people))
		errs := make([]error, len(people))
		var wg sync.WaitGroup
		for i, p := range people {
			wg.Go(func() {
				got[i], errs[i] = f.Decide(t.Context(), p, a.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Verdict(i%2 == 0)})
			})
		}
		wg.Wait()

		winner := -1
		for i, err := range errs {
			if err == nil {
				if winner >= 0 {
					t.Errorf("%s and %s both won", people[winner].User.Name, people[i].User.Name)
				}
				winner = i
			}
		}
		if winner < 0 {
			t.Fatal("nobody won")
		}
		for i, err := range errs {
			if i == winner {
				continue
			}
			if fault.Of(err) != fault.Conflict || !strings.Contains(fault.Message(err), people[winner].User.Name) {
				t.Errorf("%s: %v, want a conflict that names %s", people[i].User.Name, err, people[winner].User.Name)
			}
			if got[i].DecidedBy != people[winner].User.ID {
				t.Errorf("%s sees that %q decided, want %q", people[i].User.Name, got[i].DecidedBy, people[winner].User.ID)
			}
		}
		if types := f.events(t, "approval."); len(types) != 2 {
			t.Errorf("events %v, want the opening and one decision", types)
		}
	})
}

func TestAskMeetsWhatIsOpen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		first := f.ask(t, 'a')
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				a, err := f.Ask(t.Context(), f.gw, question('a'))
				if err != nil || a.ID != first.ID {
					t.Errorf("asked again: %s, %v, want %s", a.ID, err, first.ID)
				}
			})
		}
		wg.Wait()
		if other := f.ask(t, 'b'); other.ID == first.ID {
			t.Error("another request met the same approval")
		}
		f.decide(t, first.ID, approval.Grant)
		granted := f.ask(t, 'a')
		if granted.ID != first.ID || granted.Status != approval.Approved {
			t.Errorf("after the grant: %s %s, want %s approved", granted.ID, granted.Status, first.ID)
		}
		if _, err := f.Use(t.Context(), f.gw, first.ID, wire.Use{Fingerprint: first.Fingerprint, RequestID: "req_2"}); err != nil {
			t.Fatal(err)
		}
		if again := f.ask(t, 'a'); again.ID == first.ID {
			t.Error("a used grant was met again")
		}
	})
}

func TestManyWhoAskForTheFirstTimeMeet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ids := make([]string, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				a, err := f.Ask(t.Context(), f.gw, question('a'))
				if err != nil {
					t.Errorf("ask: %v", err)
				}
				ids[i] = a.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("two approvals for one request: %v", ids)
				break
			}
		}
	})
}

func TestGrantIsUsedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.ask(t, 'a')
		use := wire.Use{Fingerprint: a.Fingerprint, RequestID: "req_1"}
		if _, err := f.Use(t.Context(), f.gw, a.ID, use); fault.Of(err) != fault.Conflict {
			t.Errorf("before the grant: %v, want a conflict", err)
		}
		f.decide(t, a.ID, approval.Grant)
		if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: strings.Repeat("b", 64)}); fault.Of(err) != fault.Conflict {
			t.Errorf("with another request: %v, want a conflict", err)
		}
		stranger := storetest.Gateway(t, f.store, f.owner, "other-bot")
		if _, err := f.Use(t.Context(), stranger, a.ID, use); fault.Of(err) != fault.NotFound {
			t.Errorf("by another gateway: %v, want not found", err)
		}
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = f.Use(t.Context(), f.gw, a.ID, use) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case fault.Of(err) != fault.Conflict:
				t.Errorf("use: %v, want a conflict", err)
			}
		}
		if won != 1 {
			t.Errorf("the grant was used %d times", won)
		}
	})
}

func TestTimeAloneEndsAnApproval(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		pending, granted := f.ask(t, 'a'), f.ask(t, 'b')
		f.decide(t, granted.ID, approval.Grant)
		f.clock.Add(pending.TTL)

		list, _, err := f.List(t.Context(), f.owner.Team.ID, approvals.Filter{Status: []approval.Status{approval.Pending}}, approvals.Cursor{}, 10)
		if err != nil || len(list) != 0 {
			t.Errorf("still listed as pending: %v, %v", list, err)
		}
		if n, err := f.PendingCount(t.Context(), f.owner.Team.ID); n != 0 || err != nil {
			t.Errorf("%d pending, %v; want none", n, err)
		}
		got, err := f.Decide(t.Context(), f.owner, pending.ID, approval.Decision{Channel: approval.CLI, Verdict: approval.Grant})
		if fault.Of(err) != fault.Expired || got.Status != approval.Expired {
			t.Errorf("late decision: %s, %v; want expired", got.Status, err)
		}
		if _, err := f.Use(t.Context(), f.gw, granted.ID, wire.Use{Fingerprint: granted.Fingerprint}); fault.Of(err) != fault.Expired {
			t.Errorf("late use: %v, want expired", err)
		}
		if a := f.ask(t, 'b'); a.ID == granted.ID || a.Status != approval.Pending {
			t.Errorf("asking again met %s, which has lapsed", a.Status)
		}
		if types := f.events(t, "approval."); fmt.Sprint(types) != "[approval.opened approval.opened approval.approved approval.expired approval.unused approval.opened]" {
			t.Errorf("events: %v", types)
		}
	})
}

func TestLapseEndsWhatIsDue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		due := f.ask(t, 'a')
		f.clock.Add(due.TTL / 2)
		later := f.ask(t, 'b')
		f.clock.Add(due.TTL / 2)
		rung, stop := f.bus.Subscribe(bus.Approval(due.ID))
		defer stop()
		if err := f.Lapse(t.Context()); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]approval.Status{due.ID: approval.Expired, later.ID: approval.Pending} {
			if a, err := f.store.Approval(t.Context(), id); err != nil || a.Status != want {
				t.Errorf("%s: %s, %v, want %s", id, a.Status, err, want)
			}
		}
		select {
		case <-rung:
		default:
			t.Error("nobody was told")
		}
	})
}

func TestWhoMayDecide(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.ask(t, 'a')
		reader := storetest.Member(t, f.store, f.owner, "Reader", team.RoleViewer)
		demoted := reader
		demoted.Role = team.RoleMember // what they were when they signed in
		gone := f.owner
		gone.User.ID = "usr_gone"
		for name, v := range map[string]team.Viewer{"a viewer": reader, "somebody demoted since": demoted, "somebody who left": gone, "nobody": {}} {
			if _, err := f.Decide(t.Context(), v, a.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Grant}); fault.Of(err) != fault.Forbidden {
				t.Errorf("%s: %v, want forbidden", name, err)
			}
		}
		stranger := storetest.Owner(t, f.store)
		if _, err := f.Decide(t.Context(), stranger, a.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Grant}); fault.Of(err) != fault.NotFound {
			t.Errorf("another team: %v, want not found", err)
		}
		if _, err := f.Get(t.Context(), stranger.Team.ID, a.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team looks: %v, want not found", err)
		}
		if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.Status != approval.Pending {
			t.Errorf("afterwards: %s, %v, want pending", got.Status, err)
		}
	})
}

func TestKillCancelsAndRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		pending, granted := f.ask(t, 'a'), f.ask(t, 'b')
		f.decide(t, granted.ID, approval.Grant)
		other := storetest.Gateway(t, f.store, f.owner, "other-bot")
		spared, err := f.Ask(t.Context(), other, question('c'))
		if err != nil {
			t.Fatal(err)
		}
		k := &kills.Service{Store: f.store, Bus: f.bus, Now: f.clock.Now}
		if _, err := k.Pull(t.Context(), f.owner, kills.Scope{GatewayID: f.gw.ID, Connector: "github"}, "It runs wild."); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]approval.Status{pending.ID: approval.Cancelled, granted.ID: approval.Cancelled, spared.ID: approval.Pending} {
			if a, err := f.Get(t.Context(), f.owner.Team.ID, id); err != nil || a.Status != want {
				t.Errorf("%s: %s, %v, want %s", id, a.Status, err, want)
			}
		}
		if _, err := f.Ask(t.Context(), f.gw, question('d')); fault.Of(err) != fault.Forbidden || !errors.Is(err, approvals.ErrKilled) || !strings.Contains(fault.Message(err), "It runs wild.") {
			t.Errorf("ask: %v, want the kill switch", err)
		}
		elsewhere := question('e')
		elsewhere.Action.Connector = "stripe"
		if _, err := f.Ask(t.Context(), f.gw, elsewhere); err != nil {
			t.Errorf("ask about another connector: %v", err)
		}
		if got, err := f.Decide(t.Context(), f.owner, pending.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Grant}); fault.Of(err) != fault.Conflict || got.Status != approval.Cancelled {
			t.Errorf("decide: %s, %v, want a conflict", got.Status, err)
		}
		if types := f.events(t, "approval.cancelled"); len(types) != 2 {
			t.Errorf("%d cancelled, want 2", len(types))
		}
	})
}

func TestRevokedGatewayIsShutOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.ask(t, 'a')
		waiting := make(chan error, 1)
		subscribed := &signalling{Bus: f.bus, on: make(chan struct{}, 10)}
		waiter := *f.Service
		waiter.Bus = subscribed
		go func() {
			_, err := waiter.Wait(t.Context(), f.gw, a.ID, a.Seq, time.Minute)
			waiting <- err
		}()
		<-subscribed.on
		<-subscribed.on
		if err := f.store.RevokeGateway(t.Context(), f.gw, "The gateway was revoked.", audit.Event{Time: f.clock.Now(), Type: "gateway.revoked", Actor: f.owner.Actor()}); err != nil {
			t.Fatal(err)
		}
		f.bus.Publish(t.Context(), bus.Gateways(f.gw.TeamID))
		select {
		case err := <-waiting:
			if fault.Of(err) != fault.Forbidden {
				t.Errorf("wait: %v, want forbidden", err)
			}
		case <-time.After(bus.Interval / 2):
			t.Error("the poll of a revoked gateway stays open")
		}
		if _, err := f.Ask(t.Context(), f.gw, question('b')); fault.Of(err) != fault.Forbidden || errors.Is(err, approvals.ErrKilled) {
			t.Errorf("ask: %v, want forbidden", err)
		}
		if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.Status != approval.Cancelled {
			t.Errorf("its approval: %s, %v, want cancelled", got.Status, err)
		}
	})
}

// signalling tells when somebody has subscribed.
type signalling struct {
	bus.Bus
	on chan struct{}
}

func (s *signalling) Subscribe(topic string) (<-chan struct{}, func()) {
	rung, stop := s.Bus.Subscribe(topic)
	s.on <- struct{}{}
	return rung, stop
}

func TestWaitHearsOfTheDecision(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.ask(t, 'a')
		if got, err := f.Wait(t.Context(), f.gw, a.ID, 0, time.Minute); err != nil || got.Seq != a.Seq {
			t.Errorf("from the beginning: %d, %v, want %d at once", got.Seq, err, a.Seq)
		}
		if got, err := f.Wait(t.Context(), f.gw, a.ID, a.Seq, 0); err != nil || got.Status != approval.Pending {
			t.Errorf("without waiting: %s, %v", got.Status, err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if got, err := f.Wait(ended, f.gw, a.ID, a.Seq, time.Minute); err != nil || got.Status != approval.Pending {
			t.Errorf("after the end: %s, %v", got.Status, err)
		}
		stranger := storetest.Gateway(t, f.store, f.owner, "other-bot")
		if _, err := f.Wait(t.Context(), stranger, a.ID, 0, 0); fault.Of(err) != fault.NotFound {
			t.Errorf("another gateway: %v, want not found", err)
		}
		heard := make(chan approval.Approval, 1)
		subscribed := &signalling{Bus: f.bus, on: make(chan struct{}, 10)}
		waiter := *f.Service
		waiter.Bus = subscribed
		go func() {
			got, err := waiter.Wait(t.Context(), f.gw, a.ID, a.Seq, time.Minute)
			if err != nil {
				t.Errorf("wait: %v", err)
			}
			heard <- got
		}()
		<-subscribed.on
		f.decide(t, a.ID, approval.Grant)
		select {
		case got := <-heard:
			if got.Status != approval.Approved || got.DeciderName != f.owner.User.Name {
				t.Errorf("heard %s by %q", got.Status, got.DeciderName)
			}
		case <-time.After(bus.Interval / 2):
			t.Error("whoever waits did not hear of the decision")
		}
	})
}
