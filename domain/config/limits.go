package config

import (
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// listed is how many names a problem lists. A broad pattern has hundreds.
const listed = 12

// limits reads what the resource and the parameters of a rule have to be.
func (r *parsing) limits(p yamldoc.Place, pattern action.Pattern, typ string) policy.Limits {
	if !p.There() {
		return nil
	}
	var pairs []*ast.MappingValueNode
	switch n := p.Node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	if len(pairs) == 0 {
		r.Bad(p, "names with values belong here, such as {ref: refs/heads/main}; without a limit, leave this out")
		return nil
	}
	limits, params, had := policy.Limits{}, r.params(pattern, typ), len(r.Problems.All)
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := yamldoc.Place{Node: pair.Key, Path: yamldoc.Join(p.Path, yamldoc.Shown(key))}
		_, twice := limits[key]
		switch err := (policy.Limits{key: {"*"}}).Check(); {
		case twice:
			r.Bad(at, "the key is there twice")
			continue
		case err != nil:
			r.Bad(at, "%s", fault.Message(err))
			continue
		case params != nil && !policy.HasParam(params, key):
			hint := yamldoc.Suggest(key, params)
			if hint == "" && len(params) <= listed {
				hint = "; there are " + yamldoc.List(params)
			}
			r.Bad(at, "%s has nothing of this name%s", pattern, hint)
		}
		limits[key] = r.globs(yamldoc.Place{Node: pair.Value, Path: at.Path})
	}
	if err := limits.Check(); err != nil && len(r.Problems.All) == had { // too many
		r.Bad(p, "%s", fault.Message(err))
	}
	return limits.Plain()
}

// params are what a limit of a rule for pattern can be on, sorted; nil where
// that is not known.
func (r *parsing) params(pattern action.Pattern, typ string) []string {
	if r.known == nil || typ == "" {
		return nil
	}
	all := slices.Clone(r.known.Params(typ, pattern))
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	return append(slices.Compact(all), policy.OnResource)
}

// globs reads one value or a list of them.
func (r *parsing) globs(p yamldoc.Place) []string {
	items := []yamldoc.Place{p}
	if _, several := p.Node.(*ast.SequenceNode); several {
		items = r.Items(p)
	}
	had := len(r.Problems.All)
	var all []string
	for _, item := range items {
		text, ok := scalar(item.Node)
		if !ok {
			r.Bad(item, "text belongs here, or a list of texts; put quotes around what is not one")
			continue
		}
		// By another name than the key, which could be a secret in the wrong place.
		if err := (policy.Limits{"it": {text}}).Check(); err != nil {
			r.Bad(item, "%s", fault.Message(err))
		}
		all = append(all, text)
	}
	if err := (policy.Limits{"it": all}).Check(); err != nil && len(r.Problems.All) == had { // none, or too many
		r.Bad(p, "%s", fault.Message(err))
	}
	return all
}

// number is one as JSON would write it, so that it can be compared.
var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$`)

// scalar returns the text of a value. Numbers and truth values are compared as
// they are written, so they need no quotes.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode:
		text := n.GetToken().Value
		return text, text == "true" || text == "false"
	case *ast.IntegerNode, *ast.FloatNode:
		text := n.GetToken().Value
		return text, number.MatchString(text)
	}
	return "", false
}

// limits writes what Parse reads. One value stands alone.
func limits(l policy.Limits) string {
	var p pairs
	for _, key := range l.Keys() {
		value := words(l[key])
		if len(l[key]) == 1 {
			value = word(l[key][0])
		}
		p = append(p, [2]string{word(key), value})
	}
	return flow(p)
}
