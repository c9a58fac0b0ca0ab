package policy_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// callRule is a rule for the calls of one connector.
func callRule(e policy.Effect, when policy.Limits) policy.Rule {
	return policy.Rule{ID: fmt.Sprint("rule_", e, when), Connector: "m", Pattern: "mcp.tools.call", When: when, Effect: e}
}

func callOf(params map[string]any) action.Action {
	a := action.Action{Connector: "m", Name: "mcp.tools.call", Class: action.Write, Params: params}
	a.Resource, _ = params["tool"].(string)
	return a
}

func TestTheMildestIsWhatMayHappenAtBest(t *testing.T) {
	t.Parallel()

	type l = policy.Limits
	for name, tt := range map[string]struct {
		rules []policy.Rule
		level policy.Enforcement
		kills []policy.Kill
		want  policy.Effect
	}{
		"no rule":                     {want: policy.Deny},
		"denied":                      {rules: []policy.Rule{callRule(policy.Allow, nil), callRule(policy.Deny, l{"tool": {"x"}})}, want: policy.Deny},
		"denied by its resource":      {rules: []policy.Rule{callRule(policy.Allow, nil), callRule(policy.Deny, l{"resource": {"x*"}})}, want: policy.Deny},
		"another is denied":           {rules: []policy.Rule{callRule(policy.Allow, nil), callRule(policy.Deny, l{"tool": {"y"}})}, want: policy.Allow},
		"denied with some arguments":  {rules: []policy.Rule{callRule(policy.Allow, nil), callRule(policy.Deny, l{"tool": {"x"}, "arg.a": {"*"}})}, want: policy.Allow},
		"allowed with some arguments": {rules: []policy.Rule{callRule(policy.Deny, nil), callRule(policy.Allow, l{"tool": {"x"}, "arg.a": {"1"}})}, want: policy.Allow},
		"another is, with some":       {rules: []policy.Rule{callRule(policy.Deny, nil), callRule(policy.Allow, l{"tool": {"y"}, "arg.a": {"1"}})}, want: policy.Deny},
		"only ever for a person":      {rules: []policy.Rule{callRule(policy.RequireApproval, l{"tool": {"x"}})}, want: policy.RequireApproval},
		"of another class":            {rules: []policy.Rule{{ID: "r", Connector: "m", Pattern: "*", Class: new(action.Read), When: l{"arg.a": {"1"}}, Effect: policy.Allow}}, want: policy.Deny},
		"watched only":                {level: policy.Monitor, want: policy.Allow},
		"denied at soft":              {rules: []policy.Rule{callRule(policy.Deny, nil)}, level: policy.SoftEnforce, want: policy.Deny},
		"stopped":                     {rules: []policy.Rule{callRule(policy.Allow, nil)}, kills: []policy.Kill{{ID: "k", Connector: "mcp"}}, want: policy.Deny},
	} {
		e, err := policy.Compile(policy.Settings{Enforcement: tt.level, Rules: tt.rules, Kills: tt.kills})
		if err != nil {
			t.Fatal(err)
		}
		if d := e.Mildest(policy.Question{Action: callOf(map[string]any{"tool": "x"}), Type: "mcp"}); d.Effect != tt.want || d.Reason == "" && len(tt.kills) == 0 {
			t.Errorf("%s: %v, want %v", name, d, tt.want)
		}
	}
	if d := (*policy.Engine)(nil).Mildest(policy.Question{Action: callOf(nil), Type: "mcp"}); d.Effect != policy.Deny {
		t.Errorf("no engine: %v", d)
	}
}

// Whatever the arguments turn out to be, what happens is not milder.
func TestNothingIsMilderThanTheMildest(t *testing.T) {
	t.Parallel()

	rng := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[rng.IntN(len(from))] }
	denied := 0
	for range 4000 {
		var rules []policy.Rule
		for range 1 + rng.IntN(5) {
			r := policy.Rule{ID: fmt.Sprint("rule_", len(rules)), Connector: "m", Pattern: action.Pattern(pick("mcp.tools.call", "mcp.tools.*", "mcp.*", "*")), Effect: policy.Effect(rng.IntN(3)), When: policy.Limits{}}
			for _, key := range []string{"tool", "resource", "arg.a", "arg.b"} {
				if rng.IntN(3) == 0 {
					r.When[key] = []string{pick("x", "y", "x*", "*")}
				}
			}
			if rng.IntN(4) == 0 {
				r.Class = new(action.Class(rng.IntN(4)))
			}
			rules = append(rules, r)
		}
		e, err := policy.Compile(policy.Settings{Rules: rules, Enforcement: policy.FullEnforce})
		if err != nil {
			t.Fatal(err)
		}
		best := e.Mildest(policy.Question{Action: callOf(map[string]any{"tool": "x"}), Type: "mcp"})
		if best.Effect == policy.Deny {
			denied++
		}
		for _, a := range []any{nil, "x", "y", "xx", int64(1), []string{"x", "y"}} {
			for _, b := range []any{nil, "x", "z"} {
				params := map[string]any{"tool": "x"}
				for key, v := range map[string]any{"arg.a": a, "arg.b": b} {
					if v != nil {
						params[key] = v
					}
				}
				if d := e.Decide(policy.Question{Action: callOf(params), Type: "mcp"}); d.Effect > best.Effect {
					t.Fatalf("%+v: %v with %v, but at best %v", rules, d, params, best)
				}
			}
		}
	}
	if denied < 400 {
		t.Errorf("only %d of the cases are denied at best", denied)
	}
}

func TestAnOpenParameterStandsForEveryLongerOne(t *testing.T) {
	t.Parallel()

	names := []string{"tool", "arg.*"}
	for key, want := range map[string]bool{"tool": true, "arg.path": true, "arg.a.b": true, "arg.": false, "arg": false, "args.x": false, "too": false, "tool.x": false} {
		if got := policy.HasParam(names, key); got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}
