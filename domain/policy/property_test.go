package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// named writes g's name down, which the first list of it would otherwise do
// while other tests read it.
func named[V any](g *rapid.Generator[V]) *rapid.Generator[V] {
	_ = g.String()
	return g
}

var (
	words  = rapid.SampledFrom([]string{"github", "pr", "repo", "get", "delete", "unknown"})
	joined = func(t *rapid.T, word *rapid.Generator[string], label string) string {
		s := word.Draw(t, label)
		for range rapid.IntRange(0, 3).Draw(t, label+" length") {
			s += "." + word.Draw(t, label)
		}
		return s
	}
	patternWord = rapid.OneOf(words, rapid.Just("*"))
	patterns    = rapid.OneOf(
		rapid.SampledFrom([]string{"*", "github.*", "github.pr.*", "github.pr.get", "github"}),
		rapid.Custom(func(t *rapid.T) string { return joined(t, patternWord, "pattern") }),
	)
	actions = rapid.OneOf(
		rapid.Just("github.pr.get"),
		rapid.Custom(func(t *rapid.T) string { return joined(t, words, "name") }),
	)
	classes = rapid.SampledFrom([]action.Class{action.Admin, action.Delete, action.Write, action.Read})
	effects = rapid.SampledFrom([]policy.Effect{policy.Deny, policy.RequireApproval, policy.Allow})
	levels  = rapid.SampledFrom([]policy.Enforcement{policy.FullEnforce, policy.SoftEnforce, policy.Monitor})

	approvers = rapid.Custom(func(t *rapid.T) policy.Approvers {
		return policy.Approvers{
			Role: rapid.SampledFrom(dicedRoles).Draw(t, "role"), Count: rapid.IntRange(0, 3).Draw(t, "count"),
			Group: rapid.SampledFrom([]string{"", "", "ops", "ops+release", "db+ops"}).Draw(t, "group"), NotSelf: rapid.Bool().Draw(t, "not self"), StepUp: rapid.Bool().Draw(t, "step up"),
		}
	})

	someRule = named(rapid.Custom(func(t *rapid.T) policy.Rule {
		r := policy.Rule{Connector: rapid.SampledFrom([]string{"github", "other"}).Draw(t, "connector"), Pattern: action.Pattern(patterns.Draw(t, "pattern")), Effect: effects.Draw(t, "effect")}
		if rapid.Bool().Draw(t, "limited") {
			c := classes.Draw(t, "class")
			r.Class = &c
		}
		for range rapid.IntRange(0, 2).Draw(t, "limits") {
			if r.When == nil {
				r.When = policy.Limits{}
			}
			r.When[keys.Draw(t, "key")] = rapid.SliceOfN(globs, 1, 2).Draw(t, "globs")
		}
		if r.Effect == policy.RequireApproval {
			r.Approvers = approvers.Draw(t, "approvers")
		}
		return r
	}))
	keys      = named(rapid.SampledFrom([]string{"resource", "ref", "n", "labels", "tags"}))
	globs     = named(rapid.SampledFrom([]string{"a", "a*", "*b", "*", "b", "1", "*1*", "true"}))
	someRules = rapid.Custom(func(t *rapid.T) []policy.Rule {
		rules := rapid.SliceOfN(someRule, 0, 12).Draw(t, "rules")
		for i := range rules {
			rules[i].ID = fmt.Sprint("rule_", i)
		}
		return rules
	})
	someAction = rapid.Custom(func(t *rapid.T) action.Action {
		a := act(actions.Draw(t, "name"), classes.Draw(t, "class"))
		a.Resource = rapid.SampledFrom([]string{"", "a", "b", "ab"}).Draw(t, "resource")
		a.Params = map[string]any{}
		for _, key := range rapid.SliceOfDistinct(keys, rapid.ID).Draw(t, "params") {
			a.Params[key] = values.Draw(t, "value")
		}
		a.Unknown = rapid.SliceOfN(rapid.SampledFrom([]string{"resource", "ref", "n", "labels", "*"}), 0, 1).Draw(t, "unknown")
		for range rapid.IntRange(0, 2).Draw(t, "alternatives") {
			a.Or = append(a.Or, action.Alternative{Name: actions.Draw(t, "other") + rapid.SampledFrom([]string{"", "", ".*"}).Draw(t, "below"), Class: classes.Draw(t, "other class")})
		}
		return a
	})
	values = rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]string{"", "a", "b", "ab", "1"}), func(s string) any { return s }),
		rapid.SampledFrom([]any{int64(1), int64(-21), 1.5, 1e21, true, nil, []int{1}}),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "x1x"}), 0, 3), func(s []string) any { return s }),
		rapid.SampledFrom([]any{[]string{"a", "a", "a", "a", "a", "a", "a", "ab"}, []string{"b", "b", "b", "b", "b", "b", "b", "b", "ab"}}),
	)
)

