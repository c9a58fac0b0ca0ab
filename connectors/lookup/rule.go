package lookup

import (
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// Rule is an access rule for a as it stands in tameflare.yaml, under a
// gateway's connectors. What it decides is a proposal.
func (a *Action) Rule() string {
	var b strings.Builder
	b.WriteString("- type: " + a.Type.Name + "\n")
	if len(a.Type.Hosts) == 0 {
		b.WriteString("  hosts: [api.example.com]\n")
	}
	b.WriteString("  rules:\n    - {action: " + a.Operation.Action + ", decision: " + a.proposal().String() + "}\n")
	return b.String()
}

func (a *Action) proposal() policy.Effect {
	switch {
	case a.Class == action.Read && a.Risk == action.Low:
		return policy.Allow
	case a.Risk == action.Critical:
		return policy.Deny
	}
	return policy.RequireApproval
}
