package cel

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/tameflare/tameflare/domain/policy"
)

// translation makes our tree of what the parser has read.
type translation struct {
	text     *text
	info     *ast.SourceInfo
	vars     []string // the names of elements, from the outermost
	calls    []ast.Expr
	problems []problem
}

// condition translates what is true or false. Leaves says that the conditions
// below e are those that people see one by one, so they get their place.
func (t *translation) condition(e ast.Expr, leaves bool) policy.Expr {
	if e.Kind() == ast.CallKind {
		c := e.AsCall()
		switch name := c.FunctionName(); name {
		case operators.LogicalAnd, operators.LogicalOr:
			t.calls = append(t.calls, e)
			x := policy.Expr{Op: policy.All}
			if name == operators.LogicalOr {
				x.Op = policy.Any
			}
			for _, arg := range c.Args() {
				// A chain comes as a tree, and becomes a list again.
				if one := t.condition(arg, leaves); one.Op == x.Op {
					x.Args = append(x.Args, one.Args...)
				} else {
					x.Args = append(x.Args, one)
				}
			}
			return x
		case operators.LogicalNot:
			t.calls = append(t.calls, e)
			return policy.Expr{Op: policy.Not, Args: []policy.Expr{t.condition(c.Args()[0], leaves)}}
		case operators.Conditional:
			t.calls = append(t.calls, e)
			x := policy.Expr{Op: policy.Cond}
			for _, arg := range c.Args() {
				x.Args = append(x.Args, t.condition(arg, leaves))
			}
			return x
		}
	}
	x := t.value(e)
	if leaves {
		offset, written := t.written(e)
		x.Line, x.Column = t.text.position(offset)
		x.Text = written
	}
	return x
}

// value translates what has a value.
func (t *translation) value(e ast.Expr) policy.Expr {
	if names := words(e); names != nil {
		if slices.Contains(t.vars, names[0]) {
			x := policy.Expr{Field: "$" + names[0]}
			for _, name := range names[1:] {
				x = at(x, textConst(name))
			}
			return x
		}
		x, whole := t.field(e, names)
		if whole != "" {
			t.bad(e, `%s cannot be used as a whole; write %s.NAME or %s["NAME"].`, whole, whole, whole)
		}
		return x
	}
	switch e.Kind() {
	case ast.LiteralKind:
		return t.literal(e)
	case ast.SelectKind:
		return t.selected(e)
	case ast.ListKind:
		return t.list(e)
	case ast.ComprehensionKind:
		return t.loop(e)
	case ast.CallKind:
		return t.call(e)
	case ast.MapKind:
		t.bad(e, "Maps are not written out here; compare the fields one by one.")
	default:
		t.bad(e, "This part of CEL is not used here.")
	}
	return policy.Expr{}
}

// at takes something out of a list or a map.
func at(x, place policy.Expr) policy.Expr {
	return policy.Expr{Op: policy.Index, Args: []policy.Expr{x, place}}
}

// selected translates has() and what stands after a dot.
func (t *translation) selected(e ast.Expr) policy.Expr {
	s := e.AsSelect()
	if !s.IsTestOnly() {
		return at(t.value(s.Operand()), textConst(s.FieldName()))
	}
	var x policy.Expr
	if names := words(s.Operand()); names != nil && !slices.Contains(t.vars, names[0]) {
		names = append(slices.Clone(names), s.FieldName())
		var whole string
		if x, whole = t.field(e, names); whole != "" {
			t.bad(e, `Say which: has(%s.NAME) or "NAME" in %s.`, whole, whole)
		}
	} else {
		x = at(t.value(s.Operand()), textConst(s.FieldName()))
	}
	return policy.Expr{Op: policy.HasField, Args: []policy.Expr{x}}
}

func (t *translation) list(e ast.Expr) policy.Expr {
	elements := e.AsList().Elements()
	if len(elements) > maxList {
		t.bad(e, "A list has at most %d elements.", maxList)
		return policy.Expr{}
	}
	made := policy.Expr{Op: policy.MakeList}
	fixed := &policy.Const{IsList: true}
	for _, element := range elements {
		x := t.value(element)
		made.Args = append(made.Args, x)
		if x.Value != nil && !x.Value.IsList && x.Value.Time == nil && x.Value.Duration == nil {
			fixed.List = append(fixed.List, *x.Value)
		}
	}
	if len(fixed.List) == len(elements) {
		return policy.Expr{Value: fixed}
	}
	return made
}

// loop translates exists, all and their kin, which the parser has written out
// as what they do.
func (t *translation) loop(e ast.Expr) policy.Expr {
	c := e.AsComprehension()
	step := c.LoopStep().AsCall()
	x := policy.Expr{Var: c.IterVar()}
	var body, kept ast.Expr
	switch begin := c.AccuInit(); {
	case begin.Kind() == ast.LiteralKind && begin.AsLiteral() == types.True:
		x.Op, body = policy.Every, step.Args()[1]
	case begin.Kind() == ast.LiteralKind && begin.AsLiteral() == types.False:
		x.Op, body = policy.Exist, step.Args()[1]
	case begin.Kind() == ast.LiteralKind:
		x.Op, body = policy.One, step.Args()[0]
	case step.FunctionName() == operators.Conditional:
		x.Op, body = policy.Filter, step.Args()[0]
		if made := step.Args()[1].AsCall().Args()[1].AsList().Elements()[0]; made.Kind() != ast.IdentKind || made.AsIdent() != x.Var {
			kept = made
		}
	default:
		x.Op, body = policy.Map, step.Args()[1].AsList().Elements()[0]
	}
	t.ranges(c.IterRange())
	over := t.value(c.IterRange())
	if t.taken(x.Var) {
		t.bad(e, "%s is the name of something else; give the element another one.", shown(x.Var))
		return policy.Expr{}
	}
	if len(t.vars) == maxLoops {
		t.bad(e, "Loops are at most %d deep.", maxLoops)
		return policy.Expr{}
	}
	t.vars = append(t.vars, x.Var)
	inner := t.inner(x.Op, body)
	x.Args = []policy.Expr{over, inner}
	if kept != nil {
		x = policy.Expr{Op: policy.Map, Var: x.Var, Args: []policy.Expr{x, t.value(kept)}}
	}
	t.vars = t.vars[:len(t.vars)-1]
	return x
}

func (t *translation) inner(op policy.Op, body ast.Expr) policy.Expr {
	if op == policy.Map {
		return t.value(body)
	}
	return t.condition(body, false)
}

// taken reports whether a name cannot be that of an element.
func (t *translation) taken(name string) bool {
	if slices.Contains(t.vars, name) || name == "request" || name == "run" {
		return true
	}
	return slices.ContainsFunc(policy.Fields(), func(f policy.Field) bool {
		root, _ := rootOf(f.Name)
		return root == name
	})
}