func TestTheIndexAnswersAsAskingEveryRuleWould(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rules, a, level := someRules.Draw(t, "rules"), someAction.Draw(t, "action"), levels.Draw(t, "level")
		d := engine(t, level, rules).Decide(policy.Question{Action: a, Type: "github"})
		want := naive{rules, level}.decide(a)
		if got := (said{d.Effect, d.Would}); got != want.said {
			t.Fatalf("%v, want %v", got, want.said)
		}
		if d.Rule != want.rule && want.alone {
			t.Fatalf("rule %q decided, want %q", d.Rule, want.rule)
		}
		if d.Approvers.Count, want.who.Count = max(d.Approvers.Count, 1), max(want.who.Count, 1); d.Would == policy.RequireApproval && d.Approvers != want.who {
			t.Fatalf("by %+v, want %+v", d.Approvers, want.who)
		}
	})
}

func TestTheOrderOfRulesHasNoMeaning(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rules, a, level := someRules.Draw(t, "rules"), someAction.Draw(t, "action"), levels.Draw(t, "level")
		want := engine(t, level, rules).Decide(policy.Question{Action: a, Type: "github"})
		if got := engine(t, level, rapid.Permutation(rules).Draw(t, "permuted")).Decide(policy.Question{Action: a, Type: "github"}); got != want {
			t.Fatalf("%s: %+v, want %+v", a.Name, got, want)
		}
	})
}

// A more specific deny, or one as specific, can only take away. (A deny for a
// class hides an approval for any class, which is stricter as well.)
func TestAddingADenyNeverAllowsMore(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rules, a, level := someRules.Draw(t, "rules"), someAction.Draw(t, "action"), levels.Draw(t, "level")
		deny := someRule.Draw(t, "deny")
		deny.Effect, deny.ID, deny.Approvers = policy.Deny, "rule_deny", policy.Approvers{}
		before := engine(t, level, rules).Decide(policy.Question{Action: a, Type: "github"})
		after := engine(t, level, append(slices.Clone(rules), deny)).Decide(policy.Question{Action: a, Type: "github"})
		if after.Effect > before.Effect || after.Would > before.Would {
			t.Fatalf("%s: %v became %v", a.Name, before.Would, after.Would)
		}
	})
}

func TestAnotherThingThatItMayBeNeverAllowsMore(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		e := engine(t, levels.Draw(t, "level"), someRules.Draw(t, "rules"))
		a, other := someAction.Draw(t, "action"), someAction.Draw(t, "other")
		other.Or, other.Unknown = nil, []string{"*"}
		before, alone := e.Decide(policy.Question{Action: a, Type: "github"}), e.Decide(policy.Question{Action: other, Type: "github"})
		a.Or = append(slices.Clone(a.Or), action.Alternative{Name: other.Name, Class: other.Class})
		if after := e.Decide(policy.Question{Action: a, Type: "github"}); after.Effect != min(before.Effect, alone.Effect) {
			t.Fatalf("%v and %v made %v", before.Effect, alone.Effect, after.Effect)
		}
	})
}
