package views

import (
	"strings"

	"github.com/tameflare/tameflare/domain/policy"
)

// LenientGateway is a gateway that lets pass what its rules and policies would
// not.
type LenientGateway struct {
	ID, Name  string
	Level     policy.Enforcement // SoftEnforce or Monitor
	MayManage bool               // whoever looks at it may change that
}

// at are the gateways of one level.
func at(level policy.Enforcement, gs []LenientGateway) []LenientGateway {
	var some []LenientGateway
	for _, g := range gs {
		if g.Level == level {
			some = append(some, g)
		}
	}
	return some
}

// manyGateways is from how many gateways on they are counted instead of named.
const manyGateways = 4

// lenientText says which gateways let pass what.
func lenientText(gs []LenientGateway) string {
	names := make([]string, len(gs))
	for i, g := range gs {
		names[i] = g.Name
	}
	who, verb := both(names), " are"
	if len(gs) == 1 {
		verb = " is"
	} else if len(gs) >= manyGateways {
		who = count(int64(len(gs)), "gateway")
	}
	if gs[0].Level == policy.Monitor {
		return who + verb + " in monitor mode: whatever rules and policies would refuse or hold passes, and is marked."
	}
	return who + verb + " at soft enforcement: what no rule matches, and what needs an approval, passes and is marked; only what a rule or a policy denies is stopped."
}

// both joins words with commas, and "and" before the last.
func both(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}
