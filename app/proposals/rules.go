package proposals

import (
	"cmp"
	"slices"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// manyReads is from how many different reads on one rule covers all of them: a
// list that nobody can look over protects nobody.
const manyReads = 40

// propose makes the rules of one connector out of its uses.
func propose(conf store.Configuration, row fleet.Connector, uses map[need]*use, kept *judge.Judge) (Connector, error) {
	c := Connector{Name: row.Name, Type: row.Type, Seen: len(uses) > 0}
	for _, r := range conf.Rules {
		if r.ConnectorID != row.ID {
			continue
		}
		if r.Effect == policy.Allow && c.Seen {
			c.Drops = append(c.Drops, string(r.Pattern))
			continue
		}
		r.ID, r.GatewayID, r.ConnectorID, r.Position = "", "", "", 0
		c.Rules = append(c.Rules, r)
	}
	if !c.Seen {
		return c, nil
	}
	needs := sorted(uses)
	stops, err := stopsOf(conf, row)
	if err != nil {
		return c, err
	}
	reads := 0
	wide := wideReads(stops)
	for _, k := range needs {
		if k.class == action.Read && uses[k].open() {
			reads++
		}
		if k.class == action.Read && uses[k].narrow {
			wide = false
		}
	}
	wide = wide && reads >= manyReads
	if wide {
		c.Rules = append(c.Rules, fleet.NewRule(allReads(), policy.NoPreset))
	}
	for _, k := range needs {
		u := uses[k]
		c.Denied += u.denied
		c.Asked += u.asked
		c.Refused += u.refused
		rest := u.n - u.denied - u.asked - u.refused
		if rest == 0 {
			continue
		}
		r := policy.Rule{Pattern: action.Pattern(k.action), When: u.limits(k), Effect: policy.Allow}
		if k.class == action.Delete || k.class == action.Admin || u.risk == action.Critical {
			r.Effect = policy.RequireApproval
		}
		if !wide || k.class != action.Read || r.Effect != policy.Allow {
			beside, ok := guard(r, k.class, stops)
			if u.narrow && r.When == nil {
				ok = false // it would cover what was refused
			}
			if !ok {
				c.Kept = append(c.Kept, k.action)
				c.Left += rest
				continue
			}
			for _, one := range beside {
				if err := one.Check(); err != nil {
					return c, err
				}
				c.Rules = append(c.Rules, fleet.NewRule(one, policy.NoPreset))
			}
		}
		if r.Effect == policy.Allow {
			c.Allowed += rest
		} else {
			c.Asked += rest
		}
	}
	c.Kept = slices.Compact(c.Kept)
	c.Leaves = leaves(kept.Set.Named(row.Name), c.Rules)
	return c, nil
}

// open reports whether some of it is up to the rules that are proposed.
func (u *use) open() bool { return u.n > u.denied+u.asked+u.refused }

// stopsOf are the rules of a connector that deny or ask.
func stopsOf(conf store.Configuration, row fleet.Connector) ([]policy.Rule, error) {
	var stops []policy.Rule
	for _, r := range conf.Rules {
		if r.ConnectorID != row.ID || r.Effect == policy.Allow {
			continue
		}
		one, err := r.Policy(row.Name)
		if err != nil {
			return nil, err
		}
		stops = append(stops, one)
	}
	return stops, nil
}

// allReads is the rule that stands for many.
func allReads() policy.Rule {
	class := action.Read
	return policy.Rule{Pattern: "*", Class: &class, Effect: policy.Allow}
}

// wideReads reports whether allReads leaves everything to stops that they stop.
func wideReads(stops []policy.Rule) bool {
	all := allReads()
	return !slices.ContainsFunc(stops, func(k policy.Rule) bool { return meet(k, all) && !outranks(k, all) })
}

func sorted(uses map[need]*use) []need {
	all := make([]need, 0, len(uses))
	for k := range uses {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b need) int {
		return cmp.Or(cmp.Compare(b.class, a.class), cmp.Compare(a.action, b.action)) // reads first
	})
	return all
}

// leaves counts the actions of c's type that no rule lets through, not even
// after asking.
func leaves(c *connectors.Connector, rules []fleet.Rule) int {
	if c == nil {
		return 0
	}
	n := 0
	counted := map[string]bool{}
	for _, op := range c.Type().Operations() {
		if counted[op.Action] {
			continue
		}
		counted[op.Action] = true
		covered := slices.ContainsFunc(rules, func(r fleet.Rule) bool {
			return r.Effect != policy.Deny && r.Pattern.Matches(op.Action) && (r.Class == "" || r.Class == op.Class.String())
		})
		if !covered {
			n++
		}
	}
	return n
}
