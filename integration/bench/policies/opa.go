package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/tameflare/tameflare/domain/policy"
)

const perModule = 1000 // rules

// opaPrepared has a rule for every rule, in modules of one package, a prepared query, and
// inputs that are parsed before they are asked about.
func opaPrepared(ctx context.Context, w *world) (engine, error) {
	out := engine{name: "OPA, prepared query"}
	options := []func(*rego.Rego){
		rego.Query("x := data.p.effect"),
		rego.Module("p.rego", "package p\ndefault effect := \"allow\"\neffect := \"deny\" if deny\nelse := \"ask\" if ask\ndefault deny := false\ndefault ask := false\n"),
	}
	for rules := range slices.Chunk(w.rules, perModule) {
		var text strings.Builder
		text.WriteString("package p\n")
		for _, r := range rules {
			text.WriteString(r.rego())
		}
		name := fmt.Sprintf("p%d.rego", len(options))
		module, err := ast.ParseModule(name, text.String())
		if err := errors.Join(err, ctx.Err()); err != nil {
			return out, err
		}
		module.Package.Location.File = name
		options = append(options, rego.ParsedModule(module))
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return out, err
	}
	inputs := make([]ast.Value, 0, len(w.asked))
	for _, q := range w.asked {
		input, err := ast.InterfaceToValue(map[string]any{
			"action": q.action, "class": q.class, "owner": q.owner, "repository": q.repository, "resource": q.resource,
			"params": map[string]any{"base": q.base, "amount": q.amount, "account": q.account},
		})
		if err != nil {
			return out, err
		}
		inputs = append(inputs, input)
	}
	out.decide = func(i int) policy.Effect {
		set, err := query.Eval(context.Background(), rego.EvalParsedInput(inputs[i]))
		if err != nil || len(set) != 1 {
			return policy.Deny
		}
		switch set[0].Bindings["x"] {
		case "allow":
			return policy.Allow
		case "ask":
			return policy.RequireApproval
		}
		return policy.Deny
	}
	return out, nil
}

func (r ruleOf) rego() string {
	head := "ask"
	if r.deny {
		head = "deny"
	}
	switch r.kind {
	case several:
		return fmt.Sprintf("%s if {\n\tinput.action == %q\n\tinput.resource in {%q, %q, %q}\n\tinput.class == \"write\"\n}\n", head, r.action, r.resources[0], r.resources[1], r.resources[2])
	case amount:
		return fmt.Sprintf("%s if {\n\tinput.action == %q\n\tinput.params.account == %q\n\tinput.params.amount > %d\n}\n", head, r.action, r.account, r.over)
	}
	return fmt.Sprintf("%s if {\n\tinput.action == %q\n\tinput.owner == %q\n\tinput.repository == %q\n\tinput.params.base == \"main\"\n}\n", head, r.action, r.owner, r.repository())
}
