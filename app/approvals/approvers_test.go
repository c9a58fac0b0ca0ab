package approvals_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

func (f fixture) askFor(t *testing.T, fingerprint byte, who policy.Approvers) approval.Approval {
	t.Helper()
	q := question(fingerprint)
	q.Approvers = who
	a, err := f.Ask(t.Context(), f.gw, q)
	if err != nil {
		t.Fatalf("ask: %v", err)
	}
	return a
}

func (f fixture) vote(t *testing.T, v team.Viewer, id string, verdict approval.Verdict) (approval.Approval, error) {
	t.Helper()
	return f.Decide(t.Context(), v, id, approval.Decision{Channel: approval.Dashboard, Verdict: verdict})
}

// demote makes v a member, as an owner might.
func (f fixture) demote(t *testing.T, v team.Viewer) {
	t.Helper()
	f.change(t, "UPDATE memberships SET role = 'member' WHERE user_id = '"+v.User.ID+"'")
}

// change does what the store has no method for.
func (f fixture) change(t *testing.T, statement string) {
	t.Helper()
	driver, at := "pgx", f.url
	if path, lite := strings.CutPrefix(f.url, "sqlite:"); lite {
		driver, at = "sqlite", path
	}
	db, err := sql.Open(driver, at)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestEightAgreeAndTwoCount(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.askFor(t, 'a', policy.Approvers{Count: 2})
		people := make([]team.Viewer, 8)
		for i := range people {
			people[i] = storetest.Member(t, f.store, f.owner, fmt.Sprintf("Person %d", i), team.RoleMember)
		}
		got := make([]approval.Approval, len(people))
		errs := make([]error, len(people))
		var wg sync.WaitGroup
		for i, p := range people {
			wg.Go(func() { got[i], errs[i] = f.vote(t, p, a.ID, approval.Grant) })
		}
		wg.Wait()

		var counted []string
		granted := 0
		for i, err := range errs {
			switch {
			case err == nil:
				counted = append(counted, people[i].User.ID)
				if got[i].Status == approval.Approved {
					granted++
				}
			case fault.Of(err) != fault.Conflict || got[i].Status != approval.Approved:
				t.Errorf("%s: %s, %v, want a conflict", people[i].User.Name, got[i].Status, err)
			}
		}
		if len(counted) != 2 || granted != 1 {
			t.Fatalf("%d votes and %d grants, want 2 and 1", len(counted), granted)
		}
		end, err := f.Get(t.Context(), f.owner.Team.ID, a.ID)
		if err != nil || end.Status != approval.Approved || len(end.Agreed) != 2 {
			t.Fatalf("in the end: %+v, %v", end, err)
		}
		for _, v := range end.Agreed {
			if !slices.Contains(counted, v.ID) || v.At.IsZero() || v.Channel != approval.Dashboard {
				t.Errorf("a vote of %+v", v)
			}
		}
		if types := f.events(t, "approval."); fmt.Sprint(types) != "[approval.opened approval.agreed approval.approved]" {
			t.Errorf("events: %v", types)
		}
		if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint}); err != nil {
			t.Errorf("use: %v", err)
		}
	})
}

func TestAgreementWaitsForTheOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ana := storetest.Member(t, f.store, f.owner, "Ana", team.RoleAdmin)
		mia := storetest.Member(t, f.store, f.owner, "Mia", team.RoleMember)
		a := f.askFor(t, 'a', policy.Approvers{Role: "admin", Count: 2})
		if a.NeedsRole != team.RoleAdmin || a.Needs != 2 {
			t.Fatalf("asked for %s and %d", a.NeedsRole, a.Needs)
		}
		if _, err := f.vote(t, mia, a.ID, approval.Grant); fault.Of(err) != fault.Forbidden || !strings.Contains(fault.Message(err), "2 admins or owners") {
			t.Errorf("a member: %v, want forbidden", err)
		}
		once, err := f.vote(t, ana, a.ID, approval.Grant)
		if err != nil || once.Status != approval.Pending || once.Progress() != "1 of 2 agreed: Ana." {
			t.Fatalf("the first: %s %q, %v", once.Status, once.Progress(), err)
		}
		if again, err := f.vote(t, ana, a.ID, approval.Grant); fault.Of(err) != fault.Conflict || again.Status != approval.Pending || len(again.Agreed) != 1 {
			t.Errorf("the same again: %s with %d votes, %v, want a conflict", again.Status, len(again.Agreed), err)
		}
		if _, err := f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint}); fault.Of(err) != fault.Conflict {
			t.Errorf("use of half a grant: %v", err)
		}
		if joined := f.askFor(t, 'a', policy.Approvers{Role: "admin", Count: 2}); joined.ID != a.ID {
			t.Error("a retry did not meet what is half agreed")
		}
		both, err := f.vote(t, f.owner, a.ID, approval.Grant)
		if err != nil || both.Status != approval.Approved {
			t.Fatalf("the second: %s, %v", both.Status, err)
		}
		if got := f.events(t, "approval."); fmt.Sprint(got) != "[approval.opened approval.agreed approval.approved]" {
			t.Errorf("events: %v", got)
		}
	})
}

func TestADenialByAnybodySettlesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		mia := storetest.Member(t, f.store, f.owner, "Mia", team.RoleMember)
		a := f.askFor(t, 'a', policy.Approvers{Role: "owner", Count: 2})
		if _, err := f.vote(t, f.owner, a.ID, approval.Grant); err != nil {
			t.Fatal(err)
		}
		if got, err := f.vote(t, mia, a.ID, approval.Deny); err != nil || got.Status != approval.Denied || got.Deciders() != "Mia" {
			t.Errorf("denied: %s by %s, %v", got.Status, got.Deciders(), err)
		}
	})
}

// The roles that count are those of the moment in which the last one agrees.
func TestAVoteIsWorthWhatItsVoterIsNow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ana := storetest.Member(t, f.store, f.owner, "Ana", team.RoleAdmin)
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleAdmin)
		a := f.askFor(t, 'a', policy.Approvers{Role: "admin", Count: 2})
		if _, err := f.vote(t, ana, a.ID, approval.Grant); err != nil {
			t.Fatal(err)
		}
		f.demote(t, ana)
		next, err := f.vote(t, ben, a.ID, approval.Grant)
		if err != nil || next.Status != approval.Pending || next.Progress() != "1 of 2 agreed: Ben." {
			t.Fatalf("after Ana was demoted: %s %q, %v", next.Status, next.Progress(), err)
		}
		if _, err := f.vote(t, ana, a.ID, approval.Grant); fault.Of(err) != fault.Forbidden {
			t.Errorf("Ana again, with the role of before in hand: %v", err)
		}
		if end, err := f.vote(t, f.owner, a.ID, approval.Grant); err != nil || end.Status != approval.Approved || len(end.Agreed) != 2 {
			t.Errorf("the owner: %s, %v", end.Status, err)
		}
	})
}

