package document

import (
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/domain/policy"
)

// takes is what kind of value an operator has.
type takes uint8

const (
	nothing  takes = iota
	oneValue       // of the field's type
	several        // a list of them
	aText
	globs // a text or a list of them
	aRegex
	networks // a network or a list of them
	aNumber  // or a moment, where the field is one
	twoNumbers
	aWindow
	aSize
)

// operator is one that conditions may have.
type operator struct {
	name  string // as documents should have it
	op    policy.Op
	not   bool // it holds exactly where op fails
	takes takes
	shift int64 // added to a size: at least 3 is more than 2
	also  []string
}

var operators = []operator{
	{name: "equals", op: policy.Equals, takes: oneValue, also: []string{"eq", "==", "=", "is", "equal"}},
	{name: "not_equals", op: policy.NotEquals, takes: oneValue, also: []string{"neq", "ne", "!=", "<>", "is_not", "not_equal"}},
	{name: "in", op: policy.In, takes: several, also: []string{"one_of", "is_in", "any_of"}},
	{name: "not_in", op: policy.NotIn, takes: several, also: []string{"nin", "none_of", "is_not_in"}},
	{name: "contains", op: policy.Contains, takes: oneValue, also: []string{"includes", "has"}},
	{name: "not_contains", op: policy.NotContains, takes: oneValue, also: []string{"not_includes", "does_not_contain"}},
	{name: "contains_any", op: policy.ContainsAny, takes: several, also: []string{"includes_any"}},
	{name: "contains_all", op: policy.ContainsAll, takes: several, also: []string{"includes_all"}},
	{name: "starts_with", op: policy.StartsWith, takes: aText, also: []string{"startswith", "begins_with", "prefix"}},
	{name: "not_starts_with", op: policy.StartsWith, not: true, takes: aText, also: []string{"not_startswith"}},
	{name: "ends_with", op: policy.EndsWith, takes: aText, also: []string{"endswith", "suffix"}},
	{name: "not_ends_with", op: policy.EndsWith, not: true, takes: aText, also: []string{"not_endswith"}},
	{name: "matches", op: policy.Matches, takes: aRegex, also: []string{"regex", "regexp", "match", "=~"}},
	{name: "not_matches", op: policy.NotMatches, takes: aRegex, also: []string{"not_regex", "not_regexp", "not_match", "!~"}},
	{name: "glob", op: policy.Glob, takes: globs, also: []string{"like", "wildcard"}},
	{name: "not_glob", op: policy.NotGlob, takes: globs, also: []string{"not_like"}},
	{name: "gt", op: policy.GT, takes: aNumber, also: []string{">", "greater_than", "more_than", "after"}},
	{name: "gte", op: policy.GTE, takes: aNumber, also: []string{">=", "ge", "at_least", "greater_than_or_equal", "greater_or_equal"}},
	{name: "lt", op: policy.LT, takes: aNumber, also: []string{"<", "less_than", "before"}},
	{name: "lte", op: policy.LTE, takes: aNumber, also: []string{"<=", "le", "at_most", "less_than_or_equal", "less_or_equal"}},
	{name: "between", op: policy.Between, takes: twoNumbers, also: []string{"range"}},
	{name: "not_between", op: policy.Between, not: true, takes: twoNumbers},
	{name: "exists", op: policy.Exists, also: []string{"present", "is_set"}},
	{name: "not_exists", op: policy.NotExists, also: []string{"absent", "missing", "is_not_set"}},
	{name: "cidr", op: policy.CIDR, takes: networks, also: []string{"in_cidr", "ip_in"}},
	{name: "not_cidr", op: policy.NotCIDR, takes: networks, also: []string{"not_in_cidr", "ip_not_in"}},
	{name: "time_window", op: policy.InWindow, takes: aWindow, also: []string{"in_window", "in_time_window", "within"}},
	{name: "not_time_window", op: policy.NotWindow, takes: aWindow, also: []string{"not_in_window", "outside", "outside_window"}},
	{name: "size", op: policy.SizeEquals, takes: aSize, also: []string{"length", "size_equals", "count"}},
	{name: "size_gt", op: policy.SizeGT, takes: aSize, also: []string{"length_gt"}},
	{name: "size_gte", op: policy.SizeGT, takes: aSize, shift: -1, also: []string{"length_gte"}},
	{name: "size_lt", op: policy.SizeLT, takes: aSize, also: []string{"length_lt"}},
	{name: "size_lte", op: policy.SizeLT, takes: aSize, shift: 1, also: []string{"length_lte"}},
}

// lists reports whether a value may be several, with commas between them.
func (o operator) lists() bool {
	return o.takes == several || o.takes == twoNumbers || o.takes == globs || o.takes == networks
}

// Operators returns the names of all there are, in the order in which people
// should see them.
func Operators() []string {
	var names []string
	for _, o := range operators {
		names = append(names, o.name)
	}
	return names
}

// operatorNamed finds one by any of its names.
func operatorNamed(name string) (operator, bool) {
	name = snake(name)
	for _, o := range operators {
		if o.name == name {
			return o, true
		}
		for _, other := range o.also {
			if other == name {
				return o, true
			}
		}
	}
	return operator{}, false
}

// snake writes startsWith, starts-with and STARTS WITH as starts_with.
func snake(s string) string {
	if len(s) > 64 {
		return s
	}
	var b strings.Builder
	small := false
	for _, c := range strings.TrimSpace(s) {
		switch {
		case c == '-' || c == ' ':
			c = '_'
		case unicode.IsUpper(c):
			if small {
				b.WriteByte('_')
			}
		}
		small = unicode.IsLower(c)
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
