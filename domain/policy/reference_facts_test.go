package policy_test

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// view is a request as one of the actions that it may be.
type view struct {
	q     policy.Question
	in    policy.Settings
	name  string
	class action.Class
	other bool // one of the alternatives: nothing of the action is known but its name and class
}

// What a field may be besides a value: nothing, or nobody knows what.
type (
	missing struct{}
	murky   struct{}
	below   struct{ prefix string } // an action of which only the beginning is known
)

// below reports how the action begins, where no more is known of it.
func (v view) below() (string, bool) {
	if v.name == "*" {
		return "", true
	}
	return strings.CutSuffix(v.name, ".*")
}

// look returns what a field is.
func (v view) look(field string) any {
	a := v.q.Action
	prefix, some := v.below()
	switch field {
	case "action":
		if some {
			return below{prefix}
		}
		return v.name
	case "class":
		if some {
			return murky{}
		}
		return v.class.String()
	case "service":
		return v.q.Type
	case "connector":
		return a.Connector
	case "gateway":
		return v.in.Gateway
	case "environment":
		return v.in.Environment
	case "time":
		if v.q.Time.IsZero() {
			return murky{}
		}
		return v.q.Time
	case "run.id", "run.principal":
		if v.q.Run == nil {
			return murky{}
		}
		return map[string]any{"run.id": v.q.Run.ID, "run.principal": v.q.Run.Principal}[field]
	}
	if rest, ok := strings.CutPrefix(field, "request."); ok {
		return v.request(rest)
	}
	if v.other || some {
		return murky{}
	}
	switch field {
	case "risk":
		return a.Risk.String()
	case "risk_level":
		return int64(map[action.Risk]int{action.Low: 1, action.Medium: 2, action.High: 3, action.Critical: 4}[a.Risk])
	case "reversible":
		return a.Reversible
	case "resource", "owner", "repository":
		return v.resource(field)
	}
	name, ok := strings.CutPrefix(field, "params.")
	if !ok {
		panic("no field " + field)
	}
	if slices.Contains(a.Unknown, name) || slices.Contains(a.Unknown, "*") {
		return murky{}
	}
	value, there := a.Params[name]
	if !there {
		return missing{}
	}
	return plain(value)
}

func (v view) resource(field string) any {
	a := v.q.Action
	if slices.Contains(a.Unknown, "resource") || slices.Contains(a.Unknown, "*") {
		return murky{}
	}
	if a.Resource == "" {
		return missing{}
	}
	if field == "resource" {
		return a.Resource
	}
	owner, rest, found := strings.Cut(a.Resource, "/")
	if field == "owner" {
		return owner
	}
	if i := strings.IndexAny(rest, "#@:"); i >= 0 {
		rest = rest[:i]
	}
	if !found || rest == "" {
		return missing{}
	}
	return rest
}

func (v view) request(field string) any {
	r := v.q.Request
	if r == nil {
		return murky{}
	}
	switch field {
	case "method":
		return r.Method
	case "scheme":
		return r.Scheme
	case "host":
		return r.Host
	case "path":
		if slices.Contains(r.Hidden, "path") {
			return murky{}
		}
		return r.Path
	}
	part, name, _ := strings.Cut(field, ".")
	if slices.Contains(r.Hidden, part) || slices.Contains(r.Hidden, part+"."+name) {
		return murky{}
	}
	switch part {
	case "query":
		switch values := r.Query[name]; len(values) {
		case 0:
			for key := range r.Query {
				if strings.EqualFold(key, name) {
					return murky{}
				}
			}
			return missing{}
		case 1:
			return values[0]
		default:
			return plain(values)
		}
	case "headers":
		if value, there := r.Header[name]; there {
			return value
		}
		return missing{}
	}
	value := r.Body
	for _, step := range strings.Split(name, ".") {
		if value == nil {
			return missing{}
		}
		m, ok := value.(map[string]any)
		if !ok {
			return murky{}
		}
		if value, ok = m[step]; !ok {
			for key := range m {
				if strings.EqualFold(key, step) {
					return murky{}
				}
			}
			return missing{}
		}
	}
	return plain(value)
}

// plain makes a value of few types.
func plain(value any) any {
	switch x := value.(type) {
	case string, int64, float64, bool, nil, map[string]any, []any:
		return x
	case []string:
		list := []any{}
		for _, s := range x {
			list = append(list, s)
		}
		return list
	}
	return murky{}
}

// constant is what stands in a document.
func constant(c *policy.Const) any {
	switch {
	case c.Text != nil:
		return *c.Text
	case c.Int != nil:
		return *c.Int
	case c.Float != nil:
		return *c.Float
	case c.Bool != nil:
		return *c.Bool
	case c.Time != nil:
		return *c.Time
	case c.Duration != nil:
		return *c.Duration
	case c.Window != nil:
		return *c.Window
	}
	list := []any{}
	for i := range c.List {
		list = append(list, constant(&c.List[i]))
	}
	return list
}
