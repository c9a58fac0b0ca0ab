package approvals_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// grantFor approves what is asked with that fingerprint for a while.
func (f fixture) grantFor(t *testing.T, v team.Viewer, fingerprint byte, d time.Duration) approval.Approval {
	t.Helper()
	a := f.ask(t, fingerprint)
	a, err := f.Decide(t.Context(), v, a.ID, approval.Decision{Verdict: approval.Grant, Channel: approval.Dashboard, For: d})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f fixture) use(t *testing.T, a approval.Approval) {
	t.Helper()
	if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint, RequestID: "req_1"}); err != nil {
		t.Fatalf("use: %v", err)
	}
}

func (f fixture) recorded(t *testing.T, prefix string) (es []audit.Event) {
	t.Helper()
	chain, err := f.store.EventChain(t.Context(), f.owner.Team.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range chain {
		ev, err := (audit.EventRow{Entry: e.Entry}).Event()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(ev.Type, prefix) {
			es = append(es, ev)
		}
	}
	return es
}

func TestTheSameRequestIsApprovedForAWhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		first := f.grantFor(t, f.owner, 'a', 15*time.Minute)
		f.use(t, first)
		f.clock.Add(10 * time.Minute)
		again := f.ask(t, 'a')
		if again.ID == first.ID || again.Status != approval.Approved || again.Repeats != first.ID || again.DecidedBy != f.owner.User.ID || again.Channel != approval.Dashboard {
			t.Fatalf("asked again: %+v, want approved because of the first", again)
		}
		if joined := f.ask(t, 'a'); joined.ID != again.ID {
			t.Error("a retry did not meet the grant that is open")
		}
		f.use(t, again)
		if _, err := f.Use(t.Context(), f.gw, again.ID, wire.Use{Fingerprint: again.Fingerprint}); fault.Of(err) != fault.Conflict {
			t.Errorf("used twice: %v", err)
		}
		if other := f.ask(t, 'b'); other.Status != approval.Pending {
			t.Errorf("a changed request: %s", other.Status)
		}
		es := f.recorded(t, "approval.")
		var types []string
		for _, e := range es {
			types = append(types, e.Type)
		}
		if fmt.Sprint(types) != "[approval.opened approval.approved approval.executed approval.opened approval.approved approval.executed approval.opened]" {
			t.Errorf("events: %v", types)
		}
		if es[1].Detail["repeat_until"] == "" || es[4].Detail["repeats"] != first.ID || es[4].Detail["decided_by"] != f.owner.User.ID || es[4].Actor.Kind != audit.BySystem || es[4].Detail["channel"] != "dashboard" {
			t.Errorf("recorded %+v and %+v", es[1], es[4])
		}
		f.events(t, "")
		f.clock.Add(5 * time.Minute)
		if late := f.ask(t, 'a'); late.Status != approval.Pending {
			t.Errorf("after its time: %s", late.Status)
		}
	})
}

// A grant that one of many gets is one for each request.
func TestManyWhoAskAgainMeet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		f.use(t, f.grantFor(t, f.owner, 'a', time.Hour))
		used := make(chan string, 8)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				a, err := f.Ask(t.Context(), f.gw, question('a'))
				if err != nil || a.Status != approval.Approved {
					t.Errorf("%s, %v", a.Status, err)
					return
				}
				if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint}); err == nil {
					used <- a.ID
				}
			})
		}
		wg.Wait()
		close(used)
		seen := map[string]bool{}
		for id := range used {
			if seen[id] {
				t.Errorf("%s was used twice", id)
			}
			seen[id] = true
		}
		if n := len(f.events(t, "approval.executed")); n != len(seen)+1 {
			t.Errorf("%d executed, and %d uses", n, len(seen)+1)
		}
	})
}

