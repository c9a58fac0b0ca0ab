package policy_test

import (
	"cmp"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/policy"
)

// value is what a part of a CEL expression is; murky where that is not known,
// or where CEL would fail.
func (v view) value(e policy.Expr, s scope) any {
	switch {
	case e.Value != nil:
		return constant(e.Value)
	case e.Field != "":
		return v.known(e.Field, s)
	}
	switch e.Op {
	case policy.All, policy.Any, policy.Not:
		return settled(v.truth(e, s))
	case policy.Cond:
		if test, ok := v.value(e.Args[0], s).(bool); ok {
			if test {
				return v.value(e.Args[1], s)
			}
			return v.value(e.Args[2], s)
		}
		return murky{}
	case policy.Exist, policy.Every, policy.One, policy.Filter, policy.Map:
		return v.comprehend(e, s)
	case policy.HasField:
		return v.has(e.Args[0], s)
	default:
	}
	if prefix, ok := v.belowOf(e); ok {
		return v.belowValue(e, prefix)
	}
	args := make([]any, len(e.Args))
	for i := range e.Args {
		args[i] = v.value(e.Args[i], s)
		if _, unknown := args[i].(murky); unknown {
			return murky{}
		}
	}
	for i, arg := range e.Args { // a parameter that is there several times is no one thing
		_, isList := args[i].([]any)
		if !isList || !strings.HasPrefix(arg.Field, "request.query.") {
			continue
		}
		if e.Op == policy.Member && i == 0 {
			return murky{}
		}
		if _, otherToo := args[1-min(i, 1)].([]any); (e.Op == policy.Eq || e.Op == policy.Ne) && !otherToo {
			return murky{}
		}
	}
	return apply(e.Op, args)
}

func settled(m may) any {
	if m.yes == m.no {
		return murky{}
	}
	return m.yes
}

func (v view) known(field string, s scope) any {
	if name, ok := strings.CutPrefix(field, "$"); ok {
		return s.vars[name]
	}
	switch x := v.look(field).(type) {
	case missing, below:
		return murky{}
	default:
		return x
	}
}

func (v view) has(e policy.Expr, s scope) any {
	if e.Field != "" {
		switch v.look(e.Field).(type) {
		case missing:
			return false
		case murky:
			return murky{}
		}
		return true
	}
	m, ok := v.value(e.Args[0], s).(map[string]any)
	name, isText := v.value(e.Args[1], s).(string)
	if !ok || !isText {
		return murky{}
	}
	_, there := m[name]
	return there
}

func (v view) comprehend(e policy.Expr, s scope) any {
	list, ok := v.value(e.Args[0], s).([]any)
	if !ok {
		return murky{}
	}
	with := func(element any) scope {
		vars := map[string]any{e.Var: plain(element)}
		for name, x := range s.vars {
			if name != e.Var {
				vars[name] = x
			}
		}
		return scope{elements: s.elements, vars: vars}
	}
	some, every, count, kept, unknown := surely(false), surely(true), 0, []any{}, false
	for _, element := range list {
		if e.Op == policy.Map {
			x := v.value(e.Args[1], with(element))
			_, bad := x.(murky)
			kept, unknown = append(kept, x), unknown || bad
			continue
		}
		m := v.truth(e.Args[1], with(element))
		some, every, unknown = some.or(m), every.and(m), unknown || m == either
		if !m.no {
			kept, count = append(kept, element), count+1
		}
	}
	switch {
	case e.Op == policy.Exist:
		return settled(some)
	case e.Op == policy.Every:
		return settled(every)
	case unknown:
		return murky{}
	case e.Op == policy.One:
		return count == 1
	}
	return kept
}

// belowOf reports whether e compares the action with a constant, where only
// the beginning of the action is known.
func (v view) belowOf(e policy.Expr) (below, bool) {
	b, unknown := v.look("action").(below)
	if !unknown || !slices.Contains([]policy.Op{policy.Eq, policy.Ne, policy.Begins, policy.GlobOf, policy.Member}, e.Op) {
		return b, false
	}
	return b, e.Args[0].Field == "action" && e.Args[1].Value != nil || e.Args[1].Field == "action" && e.Args[0].Value != nil && (e.Op == policy.Eq || e.Op == policy.Ne)
}

