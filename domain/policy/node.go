package policy

import (
	"net/netip"
	"regexp"
	"time"
)

// node is an Expr ready to be asked.
type node struct {
	code   code
	not    bool   // the opposite of what code says
	slot   int8   // of a variable, or of the one that a loop sets
	field  *field // of a field, and of the operators of YAML
	args   []node
	c      *constant
	source *Expr
}

// code is an Op, without those that are only the opposite of another.
type code uint8

const (
	_ code = iota // no program has one

	allOf
	anyOf
	notOf
	condOf

	// Of the elements of lists, one at a time.
	isEqual
	isIn
	isStart
	isEnd
	isMatch
	isGlob
	isMore
	isMoreOrSame
	isLess
	isLessOrSame
	isBetween
	isInNetwork
	isInWindow

	// Of the whole.
	hasElement
	hasAny
	hasAll
	isThere
	sizeIs
	sizeMore
	sizeLess

	// Values.
	theField
	theVar
	theConst

	// CEL: conditions.
	eq
	less
	lessEq
	greater
	greaterEq
	memberOf
	hasField
	begins
	ends
	within
	match
	globOf
	inNetwork
	during
	exist
	every
	one

	// CEL: values.
	add
	sub
	mul
	div
	mod
	neg
	indexOf
	sizeOf
	lower
	upper
	toInt
	toDouble
	toText
	makeList
	filter
	mapOver
	timePart
	parseTime
)

// scalar reports whether c looks at lists one element at a time.
func (c code) scalar() bool { return c >= isEqual && c <= isInWindow }

// yaml reports whether c is an operator of conditions in YAML.
func (c code) yaml() bool { return c >= isEqual && c <= sizeLess }

// operator is how an Op is used.
type operator struct {
	code  code
	not   bool
	least int // args
	most  int
	takes taking // of operators of YAML, the Const
	fixed int    // of operators of CEL, the place of an argument that is a constant; 0 is none
}

const anyNumber = 1 << 20

// operators are all that there are.
var operators = map[Op]operator{
	All: {code: allOf, most: anyNumber}, Any: {code: anyOf, most: anyNumber},
	Not: {code: notOf, least: 1, most: 1}, Cond: {code: condOf, least: 3, most: 3},

	Equals: yaml(isEqual, aScalar), NotEquals: opposite(isEqual, aScalar),
	In: yaml(isIn, scalars), NotIn: opposite(isIn, scalars),
	StartsWith: yaml(isStart, aText), EndsWith: yaml(isEnd, aText),
	Matches: yaml(isMatch, aPattern), NotMatches: opposite(isMatch, aPattern),
	Glob: yaml(isGlob, someGlobs), NotGlob: opposite(isGlob, someGlobs),
	GT: yaml(isMore, anOrder), GTE: yaml(isMoreOrSame, anOrder), LT: yaml(isLess, anOrder), LTE: yaml(isLessOrSame, anOrder),
	Between: yaml(isBetween, twoOrders),
	CIDR:    yaml(isInNetwork, networks), NotCIDR: opposite(isInNetwork, networks),
	InWindow: yaml(isInWindow, aWindow), NotWindow: opposite(isInWindow, aWindow),
	Contains: yaml(hasElement, aScalar), NotContains: opposite(hasElement, aScalar),
	ContainsAny: yaml(hasAny, scalars), ContainsAll: yaml(hasAll, scalars),
	Exists: {code: isThere, least: 1, most: 1}, NotExists: {code: isThere, not: true, least: 1, most: 1},
	SizeEquals: yaml(sizeIs, aNumber), SizeGT: yaml(sizeMore, aNumber), SizeLT: yaml(sizeLess, aNumber),

	Eq: two(eq), Ne: {code: eq, not: true, least: 2, most: 2},
	Less: two(less), LessEq: two(lessEq), Greater: two(greater), GreaterEq: two(greaterEq),
	Add: two(add), Sub: two(sub), Mul: two(mul), Div: two(div), Mod: two(mod), Neg: single(neg),
	Member: two(memberOf), Index: two(indexOf), HasField: single(hasField), Size: single(sizeOf),
	Begins: two(begins), Ends: two(ends), Has: two(within),
	Match: withFixed(match, aPattern), GlobOf: withFixed(globOf, someGlobs), InNetwork: withFixed(inNetwork, networks), During: withFixed(during, aWindow),
	Lower: single(lower), Upper: single(upper), ToInt: single(toInt), ToDouble: single(toDouble), ToText: single(toText),
	MakeList: {code: makeList, most: anyNumber},
	Exist:    two(exist), Every: two(every), One: two(one), Filter: two(filter), Map: two(mapOver),
	TimePart: {code: timePart, least: 3, most: 3}, ParseTime: single(parseTime),
}

func yaml(c code, t taking) operator { return operator{code: c, least: 2, most: 2, takes: t} }

func opposite(c code, t taking) operator {
	return operator{code: c, not: true, least: 2, most: 2, takes: t}
}

func single(c code) operator { return operator{code: c, least: 1, most: 1} }

func two(c code) operator { return operator{code: c, least: 2, most: 2} }

func withFixed(c code, t taking) operator {
	return operator{code: c, least: 2, most: 2, takes: t, fixed: 1}
}

// constant is a Const ready to be compared with.
type constant struct {
	value  value
	many   []value
	texts  map[string]struct{} // those of many that are texts, where they are many
	others []value             // then, those that are not
	globs  []glob
	nets   []netip.Prefix
	re     *regexp.Regexp
	weight int64 // of re: what a byte costs
	hours  *hours
	zone   *time.Location // of TimePart
	part   string
}
