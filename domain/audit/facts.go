package audit

import (
	"bytes"
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

// Facts returns what Request.Facts holds of a. It is never empty: rows of
// before facts were kept are, and what they do not say is unknown.
func Facts(a action.Action) string {
	f := facts{plainParams(a.Params), a.Unknown, a.Or, a.Reversible}
	b, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("audit: %v", err)) // plainParams lets only what marshals through
	}
	return string(b)
}

// ReadAction returns the action of a recorded request, as far as it was kept,
// and whether it has one: a request that was refused as malformed has none.
func (r Request) ReadAction() (a action.Action, ok bool) {
	if r.Action == "" {
		return a, false
	}
	a = action.Action{Connector: r.Connector, Name: r.Action, Resource: r.Resource}
	if a.Class.UnmarshalText([]byte(r.Class)) != nil || a.Risk.UnmarshalText([]byte(r.Risk)) != nil {
		a.Class, a.Risk = action.Admin, action.Critical // as what nobody has rated
	}
	var f facts
	d := json.NewDecoder(bytes.NewReader([]byte(r.Facts)))
	d.UseNumber()
	if r.Facts == "" || d.Decode(&f) != nil {
		a.Unknown = []string{"*"}
		return a, true
	}
	a.Params, a.Unknown, a.Or, a.Reversible = f.Params, f.Unknown, f.Or, f.Reversible
	for name, value := range a.Params {
		a.Params[name] = asParam(value)
	}
	return a, true
}

// asParam returns what a parameter was before it was written as JSON.
func asParam(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case []any:
		texts := make([]string, 0, len(v))
		for _, one := range v {
			texts = append(texts, fmt.Sprint(one))
		}
		return texts
	}
	return value
}
