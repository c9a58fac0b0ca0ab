package cel

import (
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/tameflare/tameflare/domain/yamldoc"
)

type problem = yamldoc.Problem

// refused are the variants of functions that CEL has and the tree has not.
var refused = map[string]string{
	"less_bool":           "Compare true and false with == or !=.",
	"less_equals_bool":    "Compare true and false with == or !=.",
	"greater_bool":        "Compare true and false with == or !=.",
	"greater_equals_bool": "Compare true and false with == or !=.",
	"timestamp_to_int64":  "A time is no number; compare it with timestamp(\"2026-11-23T22:00:00Z\").",
	"timestamp_to_string": "A time is no text here; compare it with timestamp(\"2026-11-23T22:00:00Z\").",
	"duration_to_string":  "A duration is no text here; compare it with duration(\"15m\").",
	"int64_to_timestamp":  "A time is made of a text here, such as timestamp(\"2026-11-23T22:00:00Z\").",
	"duration_to_hours":   "Compare durations with one another, such as duration(\"2h\").",
	"duration_to_minutes": "Compare durations with one another, such as duration(\"15m\").",
}

// types notes what the checker has found, and that the whole is no condition.
func (t *translation) types(checked *ast.AST, errs []*common.Error) {
	for _, e := range errs {
		t.typeError(checked, e)
	}
	if len(errs) > 0 {
		return
	}
	for _, call := range t.calls {
		ids := checked.GetOverloadIDs(call.ID())
		message := ""
		for _, id := range ids {
			if message = refused[id]; message == "" {
				break
			}
		}
		if message != "" {
			t.bad(call, "%s", message)
		}
	}
	whole := checked.Expr()
	if kind := checked.GetType(whole.ID()); kind.Kind() != types.BoolKind && kind.Kind() != types.DynKind {
		t.bad(whole, "A condition is true or false; this is %s.", shownType(kind))
	}
}

// typeError says in our words what the checker says.
func (t *translation) typeError(checked *ast.AST, e *common.Error) {
	offset := t.text.offset(e.Location.Line(), e.Location.Column())
	var at ast.Expr
	for _, call := range t.calls {
		if call.ID() == e.ExprID {
			at = call
		}
	}
	switch {
	case at != nil && strings.HasPrefix(e.Message, "found no matching overload"):
		t.badAt(offset, "%s", mismatch(checked, at))
	case strings.Contains(e.Message, "cannot be range"):
		t.badAt(offset, "Only lists have elements; this is %s.", shownType(checked.GetType(e.ExprID)))
	case strings.Contains(e.Message, "does not support field selection"):
		t.badAt(offset, "There is nothing below this; it is %s.", quotedType(e.Message))
	case strings.HasPrefix(e.Message, "expected type 'bool'"):
		_, found, _ := strings.Cut(e.Message, "but found ")
		t.badAt(offset, "What stands here has to be true or false; this is %s.", quotedType(found))
	default:
		t.badAt(offset, "The types do not fit here.")
	}
}

// quotedType returns the type that a message of the checker names.
func quotedType(message string) string {
	_, rest, _ := strings.Cut(message, "'")
	name, _, _ := strings.Cut(rest, "'")
	switch name {
	case "string":
		return shownType(types.StringType)
	case "int":
		return shownType(types.IntType)
	case "bool":
		return shownType(types.BoolType)
	case "timestamp":
		return shownType(types.TimestampType)
	}
	return "no set of fields"
}

// mismatch says that an operator or a function is not for what it is given.
func mismatch(checked *ast.AST, call ast.Expr) string {
	c := call.AsCall()
	args := c.Args()
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	var kinds []string
	for _, arg := range args {
		kinds = append(kinds, shownType(checked.GetType(arg.ID())))
	}
	name := c.FunctionName()
	switch f, isNamed := named[name]; {
	case isNamed:
		return "This does not go with " + strings.Join(kinds, " and ") + "; write it like " + f.form + "."
	case name == operators.LogicalNot:
		return "Write ! before what is true or false; this is " + kinds[0] + "."
	case name == operators.LogicalAnd, name == operators.LogicalOr:
		return "On both sides of " + sign(name) + " stands what is true or false; here are " + strings.Join(kinds, " and ") + "."
	case name == operators.Conditional:
		return "Before the ? stands what is true or false, and on both sides of the : two of one kind."
	case name == operators.In && len(args) == 2 && checked.GetType(args[1].ID()).Kind() == types.StringKind:
		return "What stands after in is a list; write TEXT.contains(PART) to look into a text."
	case name == operators.In:
		return "In this list there cannot be " + kinds[0] + "."
	case name == operators.Index:
		return "Nothing can be taken out of " + kinds[0] + " by " + kinds[1] + "."
	case name == operators.Negate:
		return "There is no minus of " + kinds[0] + "."
	case len(args) == 2 && isRisk(args[0]) && checked.GetType(args[1].ID()).Kind() == types.IntKind:
		return "risk is a text such as \"high\"; the number is risk_level."
	default:
		return sign(name) + " does not go with " + strings.Join(kinds, " and ") + "."
	}
}

func isRisk(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "risk" }

// sign returns an operator as it is written: "_==_" is "==".
func sign(name string) string { return strings.Trim(name, "_@") }

// shownType says what a type is.
func shownType(t *types.Type) string {
	switch t.Kind() {
	case types.StringKind:
		return "a text"
	case types.IntKind:
		return "a whole number"
	case types.DoubleKind:
		return "a number"
	case types.BoolKind:
		return "true or false"
	case types.TimestampKind:
		return "a time"
	case types.DurationKind:
		return "a duration"
	case types.ListKind:
		return "a list"
	case types.MapKind:
		return "a set of fields"
	default:
		return "something that depends on the request"
	}
}
