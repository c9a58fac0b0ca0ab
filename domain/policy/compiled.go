package policy

import (
	"cmp"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// compiled is a rule with its answer worked out beforehand. Of all the rules
// that match an action the one of the lowest rank decides.
type compiled struct {
	connector string
	pattern   action.Pattern
	limited   bool
	class     action.Class // where limited
	limits    []limit
	rank      int
	decision  Decision
	doubt     string // the reason where it cannot be known whether the limits hold
	unread    string // what follows the reason where it cannot be known what the request does
}

func compile(r Rule) *compiled {
	c := &compiled{connector: r.Connector, pattern: r.Pattern, limits: compileLimits(r.When), doubt: r.Reason}
	if r.Class != nil {
		c.limited, c.class = true, *r.Class
	}
	c.decision = Decision{Effect: r.Effect, Would: r.Effect, By: ByRule, Rule: r.ID, Reason: r.Reason}
	if r.Effect == RequireApproval {
		c.decision.Hold, c.decision.TTL, c.decision.Approvers = DefaultHold, cmp.Or(r.TTL, DefaultTTL), r.Approvers
		if r.Hold != nil {
			c.decision.Hold = *r.Hold
		}
	}
	if r.Reason == "" {
		c.decision.Reason = r.sentence()
		c.doubt = c.decision.Reason + " The request does not show whether that is so, and then the strictest counts."
		c.unread = " The request does not show what else it could be, and then the strictest counts."
	}
	return c
}

func (r Rule) sentence() string {
	subject := "The rule for " + string(r.Pattern)
	if r.Class != nil {
		subject += ", class " + r.Class.String() + ","
	}
	if len(r.When) > 0 {
		subject += " where " + r.When.words()
	}
	switch r.Effect {
	case Allow:
		return subject + " allows it."
	case RequireApproval:
		return subject + " asks for " + r.Approvers.String() + "."
	case Deny:
	}
	return subject + " denies it."
}

// compare orders rules by who decides: the more specific pattern, then the
// one with more limits, then the one for a class before the one for any, then
// the stricter effect. What is left is only to make the answer the same
// whatever the order they came in.
func compare(a, b *compiled) int {
	return cmp.Or(
		a.pattern.Compare(b.pattern),
		cmp.Compare(len(b.limits), len(a.limits)),
		boolCompare(b.limited, a.limited),
		cmp.Compare(a.decision.Effect, b.decision.Effect),
		a.decision.Approvers.compare(b.decision.Approvers),
		strings.Compare(string(a.pattern), string(b.pattern)),
		strings.Compare(a.decision.Rule, b.decision.Rule),
		cmp.Compare(a.decision.Hold, b.decision.Hold),
		cmp.Compare(a.decision.TTL, b.decision.TTL),
		strings.Compare(a.decision.Reason, b.decision.Reason),
	)
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
