package store_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// policyStep is the nth version of a policy.
func policyStep(v team.Viewer, name string, n int64) store.PolicyStep {
	p := fleet.Policy{
		ID: "pol_" + v.Team.ID + name, TeamID: v.Team.ID, Name: name, Enabled: n%2 == 1, ReportOnly: n%2 == 0, Priority: int(100 + n), Version: n,
		Document: fmt.Sprintf("name: %s # %d\n", name, n), Compiled: `{"rules":[]}`, CreatedAt: now, UpdatedAt: now.Add(time.Duration(n) * time.Minute),
	}
	return store.PolicyStep{Policy: p, New: n == 1, Version: fleet.PolicyVersion{
		PolicyID: p.ID, Version: n, TeamID: p.TeamID, Enabled: p.Enabled, ReportOnly: p.ReportOnly, Priority: p.Priority, Document: p.Document,
		AuthorID: v.User.ID, AuthorName: v.User.Name, Message: "why", Reverts: n / 3, CreatedAt: p.UpdatedAt,
	}, Event: audit.Event{Time: now, Type: "policy.updated", Actor: v.Actor(), Target: p.ID, Name: name}}
}

// carry makes steps happen at the team's revision.
func carry(t *testing.T, s *store.Store, v team.Viewer, p store.Plan) error {
	t.Helper()
	var err error
	p.TeamID = v.Team.ID
	if p.Revision, err = s.Revision(t.Context(), v.Team.ID); err != nil {
		t.Fatal(err)
	}
	return s.Carry(t.Context(), p)
}

func putPolicies(t *testing.T, s *store.Store, v team.Viewer, steps ...store.PolicyStep) {
	t.Helper()
	for _, step := range steps {
		if err := carry(t, s, v, store.Plan{Policies: []store.PolicyStep{step}}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPolicyIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v, stranger := storetest.Owner(t, s), storetest.Owner(t, s)
		steps := []store.PolicyStep{policyStep(v, "main", 1), policyStep(v, "main", 2), policyStep(v, "main", 3)}
		putPolicies(t, s, v, steps...)
		before, err := s.Revision(t.Context(), v.Team.ID)
		if err != nil || before != 4 {
			t.Errorf("revision %d, %v, want 4", before, err)
		}
		for _, called := range []string{"main", steps[0].Policy.ID} {
			got, err := s.Policy(t.Context(), v.Team.ID, called)
			if diff := cmp.Diff(steps[2].Policy, got); diff != "" || err != nil {
				t.Errorf("%s: %v; -want +got\n%s", called, err, diff)
			}
		}
		versions, err := s.PolicyVersions(t.Context(), v.Team.ID, steps[0].Policy.ID)
		if diff := cmp.Diff([]fleet.PolicyVersion{steps[2].Version, steps[1].Version, steps[0].Version}, versions); diff != "" || err != nil {
			t.Errorf("versions: %v; -want +got\n%s", err, diff)
		}
		one, err := s.PolicyVersion(t.Context(), v.Team.ID, steps[0].Policy.ID, 2)
		if diff := cmp.Diff(steps[1].Version, one); diff != "" || err != nil {
			t.Errorf("version 2: %v; -want +got\n%s", err, diff)
		}
		_, err = s.PolicyVersion(t.Context(), v.Team.ID, steps[0].Policy.ID, 4)
		wantKind(t, err, fault.NotFound)

		_, err = s.Policy(t.Context(), stranger.Team.ID, steps[0].Policy.ID)
		wantKind(t, err, fault.NotFound)
		_, err = s.PolicyVersion(t.Context(), stranger.Team.ID, steps[0].Policy.ID, 1)
		wantKind(t, err, fault.NotFound)
		if all, err := s.PolicyVersions(t.Context(), stranger.Team.ID, steps[0].Policy.ID); len(all) != 0 || err != nil {
			t.Errorf("another team sees %v, %v", all, err)
		}
		theirs := policyStep(v, "main", 4)
		theirs.Policy.TeamID = stranger.Team.ID
		wantKind(t, carry(t, s, stranger, store.Plan{Policies: []store.PolicyStep{theirs}}), fault.Conflict)
	})
}

