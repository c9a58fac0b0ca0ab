package cel

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// signs are the operators whose arguments are translated as they stand.
var signs = map[string]policy.Op{
	operators.Equals:        policy.Eq,
	operators.NotEquals:     policy.Ne,
	operators.Less:          policy.Less,
	operators.LessEquals:    policy.LessEq,
	operators.Greater:       policy.Greater,
	operators.GreaterEquals: policy.GreaterEq,
	operators.Add:           policy.Add,
	operators.Subtract:      policy.Sub,
	operators.Multiply:      policy.Mul,
	operators.Divide:        policy.Div,
	operators.Modulo:        policy.Mod,
	operators.Negate:        policy.Neg,
}

// function is what may be called by name.
type function struct {
	op     policy.Op
	method bool // X.name(…) and not name(X, …)
	args   int  // with what it is called on
	form   string
	part   string // of TimePart
}

// named are the functions. The macros are here for what is said about them.
var named = map[string]function{
	"size":        {op: policy.Size, args: 1, form: "size(X)"},
	"startsWith":  {op: policy.Begins, method: true, args: 2, form: `X.startsWith("a")`},
	"endsWith":    {op: policy.Ends, method: true, args: 2, form: `X.endsWith("a")`},
	"contains":    {op: policy.Has, method: true, args: 2, form: `X.contains("a")`},
	"matches":     {op: policy.Match, method: true, args: 2, form: `X.matches("^a")`},
	"lowerAscii":  {op: policy.Lower, method: true, args: 1, form: "X.lowerAscii()"},
	"upperAscii":  {op: policy.Upper, method: true, args: 1, form: "X.upperAscii()"},
	"glob":        {op: policy.GlobOf, args: 2, form: `glob(X, "a*")`},
	"in_cidr":     {op: policy.InNetwork, args: 2, form: `in_cidr(X, "10.0.0.0/8")`},
	"in_window":   {op: policy.During, args: 2, form: `in_window(time, "mon-fri 09:00-17:00 Europe/Berlin")`},
	"int":         {op: policy.ToInt, args: 1, form: "int(X)"},
	"double":      {op: policy.ToDouble, args: 1, form: "double(X)"},
	"string":      {op: policy.ToText, args: 1, form: "string(X)"},
	"timestamp":   {op: policy.ParseTime, args: 1, form: `timestamp("2026-11-23T22:00:00Z")`},
	"duration":    {args: 1, form: `duration("15m")`},
	"dyn":         {args: 1, form: "dyn(X)"},
	"getFullYear": {op: policy.TimePart, method: true, args: 1, form: "time.getFullYear()", part: "year"},
	"getMonth":    {op: policy.TimePart, method: true, args: 1, form: "time.getMonth()", part: "month"},
	"getDate":     {op: policy.TimePart, method: true, args: 1, form: "time.getDate()", part: "day_of_month"},
	// From 0, where the part that there is counts from 1.
	"getDayOfMonth": {op: policy.TimePart, method: true, args: 1, form: "time.getDayOfMonth()", part: "day_of_month"},
	"getDayOfWeek":  {op: policy.TimePart, method: true, args: 1, form: "time.getDayOfWeek()", part: "day_of_week"},
	"getHours":      {op: policy.TimePart, method: true, args: 1, form: "time.getHours()", part: "hours"},
	"getMinutes":    {op: policy.TimePart, method: true, args: 1, form: "time.getMinutes()", part: "minutes"},
	"has":           {args: 1, form: "has(params.NAME)"},
	"all":           {method: true, args: 3, form: `LIST.all(x, x == "a")`},
	"exists":        {method: true, args: 3, form: `LIST.exists(x, x == "a")`},
	"exists_one":    {method: true, args: 3, form: `LIST.exists_one(x, x == "a")`},
	"filter":        {method: true, args: 3, form: `LIST.filter(x, x != "a")`},
	"map":           {method: true, args: 3, form: "LIST.map(x, x + 1)"},
}

func (t *translation) call(e ast.Expr) policy.Expr {
	t.calls = append(t.calls, e)
	c := e.AsCall()
	name, args := c.FunctionName(), c.Args()
	switch name {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		return t.condition(e, false)
	case operators.Conditional:
		return policy.Expr{Op: policy.Cond, Args: []policy.Expr{t.condition(args[0], false), t.value(args[1]), t.value(args[2])}}
	case operators.In:
		return t.member(args[0], args[1])
	case operators.Index:
		return t.index(args[0], args[1])
	}
	if op, ok := signs[name]; ok {
		return policy.Expr{Op: op, Args: t.values(args)}
	}
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	f, ok := named[name]
	// CEL has two of these in both forms.
	either := name == "size" || name == "matches"
	zoned := f.op == policy.TimePart && len(args) == 2
	switch {
	case !ok:
		t.unknownFunction(e, name)
		return policy.Expr{}
	case c.IsMemberFunction() != f.method && !either, len(args) != f.args && !zoned:
		t.badAt(t.nameOf(e), "Write it like %s.", f.form)
		return policy.Expr{}
	}
	switch f.op {
	case policy.Match:
		return policy.Expr{Op: f.op, Args: []policy.Expr{t.value(args[0]), t.pattern(args[1])}}
	case policy.GlobOf:
		return policy.Expr{Op: f.op, Args: []policy.Expr{t.value(args[0]), t.globText(args[1])}}
	case policy.InNetwork:
		return policy.Expr{Op: f.op, Args: []policy.Expr{t.value(args[0]), t.network(args[1])}}
	case policy.During:
		return policy.Expr{Op: f.op, Args: []policy.Expr{t.value(args[0]), t.window(args[1])}}
	case policy.TimePart:
		return t.timePart(name, f, args)
	case policy.ParseTime:
		return t.instant(args[0])
	case "":
		if name == "duration" {
			return t.duration(args[0])
		}
		return t.value(args[0]) // dyn
	default:
		return policy.Expr{Op: f.op, Args: t.values(args)}
	}
}

