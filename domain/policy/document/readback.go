package document

import (
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// places are those of the rules, from 0.
func (o *outline) places() []int {
	all := make([]int, len(o.clauses))
	for i := range all {
		all[i] = i
	}
	return all
}

// reads reports whether a form shows of data, which o has become, what it
// should, and whether all that nobody edited means what it did. From says
// which rule of o each is; -1 is a new one.
func (o *outline) reads(data []byte, want Form, from []int) bool {
	n, err := newOutline(data)
	if err != nil {
		return false
	}
	got := n.form()
	if len(got.Clauses) != len(want.Clauses) {
		return false
	}
	for i := range got.Clauses {
		g, w := got.Clauses[i].plain(), want.Clauses[i].plain()
		if g.Nested != w.Nested || g.Nested && strings.TrimSpace(g.Source) != strings.TrimSpace(w.Source) {
			return false
		}
		g.Source, w.Source, g.Line, w.Line = "", "", 0, 0
		if !reflect.DeepEqual(g, w) {
			return false
		}
		if from[i] >= 0 && !o.keeps(from[i], n, i) {
			return false
		}
	}
	return got.Name == want.Name && got.Description == want.Description && sameScope(got, want)
}

// keeps reports whether the conditions that a rule of o and one of n share
// mean the same in both.
func (o *outline) keeps(i int, n *outline, j int) bool {
	was, now := o.clauseForm(i), n.clauseForm(j)
	before, after := o.conditions(i), n.conditions(j)
	if was.Nested || now.Nested {
		return !was.Nested || !now.Nested || slices.Equal(before, after)
	}
	for _, pair := range common(was.plain().Conditions, now.plain().Conditions) {
		if before[pair[0]] != after[pair[1]] {
			return false
		}
	}
	return true
}

// conditions is what each condition of a rule means; of nested ones, what they
// mean together.
func (o *outline) conditions(i int) []string {
	n := entry(o.clauses[i])["conditions"]
	items := []ast.Node{n}
	if _, _, flat := flatConditions(n); flat {
		_, items, _ = conditionNodes(n)
	}
	var all []string
	for _, item := range items {
		var r reading
		e, ok := r.conditions(yamldoc.Place{Node: item}, 0)
		if !ok {
			all = append(all, "") // it is wrong, and may stay so
			continue
		}
		walk(&e, single)
		all = append(all, sense(&e))
	}
	return all
}

// single makes a list of one glob, or of one network, that glob or network.
func single(e *policy.Expr) {
	switch e.Op {
	case policy.Glob, policy.NotGlob, policy.CIDR, policy.NotCIDR:
		for i := range e.Args {
			if v := e.Args[i].Value; v != nil && v.IsList && len(v.List) == 1 {
				e.Args[i].Value = &v.List[0]
			}
		}
	default:
	}
}
