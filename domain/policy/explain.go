package policy

import (
	"cmp"
	"slices"

	"github.com/tameflare/tameflare/domain/action"
)

// maxConsidered is how many rules and clauses an Explanation names.
const maxConsidered = 12

// Explain decides as Decide does, and says why.
func (e *Engine) Explain(q Question) (d Decision, x Explanation) {
	defer func() {
		if recover() != nil {
			d, x = e.Decide(q), Explanation{}
		}
	}()
	if e == nil || e.kills.find(q.Action.Connector, q.Type) != nil {
		return e.Decide(q), Explanation{}
	}
	by, rules := e.byRules(&q.Action), e.met(&q.Action)
	asked := deciding{run: run{facts: facts{q: q, engine: e}}}
	if by.Effect == Deny {
		x.list(rules, by)
		x.Flip = asked.flipRules(by)
		return by, x
	}
	asked.consult()
	d = asked.refine(by)
	return d, asked.explain(by, d, rules)
}

// explain says why d came out, where by is what was before the policies, and
// rules are those that led to it.
func (d *deciding) explain(by, out Decision, rules []Considered) Explanation {
	var x Explanation
	tooMuch := d.spent()
	all, more := d.considered(d.decider(out))
	x.More = more
	x.list(append(rules, all...), out)
	d.cost = 0
	switch {
	case out.Would == Allow || tooMuch:
	case out.By == ByPolicy:
		x.Flip = d.flip(by, out)
	default:
		x.Flip = d.flipRules(by)
	}
	return x
}

// decider is the clause that a decision names, nil for none.
func (d *deciding) decider(out Decision) *clause {
	for _, c := range [...]*clause{d.acting.best, d.acting.allow} {
		if c != nil && out.By == ByPolicy && out.Rule == c.decision.Rule {
			return c
		}
	}
	return nil
}

// list puts the deciding one first, then the strictest.
func (x *Explanation) list(all []Considered, d Decision) {
	for i := range all {
		c := &all[i]
		c.Decides = !c.ReportOnly && c.Stage == d.By && c.Rule == d.Rule
	}
	slices.SortStableFunc(all, func(a, b Considered) int {
		return cmp.Or(boolCompare(b.Decides, a.Decides), cmp.Compare(a.Effect, b.Effect), cmp.Compare(stageOrder(a.Stage), stageOrder(b.Stage)))
	})
	if n := len(all) - maxConsidered; n > 0 {
		x.More += n
		all = all[:maxConsidered]
	}
	x.Considered = all
}

func stageOrder(by By) int {
	if by == ByRule {
		return 0
	}
	return 1
}

// considered are decider, which may be nil, and the first clauses whose scope
// the request is in, and how many others there are.
func (d *deciding) considered(decider *clause) (all []Considered, more int) {
	p := d.engine.policies
	in := make([]bool, len(p.areas))
	for i := range p.areas {
		if in[i] = d.concerns(&p.areas[i]); in[i] {
			more += p.areas[i].clauses
		}
	}
	add := func(c *clause) {
		all = append(all, Considered{
			Stage: ByPolicy, Rule: c.decision.Rule, Policy: c.of.id, Name: c.name, Line: c.line, Effect: c.decision.Would,
			Verdict: d.overall(c).String(), ReportOnly: c.of.reportOnly,
		})
		more--
	}
	if decider != nil {
		add(decider)
	}
	for i := range p.clauses {
		if len(all) >= maxConsidered || more == 0 {
			break
		}
		if c := p.clauses[i]; in[c.of.area] && c != decider {
			add(c)
		}
	}
	return all, more
}

// concerns reports whether a may be about the request.
func (d *deciding) concerns(a *area) bool {
	for range d.readings() {
		if d.scope(a.actions) != fails {
			return true
		}
	}
	return false
}

// overall says whether c applies to anything that the request may be.
func (d *deciding) overall(c *clause) verdict {
	d.cost = 0
	none := holds
	for range d.readings() {
		none = both(none, d.applies(c).opposite())
	}
	return none.opposite()
}

var verdicts = [...]string{unclear: "unclear", fails: "fails", holds: "holds"}

func (v verdict) String() string { return verdicts[v] }

// met are the access rules that a request meets.
func (e *Engine) met(a *action.Action) []Considered {
	var all []Considered
	var seen []*compiled
	add := func(r *compiled, v verdict) {
		if r == nil || slices.Contains(seen, r) {
			return
		}
		seen = append(seen, r)
		all = append(all, Considered{Stage: ByRule, Rule: r.decision.Rule, Name: string(r.pattern), Effect: r.decision.Would, Verdict: v.String()})
	}
	each := func(name string, class action.Class, hidden bool) {
		if prefix, some := anyBelow(name); some {
			worst, _ := e.access[a.Connector].below(prefix)
			add(worst, unclear)
			return
		}
		var buf [16]*slots
		end, narrow := e.access[a.Connector].find(name, class, buf[:0])
		s := subject{action: a, hidden: hidden}
		for _, r := range inReach(narrow, class, end) {
			add(r, s.anywhere(narrow, class, end, r))
		}
		add(end, holds)
	}
	each(a.Name, a.Class, false)
	for _, other := range a.Or {
		each(other.Name, other.Class, true)
	}
	return all
}

// inReach are the rules with limits that come before end, in their order.
func inReach(narrow []*slots, class action.Class, end *compiled) []*compiled {
	var all []*compiled
	for _, c := range narrow {
		for _, r := range c.narrow {
			if (end == nil || r.rank < end.rank) && (!r.limited || r.class == class) {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b *compiled) int { return cmp.Compare(a.rank, b.rank) })
	return all
}

// anywhere says whether r applies with any of the elements of lists.
func (s *subject) anywhere(narrow []*slots, class action.Class, end, r *compiled) verdict {
	s.n = 0
	s.spread(narrow, class, end)
	none := s.judge(r).opposite()
	for s.next() {
		none = both(none, s.judge(r).opposite())
	}
	return none.opposite()
}
