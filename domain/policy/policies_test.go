package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// just is a policy of one clause.
func just(id string, c policy.Clause) policy.Policy {
	return policy.Policy{ID: id, Name: strings.TrimPrefix(id, "pol_"), Version: 3, Clauses: []policy.Clause{c}}
}

func allowing(s policy.Settings) policy.Settings {
	if s.Rules == nil {
		s.Rules = []policy.Rule{{ID: "rule_1", Connector: "gh", Pattern: "*", Effect: policy.Allow}}
	}
	return s
}

func decided(t *testing.T, s policy.Settings, q policy.Question) policy.Decision {
	t.Helper()
	e, err := policy.Compile(allowing(s))
	if err != nil {
		t.Fatal(err)
	}
	return e.Decide(q)
}

func TestPoliciesOnlyMakeItStricter(t *testing.T) {
	t.Parallel()

	deny := just("pol_deny", policy.Clause{Name: "no", Effect: policy.Deny, Risk: 95})
	ask := just("pol_ask", policy.Clause{Name: "ask", Effect: policy.RequireApproval, Hold: new(time.Minute), TTL: time.Hour})
	two := just("pol_two", policy.Clause{Name: "two", Effect: policy.RequireApproval, Approvers: policy.Approvers{Count: 2}})
	admin := just("pol_admin", policy.Clause{Name: "admin", Effect: policy.RequireApproval, Approvers: policy.Approvers{Role: "admin"}, Risk: 40})
	allow := just("pol_allow", policy.Clause{Name: "ok", Effect: policy.Allow, Risk: 20})
	unclear := fieldIs("params.hidden", "x")
	perhaps := just("pol_perhaps", policy.Clause{Name: "perhaps", Effect: policy.Deny, If: &unclear, Risk: 99})
	perhapsNot := just("pol_perhaps", policy.Clause{Name: "perhaps", Effect: policy.Allow, If: &unclear, Risk: 99})
	perhapsFirst := perhaps
	perhapsFirst.Priority = 1
	report := deny
	report.ReportOnly = true
	early := ask
	early.ID, early.Name, early.Priority = "pol_early", "z", 1
	rules := func(e policy.Effect) []policy.Rule {
		return []policy.Rule{{ID: "rule_1", Connector: "gh", Pattern: "*", Effect: e}}
	}

	type want struct {
		Effect, Would policy.Effect
		By            policy.By
		Policy        string
		Reason        string
		Approvers     policy.Approvers
		Risk          int
		As            policy.Effect
		Reported      bool
	}
	for name, tt := range map[string]struct {
		s    policy.Settings
		want want
	}{
		"none":             {policy.Settings{}, want{Effect: policy.Allow, Would: policy.Allow, By: policy.ByRule, Reason: "The rule for * allows it."}},
		"an allow":         {policy.Settings{Policies: []policy.Policy{allow}}, want{Effect: policy.Allow, Would: policy.Allow, By: policy.ByRule, Reason: "The rule for * allows it.", Risk: 20}},
		"an allow, denied": {policy.Settings{Policies: []policy.Policy{allow}, Rules: rules(policy.Deny)}, want{By: policy.ByRule, Reason: "The rule for * denies it."}},
		"a deny":           {policy.Settings{Policies: []policy.Policy{allow, ask, deny}}, want{By: policy.ByPolicy, Policy: "pol_deny", Reason: "The rule no of policy deny denies it.", Risk: 95}},
		"an approval":      {policy.Settings{Policies: []policy.Policy{allow, ask}}, want{Effect: policy.RequireApproval, Would: policy.RequireApproval, By: policy.ByPolicy, Policy: "pol_ask", Reason: "The rule ask of policy ask asks for a person's approval.", Risk: 20}},
		"an approval, which it takes already": {policy.Settings{Policies: []policy.Policy{admin}, Rules: rules(policy.RequireApproval)}, want{
			Effect: policy.RequireApproval, Would: policy.RequireApproval, By: policy.ByPolicy, Policy: "pol_admin", Reason: "The rule admin of policy admin asks for an admin's approval.", Approvers: policy.Approvers{Role: "admin"}, Risk: 40,
		}},
		"the strictest of all who have to agree": {policy.Settings{Policies: []policy.Policy{two, admin}}, want{
			Effect: policy.RequireApproval, Would: policy.RequireApproval, By: policy.ByPolicy, Policy: "pol_admin",
			Reason: "The rule admin of policy admin asks for an admin's approval. Together with other rules, it takes the approval of 2 admins.", Approvers: policy.Approvers{Role: "admin", Count: 2}, Risk: 40,
		}},
		"the lower priority is named": {policy.Settings{Policies: []policy.Policy{ask, early}}, want{Effect: policy.RequireApproval, Would: policy.RequireApproval, By: policy.ByPolicy, Policy: "pol_early", Reason: "The rule ask of policy z asks for a person's approval."}},
		"a certain deny is named":     {policy.Settings{Policies: []policy.Policy{perhapsFirst, deny}}, want{By: policy.ByPolicy, Policy: "pol_deny", Reason: "The rule no of policy deny denies it.", Risk: 95}},
		"perhaps a deny": {policy.Settings{Policies: []policy.Policy{perhaps, ask}}, want{
			By: policy.ByPolicy, Policy: "pol_perhaps", Reason: "The rule perhaps of policy perhaps denies it. The request does not show whether it applies, and then the strictest counts.",
		}},
		"perhaps an allow":        {policy.Settings{Policies: []policy.Policy{perhapsNot}}, want{Effect: policy.Allow, Would: policy.Allow, By: policy.ByRule, Reason: "The rule for * allows it."}},
		"report only":             {policy.Settings{Policies: []policy.Policy{report, ask}}, want{Effect: policy.RequireApproval, Would: policy.RequireApproval, By: policy.ByPolicy, Policy: "pol_ask", Reason: "The rule ask of policy ask asks for a person's approval.", Reported: true}},
		"nothing to report":       {policy.Settings{Policies: []policy.Policy{report, deny}}, want{By: policy.ByPolicy, Policy: "pol_deny", Reason: "The rule no of policy deny denies it.", Risk: 95}},
		"a deny at soft":          {policy.Settings{Enforcement: policy.SoftEnforce, Policies: []policy.Policy{deny}, Rules: []policy.Rule{}}, want{By: policy.ByPolicy, Policy: "pol_deny", Reason: "The rule no of policy deny denies it.", Risk: 95}},
		"an approval at soft":     {policy.Settings{Enforcement: policy.SoftEnforce, Policies: []policy.Policy{ask}}, want{Effect: policy.Allow, Would: policy.RequireApproval, By: policy.ByPolicy, Policy: "pol_ask", Reason: "The rule ask of policy ask asks for a person's approval."}},
		"a deny that is watched":  {policy.Settings{Enforcement: policy.Monitor, Policies: []policy.Policy{deny}}, want{Effect: policy.Allow, By: policy.ByPolicy, Policy: "pol_deny", Reason: "The rule no of policy deny denies it.", Risk: 95}},
		"both deny, only watched": {policy.Settings{Enforcement: policy.Monitor, Policies: []policy.Policy{deny}, Rules: rules(policy.Deny)}, want{Effect: policy.Allow, By: policy.ByRule, Reason: "The rule for * denies it.", Risk: 95}},
		"a kill switch":           {policy.Settings{Policies: []policy.Policy{ask}, Kills: []policy.Kill{{ID: "k"}}}, want{By: policy.ByKillSwitch, Reason: "The kill switch is on."}},
	} {
		d := decided(t, tt.s, everything())
		got := want{d.Effect, d.Would, d.By, d.Policy, d.Reason, d.Approvers, d.Risk, d.ReportedAs, d.Reported != ""}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if d.Flagged != (d.Effect != d.Would) {
			t.Errorf("%s: flagged %v", name, d.Flagged)
		}
		if d.By == policy.ByPolicy && (d.Version != 3 || !strings.HasPrefix(d.Rule, d.Policy+"/")) {
			t.Errorf("%s: named as %q, version %d", name, d.Rule, d.Version)
		}
	}
	if d := decided(t, policy.Settings{Policies: []policy.Policy{ask}}, everything()); d.Hold != time.Minute || d.TTL != time.Hour {
		t.Errorf("held for %v, good for %v", d.Hold, d.TTL)
	}
	if d := decided(t, policy.Settings{Policies: []policy.Policy{two}}, everything()); d.Hold != policy.DefaultHold || d.TTL != policy.DefaultTTL {
		t.Errorf("without saying: held for %v, good for %v", d.Hold, d.TTL)
	}
}

