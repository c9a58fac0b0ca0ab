package document

import (
	"cmp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// order is that in which a rule's keys are written.
var order = []string{"name", "description", "conditions", "when", "decision", "reason", "risk_score", "approval"}

// change replaces the keys of a rule that are other than they were.
func (o *outline) change(index int, was, c ClauseForm) ([]byte, error) {
	before, err := was.parts()
	if err != nil {
		return nil, err
	}
	after, err := c.parts()
	if err != nil {
		return nil, err
	}
	data := []byte(strings.Join(o.lines, "\n") + "\n")
	for _, key := range slices.Backward(order) {
		if slices.Equal(before[key], after[key]) || key == "conditions" && c.Nested {
			continue
		}
		if o, err = newOutline(data); err != nil {
			return nil, err
		}
		if data, err = o.setKey(index, key, was, c, after[key]); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// setKey replaces one key of a rule, puts it in, or takes it out.
func (o *outline) setKey(index int, key string, was, c ClauseForm, lines []string) ([]byte, error) {
	spans, _, ok := o.rules()
	n := o.clauses[index]
	if !ok || !block(n) {
		return nil, errByHand
	}
	in := columnOf(pairsOf(n)[0].Key)
	s, found := o.key(n, key, spans[index].to)
	if found && key == "conditions" && len(c.Conditions) > 0 && was.Any == c.Any {
		if out, ok := o.setConditions(n, s, was, c); ok {
			return out, nil
		}
	}
	for i := range lines {
		lines[i] = strings.Repeat(" ", in) + lines[i]
	}
	switch {
	case found && s.from == spans[index].from:
		if len(lines) == 0 || len(o.lines[s.from]) < in {
			return nil, errByHand
		}
		before := o.after(s, lines)
		lines[0] = o.lines[s.from][:in] + lines[0][in:]
		if len(before) > 0 {
			return nil, errByHand
		}
	case found:
		lines = append(o.after(s, lines), lines...)
	default:
		at := spans[index].from + 1
		for _, earlier := range order[:slices.Index(order, key)] {
			if e, there := o.key(n, earlier, spans[index].to); there {
				at = e.to
			}
		}
		s = span{at, at}
	}
	return o.with(s, lines...), nil
}

// setConditions changes only the conditions that are other than they were.
func (o *outline) setConditions(n ast.Node, s span, was, c ClauseForm) ([]byte, bool) {
	list := entry(n)["conditions"]
	if _, seq := list.(*ast.SequenceNode); !seq {
		keys := entry(list)
		list = cmp.Or(keys["all"], keys["any"])
		if len(keys) != 1 {
			return nil, false
		}
	}
	spans, in, ok := o.items(list, s.to)
	if !ok || len(spans) != len(was.Conditions) {
		return nil, false
	}
	var lines []string
	at := spans[0].from
	i, j := 0, 0
	for _, pair := range append(common(was.Conditions, c.Conditions), [2]int{len(was.Conditions), len(c.Conditions)}) {
		for ; i < pair[0]; i++ { // gone; what stands between the conditions stays
			lines = append(append(lines, o.lines[at:spans[i].from]...), o.kept(spans[i], in)...)
			at = spans[i].to
		}
		for ; j < pair[1]; j++ {
			text, err := c.Conditions[j].yaml()
			if err != nil {
				return nil, false
			}
			lines = append(lines, strings.Repeat(" ", in)+"- "+text)
		}
		if i < len(spans) {
			lines = append(lines, o.lines[at:spans[i].to]...)
			at = spans[i].to
		}
		i, j = i+1, j+1
	}
	return o.with(span{spans[0].from, at}, lines...), true
}

// common pairs what both lists have, in the same order.
func common(a, b []ConditionForm) (pairs [][2]int) {
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			length[i][j] = max(length[i+1][j], length[i][j+1])
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
