package audit

import (
	"encoding/json"
	"fmt"

	"github.com/tameflare/tameflare/domain/action"
)

// facts are what is known of an action beyond what Request has columns for.
type facts struct {
	Params     map[string]any       `json:"params,omitempty"`
	Unknown    []string             `json:"unknown,omitempty"`
	Or         []action.Alternative `json:"or,omitempty"`
	Reversible bool                 `json:"reversible,omitempty"`
}

// Facts returns what Request.Facts holds of a; "" for nothing.
func Facts(a action.Action) string {
	f := facts{plainParams(a.Params), a.Unknown, a.Or, a.Reversible}
	if len(f.Params)+len(f.Unknown)+len(f.Or) == 0 && !f.Reversible {
		return ""
	}
	b, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("audit: %v", err)) // plainParams lets only what marshals through
	}
	return string(b)
}
