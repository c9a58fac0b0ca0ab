package policy

import "strings"

// value is what an expression comes to: unknown where it fails, and where it
// is made of something unknown.
func (r *run) value(n *node) value {
	r.cost++
	if r.spent() {
		return value{}
	}
	switch n.code {
	case theConst:
		return n.c.value
	case theVar:
		return r.vars[n.slot]
	case theField:
		v := r.read(n.field)
		if v.kind == absent {
			return value{}
		}
		return v
	case condOf:
		switch r.verdict(&n.args[0]) {
		case holds:
			return r.value(&n.args[1])
		case fails:
			return r.value(&n.args[2])
		case unclear:
		}
		return value{}
	case allOf, anyOf, notOf:
		return r.verdict(n).value()
	case add, sub, mul, div, mod:
		a, b := r.value(&n.args[0]), r.value(&n.args[1])
		return r.reckon(n.code, &a, &b)
	case indexOf:
		of, place := r.value(&n.args[0]), r.value(&n.args[1])
		v := taken(&of, &place)
		if v.kind == absent {
			return value{}
		}
		return v
	case makeList:
		return r.list(n)
	case filter, mapOver:
		return r.collect(n)
	case neg, sizeOf, lower, upper, toInt, toDouble, toText, timePart, parseTime:
		v := r.value(&n.args[0])
		return r.convert(n, &v)
	default: // the conditions
		return r.leaf(n).value()
	}
}

// taken is what a list or a map has at a place.
func taken(of, place *value) value {
	switch {
	case of.kind == list && place.kind == whole && place.num >= 0 && place.num < int64(of.size()):
		return of.at(int(place.num))
	case of.kind == mapping && place.kind == text:
		return of.under(place.text)
	}
	return value{}
}

func (r *run) list(n *node) value {
	made := make([]value, 0, len(n.args))
	for i := range n.args {
		v := r.value(&n.args[i])
		if v.kind == unknown {
			return value{}
		}
		made = append(made, v)
	}
	r.cost += int64(len(made))
	return value{kind: list, ref: made}
}

// condition is an operator of CEL that is true or false.
func (r *run) condition(n *node) verdict {
	switch n.code {
	case hasField:
		return r.there(&n.args[0])
	case exist, every, one:
		return r.loop(n)
	default:
	}
	a := r.value(&n.args[0])
	if a.kind == unknown {
		return unclear
	}
	switch n.code {
	case match, globOf, inNetwork, during:
		return r.against(n, &a)
	default:
	}
	b := r.value(&n.args[1])
	switch n.code {
	case eq:
		if repeated(&n.args[0], &a, &b) || repeated(&n.args[1], &b, &a) {
			return unclear
		}
		return r.equal(&a, &b)
	case less, lessEq, greater, greaterEq:
		r.cost += int64(min(len(a.text), len(b.text)) / perText)
		order, ok := ranked(&a, &b)
		if !ok {
			return unclear
		}
		return surely(fits(n.code, order))
	case memberOf:
		if n.args[0].code == theField && n.args[0].field.part == onQuery && a.kind == list {
			return unclear
		}
		return r.member(&a, &b)
	case begins:
		if a.kind == opening && b.kind == text {
			return opensStart(a.text, b.text)
		}
	default:
	}
	if a.kind != text || b.kind != text {
		return unclear
	}
	r.cost += int64(len(a.text) / perText)
	switch n.code {
	case begins:
		return surely(strings.HasPrefix(a.text, b.text))
	case ends:
		return surely(strings.HasSuffix(a.text, b.text))
	default:
		return surely(strings.Contains(a.text, b.text))
	}
}

// against compares with a constant of a kind of its own.
func (r *run) against(n *node, a *value) verdict {
	switch {
	case n.code == during && a.kind == moment:
		return surely(n.c.hours.include(a.time()))
	case n.code == globOf && a.kind == opening:
		return opensGlobs(a.text, n.c.globs)
	case n.code == during || a.kind != text:
		return unclear
	case n.code == match:
		return r.matches(n.c, a.text)
	case n.code == globOf:
		return r.globs(n.c, a.text)
	}
	return r.inNetwork(n.c, a.text)
}

// there says whether a field, or a place in a map, is there.
func (r *run) there(n *node) verdict {
	var v value
	if n.code == theField {
		v = r.read(n.field)
	} else {
		of, place := r.value(&n.args[0]), r.value(&n.args[1])
		if m, ok := of.ref.(map[string]any); ok && of.kind == mapping && place.kind == text {
			_, there := m[place.text]
			return surely(there)
		}
	}
	switch v.kind {
	case unknown:
		return unclear
	case absent:
		return fails
	default:
		return holds
	}
}

// member reports whether a list has an element, or a map a name.
func (r *run) member(element, among *value) verdict {
	if among.kind == mapping {
		if element.kind == opening {
			return unclear
		}
		m, _ := among.ref.(map[string]any)
		_, there := m[element.text]
		return surely(there && element.kind == text)
	}
	if among.kind != list {
		return unclear
	}
	none := holds
	for i := range among.size() {
		one := among.at(i)
		if none = both(none, r.equal(element, &one).opposite()); none == fails {
			return holds
		}
		if r.spent() {
			return unclear
		}
	}
	return none.opposite()
}

// repeated reports whether a is a parameter of the query that is there several
// times, and b is no list: which of them the service takes is its own affair.
func repeated(n *node, a, b *value) bool {
	return n.code == theField && n.field.part == onQuery && a.kind == list && b.kind != list
}
