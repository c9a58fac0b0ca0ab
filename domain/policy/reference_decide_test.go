package policy_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// reference answers as an Engine with policies does, from what the contract of
// the operators says and in no hurry: it has no index, no program and no three
// values. Whatever is not known may come out either way, and a condition is the
// set of the ways in which it may come out.
type reference struct{ policy.Settings }

// reply is what reference says. What it leaves to chance is not compared.
type reply struct {
	said
	by       policy.By
	rule     string // "" where alone is false
	alone    bool
	approver policy.Approvers
	risk     int
	reported string
	as       policy.Effect
	clause   *policy.Clause // the one that is named, where by is ByPolicy
}

// candidate is a clause that applies, or perhaps does.
type candidate struct {
	certain  bool
	priority int
	name     string
	at       int
	key      string
	version  int64
	clause   policy.Clause
}

func (r reference) decide(q policy.Question) reply {
	for _, k := range r.Kills {
		if k.Connector == "" || k.Connector == q.Action.Connector || k.Connector == q.Type {
			return reply{by: policy.ByKillSwitch}
		}
	}
	access := naive{r.Rules, r.Enforcement}.decide(q.Action)
	out := reply{said: access.said, rule: access.rule, alone: access.alone, by: policy.ByRule, approver: access.who}
	if access.rule == "" {
		out.by = policy.ByDefault
	}
	return r.refine(q, out)
}

// byPolicies is decide with policies alone.
func (r reference) byPolicies(q policy.Question) reply {
	return r.refine(q, reply{said: said{policy.Allow, policy.Allow}, by: policy.ByDefault, alone: true})
}

func (r reference) refine(q policy.Question, access reply) reply {
	if access.effect == policy.Deny {
		return access
	}
	acting, reporting := r.applying(q, false), r.applying(q, true)
	out := r.stricter(access, acting)
	for _, c := range acting {
		if c.certain {
			out.risk = max(out.risk, c.clause.Risk)
		}
	}
	if with := r.stricter(out, reporting); before(with.said, out.said) {
		out.reported, out.as = with.rule, with.would
	}
	return out
}

// stricter is d, or what the strictest clause says where that is stricter, or
// as strict and asks for an approval too.
func (r reference) stricter(d reply, all []candidate) reply {
	all = slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.clause.Effect == policy.Allow })
	slices.SortStableFunc(all, func(a, b candidate) int {
		certain := 0
		if a.certain != b.certain {
			certain = 1
			if a.certain {
				certain = -1
			}
		}
		return cmp.Or(cmp.Compare(a.clause.Effect, b.clause.Effect), certain, cmp.Compare(a.priority, b.priority), cmp.Compare(a.name, b.name), cmp.Compare(a.at, b.at))
	})
	if len(all) == 0 {
		return d
	}
	first := all[0]
	says := r.tempered(first.clause.Effect)
	if before(d.said, says) || d.said == says && d.would == policy.Deny {
		return d
	}
	d.said, d.by, d.rule, d.alone, d.clause = says, policy.ByPolicy, first.key, true, &first.clause
	if says.would == policy.RequireApproval {
		for _, c := range all {
			d.approver = bothOf(d.approver, c.clause.Approvers)
		}
	}
	return d
}

// bothOf is who has to agree where both are asked for: who is of every group,
// and of the higher role.
func bothOf(a, b policy.Approvers) policy.Approvers {
	out := policy.Approvers{Role: a.Role, Count: max(a.Count, b.Count), NotSelf: a.NotSelf || b.NotSelf, StepUp: a.StepUp || b.StepUp}
	if weight(b.Role) > weight(a.Role) {
		out.Role = b.Role
	}
	groups := map[string]bool{}
	for _, name := range strings.Split(a.Group+"+"+b.Group, "+") {
		groups[name] = name != ""
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if groups[name] {
			out.Group = strings.TrimPrefix(out.Group+"+"+name, "+")
		}
	}
	return out
}

func weight(role string) int { return slices.Index([]string{"", "member", "admin", "owner"}, role) }

func before(a, b said) bool {
	if a.effect != b.effect {
		return a.effect < b.effect
	}
	return a.would < b.would
}

func (r reference) tempered(e policy.Effect) said {
	if r.Enforcement == policy.Monitor || r.Enforcement == policy.SoftEnforce && e == policy.RequireApproval {
		return said{policy.Allow, e}
	}
	return said{e, e}
}

// applying are the clauses that hold or may hold of what the request is, or of
// what else it may be.
func (r reference) applying(q policy.Question, reportOnly bool) []candidate {
	views := []view{{q: q, in: r.Settings, name: q.Action.Name, class: q.Action.Class}}
	for _, other := range q.Action.Or {
		views = append(views, view{q: q, in: r.Settings, name: other.Name, class: other.Class, other: true})
	}
	var all []candidate
	for _, p := range r.Policies {
		if p.ReportOnly != reportOnly || !anyGlob(p.Scope.Gateways, r.Gateway) || !anyGlob(p.Scope.Environments, r.Environment) {
			continue
		}
		for i, c := range p.Clauses {
			ways := may{no: true}
			for _, v := range views {
				ways = ways.or(v.inScope(p.Scope.Actions).and(v.applies(c)))
			}
			if ways.yes {
				all = append(all, candidate{certain: !ways.no, priority: cmp.Or(p.Priority, policy.DefaultPriority), name: p.Name, at: i, key: p.Key(i), version: p.Version, clause: c})
			}
		}
	}
	return all
}

func anyGlob(globs []string, text string) bool {
	return len(globs) == 0 || slices.ContainsFunc(globs, func(g string) bool { return like(g, text) })
}

// may says how something may come out.
type may struct{ yes, no bool }

var either = may{true, true}

func surely(b bool) may { return may{yes: b, no: !b} }

func (m may) and(o may) may { return may{yes: m.yes && o.yes, no: m.no || o.no} }
func (m may) or(o may) may  { return m.not().and(o.not()).not() }
func (m may) not() may      { return may{yes: m.no, no: m.yes} }

// inScope tries names where only the beginning of the action's is known.
func (v view) inScope(patterns []action.Pattern) may {
	if len(patterns) == 0 {
		return surely(true)
	}
	matches := func(name string) bool {
		return slices.ContainsFunc(patterns, func(p action.Pattern) bool { return p.Matches(name) })
	}
	prefix, below := v.below()
	if !below {
		return surely(matches(v.name))
	}
	var out may
	for _, name := range namesBelow(prefix, patterns) {
		if matches(name) {
			out.yes = true
		} else {
			out.no = true
		}
	}
	return out
}

// namesBelow are names that tell any of the patterns apart: of its words, and of
// one that none has.
func namesBelow(prefix string, patterns []action.Pattern) []string {
	words := []string{"zzz"}
	longest := 1
	for _, p := range patterns {
		parts := strings.Split(string(p), ".")
		longest = max(longest, len(parts)+1)
		for _, word := range parts {
			if word != "*" && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	var names []string
	level := []string{prefix}
	for range longest {
		var next []string
		for _, name := range level {
			for _, word := range words {
				next = append(next, strings.TrimPrefix(name+"."+word, "."))
			}
		}
		names, level = append(names, next...), next
		if len(names) > 20_000 {
			break
		}
	}
	return names
}
