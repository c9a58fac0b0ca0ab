package document

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Action is an action as a test, or an action document, describes it.
type Action struct {
	Action      action.Action
	Type        string // the connector's type; the action's first word where it is not said
	Gateway     string
	Environment string
	Principal   string

	rated struct{ class, risk, reversible bool } // what the description says itself
}

// Rater is a Catalogue that knows what its actions do.
type Rater interface {
	// Rate returns what is known of an action by its name, and whether
	// anything is.
	Rate(connectorType, name string) (class action.Class, risk action.Risk, reversible, known bool)
}

// Rate fills in what the description leaves out. An action that nobody knows
// counts as the worst there is.
func (a *Action) Rate(known Catalogue) {
	rater, ok := known.(Rater)
	if !ok {
		return
	}
	class, risk, reversible, ok := rater.Rate(a.Type, a.Action.Name)
	if !ok {
		return
	}
	if !a.rated.class {
		a.Action.Class = class
	}
	if !a.rated.risk {
		a.Action.Risk = risk
	}
	if !a.rated.reversible {
		a.Action.Reversible = reversible
	}
}

// Question is what is decided about a; who asks is known where it says so.
func (a *Action) Question() policy.Question {
	q := policy.Question{Action: a.Action, Type: a.Type}
	if a.Principal != "" {
		q.Run = &policy.Run{Principal: a.Principal}
	}
	return q
}

const maxDocument = 64 << 10

// ParseAction reads an action document: JSON or YAML with action, service,
// class, risk, resource, params, environment, gateway and principal, or an
// older product's action_spec. It fails with fault.Invalid.
func ParseAction(data []byte) (Action, policy.Question, error) {
	r := &reading{}
	r.Problems.File = "action"
	var a *Action
	if root, ok := r.tree(data, maxDocument); ok {
		a = r.action(root)
	}
	if err := r.Problems.Err(); err != nil {
		return Action{}, policy.Question{}, err
	}
	return *a, a.Question(), nil
}

// action reads one; an older one stands below action_spec, or is one without.
func (r *reading) action(p yamldoc.Place) *Action {
	if hasKey(p, "action_spec") {
		keys := r.Mapping(p, "action_spec", "environment", "gateway", "principal")
		a := r.actionSpec(keys["action_spec"])
		if a != nil {
			r.around(keys, a)
		}
		return a
	}
	if !hasKey(p, "action") && hasKey(p, "type") {
		return r.actionSpec(p)
	}
	keys := r.Mapping(p, "action", "service", "connector", "class", "risk", "reversible", "resource", "params", "environment", "gateway", "principal")
	if keys == nil {
		return nil
	}
	a := &Action{Type: r.Text(keys["service"])}
	a.Action.Name = r.actionName(p, keys["action"], "action")
	a.Type = cmp.Or(a.Type, first(a.Action.Name))
	a.Action.Connector = cmp.Or(r.Text(keys["connector"]), a.Type)
	a.Action.Resource = r.Text(keys["resource"])
	a.rated.class, a.rated.risk, a.rated.reversible = keys["class"].There(), keys["risk"].There(), keys["reversible"].There()
	r.OneOf(keys["class"], &a.Action.Class, words["class"]...)
	r.OneOf(keys["risk"], &a.Action.Risk, words["risk"]...)
	a.Action.Reversible = r.Yes(keys["reversible"])
	a.Action.Params = r.params(keys["params"])
	r.around(keys, a)
	a.Rate(r.known.Catalogue)
	r.testParams(keys["params"], a)
	return a
}

func hasKey(p yamldoc.Place, key string) bool {
	has := func(n *ast.MappingValueNode) bool { return n.Key.GetToken().Value == key }
	switch n := p.Node.(type) {
	case *ast.MappingNode:
		return slices.ContainsFunc(n.Values, has)
	case *ast.MappingValueNode:
		return has(n)
	}
	return false
}

