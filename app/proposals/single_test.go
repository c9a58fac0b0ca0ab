package proposals_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// held is a request that waits for a person.
func (h *house) held(a action.Action) approval.Approval {
	return approval.Approval{
		ID: "apr_1", TeamID: h.owner.Team.ID, GatewayID: h.gateway.ID, GatewayName: h.gateway.Name, Action: a, Principal: "ana@laptop",
		Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge", CreatedAt: now,
	}
}

func (h *house) ruleFor(t *testing.T, a action.Action, effect policy.Effect) proposals.Single {
	t.Helper()
	one, err := h.proposals.RuleFor(t.Context(), h.owner.Team.ID, h.held(a), effect)
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func merge() action.Action { return did("github.pr.merge", action.Write, "acme/site#12") }

func TestARuleOfAnApprovalIsForExactlyThat(t *testing.T) {
	t.Parallel()

	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, rule("github.*", policy.RequireApproval))
		h.record(t, merge(), merge(), did("github.pr.merge", action.Write, "acme/site#13"), did("github.pr.close", action.Write, "acme/site#12"))
		one := h.ruleFor(t, merge(), policy.Allow)
		if diff := cmp.Diff([]string{"allow github.pr.merge [resource=acme/site#12] "}, say(one.Rules)); diff != "" {
			t.Errorf("rules (-want +got):\n%s", diff)
		}
		if one.Still != nil || one.There || !one.Exact || one.Covers != 2 || !one.All || one.Connector != "github" {
			t.Errorf("%+v", one)
		}
		if one.YAML != `- {action: "github.pr.merge", decision: allow, when: {resource: "acme/site#12"}}` {
			t.Errorf("yaml %q", one.YAML)
		}
		if err := h.proposals.AddRule(t.Context(), h.owner, h.held(merge()), policy.Allow); err != nil {
			t.Fatal(err)
		}
		j := h.judge(t)
		for resource, want := range map[string]policy.Effect{"acme/site#12": policy.Allow, "acme/site#123": policy.RequireApproval, "acme/site#1": policy.RequireApproval, "": policy.RequireApproval} {
			a := did("github.pr.merge", action.Write, resource)
			if d := j.Engine.Decide(policy.Question{Action: a, Type: "github"}); d.Would != want {
				t.Errorf("%q is %v, want %v", resource, d.Would, want)
			}
		}
		if again := h.ruleFor(t, merge(), policy.Allow); !again.There {
			t.Error("the rule is there, and nobody says so")
		}
		if err := h.proposals.AddRule(t.Context(), h.owner, h.held(merge()), policy.Allow); err != nil {
			t.Errorf("added again: %v", err)
		}
		cs, err := h.gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
		if err != nil || len(cs[0].Rules) != 2 || len(cs[1].Rules) != 1 {
			t.Errorf("configured: %+v, %v", cs, err)
		}
	})
}

func TestABlockIsForExactlyThat(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t), rule("github.*", policy.RequireApproval))
	if err := h.proposals.AddRule(t.Context(), h.owner, h.held(merge()), policy.Deny); err != nil {
		t.Fatal(err)
	}
	j := h.judge(t)
	for resource, want := range map[string]policy.Effect{"acme/site#12": policy.Deny, "acme/site#13": policy.RequireApproval} {
		if d := j.Engine.Decide(policy.Question{Action: did("github.pr.merge", action.Write, resource), Type: "github"}); d.Would != want {
			t.Errorf("%q is %v, want %v", resource, d.Would, want)
		}
	}
}

func TestWhatIsDeniedStaysDeniedBesideTheRule(t *testing.T) {
	t.Parallel()

	stop := rule("github.*", policy.Deny)
	stop.When = policy.Limits{"base": {"main"}}
	h := newHouse(t, storetest.Open(t), rule("github.*", policy.RequireApproval), stop)
	one := h.ruleFor(t, merge(), policy.Allow)
	if len(one.Rules) != 2 {
		t.Fatalf("rules %v", say(one.Rules))
	}
	if err := h.proposals.AddRule(t.Context(), h.owner, h.held(merge()), policy.Allow); err != nil {
		t.Fatal(err)
	}
	j := h.judge(t)
	for base, want := range map[string]policy.Effect{"main": policy.Deny, "topic": policy.Allow} {
		a := merge()
		a.Params = map[string]any{"base": base}
		if d := j.Engine.Decide(policy.Question{Action: a, Type: "github"}); d.Would != want {
			t.Errorf("into %s is %v, want %v", base, d.Would, want)
		}
	}
}

func TestARuleThatWouldNotHelpSaysWhatIsInItsWay(t *testing.T) {
	t.Parallel()

	narrow := rule("github.pr.merge", policy.RequireApproval)
	narrow.When = policy.Limits{"resource": {"acme/*"}, "base": {"main"}}
	h := newHouse(t, storetest.Open(t), narrow)
	a := merge()
	a.Params = map[string]any{"base": "main"}
	one := h.ruleFor(t, a, policy.Allow)
	if one.Still == nil || one.Still.By != policy.ByRule || one.Still.Would != policy.RequireApproval || one.Perhaps {
		t.Fatalf("still %+v", one.Still)
	}
	if err := h.proposals.AddRule(t.Context(), h.owner, h.held(a), policy.Allow); fault.Of(err) != fault.Invalid {
		t.Errorf("added: %v", err)
	}
}

func TestNoRuleWhereNoneCanBeExact(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t), rule("github.*", policy.RequireApproval))
	star, hidden, other, gone := merge(), merge(), merge(), merge()
	star.Resource = "acme/*"
	hidden.Name, other.Connector = "github.unknown", "nowhere"
	gone.Or = []action.Alternative{{Name: "github.repo.delete"}}
	for name, a := range map[string]action.Action{"a star": star, "an action that is not known": hidden, "another connector": other, "one of several": gone} {
		if _, err := h.proposals.RuleFor(t.Context(), h.owner.Team.ID, h.held(a), policy.Allow); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if _, err := h.proposals.RuleFor(t.Context(), h.owner.Team.ID, h.held(merge()), policy.RequireApproval); fault.Of(err) != fault.Invalid {
		t.Errorf("a rule that asks: %v", err)
	}
	wide := merge()
	wide.Unknown = []string{"resource"}
	if one := h.ruleFor(t, wide, policy.Deny); one.Exact || one.Rules[0].When != nil {
		t.Errorf("of what is not known: %+v", one)
	}
	if _, err := h.proposals.RuleFor(t.Context(), "team_other", h.held(merge()), policy.Allow); fault.Of(err) != fault.NotFound {
		t.Errorf("another team: %v", err)
	}
	viewer := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember)
	if err := h.proposals.AddRule(t.Context(), viewer, h.held(merge()), policy.Allow); fault.Of(err) != fault.Forbidden {
		t.Errorf("a member: %v", err)
	}
}
