package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func rule(id string, pattern action.Pattern, e policy.Effect, class ...action.Class) policy.Rule {
	r := policy.Rule{ID: id, Connector: "github", Pattern: pattern, Effect: e}
	if len(class) > 0 {
		r.Class = &class[0]
	}
	return r
}

func act(name string, class action.Class) action.Action {
	return action.Action{Connector: "github", Name: name, Class: class}
}

// failer is what testing.TB and rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func engine(t failer, level policy.Enforcement, rules []policy.Rule, kills ...policy.Kill) *policy.Engine {
	t.Helper()
	e, err := policy.Compile(policy.Settings{Gateway: "deploy-bot", Enforcement: level, Rules: rules, Kills: kills})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheMostSpecificRuleDecides(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		rules []policy.Rule
		act   action.Action
		want  string // the rule, "" for none
	}{
		"no rules at all":                         {nil, act("github.pr.merge", action.Write), ""},
		"a rule for another action":               {[]policy.Rule{rule("a", "github.pr.close", policy.Allow)}, act("github.pr.merge", action.Write), ""},
		"exact":                                   {[]policy.Rule{rule("a", "github.pr.merge", policy.Allow)}, act("github.pr.merge", action.Write), "a"},
		"star alone is everything":                {[]policy.Rule{rule("a", "*", policy.Allow)}, act("github.pr.merge", action.Write), "a"},
		"star at the end is one word":             {[]policy.Rule{rule("a", "github.pr.*", policy.Allow)}, act("github.pr.merge", action.Write), "a"},
		"star at the end is two words":            {[]policy.Rule{rule("a", "github.*", policy.Allow)}, act("github.pr.merge", action.Write), "a"},
		"star at the end is not no word":          {[]policy.Rule{rule("a", "github.pr.*", policy.Allow)}, act("github.pr", action.Write), ""},
		"star in the middle is one word":          {[]policy.Rule{rule("a", "github.*.get", policy.Allow)}, act("github.pr.get", action.Read), "a"},
		"star in the middle is not two words":     {[]policy.Rule{rule("a", "github.*.get", policy.Allow)}, act("github.pr.review.get", action.Read), ""},
		"star in the middle is not no word":       {[]policy.Rule{rule("a", "github.*.get", policy.Allow)}, act("github.get", action.Read), ""},
		"unknown is not a pull request":           {[]policy.Rule{rule("a", "github.pr.*", policy.Allow)}, act("github.unknown", action.Admin), ""},
		"exact over star":                         {[]policy.Rule{rule("a", "github.pr.*", policy.Deny), rule("b", "github.pr.merge", policy.Allow)}, act("github.pr.merge", action.Write), "b"},
		"one star over two":                       {[]policy.Rule{rule("a", "github.*.*", policy.Deny), rule("b", "*.pr.merge", policy.Allow)}, act("github.pr.merge", action.Write), "b"},
		"longer literal over shorter":             {[]policy.Rule{rule("a", "github.*.merge", policy.Deny), rule("b", "github.pr.*", policy.Allow)}, act("github.pr.merge", action.Write), "b"},
		"any star over the lone star":             {[]policy.Rule{rule("a", "*", policy.Deny), rule("b", "github.*", policy.Allow)}, act("github.pr.merge", action.Write), "b"},
		"for a class over for any":                {[]policy.Rule{rule("a", "*", policy.Deny), rule("b", "*", policy.Allow, action.Read)}, act("github.pr.get", action.Read), "b"},
		"for another class does not match":        {[]policy.Rule{rule("a", "*", policy.RequireApproval), rule("b", "*", policy.Allow, action.Read)}, act("github.pr.merge", action.Write), "a"},
		"exact for any over star for a class":     {[]policy.Rule{rule("a", "*", policy.Allow, action.Read), rule("b", "github.pr.get", policy.Deny)}, act("github.pr.get", action.Read), "b"},
		"read only leaves the unclassed":          {[]policy.Rule{rule("a", "*", policy.Allow, action.Read)}, act("github.unknown", 0), ""},
		"equal: deny over approval":               {[]policy.Rule{rule("a", "github.pr.*", policy.RequireApproval), rule("b", "github.pr.*", policy.Deny)}, act("github.pr.merge", action.Write), "b"},
		"equal: approval over allow":              {[]policy.Rule{rule("a", "github.pr.*", policy.Allow), rule("b", "github.pr.*", policy.RequireApproval)}, act("github.pr.merge", action.Write), "b"},
		"equal: deny over allow":                  {[]policy.Rule{rule("a", "*", policy.Allow), rule("b", "*", policy.Deny)}, act("github.pr.merge", action.Write), "b"},
		"specific allow over general deny":        {[]policy.Rule{rule("a", "*", policy.Deny), rule("b", "github.pr.merge", policy.Allow)}, act("github.pr.merge", action.Write), "b"},
		"specific allow does not lift the others": {[]policy.Rule{rule("a", "*", policy.Deny), rule("b", "github.pr.merge", policy.Allow)}, act("github.pr.close", action.Write), "a"},
		"case matters":                            {[]policy.Rule{rule("a", "github.pr.merge", policy.Allow)}, act("github.PR.merge", action.Write), ""},
		"no name":                                 {[]policy.Rule{rule("a", "*", policy.Allow)}, act("", action.Read), ""},
		"a name with an empty word":               {[]policy.Rule{rule("a", "*", policy.Allow)}, act("github..merge", action.Read), ""},
		"a connector without rules":               {[]policy.Rule{rule("a", "*", policy.Allow)}, action.Action{Connector: "other", Name: "http.get", Class: action.Read}, ""},
		"no connector":                            {[]policy.Rule{rule("a", "*", policy.Allow)}, action.Action{Name: "http.get", Class: action.Read}, ""},
	} {
		d := engine(t, policy.FullEnforce, tt.rules).Decide(policy.Question{Action: tt.act, Type: "github"})
		if d.Rule != tt.want {
			t.Errorf("%s: rule %q decided, want %q", name, d.Rule, tt.want)
		}
		if (tt.want == "") != (d.By == policy.ByDefault) || tt.want == "" && d.Effect != policy.Deny {
			t.Errorf("%s: %v by %s", name, d.Effect, d.By)
		}
		if d.Reason == "" || !strings.HasSuffix(d.Reason, ".") {
			t.Errorf("%s: reason %q, want a sentence", name, d.Reason)
		}
	}
}