// A grant is worth what those who gave it are when it is used.
func TestAGrantEndsWithTheRoleOfItsGiver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ana := storetest.Member(t, f.store, f.owner, "Ana", team.RoleAdmin)
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleAdmin)
		use := func(a approval.Approval) (approval.Approval, error) {
			return f.Use(t.Context(), f.gw, a.ID, wire.Use{Fingerprint: a.Fingerprint, RequestID: "req_1"})
		}
		grant := func(fingerprint byte, who policy.Approvers, voters ...team.Viewer) approval.Approval {
			t.Helper()
			a := f.askFor(t, fingerprint, who)
			for _, v := range voters {
				var err error
				if a, err = f.vote(t, v, a.ID, approval.Grant); err != nil {
					t.Fatal(err)
				}
			}
			if a.Status != approval.Approved {
				t.Fatalf("granted: %s", a.Status)
			}
			return a
		}
		cancelled := func(when string, a approval.Approval) {
			t.Helper()
			for range 2 { // and so it stays
				if _, err := use(a); fault.Of(err) != fault.Conflict {
					t.Errorf("%s: %v, want a conflict", when, err)
				}
			}
			if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.Status != approval.Cancelled || !strings.Contains(got.Note, "may not approve") {
				t.Errorf("%s: %s %q, %v", when, got.Status, got.Note, err)
			}
		}
		admins := grant('a', policy.Approvers{Role: "admin"}, ana)
		several := grant('b', policy.Approvers{Role: "admin", Count: 2}, ana, ben)
		anybody := grant('c', policy.Approvers{}, ana)
		left := grant('d', policy.Approvers{}, ana)
		others := grant('e', policy.Approvers{Role: "admin"}, ben)
		f.demote(t, ana)
		cancelled("demoted", admins)
		cancelled("one of two demoted", several)
		if got, err := use(anybody); err != nil || got.Status != approval.Executed {
			t.Errorf("a member's grant where members do: %s, %v", got.Status, err)
		}
		f.change(t, "UPDATE users SET disabled_at = '2026-01-01 00:00:00' WHERE id = '"+ana.User.ID+"'")
		cancelled("disabled", left)
		if got, err := use(others); err != nil || got.Status != approval.Executed {
			t.Errorf("somebody else's grant: %s, %v", got.Status, err)
		}
		ends := slices.DeleteFunc(f.events(t, "approval."), func(s string) bool { return s != "approval.cancelled" && s != "approval.executed" })
		if fmt.Sprint(ends) != "[approval.cancelled approval.cancelled approval.executed approval.cancelled approval.executed]" {
			t.Errorf("events: %v", ends)
		}
		gone := grant('f', policy.Approvers{}, ben)
		f.change(t, "DELETE FROM memberships WHERE user_id = '"+ben.User.ID+"'")
		cancelled("gone from the team", gone)
	})
}

func TestPartlyAgreedExpires(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		a := f.askFor(t, 'a', policy.Approvers{Count: 2})
		if _, err := f.vote(t, f.owner, a.ID, approval.Grant); err != nil {
			t.Fatal(err)
		}
		f.clock.Add(a.TTL)
		if err := f.Lapse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Get(t.Context(), f.owner.Team.ID, a.ID); err != nil || got.Status != approval.Expired || len(got.Agreed) != 1 {
			t.Errorf("%s with %d votes, %v", got.Status, len(got.Agreed), err)
		}
	})
}

func TestAGatewayHearsOnlyOfTheLastVote(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ben := storetest.Member(t, f.store, f.owner, "Ben", team.RoleMember)
		a := f.askFor(t, 'a', policy.Approvers{Count: 2})
		heard := make(chan approval.Approval, 1)
		subscribed := &signalling{Bus: f.bus, on: make(chan struct{}, 10)}
		waiter := *f.Service
		waiter.Bus = subscribed
		go func() {
			got, err := waiter.Wait(t.Context(), f.gw, a.ID, a.Heard(), time.Minute)
			if err != nil {
				t.Errorf("wait: %v", err)
			}
			heard <- got
		}()
		<-subscribed.on
		<-subscribed.on
		if _, err := f.vote(t, f.owner, a.ID, approval.Grant); err != nil {
			t.Fatal(err)
		}
		// A poll that begins after the vote has nothing to tell either.
		if got, err := f.Wait(t.Context(), f.gw, a.ID, 1, 0); err != nil || got.Heard() != 1 || got.Status != approval.Pending {
			t.Errorf("after one vote: %s at %d, %v", got.Status, got.Heard(), err)
		}
		select {
		case got := <-heard:
			t.Fatalf("the gateway heard of %s with %d votes", got.Status, len(got.Agreed))
		default:
		}
		if _, err := f.vote(t, ben, a.ID, approval.Grant); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-heard:
			if got.Status != approval.Approved {
				t.Errorf("heard of %s", got.Status)
			}
		case <-time.After(bus.Interval / 2):
			t.Error("whoever waits did not hear of the last vote")
		}
	})
}

func TestApproversThatCannotBe(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		for name, who := range map[string]policy.Approvers{
			"a role that there is not": {Role: "auditor"}, "one that may not decide": {Role: "viewer"},
			"fewer than none": {Count: -1}, "more than there may be": {Count: policy.MaxApprovers + 1},
		} {
			q := question('a')
			q.Approvers = who
			if _, err := f.Ask(t.Context(), f.gw, q); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v, want invalid", name, err)
			}
		}
	})
}
