package policy

// CostLimit is what tests come up against.
const CostLimit = costLimit

// Linear decides as Decide does, without the index: every clause is asked.
func (e *Engine) Linear(q Question) Decision {
	by := e.byRules(&q.Action)
	if by.Effect == Deny {
		return by
	}
	x := deciding{run: run{facts: facts{q: q, engine: e}}, linear: true}
	x.consult()
	return x.refine(by)
}

// Cost is what Decide spends on policies.
func (e *Engine) Cost(q Question) int64 {
	x := deciding{run: run{facts: facts{q: q, engine: e}}}
	x.consult()
	return x.cost
}