func TestTheLevelTempersAllButTheKillSwitch(t *testing.T) {
	t.Parallel()

	rules := []policy.Rule{
		rule("ok", "github.pr.get", policy.Allow), rule("ask", "github.pr.merge", policy.RequireApproval), rule("no", "github.repo.delete", policy.Deny),
	}
	kill := policy.Kill{ID: "kill_1", Connector: "github"}
	const flagged = true
	type want struct {
		effect, would policy.Effect
		flagged       bool
	}
	for name, tt := range map[string]struct {
		level policy.Enforcement
		act   string
		kills []policy.Kill
		want  want
	}{
		"full, allowed":     {policy.FullEnforce, "github.pr.get", nil, want{policy.Allow, policy.Allow, !flagged}},
		"full, approval":    {policy.FullEnforce, "github.pr.merge", nil, want{policy.RequireApproval, policy.RequireApproval, !flagged}},
		"full, denied":      {policy.FullEnforce, "github.repo.delete", nil, want{policy.Deny, policy.Deny, !flagged}},
		"full, no match":    {policy.FullEnforce, "github.repo.update", nil, want{policy.Deny, policy.Deny, !flagged}},
		"soft, allowed":     {policy.SoftEnforce, "github.pr.get", nil, want{policy.Allow, policy.Allow, !flagged}},
		"soft, approval":    {policy.SoftEnforce, "github.pr.merge", nil, want{policy.Allow, policy.RequireApproval, flagged}},
		"soft, denied":      {policy.SoftEnforce, "github.repo.delete", nil, want{policy.Deny, policy.Deny, !flagged}},
		"soft, no match":    {policy.SoftEnforce, "github.repo.update", nil, want{policy.Allow, policy.Deny, flagged}},
		"monitor, allowed":  {policy.Monitor, "github.pr.get", nil, want{policy.Allow, policy.Allow, !flagged}},
		"monitor, approval": {policy.Monitor, "github.pr.merge", nil, want{policy.Allow, policy.RequireApproval, flagged}},
		"monitor, denied":   {policy.Monitor, "github.repo.delete", nil, want{policy.Allow, policy.Deny, flagged}},
		"monitor, no match": {policy.Monitor, "github.repo.update", nil, want{policy.Allow, policy.Deny, flagged}},
		"full, killed":      {policy.FullEnforce, "github.pr.get", []policy.Kill{kill}, want{policy.Deny, policy.Deny, !flagged}},
		"soft, killed":      {policy.SoftEnforce, "github.pr.get", []policy.Kill{kill}, want{policy.Deny, policy.Deny, !flagged}},
		"monitor, killed":   {policy.Monitor, "github.pr.get", []policy.Kill{kill}, want{policy.Deny, policy.Deny, !flagged}},
	} {
		d := engine(t, tt.level, rules, tt.kills...).Decide(policy.Question{Action: act(tt.act, action.Write), Type: "github"})
		if got := (want{d.Effect, d.Would, d.Flagged}); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
		if (tt.kills != nil) != (d.By == policy.ByKillSwitch) {
			t.Errorf("%s: decided by %s", name, d.By)
		}
	}
}

