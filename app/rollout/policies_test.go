package rollout_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/rollout"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// taken is the snapshot that a gateway gets now.
func taken(t *testing.T, s *rollout.Service, gw fleet.Gateway) wire.Snapshot {
	t.Helper()
	a, err := s.Snapshot(t.Context(), gw, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var snap wire.Snapshot
	if err := json.Unmarshal(a.Snapshot.Payload, &snap); err != nil {
		t.Fatal(err)
	}
	return snap
}

// row is a policy as stored. What it says of itself as compiled is not what
// counts.
func row(t *testing.T, name string, p policy.Policy) fleet.Policy {
	t.Helper()
	p.ID, p.Name, p.Version, p.Priority, p.ReportOnly = "pol_other", "other", 99, 1, true
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return fleet.Policy{ID: "pol_" + name, TeamID: "team_1", Name: name, Enabled: true, Priority: 50, Version: 3, Compiled: string(b)}
}

func clause(a policy.Approvers) policy.Clause {
	main := "main"
	return policy.Clause{
		Name: "c", Effect: policy.RequireApproval, Approvers: a, TTL: time.Hour, Line: 7,
		If: &policy.Expr{Op: policy.Equals, Args: []policy.Expr{{Field: "params.base"}, {Value: &policy.Const{Text: &main}}}, Line: 9, Column: 5},
	}
}

func TestASnapshotBringsThePoliciesThatConcernItsGateway(t *testing.T) {
	t.Parallel()

	s, m := service(t, new(bus.Local))
	mine := policy.Policy{Scope: policy.Scope{Gateways: []string{"deploy-*"}, Environments: []string{"prod"}}, Clauses: []policy.Clause{clause(policy.Approvers{})}}
	all := policy.Policy{Clauses: mine.Clauses}
	other := policy.Policy{Scope: policy.Scope{Gateways: []string{"lab-*"}}, Clauses: mine.Clauses}
	elsewhere := policy.Policy{Scope: policy.Scope{Environments: []string{"staging"}}, Clauses: mine.Clauses}
	m.change(func(c *store.Configuration) {
		c.Gateway.Name, c.Gateway.Environment = "deploy-bot", "prod"
		c.Policies = []fleet.Policy{row(t, "mine", mine), row(t, "other", other), row(t, "elsewhere", elsewhere), row(t, "all", all)}
	})
	want := []policy.Policy{
		{ID: "pol_mine", Name: "mine", Version: 3, Priority: 50, Scope: mine.Scope, Clauses: mine.Clauses},
		{ID: "pol_all", Name: "all", Version: 3, Priority: 50, Clauses: all.Clauses},
	}
	if diff := cmp.Diff(want, taken(t, s, m.conf.Gateway).Policies); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	m.change(func(c *store.Configuration) { c.Gateway.Environment = "staging" })
	if got := taken(t, s, m.conf.Gateway).Policies; len(got) != 2 || got[0].ID != "pol_elsewhere" || got[1].ID != "pol_all" {
		t.Errorf("in another environment: %+v", got)
	}
}

// A gateway that knows nothing of what would make it stricter must not go on
// without.
func TestASnapshotSaysWhatHasToBeKnown(t *testing.T) {
	t.Parallel()

	limited := fleet.Rule{ID: "rule_1", ConnectorID: "con_1", Pattern: "*", When: policy.Limits{"ref": {"main"}}, Effect: policy.Allow, HoldMS: -1}
	open := fleet.Rule{ID: "rule_2", ConnectorID: "con_1", Pattern: "*", Effect: policy.Allow, HoldMS: -1}
	asks := fleet.Rule{ID: "rule_3", ConnectorID: "con_1", Pattern: "*", Effect: policy.RequireApproval, HoldMS: -1, Approvers: policy.Approvers{Role: "admin"}}
	with := func(a policy.Approvers) []fleet.Policy {
		return []fleet.Policy{row(t, "p", policy.Policy{Clauses: []policy.Clause{clause(policy.Approvers{}), clause(a)}})}
	}
	for name, tt := range map[string]struct {
		rules    []fleet.Rule
		policies []fleet.Policy
		want     []string
	}{
		"nothing":             {[]fleet.Rule{open}, nil, nil},
		"limits":              {[]fleet.Rule{open, limited}, nil, []string{wire.KnowsLimits}},
		"policies":            {nil, with(policy.Approvers{}), []string{wire.KnowsPolicies}},
		"a role":              {nil, with(policy.Approvers{Role: "admin"}), []string{wire.KnowsPolicies, wire.KnowsApprovers}},
		"several, and limits": {[]fleet.Rule{limited}, with(policy.Approvers{Count: 2}), []string{wire.KnowsLimits, wire.KnowsPolicies, wire.KnowsApprovers}},
		"a rule that asks":    {[]fleet.Rule{open, asks}, nil, []string{wire.KnowsTerms}},
		"a group":             {nil, with(policy.Approvers{Group: "ops"}), []string{wire.KnowsPolicies, wire.KnowsApprovers, wire.KnowsTerms}},
		"not oneself":         {nil, with(policy.Approvers{NotSelf: true}), []string{wire.KnowsPolicies, wire.KnowsApprovers, wire.KnowsTerms}},
		"a proof":             {nil, with(policy.Approvers{StepUp: true}), []string{wire.KnowsPolicies, wire.KnowsApprovers, wire.KnowsTerms}},
	} {
		s, m := service(t, new(bus.Local))
		m.change(func(c *store.Configuration) {
			c.Connectors = []fleet.Connector{{ID: "con_1", Type: "github", Name: "github"}}
			c.Rules, c.Policies = tt.rules, tt.policies
		})
		if diff := cmp.Diff(tt.want, taken(t, s, m.conf.Gateway).Requires); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// More would pass without it, so the gateway keeps what it has; but a kill
// switch gets through.
func TestAPolicyThatCannotBeReadIsNotLeftOut(t *testing.T) {
	t.Parallel()

	for name, compiled := range map[string]string{
		"no JSON":          `{"rules":[`,
		"nothing":          ``,
		"another thing":    `[]`,
		"without rules":    `{}`,
		"an odd decision":  `{"rules":[{"name":"c","decision":"perhaps"}]}`,
		"rules of no kind": `{"rules":7}`,
	} {
		s, m := service(t, new(bus.Local))
		var log bytes.Buffer
		s.Log = slog.New(slog.NewTextHandler(&log, nil))
		m.change(func(c *store.Configuration) {
			c.Policies = []fleet.Policy{row(t, "good", policy.Policy{Clauses: []policy.Clause{clause(policy.Approvers{})}}), {ID: "pol_bad", Name: "bad", Compiled: compiled}}
			c.Kills = []fleet.Kill{{ID: "kill_1", Reason: "fire"}}
		})
		snap := taken(t, s, m.conf.Gateway)
		if !slices.Contains(snap.Requires, wire.Unreadable) || len(snap.Kills) != 1 || !strings.Contains(log.String(), "pol_bad") {
			t.Errorf("%s: requires %q, kills %v, logged %s", name, snap.Requires, snap.Kills, log.String())
		}
	}
}

// What is saved is what the gateway gets, as soon as it is saved.
func TestSavedPoliciesReachTheirGateway(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		rings := new(bus.Local)
		s, m := service(t, rings)
		s.Store = st
		v := storetest.Owner(t, st)
		gw := storetest.Gateway(t, st, v, "deploy-bot")
		gw.SealKey = m.conf.Gateway.SealKey
		if err := st.EnrolGateway(t.Context(), gw, audit.Event{Time: time.Now(), Type: "gateway.enrolled"}); err != nil {
			t.Fatal(err)
		}
		house := &policies.Service{Store: st, Known: policies.Types{Store: st}, Bus: rings, Now: time.Now, Log: s.Log}
		before := taken(t, s, gw)

		saved := save(t, house, v, "", 0, true)
		now := taken(t, s, gw)
		if len(before.Policies) != 0 || len(now.Policies) != 1 || now.Policies[0].ID != saved.ID || now.Policies[0].Version != 1 || now.Version <= before.Version {
			t.Fatalf("before %+v, now version %d with %+v", before.Policies, now.Version, now.Policies)
		}
		off := save(t, house, v, saved.ID, 1, false)
		if now = taken(t, s, gw); len(now.Policies) != 0 || off.Version != 2 || now.Requires != nil {
			t.Errorf("after it was disabled: %+v, requires %v", now.Policies, now.Requires)
		}
	})
}

func save(t *testing.T, house *policies.Service, v team.Viewer, id string, base int64, enabled bool) fleet.Policy {
	t.Helper()
	p, err := house.Save(t.Context(), v, policies.Draft{ID: id, Base: base, Enabled: enabled, Document: `
name: protect-main
scope:
  gateways: [deploy-*]
rules:
  - name: no-deletions
    conditions:
      - {field: action, operator: equals, value: github.repo.delete}
    decision: deny
`})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