func (r *reading) around(keys map[string]yamldoc.Place, a *Action) {
	for key, field := range map[string]*string{"environment": &a.Environment, "gateway": &a.Gateway, "principal": &a.Principal} {
		if keys[key].There() {
			*field = r.Text(keys[key])
		}
	}
}

func first(name string) string {
	word, _, _ := strings.Cut(name, ".")
	return word
}

func (r *reading) actionName(owner, p yamldoc.Place, key string) string {
	name := r.Need(owner, p, key)
	if name != "" && (action.Pattern(name).Check() != nil || strings.Contains(name, "*")) {
		r.Bad(p, "an action is words with dots between them, such as github.pr.merge")
	}
	return name
}

// params reads what an action shows besides its resource.
func (r *reading) params(p yamldoc.Place) map[string]any {
	params := map[string]any{}
	for _, pair := range r.pairs(p, maxValues) {
		if pair.key == "" || len(pair.key) > maxField || strings.ContainsFunc(pair.key, unicode.IsControl) {
			r.Bad(pair.value, "a parameter has a name")
			continue
		}
		switch n := pair.value.Node.(type) {
		case *ast.StringNode, *ast.LiteralNode:
			params[pair.key] = r.Text(pair.value)
		case *ast.BoolNode:
			params[pair.key] = n.Value
		case *ast.IntegerNode, *ast.FloatNode:
			c, ok := number(n)
			switch {
			case !ok:
				r.Bad(pair.value, "write this number in plain digits, or put quotes around it if it is text")
			case c.Int != nil:
				params[pair.key] = *c.Int
			case !math.IsInf(*c.Float, 0):
				params[pair.key] = *c.Float
			}
		case *ast.NullNode:
		case *ast.SequenceNode:
			list := []string{}
			for _, item := range r.Items(pair.value) {
				text, ok := written(item.Node)
				if !ok {
					r.Bad(item, "a list of a parameter has texts")
				}
				list = append(list, text)
			}
			params[pair.key] = list
		default:
			r.Bad(pair.value, "a parameter is text, a number, true or false, or a list of texts")
		}
	}
	return params
}

// actionSpec reads an action as older documents have it.
func (r *reading) actionSpec(p yamldoc.Place) *Action {
	keys := r.Mapping(p, "type", "resource", "parameters", "risk_hints", "environment", "gateway", "principal")
	if keys == nil {
		return nil
	}
	a := &Action{}
	a.Action.Name = r.actionName(p, keys["type"], "type")
	a.Type = first(a.Action.Name)
	if keys["resource"].There() {
		res := r.Mapping(keys["resource"], "provider", "organization", "account", "repository", "target", "environment")
		if provider := r.Text(res["provider"]); provider != "" {
			a.Type = provider
		}
		a.Environment = r.Text(res["environment"])
		owner, rest := cmp.Or(r.Text(res["organization"]), r.Text(res["account"])), r.Text(res["repository"])
		a.Action.Resource = cmp.Or(r.Text(res["target"]), strings.Trim(owner+"/"+rest, "/"))
	}
	a.Action.Connector = a.Type
	a.Action.Params = r.params(keys["parameters"])
	if keys["risk_hints"].There() {
		r.riskHints(keys["risk_hints"], a)
	}
	r.around(keys, a)
	a.Rate(r.known.Catalogue)
	return a
}

func (r *reading) riskHints(p yamldoc.Place, a *Action) {
	keys := r.Mapping(p, "is_destructive", "irreversible", "production_target", "financial_impact")
	if keys["is_destructive"].There() {
		a.rated.class, a.Action.Class = true, action.Write
		if r.Yes(keys["is_destructive"]) {
			a.Action.Class = action.Delete
		}
	}
	if keys["irreversible"].There() {
		a.rated.reversible, a.Action.Reversible = true, !r.Yes(keys["irreversible"])
	}
	if r.Yes(keys["production_target"]) && a.Environment == "" {
		a.Environment = "production"
	}
	if r.Yes(keys["financial_impact"]) && a.Type == "" {
		a.Type = "stripe"
	}
}