func (t *translation) values(args []ast.Expr) []policy.Expr {
	all := make([]policy.Expr, 0, len(args))
	for _, arg := range args {
		all = append(all, t.value(arg))
	}
	return all
}

// member translates in. A text that is asked for in all parameters asks whether
// there is that one.
func (t *translation) member(element, among ast.Expr) policy.Expr {
	names := words(among)
	if names == nil || slices.Contains(t.vars, names[0]) {
		return policy.Expr{Op: policy.Member, Args: []policy.Expr{t.value(element), t.value(among)}}
	}
	x, whole := t.field(among, names)
	if whole == "" {
		return policy.Expr{Op: policy.Member, Args: []policy.Expr{t.value(element), x}}
	}
	name, ok := constantText(element)
	if !ok {
		t.bad(element, "The name to look for in %s has to be written out as a text.", whole)
		return policy.Expr{}
	}
	return policy.Expr{Op: policy.HasField, Args: []policy.Expr{t.below(among, whole, []string{name})}}
}

func (t *translation) index(of, place ast.Expr) policy.Expr {
	if names := words(of); names != nil && !slices.Contains(t.vars, names[0]) {
		x, whole := t.field(of, names)
		if whole != "" {
			t.bad(place, `What is taken out of %s has to be written out as a text: %s["NAME"].`, whole, whole)
		}
		return at(x, t.value(place))
	}
	return at(t.value(of), t.value(place))
}

func (t *translation) timePart(name string, f function, args []ast.Expr) policy.Expr {
	zone := "UTC"
	if len(args) == 2 {
		var ok bool
		if zone, ok = t.fixed(args[1], "A zone"); ok && policy.CheckZone(zone) != nil {
			t.bad(args[1], "There is no time zone %s; write one such as UTC, Europe/Berlin or America/New_York.", shown(zone))
		}
	}
	x := policy.Expr{Op: policy.TimePart, Args: []policy.Expr{t.value(args[0]), textConst(f.part), textConst(zone)}}
	if name == "getDayOfMonth" {
		one := int64(1)
		return policy.Expr{Op: policy.Sub, Args: []policy.Expr{x, {Value: &policy.Const{Int: &one}}}}
	}
	return x
}

// ranges notes a loop over what is no list.
func (t *translation) ranges(over ast.Expr) {
	if over.Kind() == ast.LiteralKind {
		if _, ok := over.AsLiteral().(types.String); ok {
			t.bad(over, "Only lists have elements; this is a text.")
		}
	}
}

func (t *translation) unknownFunction(e ast.Expr, name string) {
	var all []string
	for one := range named {
		all = append(all, one)
	}
	slices.Sort(all)
	hint := yamldoc.Suggest(name, all)
	if like, ok := elsewhere[strings.ToLower(name)]; ok && hint == "" {
		hint = "; write it like " + named[like].form
	}
	if hint == "" {
		hint = "; there are " + yamldoc.List(all)
	}
	t.badAt(t.nameOf(e), "There is no function %s%s", shown(name), sentence(hint))
}

// elsewhere is how other languages call what there is.
var elsewhere = map[string]string{
	"len": "size", "length": "size", "count": "size", "starts_with": "startsWith", "hasprefix": "startsWith",
	"ends_with": "endsWith", "hassuffix": "endsWith", "includes": "contains", "match": "matches", "regex": "matches",
	"lower": "lowerAscii", "tolower": "lowerAscii", "tolowercase": "lowerAscii", "upper": "upperAscii",
	"toupper": "upperAscii", "touppercase": "upperAscii", "any": "exists", "some": "exists", "every": "all",
	"float": "double", "str": "string", "exist": "exists", "defined": "has", "cidr": "in_cidr", "cidrmatch": "in_cidr",
}

// nameOf returns where the name of a called function stands.
func (t *translation) nameOf(e ast.Expr) int {
	if at, found := t.info.GetOffsetRange(e.ID()); found {
		if i := t.text.find(int(at.Start)); i > 0 && t.text.tokens[i].word == "(" {
			return t.text.tokens[i-1].start
		}
		return int(at.Start)
	}
	return 0
}
