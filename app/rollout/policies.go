package rollout

import (
	"fmt"
	"slices"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
)

// policies are those that concern the gateway. It fails where one of the
// team's cannot be read, since without it more would pass.
func policies(c store.Configuration) ([]policy.Policy, error) {
	var ps []policy.Policy
	for _, row := range c.Policies {
		p, err := row.Policy()
		if err != nil {
			return nil, err
		}
		if len(p.Clauses) == 0 {
			return nil, fmt.Errorf("policy %s as stored says nothing", row.ID)
		}
		if p.Scope.Includes(c.Gateway.Name, c.Gateway.Environment) {
			ps = append(ps, p)
		}
	}
	return ps, nil
}

// requires is what a gateway has to know of so that nothing passes that snap
// is against.
func requires(snap wire.Snapshot) []string {
	var words []string
	if slices.ContainsFunc(snap.Rules, func(r policy.Rule) bool { return len(r.When) > 0 }) {
		words = append(words, wire.KnowsLimits)
	}
	if len(snap.Policies) > 0 {
		words = append(words, wire.KnowsPolicies)
	}
	asks := func(c policy.Clause) bool { return c.Approvers != (policy.Approvers{}) }
	if slices.ContainsFunc(snap.Policies, func(p policy.Policy) bool { return slices.ContainsFunc(p.Clauses, asks) }) {
		words = append(words, wire.KnowsApprovers)
	}
	terms := func(c policy.Clause) bool { return c.Approvers.HasTerms() }
	if slices.ContainsFunc(snap.Rules, func(r policy.Rule) bool { return r.Approvers != (policy.Approvers{}) }) ||
		slices.ContainsFunc(snap.Policies, func(p policy.Policy) bool { return slices.ContainsFunc(p.Clauses, terms) }) {
		words = append(words, wire.KnowsTerms)
	}
	return words
}
