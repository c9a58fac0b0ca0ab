package policy_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// lined gives conditions a place and a text, as reading a document does.
func lined(e policy.Expr, line int, text string) policy.Expr {
	e.Line, e.Text = line, text
	return e
}

func explained(t *testing.T, s policy.Settings, q policy.Question) (policy.Decision, policy.Explanation) {
	t.Helper()
	e, err := policy.Compile(allowing(s))
	if err != nil {
		t.Fatal(err)
	}
	return e.Explain(q)
}

func TestAnExplanationNamesWhatWasConsidered(t *testing.T) {
	t.Parallel()

	p := policy.Policy{ID: "pol_1", Name: "protect", Clauses: []policy.Clause{
		{Name: "delete", Effect: policy.Deny, If: new(fieldIs("action", "github.repo.delete")), Line: 3},
		{Name: "merge", Effect: policy.RequireApproval, If: new(fieldIs("params.base", "main")), Line: 7},
		{Name: "rest", Effect: policy.Allow, Line: 12},
	}}
	other := just("pol_2", policy.Clause{Name: "no", Effect: policy.Deny, If: new(fieldIs("params.hidden", "x"))})
	other.ReportOnly = true
	elsewhere := just("pol_3", policy.Clause{Name: "no", Effect: policy.Deny})
	elsewhere.Scope.Actions = []action.Pattern{"stripe.*"}
	d, x := explained(t, policy.Settings{Policies: []policy.Policy{p, other, elsewhere}}, everything())
	want := []policy.Considered{
		{Stage: policy.ByPolicy, Rule: p.Key(1), Policy: "pol_1", Name: "merge", Line: 7, Effect: policy.RequireApproval, Verdict: "holds", Decides: true},
		{Stage: policy.ByPolicy, Rule: other.Key(0), Policy: "pol_2", Name: "no", Effect: policy.Deny, Verdict: "unclear", ReportOnly: true},
		{Stage: policy.ByPolicy, Rule: p.Key(0), Policy: "pol_1", Name: "delete", Line: 3, Effect: policy.Deny, Verdict: "fails"},
		{Stage: policy.ByRule, Rule: "rule_1", Name: "*", Effect: policy.Allow, Verdict: "holds"},
		{Stage: policy.ByPolicy, Rule: p.Key(2), Policy: "pol_1", Name: "rest", Line: 12, Effect: policy.Allow, Verdict: "holds"},
	}
	if diff := cmp.Diff(want, x.Considered); diff != "" || x.More != 0 || d.Rule != p.Key(1) {
		t.Errorf("%+v, %d more (-want +got):\n%s", d, x.More, diff)
	}

	many := policy.Policy{ID: "pol_4", Name: "many"}
	for i := range 40 {
		many.Clauses = append(many.Clauses, policy.Clause{Name: fmt.Sprint(i), Effect: policy.Allow, If: new(fieldIs("params.base", fmt.Sprint(i)))})
	}
	many.Clauses = append(many.Clauses, policy.Clause{Name: "ask", Effect: policy.RequireApproval})
	d, x = explained(t, policy.Settings{Policies: []policy.Policy{many}}, everything())
	if len(x.Considered) != 12 || x.More != 30 || !x.Considered[0].Decides || x.Considered[0].Rule != d.Rule {
		t.Errorf("%d named, %d more, first %+v", len(x.Considered), x.More, x.Considered[0])
	}
	if d, x := explained(t, policy.Settings{Kills: []policy.Kill{{ID: "k"}}}, everything()); d.Effect != policy.Deny || x.Considered != nil || x.Flip != nil {
		t.Errorf("a kill switch is explained by %+v", x)
	}
}