func TestWhatEndsARepeat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleMember)
		switches := &kills.Service{Store: f.store, Bus: f.bus, Now: f.clock.Now}
		again := func(when string, fingerprint byte, want approval.Status) {
			t.Helper()
			if a := f.ask(t, fingerprint); a.Status != want {
				t.Errorf("%s: %s, want %s", when, a.Status, want)
			}
		}
		ended := func(when string, want int) {
			t.Helper()
			if n := len(f.events(t, approval.RepeatEnded)); n != want {
				t.Errorf("%s: %d recorded as ended, want %d", when, n, want)
			}
		}

		byHand := f.grantFor(t, f.owner, 'a', time.Hour)
		f.use(t, byHand)
		if as, err := f.Repeating(t.Context(), f.owner.Team.ID); err != nil || len(as) != 1 || as[0].ID != byHand.ID {
			t.Errorf("standing: %v, %v", as, err)
		}
		if got, err := f.EndRepeat(t.Context(), ben, byHand.ID); err != nil || !got.RepeatUntil.IsZero() {
			t.Fatalf("end: %v", err)
		}
		if _, err := f.EndRepeat(t.Context(), ben, byHand.ID); fault.Of(err) != fault.Conflict {
			t.Errorf("end twice: %v", err)
		}
		if as, err := f.Repeating(t.Context(), f.owner.Team.ID); err != nil || len(as) != 0 {
			t.Errorf("standing after the end: %v, %v", as, err)
		}
		again("ended by hand", 'a', approval.Pending)
		ended("by hand", 1)

		f.use(t, f.grantFor(t, f.owner, 'b', time.Hour))
		open := f.grantFor(t, f.owner, 'c', time.Hour) // not used
		k, err := switches.Pull(t.Context(), f.owner, kills.Scope{Connector: "github"}, "Stop.")
		if err != nil {
			t.Fatal(err)
		}
		if err := switches.Lift(t.Context(), f.owner, k.ID); err != nil {
			t.Fatal(err)
		}
		again("after a kill", 'b', approval.Pending)
		again("after a kill of what was open", 'c', approval.Pending)
		if a, err := f.Get(t.Context(), f.owner.Team.ID, open.ID); err != nil || a.Status != approval.Cancelled || !a.RepeatUntil.IsZero() {
			t.Errorf("open when the kill came: %s until %v, %v", a.Status, a.RepeatUntil, err)
		}
		ended("a kill", 3)

		f.use(t, f.grantFor(t, f.owner, 'd', time.Hour))
		if _, err := switches.Pull(t.Context(), f.owner, kills.Scope{Connector: "stripe"}, "Stop."); err != nil {
			t.Fatal(err)
		}
		again("after a kill of something else", 'd', approval.Approved)

		// Ben approves for a while, is made a viewer, and somebody else denies.
		f.use(t, f.grantFor(t, ben, 'e', time.Hour))
		f.change(t, "UPDATE memberships SET role = 'viewer' WHERE user_id = '"+ben.User.ID+"'")
		asked := f.ask(t, 'e')
		if asked.Status != approval.Pending {
			t.Fatalf("after its giver lost their role: %s", asked.Status)
		}
		f.decide(t, asked.ID, approval.Deny)
		f.change(t, "UPDATE memberships SET role = 'member' WHERE user_id = '"+ben.User.ID+"'")
		f.clock.Add(approval.CoolDown)
		again("after a denial", 'e', approval.Pending)
		ended("a denial", 4)

		f.use(t, f.grantFor(t, f.owner, 'f', time.Hour))
		if err := f.store.RevokeGateway(t.Context(), f.gw, "The gateway was revoked.", audit.Event{Time: f.clock.Now(), Type: "gateway.revoked", Actor: f.owner.Actor()}); err != nil {
			t.Fatal(err)
		}
		if as, err := f.Repeating(t.Context(), f.owner.Team.ID); err != nil || len(as) != 0 {
			t.Errorf("standing after the gateway was revoked: %v, %v", as, err)
		}
		ended("a revoked gateway", 6) // d and f
	})
}

