package proposals_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

type house struct {
	store     *store.Store
	owner     team.Viewer
	gateway   fleet.Gateway
	gateways  *gateways.Service
	proposals *proposals.Service
	seq       int64
}

func newHouse(t *testing.T, s *store.Store, github ...policy.Rule) *house {
	t.Helper()
	h := &house{store: s, owner: storetest.Owner(t, s)}
	h.gateway = storetest.Gateway(t, s, h.owner, "agent")
	h.gateways = &gateways.Service{Store: s, Bus: new(bus.Local), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	h.proposals = &proposals.Service{Store: s, Gateways: h.gateways, Now: func() time.Time { return now }}
	var rules []fleet.Rule
	for _, r := range github {
		rules = append(rules, fleet.NewRule(r, policy.NoPreset))
	}
	stripe, err := fleet.PresetRules(policy.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	err = h.gateways.Configure(t.Context(), h.owner, h.gateway.ID, []gateways.Connector{
		{Connector: fleet.Connector{Type: "github", Name: "github", AuthKind: "bearer"}, Rules: rules},
		{Connector: fleet.Connector{Type: "stripe", Name: "stripe", AuthKind: "bearer"}, Rules: stripe},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) record(t *testing.T, all ...action.Action) {
	t.Helper()
	h.recordAs(t, "allow", audit.Outcome, all...)
}

func (h *house) recordAs(t *testing.T, decision string, step audit.Step, all ...action.Action) {
	t.Helper()
	rows := make([]audit.Request, 0, len(all))
	for _, a := range all {
		h.seq++
		host := "api.github.com"
		if a.Connector == "" {
			host = "example.org"
		}
		rows = append(rows, audit.Request{
			ID: "req_" + h.gateway.ID + strconv.FormatInt(h.seq, 10), TeamID: h.owner.Team.ID, GatewayID: h.gateway.ID, Seq: h.seq,
			Time: now.Add(-time.Duration(h.seq) * time.Minute), Method: "POST", Scheme: "https", Host: host, Path: "/", Connector: a.Connector,
			Action: a.Name, Class: a.Class.String(), Risk: a.Risk.String(), Resource: a.Resource, Facts: audit.Facts(a),
			Decision: decision, Step: step, DecidedBy: "rule", Status: 200,
		})
	}
	if err := h.store.AppendTraffic(t.Context(), store.Upload{TeamID: h.owner.Team.ID, GatewayID: h.gateway.ID, Requests: rows}); err != nil {
		t.Fatal(err)
	}
}

func did(name string, class action.Class, resource string) action.Action {
	return action.Action{Connector: "github", Name: name, Class: class, Risk: action.Low, Resource: resource}
}

func rule(pattern string, effect policy.Effect) policy.Rule {
	return policy.Rule{Pattern: action.Pattern(pattern), Effect: effect}
}

// say writes rules as people read them.
func say(rules []fleet.Rule) []string {
	var all []string
	for _, r := range rules {
		all = append(all, fmt.Sprintf("%s %s [%s] %s", r.Effect, r.Pattern, r.When, r.Class))
	}
	return all
}

func TestAProposalCoversWhatWasSeenAndNothingElse(t *testing.T) {
	t.Parallel()

	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, rule("github.*", policy.Allow), rule("github.repo.delete", policy.Deny), rule("github.pr.merge", policy.RequireApproval))
		h.record(t,
			did("github.pr.get", action.Read, "acme/site#1"), did("github.pr.get", action.Read, "acme/site#2"),
			did("github.pr.create", action.Write, "acme/site#1"), did("github.pr.create", action.Write, "acme/api#4"),
			did("github.repo.delete", action.Delete, "acme/site"), did("github.pr.merge", action.Write, "acme/site#1"),
			did("github.branch.delete", action.Delete, "acme/site@topic"),
			action.Action{Connector: "github", Name: "github.unknown", Class: action.Admin, Or: []action.Alternative{{Name: "github.*"}}},
			action.Action{Name: "http.post", Class: action.Write},
		)
		p, err := h.proposals.Propose(t.Context(), h.owner.Team.ID, h.gateway.ID, now)
		if err != nil {
			t.Fatal(err)
		}
		github := p.Connectors[0]
		want := []string{
			"deny github.repo.delete [] ", "require_approval github.pr.merge [] ", "allow github.pr.get [] ",
			"allow github.pr.create [resource=acme/api#*, resource=acme/site#*] ", "require_approval github.branch.delete [resource=acme/site@*] ",
		}
		if diff := cmp.Diff(want, say(github.Rules)); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
		if github.Allowed != 4 || github.Asked != 2 || github.Denied != 1 || !slices.Equal(github.Drops, []string{"github.*"}) || github.Leaves < 800 {
			t.Errorf("github: %+v", github)
		}
		if stripe := p.Connectors[1]; stripe.Seen || len(stripe.Rules) != 1 {
			t.Errorf("a connector that nothing was asked of: %+v", stripe)
		}
		if len(p.Uncovered) != 2 || p.Requests != 9 {
			t.Errorf("%d requests, not covered: %+v", p.Requests, p.Uncovered)
		}
	})
}

func TestWhatIsAdoptedCoversWhatWasSeen(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t), rule("*", policy.Allow), rule("github.repo.*", policy.RequireApproval), policy.Rule{Pattern: "github.repo.push", When: policy.Limits{"ref": {"refs/heads/main"}}, Effect: policy.Deny})
	push := did("github.repo.push", action.Write, "acme/site")
	push.Params = map[string]any{"ref": []string{"refs/heads/topic", "refs/heads/main"}}
	other := push
	other.Params = map[string]any{"ref": "refs/heads/topic"}
	all := []action.Action{push, other, did("github.pr.get", action.Read, "acme/site#1")}
	for i := range 60 { // so many that they become one rule
		all = append(all, did("github.thing"+strconv.Itoa(i)+".get", action.Read, "acme/site"))
	}
	for i := range 9 { // in too many places to name them
		all = append(all, did("github.issue.create", action.Write, fmt.Sprintf("team%d/site", i)))
	}
	h.record(t, all...)
	p, err := h.proposals.Propose(t.Context(), h.owner.Team.ID, h.gateway.ID, now)
	if err != nil {
		t.Fatal(err)
	}
	before := h.judge(t)
	if err := h.proposals.Adopt(t.Context(), h.owner, h.gateway.ID, now, p.Digest); err != nil {
		t.Fatal(err)
	}
	after := h.judge(t)
	rows, err := h.store.RecordedRequests(t.Context(), h.owner.Team.ID, h.gateway.ID, now.Add(-time.Hour*24), now, page.Cursor{}, 1000)
	if err != nil || len(rows) != len(all) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i := range rows {
		q, _ := after.Question(&rows[i])
		was, is := before.Engine.Decide(q), after.Engine.Decide(q)
		if is.Would > was.Would {
			t.Errorf("%s was %v and is %v", rows[i].Action, was.Would, is.Would)
		}
		if was.Would == policy.Allow && is.Would != policy.Allow {
			t.Errorf("%s was allowed and is %v", rows[i].Action, is.Would)
		}
	}
	for _, a := range []action.Action{did("github.issue.delete", action.Delete, "acme/site#1"), did("github.pr.close", action.Write, "acme/site#1")} {
		if d := after.Engine.Decide(policy.Question{Action: a, Type: "github"}); d.Would != policy.Deny {
			t.Errorf("%s, which nobody has done, is %v", a.Name, d.Would)
		}
	}
}

