package document

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// conditions reads a list, which has to hold as a whole, a group or a single
// condition. It reports false where what is wrong has been noted.
func (r *reading) conditions(p yamldoc.Place, depth int) (policy.Expr, bool) {
	if depth > maxNesting {
		r.Bad(p, "conditions are nested at most %d deep", maxNesting)
		return policy.Expr{}, false
	}
	if _, list := p.Node.(*ast.SequenceNode); list {
		return r.group(p, policy.All, depth)
	}
	keys := r.Mapping(p, "all", "any", "not", "field", "operator", "value")
	if keys == nil {
		return policy.Expr{}, false
	}
	var found []string
	for _, key := range []string{"all", "any", "not"} {
		if keys[key].There() {
			found = append(found, key)
		}
	}
	single := keys["field"].There() || keys["operator"].There() || keys["value"].There()
	switch {
	case len(found) > 1 || len(found) == 1 && single:
		r.Bad(p, "write one of all, any, not, or a single condition here; put the others below it")
		return policy.Expr{}, false
	case len(found) == 0 && !single:
		r.Bad(p, "a condition has field, operator and value; a group has all, any or not")
		return policy.Expr{}, false
	case len(found) == 0:
		return r.condition(p, keys)
	case found[0] == "not":
		return r.not(keys["not"], depth)
	}
	return r.group(keys[found[0]], policy.Op(found[0]), depth)
}

func (r *reading) not(p yamldoc.Place, depth int) (policy.Expr, bool) {
	if n, list := p.Node.(*ast.SequenceNode); list && len(n.Values) != 1 {
		r.Bad(p, "put all or any below not: of several conditions it would not be clear which one is meant")
		return policy.Expr{}, false
	} else if list {
		p = yamldoc.Place{Node: n.Values[0], Path: p.Path + "[0]"}
	}
	e, ok := r.conditions(p, depth+1)
	if !ok {
		return e, false
	}
	return policy.Expr{Op: policy.Not, Args: []policy.Expr{e}}, true
}

func (r *reading) group(p yamldoc.Place, op policy.Op, depth int) (policy.Expr, bool) {
	e, whole := policy.Expr{Op: op}, true
	if n, ok := p.Node.(*ast.SequenceNode); ok && len(n.Values) == 0 {
		r.Bad(p, "there is no condition in this list; leave it out where the rule always applies")
		return e, false
	}
	for _, item := range r.Items(p) {
		one, ok := r.conditions(item, depth+1)
		if whole = whole && ok; ok {
			e.Args = append(e.Args, one)
		}
	}
	return e, whole && len(e.Args) > 0
}

// condition reads a field, an operator and a value.
func (r *reading) condition(p yamldoc.Place, keys map[string]yamldoc.Place) (policy.Expr, bool) {
	had := len(r.Problems.All)
	var f field
	var known bool
	name := r.Need(p, keys["field"], "field")
	if name != "" {
		f, known = r.field(keys["field"], name)
	}
	o, ok := r.operator(p, keys["operator"])
	if !known || !ok {
		return policy.Expr{}, false
	}
	value, given := r.value(p, keys["value"], f, o)
	if len(r.Problems.All) > had {
		return policy.Expr{}, false
	}
	e := policy.Expr{}
	switch {
	case f.old != today:
		if e, ok = r.older(keys["operator"], f, o, value, given); !ok {
			return e, false
		}
		r.noteOlder(keys["field"], f)
	case given:
		e = leaf(f.name, o.op, value)
	default:
		e = policy.Expr{Op: o.op, Args: []policy.Expr{{Field: f.name}}, Text: f.name + " " + string(o.op)}
	}
	line, column := place(p)
	stand(&e, line, column)
	if f.old == branchName {
		if r.made == nil {
			r.made = map[spot]bool{}
		}
		r.made[spot{line, column}] = true
	}
	if f.old == today && o.not {
		e = policy.Expr{Op: policy.Not, Args: []policy.Expr{e}, Line: line, Column: column}
	}
	if f.old == today {
		r.checkWords(keys["value"], f, o)
	}
	return e, true
}

// stand says where a condition, and what was made of it, is written.
func stand(e *policy.Expr, line, column int) {
	if e.Field != "" || e.Value != nil {
		return
	}
	e.Line, e.Column = line, column
	for i := range e.Args {
		stand(&e.Args[i], line, column)
	}
}

func (r *reading) operator(p, at yamldoc.Place) (operator, bool) {
	if !at.There() {
		r.Bad(p, "operator is missing, such as equals")
		return operator{}, false
	}
	name := r.Text(at)
	if name == "" {
		return operator{}, false
	}
	o, ok := operatorNamed(name)
	if !ok {
		hint := yamldoc.Suggest(snake(name), Operators())
		if hint == "" {
			hint = "; there are " + yamldoc.List(Operators())
		}
		r.Bad(at, "there is no operator %q%s", yamldoc.Shown(name), hint)
	}
	return o, ok
}

func leaf(name string, op policy.Op, value policy.Const) policy.Expr {
	return policy.Expr{Op: op, Args: []policy.Expr{{Field: name}, {Value: &value}}, Text: name + " " + string(op) + " " + shown(value)}
}

func text1(s string) policy.Const { return policy.Const{Text: &s} }

func truth(b bool) policy.Const { return policy.Const{Bool: &b} }

func texts(all ...string) policy.Const {
	c := policy.Const{IsList: true}
	for _, s := range all {
		c.List = append(c.List, text1(s))
	}
	return c
}

const (
	shownValues = 5
	shownText   = 80
)

// shown writes a value as it would stand in a document.
func shown(c policy.Const) string {
	switch {
	case c.IsList:
		var parts []string
		for _, one := range c.List[:min(len(c.List), shownValues)] {
			parts = append(parts, shown(one))
		}
		if more := len(c.List) - len(parts); more > 0 {
			parts = append(parts, "… "+strconv.Itoa(more)+" more")
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case c.Text != nil:
		if runes := []rune(*c.Text); len(runes) > shownText {
			return word(string(runes[:shownText-1]) + "…")
		}
		return word(*c.Text)
	case c.Int != nil:
		return strconv.FormatInt(*c.Int, 10)
	case c.Float != nil:
		return strconv.FormatFloat(*c.Float, 'g', -1, 64)
	case c.Bool != nil:
		return strconv.FormatBool(*c.Bool)
	case c.Time != nil:
		return c.Time.Format(timeLayout)
	case c.Window != nil:
		return word(c.Window.String())
	}
	return ""
}