func TestPoliciesComeByPriorityAndGatewaysHearOfThoseThatAreEnabled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v, stranger := storetest.Owner(t, s), storetest.Owner(t, s)
		put := func(v team.Viewer, name string, priority int, enabled bool) {
			step := policyStep(v, name, 1)
			step.Policy.Priority, step.Policy.Enabled = priority, enabled
			putPolicies(t, s, v, step)
		}
		put(v, "b", 100, true)
		put(v, "a", 100, true)
		put(v, "off", 1, false)
		put(v, "z", 5, true)
		put(stranger, "b", 1, true)
		all, err := s.Policies(t.Context(), v.Team.ID)
		if got := names(all); got != "off z a b" || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		gw := storetest.Gateway(t, s, v, "bot")
		c, err := s.Configuration(t.Context(), v.Team.ID, gw.ID)
		if got := names(c.Policies); got != "z a b" || err != nil {
			t.Fatalf("%s, %v", got, err)
		}
		if p := c.Policies[0]; p.Compiled == "" || p.Document != "" || p.Version != 1 {
			t.Errorf("a gateway's: %+v", p)
		}
	})
}

func names(all []fleet.Policy) string {
	var out []string
	for _, p := range all {
		out = append(out, p.Name)
	}
	return strings.Join(out, " ")
}

func TestADeletedPolicyLeavesItsVersionsAndFreesItsName(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		first, second := policyStep(v, "main", 1), policyStep(v, "main", 2)
		putPolicies(t, s, v, first, second)
		wantKind(t, carry(t, s, v, store.Plan{ForgetPolicies: []store.PolicyStep{first}}), fault.Conflict) // there is a newer one
		again := policyStep(v, "main", 1)
		again.Policy.ID += "again"
		again.Version.PolicyID = again.Policy.ID
		wantKind(t, carry(t, s, v, store.Plan{Policies: []store.PolicyStep{again}}), fault.Conflict) // the name is taken
		if err := carry(t, s, v, store.Plan{ForgetPolicies: []store.PolicyStep{second}, Policies: []store.PolicyStep{again}}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Policy(t.Context(), v.Team.ID, "main"); got.ID != again.Policy.ID || err != nil {
			t.Errorf("%+v, %v", got, err)
		}
		if all, err := s.PolicyVersions(t.Context(), v.Team.ID, first.Policy.ID); len(all) != 2 || err != nil {
			t.Errorf("%d versions, %v, want 2", len(all), err)
		}
		if _, err := s.Policy(t.Context(), v.Team.ID, first.Policy.ID); fault.Of(err) != fault.NotFound {
			t.Errorf("the deleted one: %v", err)
		}
	})
}

// Whoever comes second changes nothing: neither policy, nor versions, nor the
// team's chain.
func TestOneOfManyMakesTheNextVersion(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		v := storetest.Owner(t, s)
		putPolicies(t, s, v, policyStep(v, "main", 1))
		events, err := s.Events(t.Context(), v.Team.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				step := policyStep(v, "main", 2)
				step.Policy.Document = fmt.Sprint("by ", i)
				step.Version.Document = step.Policy.Document
				for { // the swap is by the version, whatever the revision
					err := carry(t, s, v, store.Plan{Policies: []store.PolicyStep{step}})
					if err != nil && strings.Contains(fault.Message(err), "configuration") || fault.Of(err) == fault.Unavailable {
						continue
					}
					if err == nil {
						won.Add(1)
					} else if fault.Of(err) != fault.Conflict || !strings.Contains(fault.Message(err), "main") {
						t.Errorf("a loser: %v", err)
					}
					return
				}
			})
		}
		wg.Wait()
		after, err := s.Events(t.Context(), v.Team.ID, 0, 100)
		if won.Load() != 1 || len(after) != len(events)+1 || err != nil {
			t.Errorf("%d won and %d events, %v; want one of each", won.Load(), len(after)-len(events), err)
		}
		p, err := s.Policy(t.Context(), v.Team.ID, "main")
		if err != nil {
			t.Fatal(err)
		}
		version, err := s.PolicyVersion(t.Context(), v.Team.ID, p.ID, 2)
		if p.Document != version.Document || p.Version != 2 || err != nil {
			t.Errorf("the policy says %q and its version %q, %v", p.Document, version.Document, err)
		}
		chain, err := s.EventChain(t.Context(), v.Team.ID, 0, 1000)
		if err != nil || audit.Verify(0, "", chain) != nil {
			t.Errorf("the chain: %v, %v", err, audit.Verify(0, "", chain))
		}
	})
}