func (h *house) judge(t *testing.T) *judge.Judge {
	t.Helper()
	conf, err := h.store.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil {
		t.Fatal(err)
	}
	j, err := judge.Of(conf)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestOnlyTheProposalThatSomebodySawIsAdopted(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t), rule("github.*", policy.Allow))
	h.record(t, did("github.pr.get", action.Read, "acme/site#1"))
	p, err := h.proposals.Propose(t.Context(), h.owner.Team.ID, h.gateway.ID, now)
	if err != nil {
		t.Fatal(err)
	}
	h.record(t, did("github.pr.create", action.Write, "acme/site#1"))
	if err := h.proposals.Adopt(t.Context(), h.owner, h.gateway.ID, now, p.Digest); fault.Of(err) != fault.Conflict {
		t.Errorf("got %v", err)
	}
	viewer := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	if p, err = h.proposals.Propose(t.Context(), h.owner.Team.ID, h.gateway.ID, now); err != nil {
		t.Fatal(err)
	}
	if err := h.proposals.Adopt(t.Context(), viewer, h.gateway.ID, now, p.Digest); fault.Of(err) != fault.Forbidden {
		t.Errorf("a viewer: %v", err)
	}
	if _, err := h.proposals.Propose(t.Context(), "team_other", h.gateway.ID, now); fault.Of(err) != fault.NotFound {
		t.Errorf("another team: %v", err)
	}
}

// What was tried and refused is not what a gateway does.
func TestRefusedRequestsMakeNoRules(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t), rule("github.*", policy.Allow))
	h.record(t, did("github.pr.get", action.Read, "acme/site#1"))
	h.recordAs(t, "deny", audit.Refused, did("github.issue.create", action.Write, "acme/site"))
	h.recordAs(t, "require_approval", audit.Refused, did("github.release.create", action.Write, "acme/site"))
	h.recordAs(t, "require_approval", audit.Outcome, did("github.pr.close", action.Write, "acme/site#1"))
	p, err := h.proposals.Propose(t.Context(), h.owner.Team.ID, h.gateway.ID, now)
	if err != nil {
		t.Fatal(err)
	}
	got := say(p.Connectors[0].Rules)
	if len(got) != 2 || p.Connectors[0].Refused != 2 || slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "issue") || strings.Contains(s, "release") }) {
		t.Errorf("%d refused, rules %q", p.Connectors[0].Refused, got)
	}
}
