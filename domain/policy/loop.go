package policy

import "slices"

// loop goes through a list until the answer is clear.
func (r *run) loop(n *node) verdict {
	over := r.value(&n.args[0])
	if over.kind != list {
		return unclear
	}
	result := holds // of every, or of not one
	count, doubts := 0, false
	for i := range over.size() {
		r.vars[n.slot] = over.at(i)
		v := r.verdict(&n.args[1])
		switch n.code {
		case every:
			result = both(result, v)
		case exist:
			result = both(result, v.opposite())
		default:
			doubts = doubts || v == unclear
			if v == holds {
				count++
			}
		}
		if result == fails || r.spent() {
			break
		}
	}
	switch {
	case r.spent():
		return unclear
	case n.code == every:
		return result
	case n.code == exist:
		return result.opposite()
	case doubts:
		return unclear
	}
	return surely(count == 1)
}

// collect makes a list of some elements of another, or of what becomes of them.
func (r *run) collect(n *node) value {
	over := r.value(&n.args[0])
	if over.kind != list {
		return value{}
	}
	made := make([]value, 0, min(over.size(), 64))
	for i := range over.size() {
		element := over.at(i)
		r.vars[n.slot] = element
		if n.code == mapOver {
			element = r.value(&n.args[1])
			if element.kind == unknown {
				return value{}
			}
			made = append(made, element)
			continue
		}
		switch r.verdict(&n.args[1]) {
		case holds:
			made = append(made, element)
		case unclear:
			return value{}
		case fails:
		}
	}
	if r.spent() {
		return value{}
	}
	return value{kind: list, ref: slices.Clip(made)}
}
