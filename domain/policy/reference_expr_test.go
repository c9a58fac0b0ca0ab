package policy_test

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tameflare/tameflare/domain/policy"
)

// scalar are the operators that look at a list one element at a time, each with
// the one that holds where it fails.
var scalar = map[policy.Op]policy.Op{
	policy.Equals: policy.NotEquals, policy.In: policy.NotIn, policy.Matches: policy.NotMatches, policy.Glob: policy.NotGlob,
	policy.CIDR: policy.NotCIDR, policy.InWindow: policy.NotWindow, policy.StartsWith: "", policy.EndsWith: "",
	policy.GT: "", policy.GTE: "", policy.LT: "", policy.LTE: "", policy.Between: "",
}

// positive returns the operator that op is the opposite of.
func positive(op policy.Op) (policy.Op, bool) {
	for yes, no := range scalar {
		if no != "" && no == op {
			return yes, true
		}
	}
	switch op {
	case policy.NotContains:
		return policy.Contains, true
	case policy.NotExists:
		return policy.Exists, true
	default:
		return op, false
	}
}

// applies goes through every combination of the elements of lists.
func (v view) applies(c policy.Clause) may {
	if c.If == nil {
		return surely(true)
	}
	fields := map[string][]any{}
	v.lists(*c.If, fields)
	product := 1
	for _, list := range fields {
		product = min(product*len(list), 1000)
	}
	if product > 64 {
		for field := range fields {
			fields[field] = []any{murky{}} // one of too many
		}
	}
	out := may{no: true}
	forms := []map[string]any{{}}
	for field, list := range fields {
		var next []map[string]any
		for _, form := range forms {
			for _, element := range list {
				one := map[string]any{field: element}
				for k, x := range form {
					one[k] = x
				}
				next = append(next, one)
			}
		}
		forms = next
	}
	for _, form := range forms {
		out = out.or(v.truth(*c.If, scope{elements: form}))
	}
	return out
}

// scope is what is known within a condition.
type scope struct {
	elements map[string]any // of the lists that are looked at one element at a time
	vars     map[string]any // of CEL's macros
}

// lists finds the lists of more than one element that e looks into.
func (v view) lists(e policy.Expr, found map[string][]any) {
	op, _ := positive(e.Op)
	if _, ok := scalar[op]; ok {
		if list, ok := v.look(e.Args[0].Field).([]any); ok && len(list) > 1 {
			found[e.Args[0].Field] = list
		}
		return
	}
	for _, arg := range e.Args {
		v.lists(arg, found)
	}
}

// truth says how a condition may come out.
func (v view) truth(e policy.Expr, s scope) may {
	op, negated := positive(e.Op)
	if _, ok := scalar[op]; ok {
		return invert(negated, v.one(op, e, s))
	}
	switch op {
	case policy.All:
		out := surely(true)
		for _, arg := range e.Args {
			out = out.and(v.truth(arg, s))
		}
		return out
	case policy.Any:
		out := surely(false)
		for _, arg := range e.Args {
			out = out.or(v.truth(arg, s))
		}
		return out
	case policy.Not:
		return v.truth(e.Args[0], s).not()
	case policy.Contains, policy.ContainsAny, policy.ContainsAll, policy.Exists, policy.SizeEquals, policy.SizeGT, policy.SizeLT:
		return invert(negated, v.whole(op, e))
	default:
	}
	if b, ok := v.value(e, s).(bool); ok {
		return surely(b)
	}
	return either
}

func invert(negated bool, m may) may {
	if negated {
		return m.not()
	}
	return m
}

// one is an operator of the first group, about one element.
func (v view) one(op policy.Op, e policy.Expr, s scope) may {
	value := v.look(e.Args[0].Field)
	if element, ok := s.elements[e.Args[0].Field]; ok {
		value = element
	} else if list, ok := value.([]any); ok {
		switch len(list) {
		case 0:
			return surely(false)
		case 1:
			value = list[0]
		}
	}
	c := constant(e.Args[1].Value)
	switch x := value.(type) {
	case missing:
		return surely(false)
	case murky:
		return either
	case below:
		return x.compare(op, c)
	}
	return compare(op, value, c)
}

func compare(op policy.Op, value, c any) may {
	text, isText := value.(string)
	switch op {
	case policy.Equals:
		return same(value, c)
	case policy.In:
		out := surely(false)
		for _, one := range c.([]any) {
			out = out.or(same(value, one))
		}
		return out
	case policy.Between:
		ends := c.([]any)
		return compare(policy.GTE, value, ends[0]).and(compare(policy.LTE, value, ends[1]))
	case policy.GT, policy.GTE, policy.LT, policy.LTE:
		n, ok := ordered(value, c)
		if !ok {
			return either
		}
		return surely(map[policy.Op]bool{policy.GT: n > 0, policy.GTE: n >= 0, policy.LT: n < 0, policy.LTE: n <= 0}[op])
	case policy.InWindow:
		t, ok := value.(time.Time)
		if !ok {
			return either
		}
		return surely(within(c.(policy.Window), t))
	default:
	}
	if !isText {
		return either
	}
	switch op {
	case policy.StartsWith:
		return surely(strings.HasPrefix(text, c.(string)))
	case policy.EndsWith:
		return surely(strings.HasSuffix(text, c.(string)))
	case policy.Matches:
		return surely(regexp.MustCompile(c.(string)).MatchString(text))
	case policy.Glob:
		return surely(slices.ContainsFunc(several(c), func(g any) bool { return like(g.(string), text) }))
	case policy.CIDR:
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return either
		}
		return surely(slices.ContainsFunc(several(c), func(n any) bool { return netip.MustParsePrefix(n.(string)).Contains(ip.Unmap()) }))
	default:
		panic("no operator " + op)
	}
}

