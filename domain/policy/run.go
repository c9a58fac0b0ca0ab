package policy

import "strings"

// costLimit is how much a decision may cost. It is far above what any policy
// that makes sense comes to, and some milliseconds.
const costLimit = 1_000_000

const perText = 64 // bytes that are looked through for one

// run judges conditions. Unknown, failed and too expensive are all unclear.
type run struct {
	facts
	cost    int64
	choices [maxPicks]choice
	n       int // of choices
	vars    [maxLoops]value
	forced  []forced
	inScope bool // the index has looked at the scope of clauses that are scoped
}

// choice is the element that a list stands for at the moment.
type choice struct {
	field *field
	list  value
	at    int
}

// forced is a condition whose verdict is taken for given, to see what would
// follow from it.
type forced struct {
	node    *node
	verdict verdict
}

// spent reports whether the decision has become too expensive.
func (r *run) spent() bool { return r.cost > costLimit }

// verdict says whether a condition holds.
func (r *run) verdict(n *node) verdict {
	r.cost++
	switch n.code {
	case allOf:
		all := holds
		for i := range n.args {
			if all = both(all, r.verdict(&n.args[i])); all == fails {
				return fails
			}
		}
		return all
	case anyOf:
		none := holds
		for i := range n.args {
			if none = both(none, r.verdict(&n.args[i]).opposite()); none == fails {
				return holds
			}
		}
		return none.opposite()
	case notOf:
		return r.verdict(&n.args[0]).opposite()
	case condOf:
		switch r.verdict(&n.args[0]) {
		case holds:
			return r.verdict(&n.args[1])
		case fails:
			return r.verdict(&n.args[2])
		case unclear:
		}
		return unclear
	default:
	}
	for i := range r.forced {
		if r.forced[i].node == n {
			return r.forced[i].verdict
		}
	}
	return r.leaf(n)
}

// leaf says whether a condition holds that is not made of others.
func (r *run) leaf(n *node) verdict {
	if r.spent() {
		return unclear
	}
	var v verdict
	switch {
	case n.code.scalar():
		v = r.scalar(n)
	case n.code.yaml():
		v = r.whole(n)
	case n.code >= eq && n.code <= one:
		v = r.condition(n)
	default:
		value := r.value(n)
		v = value.verdict()
	}
	if n.not {
		return v.opposite()
	}
	return v
}

// scalar is one of the operators that look at lists one element at a time.
func (r *run) scalar(n *node) verdict {
	if s, ok := r.plain(n.field); ok {
		return r.aboutText(n, s)
	}
	v := r.element(n.field)
	switch v.kind {
	case unknown:
		return unclear
	case absent:
		return fails
	case opening:
		return opens(n, v.text)
	case text:
		return r.aboutText(n, v.text)
	default:
	}
	return r.compare(n, &v)
}

func (r *run) aboutText(n *node, s string) verdict {
	r.cost += int64(len(s) / perText)
	switch c := n.c; n.code {
	case isEqual:
		if c.value.kind == text {
			return surely(s == c.value.text)
		}
	case isStart:
		return surely(strings.HasPrefix(s, c.value.text))
	case isEnd:
		return surely(strings.HasSuffix(s, c.value.text))
	case isMatch:
		return r.matches(c, s)
	case isGlob:
		return r.globs(c, s)
	case isInNetwork:
		return r.inNetwork(c, s)
	default:
	}
	v := textValue(s)
	return r.compare(n, &v)
}

// element is what a field is, or what it stands for if it is a list.
func (r *run) element(f *field) value {
	v := r.read(f)
	if v.kind != list {
		return v
	}
	switch v.size() {
	case 0:
		return value{kind: absent}
	case 1:
		return v.at(0)
	}
	for i := range r.n {
		if r.choices[i].field == f {
			return r.choices[i].list.at(r.choices[i].at)
		}
	}
	return value{} // one of too many
}

func (r *run) compare(n *node, v *value) verdict {
	c := n.c
	switch n.code {
	case isEqual:
		return same(v, &c.value)
	case isIn:
		return r.isIn(c, v)
	case isMore, isMoreOrSame, isLess, isLessOrSame:
		order, ok := ordered(v, &c.value)
		if !ok {
			return unclear
		}
		return surely(fits(n.code, order))
	case isBetween:
		low, ok := ordered(v, &c.many[0])
		high, too := ordered(v, &c.many[1])
		if !ok || !too {
			return unclear
		}
		return surely(low >= 0 && high <= 0)
	case isInWindow:
		if v.kind != moment {
			return unclear
		}
		return surely(c.hours.include(v.time()))
	default:
		return unclear // of no other type than text
	}
}

func (r *run) isIn(c *constant, v *value) verdict {
	many := c.many
	if c.texts != nil && v.kind == text {
		if _, there := c.texts[v.text]; there {
			return holds
		}
		many = c.others
	}
	r.cost += int64(len(many) / 4)
	out := fails
	for i := range many {
		switch same(v, &many[i]) {
		case holds:
			return holds
		case unclear:
			out = unclear
		case fails:
		}
	}
	return out
}

// fits reports whether an order is the one that is asked for.
func fits(c code, order int) bool {
	switch c {
	case isMore, greater, sizeMore:
		return order > 0
	case isMoreOrSame, greaterEq:
		return order >= 0
	case isLess, less, sizeLess:
		return order < 0
	case isLessOrSame, lessEq:
		return order <= 0
	default:
		return order == 0
	}
}