func TestAKillSwitchStopsWhatItNames(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		kills []policy.Kill
		want  string
	}{
		"none":                   {nil, ""},
		"everything":             {[]policy.Kill{{ID: "all"}}, "all"},
		"by type":                {[]policy.Kill{{ID: "type", Connector: "github"}}, "type"},
		"by configured name":     {[]policy.Kill{{ID: "name", Connector: "gh-enterprise"}}, "name"},
		"another connector":      {[]policy.Kill{{ID: "other", Connector: "http"}}, ""},
		"everything comes first": {[]policy.Kill{{ID: "name", Connector: "gh-enterprise"}, {ID: "all"}}, "all"},
		"two of the same":        {[]policy.Kill{{ID: "b", Connector: "github"}, {ID: "a", Connector: "github"}}, "a"},
	} {
		r := rule("ok", "*", policy.Allow)
		r.Connector = "gh-enterprise"
		a := act("github.pr.get", action.Read)
		a.Connector = "gh-enterprise"
		d := engine(t, policy.FullEnforce, []policy.Rule{r}, tt.kills...).Decide(policy.Question{Action: a, Type: "github"})
		if killed := d.By == policy.ByKillSwitch; killed != (tt.want != "") || killed && (d.Rule != tt.want || d.Effect != policy.Deny || d.Reason == "") {
			t.Errorf("%s: %+v, want stopped by %q", name, d, tt.want)
		}
	}
	if d := engine(t, policy.Monitor, nil, policy.Kill{ID: "all"}).Decide(policy.Question{Action: action.Action{Name: "http.get"}, Type: ""}); d.Effect != policy.Deny {
		t.Errorf("a host that no connector knows: %v, want deny", d.Effect)
	}
}

func TestWhatARequestMayBeCountsAtItsStrictest(t *testing.T) {
	t.Parallel()

	rules := []policy.Rule{rule("all", "*", policy.Allow), rule("ask", "github.pr.close", policy.RequireApproval), rule("no", "github.repo.delete", policy.Deny)}
	or := func(names ...string) action.Action {
		a := act("github.unknown", action.Admin)
		for _, name := range names {
			a.Or = append(a.Or, action.Alternative{Name: name, Class: action.Write})
		}
		return a
	}
	for name, tt := range map[string]struct {
		level policy.Enforcement
		act   action.Action
		want  policy.Effect
		would policy.Effect
	}{
		"nothing strict":        {policy.FullEnforce, or("github.pr.update"), policy.Allow, policy.Allow},
		"an approval":           {policy.FullEnforce, or("github.pr.update", "github.pr.close"), policy.RequireApproval, policy.RequireApproval},
		"a denial":              {policy.FullEnforce, or("github.repo.delete", "github.pr.close"), policy.Deny, policy.Deny},
		"the denial comes last": {policy.FullEnforce, or("github.pr.close", "github.repo.delete"), policy.Deny, policy.Deny},
		"soft":                  {policy.SoftEnforce, or("github.pr.close", "github.repo.delete"), policy.Deny, policy.Deny},
		"monitor":               {policy.Monitor, or("github.pr.close", "github.repo.delete"), policy.Allow, policy.Deny},
	} {
		if d := engine(t, tt.level, rules).Decide(policy.Question{Action: tt.act, Type: "github"}); d.Effect != tt.want || d.Would != tt.would {
			t.Errorf("%s: %v (%v), want %v (%v)", name, d.Effect, d.Would, tt.want, tt.would)
		}
	}
}