func several(c any) []any {
	if list, ok := c.([]any); ok {
		return list
	}
	return []any{c}
}

// same is Equals.
func same(a, b any) may {
	for _, turned := range [][2]any{{a, b}, {b, a}} {
		text, isText := turned[0].(string)
		if !isText {
			continue
		}
		switch other := turned[1].(type) {
		case int64, float64:
			if x, ok := number(text, other); ok {
				y, ok := number(other, text)
				return surely(ok && x.Cmp(y) == 0)
			}
			if perhapsNumber.MatchString(text) {
				return either
			}
			return surely(false)
		case bool:
			return surely(text == fmt.Sprint(other))
		}
	}
	if x, ok := number(a, b); ok {
		y, ok := number(b, a)
		return surely(ok && x.Cmp(y) == 0)
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return surely(ok && x == y)
	case bool:
		y, ok := b.(bool)
		return surely(ok && x == y)
	case time.Time:
		y, ok := b.(time.Time)
		return surely(ok && x.Equal(y))
	}
	return either
}

// perhapsNumber is what some would read as a number.
var perhapsNumber = regexp.MustCompile(`^[-+ \t\r\n.,_0-9a-fA-FxX]*[0-9][-+ \t\r\n.,_0-9a-fA-FxX]*$`)

// number is a as a number, which a text counts as where other is a number.
func number(a, other any) (*big.Float, bool) {
	switch x := a.(type) {
	case int64:
		return new(big.Float).SetPrec(200).SetInt64(x), true
	case float64:
		if math.IsNaN(x) {
			return nil, false
		}
		return new(big.Float).SetPrec(200).SetFloat64(x), true
	case string:
		switch other.(type) {
		case int64, float64:
			if regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`).MatchString(x) {
				return new(big.Float).SetPrec(200).SetString(x)
			}
		}
	}
	return nil, false
}

func ordered(a, b any) (int, bool) {
	if x, ok := number(a, b); ok {
		if y, ok := number(b, a); ok {
			return x.Cmp(y), true
		}
	}
	if x, ok := a.(time.Time); ok {
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), true
		}
	}
	return 0, false
}

// within steps through the days on which the window that t is in may have
// begun.
func within(w policy.Window, t time.Time) bool {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		panic(err)
	}
	local := t.In(zone)
	minute := local.Hour()*60 + local.Minute()
	for back := range 2 {
		day := (local.Weekday() + 7 - time.Weekday(back)) % 7
		end := w.To
		if w.To <= w.From {
			end += 24 * 60
		}
		if at := minute + back*24*60; (len(w.Days) == 0 || slices.Contains(w.Days, day)) && w.From <= at && at < end {
			return true
		}
	}
	return false
}

// whole is an operator that looks at lists and texts as they are.
func (v view) whole(op policy.Op, e policy.Expr) may {
	value := v.look(e.Args[0].Field)
	switch value.(type) {
	case missing:
		return surely(false)
	case murky:
		return either
	case below:
		if op == policy.Exists {
			return surely(true)
		}
		return either
	}
	if op == policy.Exists {
		return surely(true)
	}
	c := constant(e.Args[1].Value)
	list, isList := value.([]any)
	text, isText := value.(string)
	if !isList && !isText {
		return either
	}
	has := func(one any) may {
		if isText {
			part, ok := one.(string)
			if !ok {
				return either
			}
			return surely(strings.Contains(text, part))
		}
		out := surely(false)
		for _, element := range list {
			out = out.or(same(element, one))
		}
		return out
	}
	switch op {
	case policy.Contains:
		return has(c)
	case policy.ContainsAny, policy.ContainsAll:
		out := surely(op == policy.ContainsAll)
		for _, one := range c.([]any) {
			if op == policy.ContainsAny {
				out = out.or(has(one))
			} else {
				out = out.and(has(one))
			}
		}
		return out
	default:
	}
	size := int64(len(list))
	if isText {
		size = int64(utf8.RuneCountInString(text))
	}
	n, _ := ordered(size, c)
	return surely(map[policy.Op]bool{policy.SizeEquals: n == 0, policy.SizeGT: n > 0, policy.SizeLT: n < 0}[op])
}

// compare tries names where only the beginning of one is known.
func (b below) compare(op policy.Op, c any) may {
	if op == policy.Matches {
		return either // what a regular expression would make of it is not asked
	}
	out := may{}
	for _, name := range b.names(c) {
		m := compare(op, name, c)
		out.yes, out.no = out.yes || m.yes, out.no || m.no
	}
	return out
}

func (b below) names(c any) []string {
	var names []string
	start := ""
	if b.prefix != "" {
		start = b.prefix + "."
	}
	for _, one := range several(c) {
		text, ok := one.(string)
		if !ok {
			continue
		}
		// The constant itself, what begins with it, and what comes between.
		for _, tail := range []string{strings.TrimPrefix(text, start), strings.ReplaceAll(strings.TrimPrefix(text, start), "*", "zzz"), "zzz." + strings.TrimLeft(text, ".*")} {
			names = append(names, start+tail, start+tail+".zzz")
		}
	}
	return append(names, start+"zzz", start+"q.q")
}
