// Package action names what requests do. It does no I/O.
package action

import "github.com/tameflare/tameflare/domain/fault"

// Class says what kind of operation an action is, by what it means and not by
// its HTTP method. The zero Class is Admin: an operation that nobody classed
// counts as the strictest.
type Class uint8

const (
	Admin Class = iota
	Delete
	Write
	Read
)

var classes = [...]string{Admin: "admin", Delete: "delete", Write: "write", Read: "read"}

func (c Class) String() string { return classes[c] }

// MarshalText writes c as String does.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (c *Class) UnmarshalText(b []byte) error {
	for i, name := range classes {
		if name == string(b) {
			*c = Class(i)
			return nil
		}
	}
	return fault.New(fault.Invalid, "A class is read, write, delete or admin.", nil)
}

// Risk says how much an action can break. The zero Risk is Critical: an action
// that nobody rated is treated as the worst.
type Risk uint8

const (
	Critical Risk = iota
	High
	Medium
	Low
)

var risks = [...]string{Critical: "critical", High: "high", Medium: "medium", Low: "low"}

func (r Risk) String() string { return risks[r] }

// MarshalText writes r as String does.
func (r Risk) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (r *Risk) UnmarshalText(b []byte) error {
	for i, name := range risks {
		if name == string(b) {
			*r = Risk(i)
			return nil
		}
	}
	return fault.New(fault.Invalid, "A risk is low, medium, high or critical.", nil)
}

// Action is what one request would do, in words that a rule can name.
type Action struct {
	Connector string `json:"connector"` // the configured connector's name; "" where no connector knows the host
	Name      string `json:"action"`    // "github.pr.merge"
	Class     Class  `json:"class"`
	Risk      Risk   `json:"risk"`
	Resource  string `json:"resource"` // "acme/site#12": what it would be done to; "" where it cannot be known

	// Params are what rules may look at besides: strings, int64, float64, bool
	// or []string. Never a secret.
	Params map[string]any `json:"params,omitempty"`

	// Unknown names the params (or "resource") that the request hides: the
	// body was too large, cut off or not readable. "*" is all of them.
	Unknown []string `json:"unknown,omitempty"`

	// Or lists what else the request may be, where it hides which. The
	// strictest decision about any of them and about Name is the one that counts.
	Or []Alternative `json:"or,omitempty"`

	// Reversible says that the service can undo it.
	Reversible bool `json:"reversible"`
}

// Alternative is an action that a request may be.
type Alternative struct {
	Name  string `json:"action"`
	Class Class  `json:"class"`
}
