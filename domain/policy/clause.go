package policy

import (
	"cmp"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// clause is a Clause ready to be asked. Of those that apply the one of the
// lowest rank decides, but for one of the same effect about which there is no
// doubt.
type clause struct {
	of       *ruling
	name     string
	line     int
	order    int   // within its policy
	rank     int32 // by effect, then by whose it is
	program  *node // nil: always
	spread   []*field
	scoped   bool // it is found only by actions in its scope
	found    finding
	risk     int
	decision Decision
}

// ruling is what the clauses of one policy have in common.
type ruling struct {
	id, name   string
	version    int64
	priority   int
	reportOnly bool
	actions    []action.Pattern
	area       int // of policies.areas
}

// compare orders clauses by effect, then by who is named of two.
func (c *clause) compare(d *clause) int {
	return cmp.Or(
		cmp.Compare(c.decision.Would, d.decision.Would),
		cmp.Compare(c.of.priority, d.of.priority),
		strings.Compare(c.of.name, d.of.name),
		strings.Compare(c.of.id, d.of.id),
		cmp.Compare(c.order, d.order),
	)
}

// compileClause makes a decision of c beforehand.
func compileClause(p *Policy, of *ruling, order int) clause {
	c := &p.Clauses[order]
	out := clause{of: of, name: c.Name, line: c.Line, order: order, risk: c.Risk}
	d := Decision{Effect: c.Effect, Would: c.Effect, By: ByPolicy, Rule: p.Key(order), Policy: p.ID, Version: p.Version, Reason: c.Reason}
	if c.Effect == RequireApproval {
		d.Hold, d.TTL, d.Approvers = DefaultHold, cmp.Or(c.TTL, DefaultTTL), c.Approvers
		if c.Hold != nil {
			d.Hold = *c.Hold
		}
	}
	if d.Reason == "" {
		d.Reason = out.sentence(c.Effect, c.Approvers)
	}
	out.decision = d
	return out
}

// sentence says what c does, for a clause whose author does not.
func (c *clause) sentence(e Effect, who Approvers) string {
	subject := "The rule " + c.name + " of policy " + c.of.name
	if c.name == "" {
		subject = "A rule of policy " + c.of.name
	}
	switch e {
	case Allow:
		return subject + " allows it."
	case RequireApproval:
		return subject + " asks for " + who.String() + "."
	case Deny:
	}
	return subject + " denies it."
}

// scope says whether an action is one that the policy is about.
func (r *run) scope(patterns []action.Pattern) verdict {
	if len(patterns) == 0 {
		return holds
	}
	out := fails
	for _, p := range patterns {
		v := surely(p.Matches(r.name))
		if r.below {
			v = opensPattern(r.name, string(p))
		}
		if v == holds {
			return holds
		}
		if v == unclear {
			out = unclear
		}
	}
	return out
}

// opensPattern says whether a pattern matches an action of which only the
// beginning is known: words, each with a dot after it.
func opensPattern(words, pattern string) verdict {
	for {
		if pattern == "*" {
			return holds
		}
		if words == "" {
			return unclear
		}
		word, rest, _ := strings.Cut(words, ".")
		want, more, longer := strings.Cut(pattern, ".")
		if want != "*" && want != word || !longer {
			return fails
		}
		words, pattern = rest, more
	}
}

// applies says whether c is about the request and its condition holds.
func (r *run) applies(c *clause) (v verdict) {
	defer func() {
		if recover() != nil {
			v = unclear
		}
	}()
	r.cost++
	scope := holds
	if !r.inScope || !c.scoped {
		scope = r.scope(c.of.actions)
	}
	if scope == fails || c.program == nil {
		return scope
	}
	return both(scope, r.holds(c))
}

// holds says whether the condition of c holds, of one of the elements of lists
// at least.
func (r *run) holds(c *clause) verdict {
	r.n = 0
	if len(c.spread) > 0 {
		r.spread(c.spread)
	}
	none := r.verdict(c.program).opposite()
	for none != fails && r.next() {
		none = both(none, r.verdict(c.program).opposite())
	}
	return none.opposite()
}

// spread begins to go through every combination of the elements of lists. If
// there are too many, what they hold counts as unknown.
func (r *run) spread(fields []*field) {
	combinations := 1
	for _, f := range fields {
		v := r.read(f)
		if v.kind != list {
			continue
		}
		size := v.size()
		if size < 2 {
			continue
		}
		if combinations *= min(size, maxCombinations+1); combinations > maxCombinations {
			r.n = 0
			return
		}
		r.choices[r.n] = choice{field: f, list: v}
		r.n++
	}
}

// next goes on to the next combination, and reports whether there is one.
func (r *run) next() bool {
	for i := range r.n {
		c := &r.choices[i]
		if c.at++; c.at < c.list.size() {
			return true
		}
		c.at = 0
	}
	return false
}
