package policy_test

import (
	"fmt"
	"testing"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

func many(n int) []policy.Rule {
	rules := []policy.Rule{rule("all", "*", policy.Deny), rule("gets", "github.*.get", policy.Allow)}
	for i := range n {
		rules = append(rules, rule(fmt.Sprint("rule_", i), action.Pattern(fmt.Sprintf("github.noun%d.verb%d", i/10, i%10)), policy.Allow))
	}
	return rules
}

// branches are n rules for the pushes to one ref each.
func branches(n int) []policy.Rule {
	rules := []policy.Rule{rule("all", "*", policy.Allow)}
	for i := range n {
		r := rule(fmt.Sprint("rule_", i), "github.repo.push", policy.Deny)
		r.When = policy.Limits{"ref": {fmt.Sprintf("refs/heads/%d/*", i)}, "n": {"1*"}, "resource": {"acme/*"}}
		rules = append(rules, r)
	}
	return rules
}

// Not parallel: what others allocate would be counted too.
func TestADecisionDoesNotAllocate(t *testing.T) {
	e := engine(t, policy.FullEnforce, many(1000), policy.Kill{ID: "k", Connector: "other"})
	for _, name := range []string{"github.noun3.verb4", "github.pr.get", "github.none.such"} {
		a := act(name, action.Write)
		if n := testing.AllocsPerRun(100, func() { e.Decide(policy.Question{Action: a, Type: "github"}) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	e = engine(t, policy.FullEnforce, branches(100))
	for name, a := range map[string]action.Action{
		"by text": push(map[string]any{"ref": "refs/heads/7/a", "n": "1"}), "by a number": push(map[string]any{"ref": "refs/heads/7/a", "n": int64(-9007199254740991)}),
		"by a fraction": push(map[string]any{"ref": "refs/heads/7/a", "n": 1.5e-9}), "by a truth": push(map[string]any{"ref": "refs/heads/7/a", "n": true}),
		"by lists": push(map[string]any{"ref": []string{"a", "refs/heads/7/a"}, "n": []string{"1", "2"}}), "unknown": push(nil, "*"),
	} {
		if n := testing.AllocsPerRun(100, func() { e.Decide(policy.Question{Action: a, Type: "github"}) }); n != 0 {
			t.Errorf("limits %s: %v allocations", name, n)
		}
	}
	e = withPolicies(t, realistic(1000))
	for name, change := range map[string]func(q *policy.Question){
		"held": func(*policy.Question) {}, "denied": func(q *policy.Question) { q.Action.Class = action.Delete },
		"unclear": func(q *policy.Question) { q.Action.Unknown = []string{"*"} }, "of none": func(q *policy.Question) { q.Action.Resource = "other/x" },
	} {
		q := merge()
		change(&q)
		if n := testing.AllocsPerRun(100, func() { e.Decide(q) }); n > 1 { // a reason that is put together
			t.Errorf("policies %s: %v allocations", name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { e.WithKills(nil) }); n > 1 {
		t.Errorf("kill switches: %v allocations", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, a := engine(b, policy.FullEnforce, many(n)), act("github.noun0.verb4", action.Write)
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(policy.Question{Action: a, Type: "github"})
			}
		})
	}
}

func BenchmarkDecideWithLimits(b *testing.B) {
	for _, n := range []int{1, 10, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, a := engine(b, policy.FullEnforce, branches(n)), push(map[string]any{"ref": "refs/heads/main", "n": int64(12)})
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(policy.Question{Action: a, Type: "github"})
			}
		})
	}
}

func BenchmarkDecideAboutAny(b *testing.B) {
	rules := append(many(10_000), branches(10_000)...)
	a := act("github.push", action.Write)
	a.Or = []action.Alternative{{Name: "github.*"}}
	e := engine(b, policy.FullEnforce, rules)
	b.ReportAllocs()
	for b.Loop() {
		e.Decide(policy.Question{Action: a, Type: "github"})
	}
}