func TestTheSmallestChangeThatWouldFlipADecision(t *testing.T) {
	t.Parallel()

	base, draft, label := lined(fieldIs("params.base", "main"), 4, "base is main"), lined(fieldIs("params.yes", true), 5, "yes"), lined(fieldIs("params.labels", "a"), 6, "labelled a")
	hidden, never := lined(fieldIs("params.hidden", "x"), 7, "hidden is x"), lined(fieldIs("params.base", "next"), 8, "base is next")
	not := func(e policy.Expr) policy.Expr { return policy.Expr{Op: policy.Not, Args: []policy.Expr{e}} }
	anyOf := func(all ...policy.Expr) policy.Expr { return policy.Expr{Op: policy.Any, Args: all} }
	deny := func(e policy.Expr) policy.Policy {
		return just("pol_1", policy.Clause{Name: "no", Effect: policy.Deny, If: &e})
	}
	ask := just("pol_2", policy.Clause{Name: "ask", Effect: policy.RequireApproval})
	change := func(line int, text string, holds bool) policy.Change {
		return policy.Change{Policy: "pol_1", Line: line, Text: text, Holds: holds}
	}
	limited := func(id string, e policy.Effect, when policy.Limits) policy.Rule {
		return policy.Rule{ID: id, Connector: "gh", Pattern: "github.pr.merge", Effect: e, When: when}
	}
	for name, tt := range map[string]struct {
		s    policy.Settings
		want *policy.Flip
	}{
		"one condition":                  {policy.Settings{Policies: []policy.Policy{deny(base)}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(4, "base is main", false)}}},
		"one of all":                     {policy.Settings{Policies: []policy.Policy{deny(*everyOf(base, draft))}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(4, "base is main", false)}}},
		"each of any":                    {policy.Settings{Policies: []policy.Policy{deny(anyOf(base, never, draft))}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(4, "base is main", false), change(5, "yes", false)}}},
		"the fewer":                      {policy.Settings{Policies: []policy.Policy{deny(*everyOf(anyOf(base, draft), label))}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(6, "labelled a", false)}}},
		"what would have to hold":        {policy.Settings{Policies: []policy.Policy{deny(not(never))}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(8, "base is next", true)}}},
		"what is not known":              {policy.Settings{Policies: []policy.Policy{deny(hidden)}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(7, "hidden is x", false)}}},
		"only to an approval":            {policy.Settings{Policies: []policy.Policy{deny(base), ask}}, &policy.Flip{To: policy.RequireApproval, Changes: []policy.Change{change(4, "base is main", false)}}},
		"two clauses that deny":          {policy.Settings{Policies: []policy.Policy{deny(base), deny(draft)}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(4, "base is main", false), change(5, "yes", false)}}},
		"a list with every element":      {policy.Settings{Policies: []policy.Policy{deny(anyOf(label, lined(fieldIs("params.labels", "b"), 9, "labelled b")))}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(6, "labelled a", false), change(9, "labelled b", false)}}},
		"one way or the other":           {policy.Settings{Policies: []policy.Policy{deny(policy.Expr{Op: policy.Cond, Args: []policy.Expr{base, draft, never}})}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(5, "yes", false)}}},
		"no condition":                   {policy.Settings{Policies: []policy.Policy{ask}}, nil},
		"an approval that stays":         {policy.Settings{Policies: []policy.Policy{just("pol_1", policy.Clause{Effect: policy.RequireApproval, If: &base})}, Rules: []policy.Rule{limited("r", policy.RequireApproval, nil)}}, nil},
		"an allow":                       {policy.Settings{}, nil},
		"a limit of an access rule":      {policy.Settings{Rules: []policy.Rule{limited("r", policy.Allow, nil), limited("d", policy.Deny, policy.Limits{"base": {"main"}})}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "base is main"}}}},
		"what an access rule asks for":   {policy.Settings{Rules: []policy.Rule{limited("r", policy.Allow, policy.Limits{"base": {"next"}, "n": {"12"}})}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{{Text: "base is next", Holds: true}}}},
		"an access rule, then a policy":  {policy.Settings{Rules: []policy.Rule{limited("r", policy.Allow, policy.Limits{"base": {"next"}})}, Policies: []policy.Policy{ask}}, &policy.Flip{To: policy.RequireApproval, Changes: []policy.Change{{Text: "base is next", Holds: true}}}},
		"an access rule without a limit": {policy.Settings{Rules: []policy.Rule{limited("r", policy.Deny, nil)}}, nil},
		"watched only":                   {policy.Settings{Enforcement: policy.Monitor, Policies: []policy.Policy{deny(base)}}, &policy.Flip{To: policy.Allow, Changes: []policy.Change{change(4, "base is main", false)}}},
	} {
		_, x := explained(t, tt.s, everything())
		if diff := cmp.Diff(tt.want, x.Flip); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPoliciesAloneDecideAndNameTheirRule(t *testing.T) {
	t.Parallel()

	p := policy.Policy{ID: "pol_1", Name: "p", Clauses: []policy.Clause{
		{Name: "no", Effect: policy.Deny, If: new(fieldIs("params.base", "next"))},
		{Name: "ok", Effect: policy.Allow, Reason: "Fine."},
	}}
	e, err := policy.Compile(policy.Settings{Policies: []policy.Policy{p}, Kills: []policy.Kill{{ID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	d, x := e.DecideByPolicies(everything())
	if d.Effect != policy.Allow || d.Rule != p.Key(1) || d.Reason != "Fine." || !x.Considered[0].Decides || x.Considered[0].Name != "ok" {
		t.Errorf("%+v, %+v", d, x)
	}
	q := everything()
	q.Action.Params["base"] = "next"
	if d, x := e.DecideByPolicies(q); d.Effect != policy.Deny || d.Rule != p.Key(0) || x.Flip == nil || x.Flip.To != policy.Allow {
		t.Errorf("%+v, %+v", d, x)
	}
	none, err := policy.Compile(policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := none.DecideByPolicies(everything()); d.Effect != policy.Allow || d.By != policy.ByDefault {
		t.Errorf("nothing says anything: %+v", d)
	}
}
