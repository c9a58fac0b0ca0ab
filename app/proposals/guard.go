package proposals

import (
	"cmp"
	"maps"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// A rule for exactly one action decides before any for several, whatever the
// latter is limited to. So a rule that is proposed could let through what a
// wider rule stops that is kept. What guard adds beside it sees to it that it
// does not.

// maxRepeats is how many rules are repeated for one action.
const maxRepeats = 20

// guard returns r, which is for one action of one class, and the rules that
// have to be beside it so that nothing the kept ones deny or ask about comes
// off more lightly. It reports false where no such rules can be written. Where
// kept rules of several effects meet, what is repeated may be stricter than
// they are.
func guard(r policy.Rule, class action.Class, kept []policy.Rule) ([]policy.Rule, bool) {
	var near []policy.Rule
	for _, k := range kept {
		if k.Effect < r.Effect && k.Pattern.Matches(string(r.Pattern)) {
			near = append(near, k)
			if k.Class != nil && *k.Class != class {
				r.Class = &class // then k has nothing to do with it
			}
		}
	}
	all := []policy.Rule{r}
	of := []int{-1} // what of near each of all repeats
	for i := 0; i < len(all); i++ {
		for j, k := range near {
			m := all[i]
			if k.Effect >= m.Effect || !meet(k, m) || outranks(k, m) || of[i] >= 0 && outranks(near[of[i]], k) {
				continue
			}
			stop, ok := beside(k, m)
			if !ok || len(all) > maxRepeats {
				return nil, false
			}
			all, of = append(all, stop), append(of, j)
		}
	}
	return unique(all), true
}

// beside repeats k so that it decides before m wherever both are about a
// request.
func beside(k, m policy.Rule) (policy.Rule, bool) {
	k.ID, k.Connector, k.Pattern = "", "", m.Pattern
	if m.Class != nil {
		k.Class = m.Class
	}
	if !outranks(k, m) {
		when := policy.Limits{}
		maps.Copy(when, m.When)
		maps.Copy(when, k.When)
		k.When = when
	}
	return k, outranks(k, m) && k.Check() == nil
}

// unique leaves out what is there already: several of the rules beside which
// one has to be may need the same.
func unique(rules []policy.Rule) []policy.Rule {
	var all []policy.Rule
	for _, r := range rules {
		there := false
		for _, o := range all {
			there = there || same(o, r)
		}
		if !there {
			all = append(all, r)
		}
	}
	return all
}

func same(a, b policy.Rule) bool {
	return a.Effect == b.Effect && a.Pattern == b.Pattern && a.When.String() == b.When.String() && a.TTL == b.TTL && a.Reason == b.Reason &&
		equal(a.Class, b.Class) && equal(a.Hold, b.Hold)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// meet reports whether a request may be of both rules' class.
func meet(a, b policy.Rule) bool { return a.Class == nil || b.Class == nil || *a.Class == *b.Class }

// outranks reports whether a decides before b: as the engine has it, for rules
// of different effects.
func outranks(a, b policy.Rule) bool {
	classless := func(r policy.Rule) int {
		if r.Class == nil {
			return 1
		}
		return 0
	}
	return cmp.Or(
		a.Pattern.Compare(b.Pattern),
		cmp.Compare(len(b.When), len(a.When)),
		cmp.Compare(classless(a), classless(b)),
		cmp.Compare(a.Effect, b.Effect),
	) < 0
}