func TestNothingIsAllowedByAccident(t *testing.T) {
	t.Parallel()

	var none *policy.Engine
	for name, d := range map[string]policy.Decision{
		"no engine":          none.Decide(policy.Question{Action: act("github.pr.get", action.Read), Type: "github"}),
		"the zero engine":    (&policy.Engine{}).Decide(policy.Question{Action: act("github.pr.get", action.Read), Type: "github"}),
		"the zero decision":  {},
		"the zero action":    engine(t, policy.FullEnforce, []policy.Rule{rule("a", "*", policy.Allow)}).Decide(policy.Question{Action: action.Action{}, Type: ""}),
		"the zero rule":      engine(t, policy.FullEnforce, []policy.Rule{{Connector: "github", Pattern: "*"}}).Decide(policy.Question{Action: act("github.pr.get", action.Read), Type: "github"}),
		"a class that isn't": engine(t, policy.FullEnforce, []policy.Rule{rule("a", "*", policy.Allow)}).Decide(policy.Question{Action: act("github.pr.get", 99), Type: "github"}),
		"a panic in monitor": engine(t, policy.Monitor, []policy.Rule{rule("a", "*", policy.Allow)}).Decide(policy.Question{Action: act("github.pr.get", 99), Type: "github"}),
	} {
		if d.Effect != policy.Deny || d.Would != policy.Deny || d.Flagged {
			t.Errorf("%s: %+v, want deny", name, d)
		}
	}
}

func TestRulesThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()

	class, hold := action.Class(9), -time.Second
	for name, s := range map[string]policy.Settings{
		"no connector":     {Rules: []policy.Rule{{Pattern: "*"}}},
		"no pattern":       {Rules: []policy.Rule{{Connector: "github"}}},
		"half a star":      {Rules: []policy.Rule{rule("a", "github.p*", policy.Allow)}},
		"unknown effect":   {Rules: []policy.Rule{rule("a", "*", 7)}},
		"unknown class":    {Rules: []policy.Rule{{Connector: "github", Pattern: "*", Class: &class}}},
		"a negative hold":  {Rules: []policy.Rule{{Connector: "github", Pattern: "*", Hold: &hold}}},
		"a ttl too long":   {Rules: []policy.Rule{{Connector: "github", Pattern: "*", TTL: 48 * time.Hour}}},
		"an unknown level": {Enforcement: 9},
	} {
		if e, err := policy.Compile(s); e != nil || fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, %v, want fault.Invalid and no engine", name, e, err)
		}
	}
}

func TestADecisionCarriesWhatTheRuleSays(t *testing.T) {
	t.Parallel()

	zero := time.Duration(0)
	asks := policy.Rule{ID: "r", Connector: "github", Pattern: "*", Effect: policy.RequireApproval}
	custom := asks
	custom.Hold, custom.TTL, custom.Reason = &zero, time.Hour, "Ask Ada."
	for name, tt := range map[string]struct {
		rule policy.Rule
		want policy.Decision
	}{
		"by default": {asks, policy.Decision{Reason: "The rule for * asks for a person's approval.", Hold: policy.DefaultHold, TTL: policy.DefaultTTL}},
		"as set":     {custom, policy.Decision{Reason: "Ask Ada.", Hold: 0, TTL: time.Hour}},
	} {
		tt.want.Effect, tt.want.Would, tt.want.By, tt.want.Rule = policy.RequireApproval, policy.RequireApproval, policy.ByRule, "r"
		got := engine(t, policy.FullEnforce, []policy.Rule{tt.rule}).Decide(policy.Question{Action: act("github.pr.merge", action.Write), Type: "github"})
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
	d := engine(t, policy.FullEnforce, nil).Decide(policy.Question{Action: act("github.repo.delete", action.Delete), Type: "github"})
	if want := "No rule of gateway deploy-bot allows github.repo.delete."; !strings.HasPrefix(d.Reason, want) {
		t.Errorf("no match: %q, want %q and what to do", d.Reason, want)
	}
}
