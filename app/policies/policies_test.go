package policies_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

type fixture struct {
	*policies.Service
	store *store.Store
	owner team.Viewer
	rings *bus.Local
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		f := fixture{store: s, owner: storetest.Owner(t, s), rings: new(bus.Local)}
		f.Service = &policies.Service{Store: s, Known: policies.Types{Store: s}, Bus: f.rings, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		test(t, f)
	})
}

// text is a document that denies one action, and tests that it does.
func text(name, action string) string {
	return fmt.Sprintf(`# Nobody does this.
name: %s
scope:
  gateways: [deploy-*]
rules:
  - name: never
    conditions:
      - {field: action, operator: equals, value: %s}
    decision: deny
    reason: Ask for it.
tests:
  - name: it is denied
    action: {action: %s, service: github, resource: acme/site}
    expect: deny
    rule: never
`, name, action, action)
}

func draft(name string) policies.Draft {
	return policies.Draft{Document: text(name, "github.repo.delete"), Enabled: true, Priority: 20, Message: "It happened."}
}

func (f fixture) save(t *testing.T, d policies.Draft) fleet.Policy {
	t.Helper()
	p, err := f.Save(t.Context(), f.owner, d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// events are those about policies, oldest first, with what they say.
func (f fixture) events(t *testing.T) []audit.Event {
	t.Helper()
	rows, err := f.store.Events(t.Context(), f.owner.Team.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var out []audit.Event
	for i := len(rows) - 1; i >= 0; i-- {
		e, err := rows[i].Event()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(e.Type, "policy.") {
			out = append(out, e)
		}
	}
	return out
}

func types(events []audit.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, strings.TrimPrefix(e.Type, "policy."))
	}
	return strings.Join(out, " ")
}

func (f fixture) revision(t *testing.T) int64 {
	t.Helper()
	n, err := f.store.Revision(t.Context(), f.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantKind(t *testing.T, what string, err error, kind fault.Kind, says string) {
	t.Helper()
	if fault.Of(err) != kind || !strings.Contains(fault.Message(err), says) {
		t.Errorf("%s: %v, want %v with %q", what, err, kind, says)
	}
}

func TestASavedPolicyIsThereWithItsVersionAndItsEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		rung, stop := f.rings.Subscribe(bus.Config(f.owner.Team.ID))
		defer stop()
		before := f.revision(t)
		p := f.save(t, draft("no-deletions"))
		select {
		case <-rung:
		default:
			t.Error("nobody was told")
		}
		if f.revision(t) != before+1 {
			t.Errorf("the revision went from %d to %d", before, f.revision(t))
		}
		if p.Name != "no-deletions" || p.Version != 1 || !p.Enabled || p.ReportOnly || p.Priority != 20 || !strings.HasPrefix(p.ID, "pol_") {
			t.Errorf("saved %+v", p)
		}
		got, err := f.Find(t.Context(), f.owner.Team.ID, "no-deletions")
		if diff := cmp.Diff(p, got); diff != "" || err != nil {
			t.Errorf("%v; -saved +found\n%s", err, diff)
		}
		compiled, err := got.Policy()
		if err != nil || compiled.ID != p.ID || compiled.Version != 1 || compiled.Clauses[0].Name != "never" || compiled.Clauses[0].Effect != policy.Deny {
			t.Errorf("compiled %+v, %v", compiled, err)
		}
		v, err := f.Version(t.Context(), f.owner.Team.ID, p.ID, 1)
		want := fleet.PolicyVersion{
			PolicyID: p.ID, Version: 1, TeamID: f.owner.Team.ID, Enabled: true, Priority: 20, Document: p.Document,
			AuthorID: f.owner.User.ID, AuthorName: f.owner.User.Name, Message: "It happened.", CreatedAt: p.UpdatedAt,
		}
		if diff := cmp.Diff(want, v); diff != "" || err != nil {
			t.Errorf("%v; -want +got\n%s", err, diff)
		}
		e := f.events(t)
		if len(e) != 1 || e[0].Type != "policy.created" || e[0].Target != p.ID || e[0].Name != p.Name || e[0].Actor.ID != f.owner.User.ID ||
			e[0].Detail["version"] != "1" || e[0].Detail["message"] != "It happened." || e[0].Detail["enabled"] != "true" {
			t.Errorf("events: %+v", e)
		}
	})
}

func TestSavingTheSameAgainChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		p := f.save(t, draft("no-deletions"))
		before := f.revision(t)
		same := draft("no-deletions")
		same.ID, same.Base, same.Message = p.ID, 1, "another message"
		if diff := cmp.Diff(p, f.save(t, same)); diff != "" || f.revision(t) != before || len(f.events(t)) != 1 {
			t.Errorf("revision %d after %d; -before +after\n%s", f.revision(t), before, diff)
		}
		got, err := f.Set(t.Context(), f.owner, p.ID, 1, policies.Counts{Enabled: true, Priority: 20}, "")
		if diff := cmp.Diff(p, got); diff != "" || err != nil || f.revision(t) != before {
			t.Errorf("set: %v, revision %d after %d; -before +after\n%s", err, f.revision(t), before, diff)
		}
	})
}

func TestEveryChangeIsAVersionAndAnEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		ctx, team := t.Context(), f.owner.Team.ID
		p := f.save(t, draft("first"))
		d := draft("second")
		d.ID, d.Base = p.ID, 1
		second := f.save(t, d)
		set := func(base int64, c policies.Counts) fleet.Policy {
			t.Helper()
			p, err := f.Set(ctx, f.owner, p.ID, base, c, "because")
			if err != nil || p.Version != base+1 || p.Enabled != c.Enabled || p.ReportOnly != c.ReportOnly || p.Document != d.Document {
				t.Fatalf("set %+v: %+v, %v", c, p, err)
			}
			return p
		}
		set(2, policies.Counts{Priority: 20})
		set(3, policies.Counts{Enabled: true, Priority: 20})
		if got := set(4, policies.Counts{Enabled: true, ReportOnly: true}); got.Priority != policy.DefaultPriority {
			t.Errorf("priority %d, want the usual one", got.Priority)
		}
		back, err := f.Revert(ctx, f.owner, p.ID, 5, 1, "It was better.")
		if err != nil {
			t.Fatal(err)
		}
		if back.Version != 6 || back.Name != "first" || back.Document != p.Document || back.ReportOnly || !back.Enabled || back.Priority != 20 || second.Name != "second" {
			t.Errorf("after going back: %+v", back)
		}
		events := f.events(t)
		if got := types(events); got != "created updated disabled enabled changed reverted" {
			t.Errorf("events: %s", got)
		}
		if events[1].Detail["renamed_from"] != "first" || events[5].Detail["reverts_to"] != "1" || events[4].Detail["report_only"] != "true" {
			t.Errorf("details: %v, %v, %v", events[1].Detail, events[4].Detail, events[5].Detail)
		}
		versions, err := f.Versions(ctx, team, p.ID)
		if err != nil || len(versions) != 6 || versions[0].Version != 6 || versions[0].Reverts != 1 || versions[1].Reverts != 0 || versions[1].Message != "because" {
			t.Errorf("versions: %+v, %v", versions, err)
		}
		if err := f.Delete(ctx, f.owner, p.ID, 6); err != nil {
			t.Fatal(err)
		}
		if versions, err = f.Versions(ctx, team, p.ID); len(versions) != 6 || err != nil {
			t.Errorf("%d versions of what was deleted, %v, want them all", len(versions), err)
		}
		if all, err := f.List(ctx, team); len(all) != 0 || err != nil {
			t.Errorf("listed: %v, %v", all, err)
		}
		if got := types(f.events(t)); !strings.HasSuffix(got, " deleted") {
			t.Errorf("events: %s", got)
		}
		f.save(t, draft("first"))
		chain, err := f.store.EventChain(ctx, team, 0, 1000)
		if err != nil || audit.Verify(0, "", chain) != nil {
			t.Errorf("the chain: %v, %v", err, audit.Verify(0, "", chain))
		}
	})
}
