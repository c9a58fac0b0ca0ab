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

// Not parallel: what others allocate would be counted too.
func TestADecisionDoesNotAllocate(t *testing.T) {
	e := engine(t, policy.FullEnforce, many(1000), policy.Kill{ID: "k", Connector: "other"})
	for _, name := range []string{"github.noun3.verb4", "github.pr.get", "github.none.such"} {
		a := act(name, action.Write)
		if n := testing.AllocsPerRun(100, func() { e.Decide(a, "github") }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, a := engine(b, policy.FullEnforce, many(n)), act("github.noun0.verb4", action.Write)
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(a, "github")
			}
		})
	}
}