func (v view) belowValue(e policy.Expr, b below) any {
	c := e.Args[1].Value
	if c == nil {
		c = e.Args[0].Value
	}
	like := map[policy.Op]policy.Op{policy.Eq: policy.Equals, policy.Ne: policy.Equals, policy.Begins: policy.StartsWith, policy.GlobOf: policy.Glob, policy.Member: policy.In}
	return settled(invert(e.Op == policy.Ne, b.compare(like[e.Op], constant(c))))
}

// alike is ==.
func alike(a, b any) bool {
	if x, ok := celNumber(a); ok {
		y, ok := celNumber(b)
		return ok && x.Cmp(y) == 0
	}
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, func(a, b any) bool { return alike(plain(a), plain(b)) })
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, one := range x {
			other, there := y[k]
			if !there || !alike(one, other) {
				return false
			}
		}
		return true
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y)
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

func celNumber(a any) (*big.Float, bool) {
	if _, text := a.(string); text {
		return nil, false
	}
	return number(a, nil)
}

func ranked(a, b any) (int, bool) {
	if x, ok := celNumber(a); ok {
		if y, ok := celNumber(b); ok {
			return x.Cmp(y), true
		}
		return 0, false
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return cmp.Compare(x, y), true
		}
	case bool:
		if y, ok := b.(bool); ok {
			return map[bool]int{true: 1}[x] - map[bool]int{true: 1}[y], true
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), true
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return cmp.Compare(x, y), true
		}
	}
	return 0, false
}

func apply(op policy.Op, args []any) any {
	switch op {
	case policy.Eq:
		return alike(args[0], args[1])
	case policy.Ne:
		return !alike(args[0], args[1])
	case policy.Less, policy.LessEq, policy.Greater, policy.GreaterEq:
		n, ok := ranked(args[0], args[1])
		if !ok {
			return murky{}
		}
		return map[policy.Op]bool{policy.Less: n < 0, policy.LessEq: n <= 0, policy.Greater: n > 0, policy.GreaterEq: n >= 0}[op]
	case policy.Add, policy.Sub, policy.Mul, policy.Div, policy.Mod, policy.Neg:
		return arithmetic(op, args)
	case policy.MakeList:
		return slices.Clone(args)
	case policy.Member:
		switch in := args[1].(type) {
		case []any:
			return slices.ContainsFunc(in, func(one any) bool { return alike(args[0], plain(one)) })
		case map[string]any:
			name, ok := args[0].(string)
			_, there := in[name]
			return ok && there
		}
	case policy.Index:
		switch in := args[0].(type) {
		case []any:
			if i, ok := args[1].(int64); ok && i >= 0 && i < int64(len(in)) {
				return plain(in[i])
			}
		case map[string]any:
			if name, ok := args[1].(string); ok {
				if one, there := in[name]; there {
					return plain(one)
				}
			}
		}
	case policy.Size:
		switch x := args[0].(type) {
		case string:
			return int64(utf8.RuneCountInString(x))
		case []any:
			return int64(len(x))
		case map[string]any:
			return int64(len(x))
		}
	case policy.During:
		if t, ok := args[0].(time.Time); ok {
			return within(args[1].(policy.Window), t)
		}
	case policy.TimePart:
		return timePart(args)
	case policy.ToInt, policy.ToDouble, policy.ToText:
		return convert(op, args[0])
	default:
		return ofText(op, args)
	}
	return murky{}
}

func ofText(op policy.Op, args []any) any {
	var texts []string
	for _, arg := range args {
		text, ok := arg.(string)
		if !ok {
			return murky{}
		}
		texts = append(texts, text)
	}
	ascii := func(from, to rune, by rune) string {
		return strings.Map(func(r rune) rune {
			if from <= r && r <= to {
				return r + by
			}
			return r
		}, texts[0])
	}
	switch op {
	case policy.Begins:
		return strings.HasPrefix(texts[0], texts[1])
	case policy.Ends:
		return strings.HasSuffix(texts[0], texts[1])
	case policy.Has:
		return strings.Contains(texts[0], texts[1])
	case policy.Match:
		if re, err := regexp.Compile(texts[1]); err == nil {
			return re.MatchString(texts[0])
		}
	case policy.GlobOf:
		return like(texts[1], texts[0])
	case policy.InNetwork:
		ip, err := netip.ParseAddr(texts[0])
		network, bad := netip.ParsePrefix(texts[1])
		if err == nil && bad == nil {
			return network.Contains(ip.Unmap())
		}
	case policy.Lower:
		return ascii('A', 'Z', 'a'-'A')
	case policy.Upper:
		return ascii('a', 'z', 'A'-'a')
	case policy.ParseTime:
		if t, err := time.Parse(time.RFC3339, texts[0]); err == nil {
			return t
		}
	default:
		panic("no operator " + op)
	}
	return murky{}
}