func TestAPolicyIsAboutItsScope(t *testing.T) {
	t.Parallel()

	below := []action.Alternative{{Name: "github.pr.*"}}
	for name, tt := range map[string]struct {
		scope       policy.Scope
		environment string
		or          []action.Alternative
		want        policy.Effect
	}{
		"everything":                          {policy.Scope{}, "", nil, policy.Deny},
		"the gateway":                         {policy.Scope{Gateways: []string{"other", "g*"}}, "", nil, policy.Deny},
		"another gateway":                     {policy.Scope{Gateways: []string{"other"}}, "", nil, policy.Allow},
		"the environment":                     {policy.Scope{Environments: []string{"prod*"}}, "production", nil, policy.Deny},
		"an environment, and there is none":   {policy.Scope{Environments: []string{"production"}}, "", nil, policy.Allow},
		"any environment":                     {policy.Scope{Environments: []string{"*"}}, "", nil, policy.Deny},
		"its action":                          {policy.Scope{Actions: []action.Pattern{"stripe.*", "github.*.merge"}}, "", nil, policy.Deny},
		"another action":                      {policy.Scope{Actions: []action.Pattern{"github.repo.*", "github.*.merge.now"}}, "", nil, policy.Allow},
		"an action that it may be":            {policy.Scope{Actions: []action.Pattern{"github.pr.delete"}}, "", below, policy.Deny},
		"an action that it is not":            {policy.Scope{Actions: []action.Pattern{"github.repo.delete"}}, "", below, policy.Allow},
		"an action of one word, which is not": {policy.Scope{Actions: []action.Pattern{"github"}}, "", below, policy.Allow},
		"one that it may be at the end":       {policy.Scope{Actions: []action.Pattern{"*.*.*.now"}}, "", below, policy.Deny},
	} {
		p := just("pol_1", policy.Clause{Name: "no", Effect: policy.Deny})
		p.Scope = tt.scope
		q := everything()
		q.Action.Or = tt.or
		if d := decided(t, policy.Settings{Gateway: "g1", Environment: tt.environment, Policies: []policy.Policy{p}}, q); d.Effect != tt.want {
			t.Errorf("%s: %v, want %v", name, d.Effect, tt.want)
		}
	}
}

