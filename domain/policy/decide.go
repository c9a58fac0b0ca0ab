package policy

import "github.com/tameflare/tameflare/domain/action"

// deciding is one question on its way through the policies.
type deciding struct {
	run
	acting    tally
	reporting tally
	linear    bool // without the index
	reports   bool // it is the turn of the policies that only report

	collected []*clause // not nil: those of the effect collect that apply, and nothing else is done
	collect   Effect
}

// consult asks the policies about everything that the request may be: first
// those that decide, then those that only report, which may cost as much again
// and change nothing if that is not enough.
func (d *deciding) consult() {
	d.each()
	if d.collected != nil || !d.engine.policies.reports {
		return
	}
	cost := d.cost
	d.cost, d.reports = 0, true
	if d.each(); d.spent() {
		d.reporting = tally{}
	}
	d.cost, d.reports = cost, false
}

func (d *deciding) each() {
	a := &d.q.Action
	d.about = objectOf(a)
	d.as(a.Name, a.Class, false)
	d.search()
	for i := range a.Or {
		d.as(a.Or[i].Name, a.Or[i].Class, true)
		d.search()
	}
}

// readings makes d about one after the other of what the request may be.
func (d *deciding) readings() func(yield func() bool) {
	return func(yield func() bool) {
		a := &d.q.Action
		d.about = objectOf(a)
		if d.as(a.Name, a.Class, false); !yield() {
			return
		}
		for i := range a.Or {
			if d.as(a.Or[i].Name, a.Or[i].Class, true); !yield() {
				return
			}
		}
	}
}

// as makes d about one of the actions that the request may be. A name that no
// action has is one that is not known.
func (d *deciding) as(name string, class action.Class, hidden bool) {
	d.name, d.class, d.hidden, d.below = name, class, hidden, false
	prefix, below := anyBelow(name)
	if !below && wellFormed(name) {
		return
	}
	d.below, d.hidden, d.name = true, true, ""
	if below && wellFormed(prefix) {
		d.name = name[:len(prefix)+1]
	}
}

func (d *deciding) search() {
	p := d.engine.policies
	d.inScope = !d.linear && !d.below
	switch {
	case d.linear:
		d.ask(p.clauses)
	case d.below:
		d.findBelow(&p.index, d.name)
	default:
		d.find(&p.index, d.name, true)
	}
	d.inScope = false
}

func (d *deciding) ask(all []*clause) {
	for _, c := range all {
		d.one(c)
	}
}

func (d *deciding) one(c *clause) {
	if d.collected != nil {
		if c.decision.Would == d.collect && !c.of.reportOnly && d.applies(c) != fails {
			d.collected = append(d.collected, c)
		}
		return
	}
	if c.of.reportOnly != d.reports {
		return
	}
	t := &d.acting
	if d.reports {
		t = &d.reporting
	}
	if t.matters(c) && !d.spent() {
		t.add(c, d.applies(c))
	}
}

// refine makes d, what the access rules have said, as strict as the policies
// ask for.
func (e *Engine) refine(d Decision, q Question) Decision {
	if e.policies == nil || len(e.policies.clauses) == 0 {
		return d
	}
	x := deciding{run: run{facts: facts{q: q, engine: e}}}
	x.consult()
	return x.refine(d)
}

func (d *deciding) refine(by Decision) Decision {
	if d.spent() {
		return stricterOf(by, d.engine.temper(Decision{
			By: ByPolicy, Reason: "The policies take too long to judge this request, so it is refused. Make their conditions simpler.",
		}))
	}
	out := by
	if d.acting.best != nil {
		out = stricterOf(by, d.acting.decision(d.engine))
	}
	out.Risk = d.acting.risk
	if c := d.reporting.best; c != nil {
		if o := d.engine.temper(c.decision); stricter(o, out) {
			out.Reported, out.ReportedAs = o.Rule, o.Would
		}
	}
	return out
}

// stricterOf is what the access rules say, or what a policy says where that is
// stricter, or as strict and an approval. Then whoever either asks for has to
// agree.
func stricterOf(by, p Decision) Decision {
	if stricter(by, p) || !stricter(p, by) && p.Would != RequireApproval {
		return by
	}
	return p.asking(by.Approvers)
}

// DecideByPolicies is Decide with policies alone: there is no kill switch and
// no access rule, and what no clause says anything about is allowed.
func (e *Engine) DecideByPolicies(q Question) (d Decision, x Explanation) {
	defer func() {
		if recover() != nil {
			d, x = unjudged(), Explanation{}
		}
	}()
	if e == nil {
		return e.Decide(q), Explanation{}
	}
	asked := deciding{run: run{facts: facts{q: q, engine: e}}}
	asked.consult()
	by := e.temper(Decision{Effect: Allow, Would: Allow, By: ByDefault, Reason: "No policy says anything against it."})
	if c := asked.acting.allow; c != nil {
		by = e.temper(c.decision)
	}
	d = asked.refine(by)
	return d, asked.explain(by, d, nil)
}

// unjudged is the answer where something is wrong with the judging itself.
func unjudged() Decision {
	return Decision{By: ByDefault, Reason: "The request could not be judged, so it is refused."}
}