// arithmetic is exact, and looks afterwards whether the result is one.
func arithmetic(op policy.Op, args []any) any {
	if op == policy.Neg {
		switch x := args[0].(type) {
		case int64:
			return whole(new(big.Int).Neg(big.NewInt(x)))
		case float64:
			return -x
		}
		return murky{}
	}
	switch x := args[0].(type) {
	case int64:
		if y, ok := args[1].(int64); ok {
			return integers(op, big.NewInt(x), big.NewInt(y))
		}
	case float64:
		y, ok := args[1].(float64)
		switch {
		case !ok:
		case op == policy.Add:
			return x + y
		case op == policy.Sub:
			return x - y
		case op == policy.Mul:
			return x * y
		case op == policy.Div && y != 0:
			return x / y
		}
	case string:
		if y, ok := args[1].(string); ok && op == policy.Add {
			return x + y
		}
	case []any:
		if y, ok := args[1].([]any); ok && op == policy.Add {
			return slices.Concat(x, y)
		}
	case time.Time:
		switch y := args[1].(type) {
		case time.Duration:
			if op == policy.Add {
				return x.Add(y)
			}
			if op == policy.Sub {
				return x.Add(-y)
			}
		case time.Time:
			if op == policy.Sub {
				return x.Sub(y)
			}
		}
	case time.Duration:
		switch y := args[1].(type) {
		case time.Duration:
			if n, ok := integers(op, big.NewInt(int64(x)), big.NewInt(int64(y))).(int64); ok && (op == policy.Add || op == policy.Sub) {
				return time.Duration(n)
			}
		case time.Time:
			if op == policy.Add {
				return y.Add(x)
			}
		}
	}
	return murky{}
}

func integers(op policy.Op, x, y *big.Int) any {
	out := new(big.Int)
	switch {
	case op == policy.Add:
		return whole(out.Add(x, y))
	case op == policy.Sub:
		return whole(out.Sub(x, y))
	case op == policy.Mul:
		return whole(out.Mul(x, y))
	case op == policy.Div && y.Sign() != 0:
		return whole(out.Quo(x, y))
	case op == policy.Mod && y.Sign() != 0:
		return whole(out.Rem(x, y))
	}
	return murky{}
}

func whole(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return murky{}
}

func timePart(args []any) any {
	t, ok := args[0].(time.Time)
	name, isText := args[2].(string)
	if !ok || !isText {
		return murky{}
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return murky{}
	}
	t = t.In(zone)
	return int64(map[any]int{
		"hours": t.Hour(), "minutes": t.Minute(), "day_of_week": int(t.Weekday()),
		"day_of_month": t.Day(), "month": int(t.Month()) - 1, "year": t.Year(),
	}[args[1]])
}

func convert(op policy.Op, x any) any {
	switch op {
	case policy.ToInt:
		switch x := x.(type) {
		case int64:
			return x
		case float64:
			if n, _ := big.NewFloat(x).Int(nil); n != nil {
				return whole(n)
			}
		case string:
			if n, err := strconv.ParseInt(x, 10, 64); err == nil {
				return n
			}
		}
	case policy.ToDouble:
		switch x := x.(type) {
		case int64:
			return float64(x)
		case float64:
			return x
		case string:
			if n, err := strconv.ParseFloat(x, 64); err == nil {
				return n
			}
		}
	case policy.ToText:
		switch x := x.(type) {
		case string:
			return x
		case bool:
			return strconv.FormatBool(x)
		case int64:
			return strconv.FormatInt(x, 10)
		case float64:
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
	default:
	}
	return murky{}
}