// An action of which only the beginning is known can still be ruled out.
func TestTheBeginningOfAnActionRulesOthersOut(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		e    policy.Expr
		want string
	}{
		{fieldIs("action", "github.pr.merge"), "unclear"},
		{fieldIs("action", "github.repo.delete"), "fails"},
		{fieldIs("action", "github.pr"), "fails"},
		{fieldHas(policy.In, "action", constTexts("stripe.x", "github.pr.x")), "unclear"},
		{fieldHas(policy.NotIn, "action", constTexts("stripe.x", "github.x")), "holds"},
		{fieldHas(policy.StartsWith, "action", constText("github.")), "holds"},
		{fieldHas(policy.StartsWith, "action", constText("github.pr.me")), "unclear"},
		{fieldHas(policy.StartsWith, "action", constText("stripe.")), "fails"},
		{fieldHas(policy.Glob, "action", constText("github.pr.*")), "holds"},
		{fieldHas(policy.Glob, "action", constText("*.merge")), "unclear"},
		{fieldHas(policy.Glob, "action", constText("stripe*")), "fails"},
		{fieldHas(policy.Matches, "action", constText("^github")), "unclear"},
		{policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Value: new(constText("stripe.x"))}, {Field: "action"}}}, "fails"},
		{policy.Expr{Op: policy.Begins, Args: []policy.Expr{{Field: "action"}, {Value: new(constText("github."))}}}, "holds"},
		{policy.Expr{Op: policy.GlobOf, Args: []policy.Expr{{Field: "action"}, {Value: new(constText("stripe.*"))}}}, "fails"},
		{policy.Expr{Op: policy.Member, Args: []policy.Expr{{Field: "action"}, {Value: new(constTexts("a", "github.pr.x"))}}}, "unclear"},
		{fieldIs("class", "write"), "unclear"},
		{fieldIs("params.base", "main"), "unclear"},
		{fieldIs("service", "stripe"), "fails"},
		{fieldIs("request.method", "GET"), "fails"},
	} {
		q := everything()
		q.Action.Name = "github.pr.*"
		if got := outcome(t, tt.e, q); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.e, got, tt.want)
		}
	}
}