func TestWhoEndsARepeat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.grantFor(t, f.owner, 'a', time.Hour)
		reader := storetest.Member(t, f.store, f.owner, "Reader", team.RoleViewer)
		demoted := reader
		demoted.Role = team.RoleMember
		for name, v := range map[string]team.Viewer{"a viewer": reader, "somebody demoted since": demoted} {
			if _, err := f.EndRepeat(t.Context(), v, a.ID); fault.Of(err) != fault.Forbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := f.EndRepeat(t.Context(), storetest.Owner(t, f.store), a.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("another team: %v", err)
		}
		if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.RepeatUntil.IsZero() {
			t.Errorf("afterwards: %v, %v", got.RepeatUntil, err)
		}
	})
}

func TestADecisionThatCannotCountForSoLong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		critical := question('b')
		critical.Action.Risk = action.Critical
		several := question('c')
		several.Approvers = policy.Approvers{Count: 2}
		for name, tt := range map[string]struct {
			q    wire.Ask
			span time.Duration
		}{
			"too long": {question('a'), approval.MaxRepeat + time.Second}, "backwards": {question('a'), -time.Second},
			"critical": {critical, time.Minute}, "several people": {several, time.Minute},
		} {
			a, err := f.Ask(t.Context(), f.gw, tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Decide(t.Context(), f.owner, a.ID, approval.Decision{Verdict: approval.Grant, For: tt.span}); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v, want invalid", name, err)
			}
			if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.Status != approval.Pending || len(got.Agreed) != 0 {
				t.Errorf("%s: %s, %v", name, got.Status, err)
			}
		}
	})
}

// One decides for a while, others once or against it, and somebody pulls the
// kill switch: whatever comes first, nothing counts on after the kill.
func TestDecisionsAndAKillAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		people := make([]team.Viewer, 8)
		for i := range people {
			people[i] = storetest.Member(t, f.store, f.owner, fmt.Sprintf("Person %d", i), team.RoleMember)
		}
		switches := &kills.Service{Store: f.store, Bus: f.bus, Now: f.clock.Now}
		for round := range 4 {
			fingerprint := "abcd"[round]
			a := f.ask(t, fingerprint)
			two := f.askFor(t, "0123"[round], policy.Approvers{Count: 2})
			var wg sync.WaitGroup
			var won sync.Map
			for i, p := range people {
				wg.Go(func() {
					d := approval.Decision{Channel: approval.Dashboard, Verdict: approval.Verdict(i != 7), For: time.Duration(i%2) * time.Hour}
					if d.Verdict == approval.Deny {
						d.For = 0
					}
					if _, err := f.Decide(t.Context(), p, a.ID, d); err == nil {
						won.Store(i, true)
					} else if k := fault.Of(err); k != fault.Conflict && k != fault.Forbidden {
						t.Errorf("decide: %v", err)
					}
					if _, err := f.Decide(t.Context(), p, two.ID, approval.Decision{Channel: approval.CLI, Verdict: approval.Grant}); err != nil && fault.Of(err) != fault.Conflict && fault.Of(err) != fault.Forbidden {
						t.Errorf("vote: %v", err)
					}
				})
			}
			wg.Go(func() {
				k, err := switches.Pull(t.Context(), f.owner, kills.Scope{GatewayID: f.gw.ID}, "Stop.")
				if err != nil {
					t.Errorf("pull: %v", err)
					return
				}
				if as, err := f.Repeating(t.Context(), f.owner.Team.ID); err != nil || len(as) != 0 {
					t.Errorf("standing after the kill: %v, %v", as, err)
				}
				if err := switches.Lift(t.Context(), f.owner, k.ID); err != nil {
					t.Errorf("lift: %v", err)
				}
			})
			wg.Wait()
			n := 0
			won.Range(func(any, any) bool { n++; return true })
			if n > 1 {
				t.Errorf("%d won", n)
			}
			for _, id := range []string{a.ID, two.ID} {
				got, err := f.Get(t.Context(), f.owner.Team.ID, id)
				if err != nil {
					t.Fatal(err)
				}
				if id == a.ID && got.Status != approval.Cancelled && got.Status != approval.Denied {
					t.Errorf("in the end: %s", got.Status)
				}
				if id == two.ID && got.Status != approval.Cancelled {
					t.Errorf("two had to agree, and in the end: %s", got.Status)
				}
			}
		}
		f.events(t, "")
	})
}
