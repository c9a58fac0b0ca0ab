package policy

import "slices"

// maxChanges is the most that anyone would want to hear of.
const maxChanges = 12

// flip looks for the fewest conditions that would have to be otherwise for
// something milder than out. It is nil where there are none, or too many.
func (d *deciding) flip(by, out Decision) *Flip {
	f := &flipping{deciding: d}
	for _, c := range d.applying(out.Would) {
		if !f.prevent(c) {
			return nil
		}
	}
	d.acting, d.reporting = tally{}, tally{}
	d.consult()
	then := d.refine(by)
	if then.Would <= out.Would || len(f.changes) == 0 {
		return nil
	}
	return &Flip{To: then.Would, Changes: f.changes}
}

// applying are the clauses of one effect that apply, or perhaps do.
func (d *deciding) applying(e Effect) []*clause {
	d.collect, d.collected, d.linear = e, []*clause{}, false
	d.consult()
	all := d.collected
	d.collected = nil
	slices.SortFunc(all, func(a, b *clause) int { return int(a.rank - b.rank) })
	return slices.Compact(all)
}

// flipping is what has to be otherwise so far.
type flipping struct {
	*deciding
	changes []Change
	steps   int
}

// maxTries is how long the fewest changes are looked for.
const maxTries = 2000

// prevent makes c fail for everything that the request may be, and with every
// element of its lists, by what costs the fewest changes at each.
func (f *flipping) prevent(c *clause) bool {
	if c.program == nil {
		return false
	}
	for range f.readings() {
		for f.applies(c) != fails {
			// What is looked for is a combination with which it applies.
			f.n = 0
			f.spread(c.spread)
			for f.verdict(c.program) == fails {
				if !f.next() {
					return false
				}
			}
			need := f.toFail(c.program)
			if need.nodes == nil || len(f.changes)+len(need.nodes) > maxChanges {
				return false
			}
			for i, n := range need.nodes {
				f.forced = append(f.forced, forced{node: n, verdict: surely(need.hold[i])})
				f.changes = append(f.changes, Change{Policy: c.of.id, Line: n.source.Line, Text: n.source.Text, Holds: need.hold[i]})
			}
		}
	}
	return true
}

// need is a set of conditions that would have to hold, or not to. Nil nodes
// are that there is no way.
type need struct {
	nodes []*node
	hold  []bool
}

func (a need) and(b need) need {
	return need{append(slices.Clip(a.nodes), b.nodes...), append(slices.Clip(a.hold), b.hold...)}
}

// toFail is the least that would make n fail, which now it does not.
func (f *flipping) toFail(n *node) need { return f.towards(n, false) }

// towards is the least that would make n hold, or fail. It is empty but not
// nil if it does already.
func (f *flipping) towards(n *node, hold bool) need {
	if f.steps++; f.steps > maxTries {
		return need{}
	}
	if f.verdict(n) == surely(hold) {
		return need{nodes: []*node{}, hold: []bool{}}
	}
	switch n.code {
	case allOf:
		if hold {
			return f.every(n.args, true)
		}
		return f.least(n.args, false)
	case anyOf:
		if hold {
			return f.least(n.args, true)
		}
		return f.every(n.args, false)
	case notOf:
		return f.towards(&n.args[0], !hold)
	case condOf:
		return f.branch(n, hold)
	default:
	}
	for i := range f.forced {
		if f.forced[i].node == n {
			return need{} // it cannot be one thing and the other
		}
	}
	return need{nodes: []*node{n}, hold: []bool{hold}}
}

func (f *flipping) every(args []node, hold bool) need {
	all := need{nodes: []*node{}, hold: []bool{}}
	for i := range args {
		one := f.towards(&args[i], hold)
		if one.nodes == nil {
			return need{}
		}
		all = all.and(one)
	}
	return all
}

func (f *flipping) least(args []node, hold bool) need {
	var best need
	for i := range args {
		best = fewer(best, f.towards(&args[i], hold))
	}
	return best
}

func fewer(a, b need) need {
	if a.nodes == nil || b.nodes != nil && len(b.nodes) < len(a.nodes) {
		return b
	}
	return a
}

// branch goes the way that it goes now, or the other.
func (f *flipping) branch(n *node, hold bool) need {
	var best need
	for i, test := range []bool{true, false} {
		first, then := f.towards(&n.args[0], test), f.towards(&n.args[i+1], hold)
		if first.nodes != nil && then.nodes != nil {
			best = fewer(best, first.and(then))
		}
	}
	return best
}

// flipRules is flip for what the access rules have said, where no more than
// one action comes into question.
func (d *deciding) flipRules(by Decision) *Flip {
	a := &d.q.Action
	if _, below := anyBelow(a.Name); below || len(a.Or) > 0 {
		return nil
	}
	var buf [16]*slots
	end, narrow := d.engine.access[a.Connector].find(a.Name, a.Class, buf[:0])
	s := subject{action: a}
	s.spread(narrow, a.Class, end)
	if s.n > 0 {
		return nil
	}
	rules := inReach(narrow, a.Class, end)
	if end != nil {
		rules = append(rules, end)
	}
	var best *Flip
	var before []Change // so that no rule before this one applies
	for _, r := range rules {
		now := s.judge(r)
		then := d.milder(r, by)
		if then != nil {
			then.Changes = append(slices.Clone(before), s.changes(r)...)
			if n := len(then.Changes); n > 0 && n <= maxChanges && !contradict(then.Changes) && (best == nil || n < len(best.Changes)) {
				best = then
			}
		}
		if now != fails {
			if len(r.limits) == 0 {
				break
			}
			before = append(before, s.prevented(r))
		}
	}
	return best
}

// milder is a Flip without its changes, if the decision were r's and that were
// milder.
func (d *deciding) milder(r *compiled, by Decision) *Flip {
	d.acting, d.reporting, d.cost = tally{}, tally{}, 0
	then := d.engine.temper(r.decision)
	if then.Effect != Deny {
		d.consult()
		then = d.refine(then)
	}
	if then.Would <= by.Would {
		return nil
	}
	return &Flip{To: then.Would}
}

// changes are the limits of r that would have to hold and do not.
func (s *subject) changes(r *compiled) []Change {
	var all []Change
	for i := range r.limits {
		if l := &r.limits[i]; s.one(l) != holds {
			all = append(all, Change{Text: l.words(), Holds: true})
		}
	}
	return all
}

// prevented is the limit of r that would have to fail first.
func (s *subject) prevented(r *compiled) Change {
	for i := range r.limits {
		if s.one(&r.limits[i]) == unclear {
			return Change{Text: r.limits[i].words()}
		}
	}
	return Change{Text: r.limits[0].words()}
}

// contradict reports whether one condition would have to hold and to fail.
func contradict(all []Change) bool {
	for i, a := range all {
		if slices.ContainsFunc(all[i+1:], func(b Change) bool { return a.Text == b.Text && a.Holds != b.Holds }) {
			return true
		}
	}
	return false
}