func TestKillSwitchesNeedNoCompiling(t *testing.T) {
	t.Parallel()

	e, err := policy.Compile(allowing(policy.Settings{Policies: []policy.Policy{just("pol_1", policy.Clause{Effect: policy.RequireApproval})}}))
	if err != nil {
		t.Fatal(err)
	}
	killed := e.WithKills([]policy.Kill{{ID: "k", Connector: "gh"}})
	if d := killed.Decide(everything()); d.By != policy.ByKillSwitch || d.Effect != policy.Deny {
		t.Errorf("with a kill switch: %+v", d)
	}
	for name, e := range map[string]*policy.Engine{"before": e, "lifted again": killed.WithKills(nil)} {
		if d := e.Decide(everything()); d.By != policy.ByPolicy || d.Effect != policy.RequireApproval {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if d := (*policy.Engine)(nil).WithKills(nil).Decide(everything()); d.Effect != policy.Deny {
		t.Errorf("no engine: %+v", d)
	}
}

func TestADecisionThatCostsTooMuchDenies(t *testing.T) {
	t.Parallel()

	// Four loops, each within the other: a hundred million rounds.
	body := policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Field: "$a"}, {Field: "$d"}}}
	for _, v := range []string{"d", "c", "b", "a"} {
		body = policy.Expr{Op: policy.Every, Var: v, Args: []policy.Expr{{Field: "request.body.list"}, body}}
	}
	many := make([]any, 100)
	for i := range many {
		many[i] = "x"
	}
	for level, want := range map[policy.Enforcement]policy.Effect{policy.FullEnforce: policy.Deny, policy.SoftEnforce: policy.Deny, policy.Monitor: policy.Allow} {
		s := policy.Settings{Enforcement: level, Policies: []policy.Policy{just("pol_1", policy.Clause{Effect: policy.Allow, If: &body})}}
		q := everything()
		q.Request.Body = map[string]any{"list": many}
		e, err := policy.Compile(allowing(s))
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		d := e.Decide(q)
		if d.Effect != want || d.Would != policy.Deny || d.By != policy.ByPolicy || !strings.Contains(d.Reason, "too long") {
			t.Errorf("%v: %+v", level, d)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if cost := e.Cost(q); cost > policy.CostLimit+1000 {
			t.Errorf("spent %d", cost)
		}
	}
}

// The longer a text is, and the larger what it is searched for, the more a
// search costs.
func TestASearchCostsByWhatItLooksThrough(t *testing.T) {
	t.Parallel()

	search := fieldHas(policy.Matches, "request.body.text", constText("(a|b|ab)*c$"))
	for size, want := range map[int]policy.Effect{10_000: policy.Allow, 900_000: policy.Deny} {
		q := everything()
		q.Request.Body = map[string]any{"text": strings.Repeat("ab", size/2)}
		if d := decided(t, policy.Settings{Policies: []policy.Policy{just("pol_1", policy.Clause{Effect: policy.Deny, If: &search})}}, q); d.Effect != want {
			t.Errorf("%d bytes: %+v, want %v", size, d, want)
		}
	}
}

func TestEveryLoopHasItsOwnElement(t *testing.T) {
	t.Parallel()

	pair := func(op policy.Op) policy.Expr {
		inner := policy.Expr{Op: policy.Exist, Var: "y", Args: []policy.Expr{{Field: "request.query.twice"}, {Op: op, Args: []policy.Expr{{Field: "$x"}, {Field: "$y"}}}}}
		return policy.Expr{Op: policy.Every, Var: "x", Args: []policy.Expr{{Field: "params.labels"}, inner}}
	}
	if got := outcome(t, pair(policy.Eq), everything()); got != "fails" {
		t.Errorf("labels are the query's: %s", got)
	}
	if got := outcome(t, pair(policy.Ne), everything()); got != "holds" {
		t.Errorf("labels are other than the query's: %s", got)
	}
}

func TestUsesAreWhatConditionsLookAt(t *testing.T) {
	t.Parallel()

	body, accept, agent := fieldIs("request.body.amount", 5), fieldIs("request.headers.accept", "x"), fieldIs("request.headers.agent", "x")
	query := policy.Expr{Op: policy.HasField, Args: []policy.Expr{{Field: "request.query.a"}}}
	clauses := []policy.Clause{
		{Effect: policy.Deny, If: everyOf(fieldIs("action", "stripe.refund.create"), body)},
		{Effect: policy.Deny, If: everyOf(fieldHas(policy.StartsWith, "action", constText("github.")), policy.Expr{Op: policy.Not, Args: []policy.Expr{body}}, agent)},
		{Effect: policy.Deny, If: &accept},
	}
	e := withPolicies(t, []policy.Policy{{ID: "pol_1", Clauses: clauses}})
	u := e.Uses()
	if diff := cmp.Diff([]string{"accept", "agent"}, u.Headers); diff != "" || u.Query {
		t.Errorf("query %v, headers (-want +got):\n%s", u.Query, diff)
	}
	for typ, want := range map[string]bool{"stripe": true, "github": true, "mcp": false, "": false} {
		if u.Body(typ) != want {
			t.Errorf("bodies of %q: %v", typ, !want)
		}
	}
	u = withPolicies(t, []policy.Policy{{Clauses: []policy.Clause{{Effect: policy.Deny, If: everyOf(body, query)}}}}).Uses()
	if !u.Query || !u.Body("anything") {
		t.Errorf("query %v, bodies %v", u.Query, u.Body("anything"))
	}
	if u := (*policy.Engine)(nil).Uses(); u.Query || u.Headers != nil || u.Body("x") {
		t.Error("no engine uses something")
	}
}

