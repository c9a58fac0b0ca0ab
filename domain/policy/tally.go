package policy

// tally is what the clauses come to that have been asked.
type tally struct {
	best      *clause // nil: none that is stricter than allow
	certain   bool    // best applies, and not only perhaps
	allow     *clause // the first that allows, and applies
	risk      int
	approvers Approvers
	sure      bool // what is not certain does not count
}

// matters reports whether anything could follow from c.
func (t *tally) matters(c *clause) bool {
	if t.best == nil || c.risk > t.risk {
		return true
	}
	e := c.decision.Would
	switch best := t.best.decision.Would; {
	case e < best:
		return true
	case e > best:
		return false
	case e == RequireApproval && t.approvers.and(c.decision.Approvers) != t.approvers:
		return true
	}
	return !t.certain || c.rank < t.best.rank
}

// add takes in that c applies, or perhaps does.
func (t *tally) add(c *clause, v verdict) {
	if v == fails || v == unclear && t.sure {
		return
	}
	if v == holds {
		t.risk = max(t.risk, c.risk)
	}
	switch c.decision.Would {
	case Allow:
		if v == holds && (t.allow == nil || c.rank < t.allow.rank) {
			t.allow = c
		}
		return
	case RequireApproval:
		t.approvers = t.approvers.and(c.decision.Approvers)
	case Deny:
	}
	if t.best == nil || t.before(c, v == holds) {
		t.best, t.certain = c, v == holds
	}
}

// before reports whether c is to be named instead of the best so far.
func (t *tally) before(c *clause, certain bool) bool {
	switch mine, best := c.decision.Would, t.best.decision.Would; {
	case mine != best:
		return mine < best
	case certain != t.certain:
		return certain
	}
	return c.rank < t.best.rank
}

// decision is what the strictest clause says, with who has to agree to satisfy
// all of them. There has to be one.
func (t *tally) decision(e *Engine) Decision {
	d := t.best.decision.asking(t.approvers)
	if !t.certain {
		d.Reason += " The request does not show whether it applies, and then the strictest counts."
	}
	return e.temper(d)
}
