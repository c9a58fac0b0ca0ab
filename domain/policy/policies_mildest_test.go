package policy_test

import (
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
)

// Whatever else the request turns out to have, only what applies for certain
// counts.
func TestTheMildestOfPoliciesIsWhatIsCertain(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		e    policy.Expr
		want policy.Effect
	}{
		"the action":                       {fieldIs("action", "github.pr.merge"), policy.Deny},
		"a parameter that it has":          {fieldIs("params.base", "main"), policy.Deny},
		"a parameter that is another":      {fieldIs("params.base", "next"), policy.Allow},
		"a parameter that it may get":      {fieldIs("params.other", "x"), policy.Allow},
		"a parameter that it may not have": {fieldHas(policy.NotEquals, "params.other", constText("x")), policy.Allow},
		"how the request is made":          {fieldIs("request.method", "PUT"), policy.Allow},
		"who makes it":                     {fieldIs("run.principal", "ana@laptop"), policy.Allow},
		"when it is made":                  {fieldHas(policy.GT, "time", constFrom(everything().Time.AddDate(-1, 0, 0))), policy.Allow},
		"the resource":                     {fieldIs("owner", "acme"), policy.Deny},
		"the gateway":                      {fieldIs("gateway", "g"), policy.Deny},
	} {
		e := withPolicies(t, []policy.Policy{just("pol_1", policy.Clause{Effect: policy.Deny, If: &tt.e})})
		q := everything()
		q.Action.Connector = "github"
		q.Action.Unknown = nil
		if d := e.Mildest(q); d.Effect != tt.want {
			t.Errorf("%s: %+v, want %v", name, d, tt.want)
		}
	}
}