func TestTheZeroValuesDeny(t *testing.T) {
	t.Parallel()

	for name, d := range map[string]policy.Decision{
		"no engine":                    (*policy.Engine)(nil).Decide(policy.Question{}),
		"an engine without settings":   new(policy.Engine).Decide(everything()),
		"no question":                  decided(t, policy.Settings{}, policy.Question{}),
		"the zero clause":              decided(t, policy.Settings{Policies: []policy.Policy{{Clauses: []policy.Clause{{}}}}}, everything()),
		"the zero clause, and nothing": decisionOf(withPolicies(t, []policy.Policy{{Clauses: []policy.Clause{{}}}}).DecideByPolicies(policy.Question{})),
		"no engine, policies alone":    decisionOf((*policy.Engine)(nil).DecideByPolicies(everything())),
	} {
		if d.Effect != policy.Deny || d.Would != policy.Deny {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func decisionOf[A, B any](a A, _ B) A { return a }

func TestAKeyTellsWhatAClauseSays(t *testing.T) {
	t.Parallel()

	make := func(change func(p *policy.Policy, c *policy.Clause)) string {
		e := *everyOf(fieldIs("params.base", "main"))
		c := policy.Clause{Name: "c", If: &e, Line: 7}
		p := policy.Policy{ID: "pol_1", Name: "p", Version: 1}
		change(&p, &c)
		p.Clauses = append(p.Clauses, c)
		return p.Key(0)
	}
	same := make(func(*policy.Policy, *policy.Clause) {})
	for name, change := range map[string]func(p *policy.Policy, c *policy.Clause){
		"its line":              func(_ *policy.Policy, c *policy.Clause) { c.Line, c.If.Line, c.If.Text = 8, 9, "x" },
		"the policy's name":     func(p *policy.Policy, _ *policy.Clause) { p.Name = "other" },
		"the policy's version":  func(p *policy.Policy, _ *policy.Clause) { p.Version = 2 },
		"the policy's priority": func(p *policy.Policy, _ *policy.Clause) { p.Priority = 2 },
	} {
		if got := make(change); got != same {
			t.Errorf("%s changes it", name)
		}
	}
	seen := map[string]string{same: "nothing"}
	for name, change := range map[string]func(p *policy.Policy, c *policy.Clause){
		"scope":     func(p *policy.Policy, _ *policy.Clause) { p.Scope.Actions = []action.Pattern{"a.*"} },
		"gateways":  func(p *policy.Policy, _ *policy.Clause) { p.Scope.Gateways = []string{"a.*"} },
		"effect":    func(_ *policy.Policy, c *policy.Clause) { c.Effect = policy.Allow },
		"approvers": func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Role = "admin" },
		"group":     func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Group = "ops" },
		"not self":  func(_ *policy.Policy, c *policy.Clause) { c.Approvers.NotSelf = true },
		"groups":    func(_ *policy.Policy, c *policy.Clause) { c.Approvers.Group = "ops+release" },
		"both":      func(_ *policy.Policy, c *policy.Clause) { c.Approvers.NotSelf, c.Approvers.StepUp = true, true },
		"all": func(_ *policy.Policy, c *policy.Clause) {
			c.Approvers = policy.Approvers{Group: "ops", NotSelf: true, StepUp: true}
		},
		"step up":  func(_ *policy.Policy, c *policy.Clause) { c.Approvers.StepUp = true },
		"hold":     func(_ *policy.Policy, c *policy.Clause) { c.Hold = new(time.Duration(0)) },
		"ttl":      func(_ *policy.Policy, c *policy.Clause) { c.TTL = time.Hour },
		"value":    func(_ *policy.Policy, c *policy.Clause) { *c.If = *everyOf(fieldIs("params.base", "other")) },
		"number":   func(_ *policy.Policy, c *policy.Clause) { *c.If = *everyOf(fieldIs("params.base", 1)) },
		"fraction": func(_ *policy.Policy, c *policy.Clause) { *c.If = *everyOf(fieldIs("params.base", 1.0)) },
		"none":     func(_ *policy.Policy, c *policy.Clause) { c.If = nil },
	} {
		got := make(change)
		if other, twice := seen[got]; twice {
			t.Errorf("%s: the same as %s", name, other)
		}
		seen[got] = name
	}
}
