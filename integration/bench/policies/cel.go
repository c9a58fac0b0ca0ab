package main

import (
	"context"
	"fmt"

	"cel.dev/cel-go/cel"

	"github.com/tameflare/tameflare/domain/policy"
)

// celNaive has a program for every rule, and asks all of them until one
// denies.
func celNaive(ctx context.Context, w *world) (engine, error) {
	out := engine{name: "cel-go, every rule in turn"}
	env, err := cel.NewEnv(
		cel.Variable("action", cel.StringType), cel.Variable("class", cel.StringType), cel.Variable("owner", cel.StringType),
		cel.Variable("repository", cel.StringType), cel.Variable("resource", cel.StringType), cel.Variable("params", cel.MapType(cel.StringType, cel.DynType)),
	)
	if err != nil {
		return out, err
	}
	programs := make([]cel.Program, 0, len(w.rules))
	for _, r := range w.rules {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		checked, issues := env.Compile(r.cel())
		if issues.Err() != nil {
			return out, issues.Err()
		}
		p, err := env.Program(checked)
		if err != nil {
			return out, err
		}
		programs = append(programs, p)
	}
	facts := make([]map[string]any, 0, len(w.asked))
	for _, q := range w.asked {
		facts = append(facts, map[string]any{
			"action": q.action, "class": q.class, "owner": q.owner, "repository": q.repository, "resource": q.resource,
			"params": map[string]any{"base": q.base, "amount": q.amount, "account": q.account},
		})
	}
	out.decide = func(i int) policy.Effect {
		effect := policy.Allow
		for n, p := range programs {
			v, _, err := p.Eval(facts[i])
			if err != nil {
				return policy.Deny
			}
			if holds, ok := v.Value().(bool); !ok || holds {
				if effect = min(effect, w.rules[n].effect()); effect == policy.Deny {
					break
				}
			}
		}
		return effect
	}
	return out, nil
}

func (r ruleOf) cel() string {
	switch r.kind {
	case several:
		return fmt.Sprintf("action == %q && resource in [%q, %q, %q] && class == 'write'", r.action, r.resources[0], r.resources[1], r.resources[2])
	case amount:
		return fmt.Sprintf("action == %q && params.account == %q && params.amount > %d", r.action, r.account, r.over)
	}
	return fmt.Sprintf("action == %q && owner == %q && repository == %q && params.base == 'main'", r.action, r.owner, r.repository())
}
