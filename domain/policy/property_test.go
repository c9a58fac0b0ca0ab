package policy_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

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
	classes     = rapid.SampledFrom([]action.Class{action.Admin, action.Delete, action.Write, action.Read})
	effects     = rapid.SampledFrom([]policy.Effect{policy.Deny, policy.RequireApproval, policy.Allow})
	levels      = rapid.SampledFrom([]policy.Enforcement{policy.FullEnforce, policy.SoftEnforce, policy.Monitor})

	someRule = rapid.Custom(func(t *rapid.T) policy.Rule {
		r := policy.Rule{Connector: rapid.SampledFrom([]string{"github", "other"}).Draw(t, "connector"), Pattern: action.Pattern(joined(t, patternWord, "pattern")), Effect: effects.Draw(t, "effect")}
		if rapid.Bool().Draw(t, "limited") {
			c := classes.Draw(t, "class")
			r.Class = &c
		}
		return r
	})
	someRules = rapid.Custom(func(t *rapid.T) []policy.Rule {
		rules := rapid.SliceOfN(someRule, 0, 12).Draw(t, "rules")
		for i := range rules {
			rules[i].ID = fmt.Sprint("rule_", i)
		}
		return rules
	})
	someAction = rapid.Custom(func(t *rapid.T) action.Action {
		return act(joined(t, words, "name"), classes.Draw(t, "class"))
	})
)

// reference answers as the engine does, by asking every rule.
func reference(rules []policy.Rule, a action.Action) policy.Effect {
	best := -1
	for i, r := range rules {
		if r.Connector != a.Connector || !r.Pattern.Matches(a.Name) || r.Class != nil && *r.Class != a.Class {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		b := rules[best]
		switch order := r.Pattern.Compare(b.Pattern); {
		case order < 0, order == 0 && r.Class != nil && b.Class == nil,
			order == 0 && (r.Class != nil) == (b.Class != nil) && r.Effect < b.Effect:
			best = i
		}
	}
	if best < 0 {
		return policy.Deny
	}
	return rules[best].Effect
}

func TestTheIndexAnswersAsAskingEveryRuleWould(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rules, a := someRules.Draw(t, "rules"), someAction.Draw(t, "action")
		if got, want := engine(t, policy.FullEnforce, rules).Decide(a, "github").Effect, reference(rules, a); got != want {
			t.Fatalf("%s: %v, want %v", a.Name, got, want)
		}
	})
}

func TestTheOrderOfRulesHasNoMeaning(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		rules, a, level := someRules.Draw(t, "rules"), someAction.Draw(t, "action"), levels.Draw(t, "level")
		want := engine(t, level, rules).Decide(a, "github")
		if got := engine(t, level, rapid.Permutation(rules).Draw(t, "permuted")).Decide(a, "github"); got != want {
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
		deny.Effect, deny.ID = policy.Deny, "rule_deny"
		before := engine(t, level, rules).Decide(a, "github")
		after := engine(t, level, append(slices.Clone(rules), deny)).Decide(a, "github")
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
		before, alone := e.Decide(a, "github"), e.Decide(other, "github")
		a.Or = append(a.Or, action.Alternative{Name: other.Name, Class: other.Class})
		if after := e.Decide(a, "github"); after.Effect != min(before.Effect, alone.Effect) {
			t.Fatalf("%v and %v made %v", before.Effect, alone.Effect, after.Effect)
		}
	})
}
