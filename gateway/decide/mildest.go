package decide

import (
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// Hopeless reports whether every request is denied that does a, which c has
// named, whatever parameters it has besides those of a. It is no decision:
// what is not hopeless is not allowed by that.
func (st *State) Hopeless(a action.Action, c *connectors.Connector) bool {
	if st == nil || c == nil {
		return true
	}
	return st.engine.Mildest(policy.Question{Action: a, Type: c.Type().Name}).Effect == policy.Deny
}
