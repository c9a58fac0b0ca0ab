package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// naive answers as an Engine does, slowly: it copies, sorts, and asks every
// rule about every form that the request may have.
type naive struct {
	rules []policy.Rule
	level policy.Enforcement
}

type said struct{ effect, would policy.Effect }

type answer struct {
	said
	rule  string
	alone bool // nothing else was as strict, so that it must be this rule
	who   policy.Approvers
}

// decide collects what each reading of the request comes to.
func (n naive) decide(a action.Action) answer {
	var all []answer
	for _, params := range spread(n.spoken(a.Name, a.Class), a) {
		a.Params = params
		all = append(all, n.walk(a))
	}
	for _, other := range a.Or {
		if prefix, below := strings.CutSuffix(other.Name, ".*"); below {
			all = append(all, n.any(prefix))
			continue
		}
		all = append(all, n.walk(action.Action{Connector: a.Connector, Name: other.Name, Class: other.Class, Unknown: []string{"*"}}))
	}
	out := n.strictest(all)
	out.alone = len(all) == 1 || n.before(all[0], all[1])
	return out
}

// strictest is the first of the strictest, and of those that ask for an
// approval asks for what all of them do.
func (n naive) strictest(all []answer) answer {
	sort.SliceStable(all, func(i, j int) bool { return n.before(all[i], all[j]) })
	out := all[0]
	for _, other := range all {
		if out.would == policy.RequireApproval && other.would == policy.RequireApproval {
			out.who = bothOf(out.who, other.who)
		}
	}
	return out
}

func (n naive) before(a, b answer) bool {
	if a.effect != b.effect {
		return a.effect < b.effect
	}
	return a.would < b.would
}

func (n naive) says(effect policy.Effect, rule string) answer {
	passes := n.level == policy.Monitor || n.level == policy.SoftEnforce && (effect == policy.RequireApproval || rule == "")
	if passes {
		return answer{said: said{policy.Allow, effect}, rule: rule}
	}
	return answer{said: said{effect, effect}, rule: rule}
}

func (n naive) asks(r policy.Rule) answer {
	a := n.says(r.Effect, r.ID)
	a.who = r.Approvers
	return a
}

// candidates are the rules for an action in the order in which they are asked,
// up to the first that cannot but apply.
func (n naive) candidates(name string, class action.Class) []policy.Rule {
	var all []policy.Rule
	for _, r := range n.rules {
		if r.Connector == "github" && r.Pattern.Matches(name) && (r.Class == nil || *r.Class == class) {
			all = append(all, r)
		}
	}
	sort.Slice(all, func(i, j int) bool { return rank(all[i]) < rank(all[j]) })
	for i, r := range all {
		if len(r.When) == 0 {
			return all[:i+1]
		}
	}
	return all
}

// rank sorts as text.
func rank(r policy.Rule) string {
	literal := len(strings.SplitN(string(r.Pattern), "*", 2)[0])
	classless := 0
	if r.Class == nil {
		classless = 1
	}
	who := fmt.Sprintf("%d %02d %v %v %d %s", 9-weight(r.Approvers.Role), 20-r.Approvers.Count, !r.Approvers.StepUp, !r.Approvers.NotSelf, 9-len(r.Approvers.Groups()), r.Approvers.Group)
	return fmt.Sprintf("%03d %03d %d %d %d %s %s %s", strings.Count(string(r.Pattern), "*"), 900-literal, 9-len(r.When), classless, uint8(r.Effect), who, r.Pattern, r.ID)
}

func (n naive) spoken(name string, class action.Class) []string {
	var all []string
	for _, r := range n.candidates(name, class) {
		all = slices.AppendSeq(all, maps.Keys(r.When))
	}
	return all
}

// spread returns the params with each element of a list in the place of the
// list, for all that the rules speak of.
func spread(spoken []string, a action.Action) []map[string]any {
	forms, product := []map[string]any{a.Params}, 1
	lists := map[string][]string{}
	for _, key := range spoken {
		list, ok := a.Params[key].([]string)
		if ok && key != "resource" && !slices.Contains(a.Unknown, key) && !slices.Contains(a.Unknown, "*") {
			lists[key] = list
		}
	}
	for _, list := range lists {
		product *= max(len(list), 1)
	}
	for key, list := range lists {
		var next []map[string]any
		for _, form := range forms {
			switch {
			case len(list) == 0:
				form = maps.Clone(form)
				delete(form, key)
				next = append(next, form)
			case len(list) > 1 && product > 64:
				form = maps.Clone(form)
				form[key] = nil // of no type that anyone knows
				next = append(next, form)
			default:
				for _, element := range list {
					form = maps.Clone(form)
					form[key] = element
					next = append(next, form)
				}
			}
		}
		forms = next
	}
	return forms
}

// walk asks the rules one by one.
func (n naive) walk(a action.Action) answer {
	met := []answer{}
	for _, r := range n.candidates(a.Name, a.Class) {
		all := map[string]int{}
		for key, globs := range r.When {
			all[holds(a, key, globs)]++
		}
		if all["no"] > 0 {
			continue
		}
		met = append(met, n.asks(r))
		if all["perhaps"] == 0 {
			return n.strictest(met)
		}
	}
	return n.strictest(append(met, n.says(policy.Deny, "")))
}

func holds(a action.Action, key string, globs []string) string {
	if slices.Contains(a.Unknown, key) || slices.Contains(a.Unknown, "*") {
		return "perhaps"
	}
	value, there := a.Params[key]
	if key == "resource" {
		value, there = a.Resource, a.Resource != ""
	}
	if !there {
		return "no"
	}
	text, ok := value.(string)
	if !ok {
		switch value.(type) {
		case int64, float64, bool:
			b, err := json.Marshal(value)
			if err != nil {
				return "perhaps"
			}
			text = string(b)
		default:
			return "perhaps"
		}
	}
	for _, g := range globs {
		if like(g, text) {
			return "yes"
		}
	}
	return "no"
}

// any tries every name of the prefix that tells patterns apart: "z" is a word
// that none of them has.
func (n naive) any(prefix string) answer {
	names := namesUnder(prefix)
	rules := slices.Clone(n.rules)
	sort.Slice(rules, func(i, j int) bool { return rank(rules[i]) < rank(rules[j]) })
	met, covered := []answer{}, false
	for _, r := range rules {
		some, all := false, true
		for _, name := range names {
			matches := r.Connector == "github" && r.Pattern.Matches(name)
			some, all = some || matches, all && matches
		}
		if some {
			met = append(met, n.asks(r))
		}
		covered = covered || all && r.Class == nil && len(r.When) == 0
	}
	if !covered {
		met = append(met, n.says(policy.Deny, ""))
	}
	return n.strictest(met)
}

// under keeps what namesUnder made, which is always the same.
var under sync.Map

func namesUnder(prefix string) []string {
	if names, ok := under.Load(prefix); ok {
		return names.([]string)
	}
	var names []string
	level := []string{prefix}
	for range 5 {
		var next []string
		for _, name := range level {
			for _, word := range []string{"github", "pr", "repo", "get", "delete", "unknown", "z"} {
				next = append(next, name+"."+word)
			}
		}
		if len(next) > 3000 {
			break
		}
		names, level = append(names, next...), next
	}
	under.Store(prefix, names)
	return names
}

// compiled globs, by the glob.
var likes sync.Map

func like(glob, text string) bool {
	re, ok := likes.Load(glob)
	if !ok {
		re = regexp.MustCompile("(?s)^" + strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*") + "$")
		likes.Store(glob, re)
	}
	return re.(*regexp.Regexp).MatchString(text)
}
