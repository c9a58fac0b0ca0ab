package main

import (
	"context"
	"fmt"
	"strings"

	cedar "github.com/cedar-policy/cedar-go"

	"github.com/tameflare/tameflare/domain/policy"
)

// cedarSet has a policy for every rule. Cedar has no approval: the ID of what
// forbids says whether it does or asks.
func cedarSet(ctx context.Context, w *world) (engine, error) {
	out := engine{name: "Cedar for Go"}
	set := cedar.NewPolicySet()
	add := func(id, text string) error {
		var p cedar.Policy
		if err := p.UnmarshalCedar([]byte(text)); err != nil {
			return err
		}
		set.Add(cedar.PolicyID(id), &p)
		return ctx.Err()
	}
	if err := add("all", "permit (principal, action, resource);"); err != nil {
		return out, err
	}
	for i, r := range w.rules {
		if err := add(fmt.Sprintf("%v-%d", r.effect(), i), r.cedar()); err != nil {
			return out, err
		}
	}
	asked := make([]cedar.Request, 0, len(w.asked))
	for _, q := range w.asked {
		asked = append(asked, cedar.Request{
			Principal: cedar.NewEntityUID("Run", "run_1"), Action: cedar.NewEntityUID("Action", cedar.String(q.action)), Resource: cedar.NewEntityUID("Resource", cedar.String(q.resource)),
			Context: cedar.NewRecord(cedar.RecordMap{
				"class": cedar.String(q.class), "owner": cedar.String(q.owner), "repository": cedar.String(q.repository),
				"base": cedar.String(q.base), "account": cedar.String(q.account), "amount": cedar.Long(q.amount),
			}),
		})
	}
	out.decide = func(i int) policy.Effect {
		decision, why := cedar.Authorize(set, nil, asked[i])
		if decision == cedar.Allow {
			return policy.Allow
		}
		effect := policy.RequireApproval
		for _, reason := range why.Reasons {
			if strings.HasPrefix(string(reason.PolicyID), "deny") {
				effect = policy.Deny
			}
		}
		return effect
	}
	return out, nil
}

func (r ruleOf) cedar() string {
	switch r.kind {
	case several:
		return fmt.Sprintf(`forbid (principal, action == Action::%q, resource) when { [Resource::%q, Resource::%q, Resource::%q].contains(resource) && context.class == "write" };`, r.action, r.resources[0], r.resources[1], r.resources[2])
	case amount:
		return fmt.Sprintf(`forbid (principal, action == Action::%q, resource) when { context.account == %q && context.amount > %d };`, r.action, r.account, r.over)
	}
	return fmt.Sprintf(`forbid (principal, action == Action::%q, resource == Resource::%q) when { context.owner == %q && context.repository == %q && context.base == "main" };`, r.action, r.resources[0], r.owner, r.repository())
}
