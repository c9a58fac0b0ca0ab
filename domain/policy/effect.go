// Package policy decides what a request may do: kill switch, then access
// rules, deny unless something allows, then policies, which only make it
// stricter. It does no I/O and reads no clock.
package policy

import "github.com/tameflare/tameflare/domain/fault"

// Effect is what a rule or a decision says about a request.
type Effect uint8

// The zero Effect is Deny: a decision nobody filled in refuses.
const (
	Deny Effect = iota
	RequireApproval
	Allow
)

var effects = [...]string{Deny: "deny", RequireApproval: "require_approval", Allow: "allow"}

func (e Effect) String() string { return effects[e] }

// MarshalText writes e as String does.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText is the inverse of MarshalText. It also reads
// "requires_approval", as older documents have it.
func (e *Effect) UnmarshalText(b []byte) error {
	if string(b) == "requires_approval" {
		*e = RequireApproval
		return nil
	}
	for i, name := range effects {
		if name == string(b) {
			*e = Effect(i)
			return nil
		}
	}
	return fault.New(fault.Invalid, "A decision is allow, deny or require_approval.", nil)
}

// Enforcement is how much of a decision a gateway acts on. The kill switch is
// acted on at every level.
type Enforcement uint8

// The zero Enforcement is FullEnforce.
const (
	FullEnforce Enforcement = iota // decisions stand
	SoftEnforce                    // a deny of a rule or a policy stands; no match and approvals pass, marked
	Monitor                        // everything passes; what would have happened is marked
)

var levels = [...]string{FullEnforce: "full_enforce", SoftEnforce: "soft_enforce", Monitor: "monitor"}

func (e Enforcement) String() string { return levels[e] }

// MarshalText writes e as String does.
func (e Enforcement) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (e *Enforcement) UnmarshalText(b []byte) error {
	for i, name := range levels {
		if name == string(b) {
			*e = Enforcement(i)
			return nil
		}
	}
	return fault.New(fault.Invalid, "An enforcement level is monitor, soft_enforce or full_enforce.", nil)
}
