package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// Whatever a server sends, a gateway refuses it or decides by it, and neither
// takes long.
func FuzzPolicy(f *testing.F) {
	e := everyOf(fieldIs("params.base", "main"), fieldHas(policy.Matches, "resource", constText("^(a+)+$")), fieldHas(policy.CIDR, "request.host", constText("::/0")))
	loop := policy.Expr{Op: policy.Exist, Var: "x", Args: []policy.Expr{{Field: "request.body.list"}, {Op: policy.Greater, Args: []policy.Expr{{Op: policy.Mul, Args: []policy.Expr{{Field: "$x"}, {Field: "params.n"}}}, {Value: new(constFrom(1.5))}}}}}
	for _, e := range []*policy.Expr{e, &loop, nil} {
		b, err := json.Marshal(policy.Policy{ID: "pol_1", Name: "p", Clauses: []policy.Clause{{Name: "c", If: e, Effect: policy.Deny}}})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"rules":[{"decision":"allow","if":{"op":"time_window","args":[{"field":"time"},{"value":{"window":{"from":0,"to":1440,"zone":"UTC","days":[9]}}}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p policy.Policy
		if json.Unmarshal(data, &p) != nil {
			return
		}
		begin := time.Now()
		engine, err := policy.Compile(policy.Settings{Gateway: "g", Policies: []policy.Policy{p}})
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		for _, q := range []policy.Question{everything(), {}} {
			d, _ := engine.DecideByPolicies(q)
			again := engine.Linear(q)
			if cost := engine.Cost(q); cost > 2*policy.CostLimit {
				t.Fatalf("cost %d", cost)
			}
			engine.Explain(q)
			engine.Mildest(q)
			if d.Reason == "" && len(p.Clauses) == 0 || again.Effect > policy.Allow {
				t.Fatalf("%+v", d)
			}
		}
		engine.Uses().Body("github")
		if took := time.Since(begin); took > 20*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}
