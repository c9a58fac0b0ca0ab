package document

import (
	"reflect"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// All edits leave what they are not about as it was written, comments and
// order included. They fail with fault.Invalid where the text cannot be read,
// or is written in a way in which it can only be changed by hand.

var errByHand = fault.New(fault.Invalid, "This part is written in a way that a form cannot change. Change it in the text.", nil)

func noSuch() error { return fault.New(fault.NotFound, "The policy has no such rule any more.", nil) }

// SetClause makes a rule what the form says.
func SetClause(data []byte, index int, c ClauseForm) ([]byte, error) {
	o, err := newOutline(data)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(o.clauses) {
		return nil, noSuch()
	}
	want := o.form()
	c = c.plain()
	was := want.Clauses[index].plain()
	c.Nested, c.Source = was.Nested && len(c.Conditions) == 0, was.Source
	want.Clauses[index] = c
	if reflect.DeepEqual(c, was) {
		return data, nil
	}
	from := o.places()
	if out, err := o.change(index, was, c); err == nil && o.reads(out, want, from) {
		return out, nil
	}
	spans, in, ok := o.rules()
	if !ok {
		return o.allAnew(want, from)
	}
	if c.Nested {
		return nil, errByHand
	}
	lines, err := c.lines(in)
	if err != nil {
		return nil, err
	}
	out := o.with(spans[index], append(o.kept(spans[index], in), lines...)...)
	if !o.reads(out, want, from) {
		return nil, errByHand
	}
	return out, nil
}

// AddClause puts a rule at the end of the others.
func AddClause(data []byte, c ClauseForm) ([]byte, error) {
	o, err := newOutline(data)
	if err != nil {
		return nil, err
	}
	want := o.form()
	want.Clauses = append(want.Clauses, c.plain())
	from := append(o.places(), -1)
	spans, in, ok := o.rules()
	if !ok {
		return o.allAnew(want, from)
	}
	lines, err := c.plain().lines(in)
	if err != nil {
		return nil, err
	}
	at := spans[len(spans)-1].to
	if out := o.with(span{at, at}, lines...); o.reads(out, want, from) {
		return out, nil
	}
	return nil, errByHand
}

// RemoveClause takes a rule out, but not the comments before it.
func RemoveClause(data []byte, index int) ([]byte, error) {
	o, err := newOutline(data)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(o.clauses) {
		return nil, noSuch()
	}
	want := o.form()
	want.Clauses = slices.Delete(want.Clauses, index, index+1)
	places := slices.Delete(o.places(), index, index+1)
	spans, _, ok := o.rules()
	if !ok || len(spans) == 1 {
		return o.allAnew(want, places)
	}
	if out := o.with(spans[index]); o.reads(out, want, places) {
		return out, nil
	}
	return nil, errByHand
}

// MoveClause puts a rule, with the comments right before it, into another
// place among the others.
func MoveClause(data []byte, index, to int) ([]byte, error) {
	o, err := newOutline(data)
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(o.clauses) || to < 0 || to >= len(o.clauses) {
		return nil, noSuch()
	}
	want := o.form()
	moved := want.Clauses[index]
	want.Clauses = slices.Insert(slices.Delete(want.Clauses, index, index+1), to, moved)
	places := slices.Insert(slices.Delete(o.places(), index, index+1), to, index)
	spans, in, ok := o.rules()
	if !ok {
		return o.allAnew(want, places)
	}
	whole := span{o.lead(spans[0].from, in), spans[len(spans)-1].to}
	var parts [][]string
	from := whole.from
	for i, s := range spans {
		end := s.to
		if i+1 < len(spans) {
			end = o.lead(spans[i+1].from, in)
		}
		parts = append(parts, o.lines[from:end])
		from = end
	}
	one := parts[index]
	parts = slices.Insert(slices.Delete(parts, index, index+1), to, one)
	if out := o.with(whole, slices.Concat(parts...)...); o.reads(out, want, places) {
		return out, nil
	}
	return nil, errByHand
}

// lead is where the comments begin that stand right before a line.
func (o *outline) lead(line, in int) int {
	for line > 0 {
		before := o.lines[line-1]
		if text := strings.TrimSpace(before); text == "" || text[0] != '#' || setIn(before) < in {
			break
		}
		line--
	}
	return line
}

// SetHead changes the name, the description and the scope; f's clauses are not
// looked at.
func SetHead(data []byte, f Form) ([]byte, error) {
	o, err := newOutline(data)
	if err != nil {
		return nil, err
	}
	want := o.form()
	was := want
	want.Name, want.Description = strings.TrimSpace(f.Name), strings.TrimSpace(f.Description)
	want.Gateways, want.Environments, want.Patterns = f.Gateways, f.Environments, f.Patterns
	out := data
	for _, step := range []struct {
		key     string
		changed bool
		lines   []string
	}{
		{"scope", !sameScope(was, want), want.scopeLines()},
		{"description", was.Description != want.Description, textLines("description", want.Description)},
		{"name", was.Name != want.Name, textLines("name", want.Name)},
	} {
		if !step.changed {
			continue
		}
		if out, err = setTop(out, step.key, step.lines); err != nil {
			return nil, err
		}
	}
	if !o.reads(out, want, o.places()) {
		return nil, errByHand
	}
	return out, nil
}

// setTop replaces a key at the top, or below metadata where it is there.
func setTop(data []byte, key string, lines []string) ([]byte, error) {
	o, err := newOutline(data)
	if err != nil {
		return nil, err
	}
	if o.top[key] == nil && entry(o.top["metadata"])[key] != nil {
		return nil, errByHand
	}
	if s, found := o.key(o.root, key, len(o.lines)); found {
		return o.with(s, append(o.after(s, lines), lines...)...), nil
	}
	at := 0
	for _, before := range []string{"name", "description", "metadata"} {
		if s, found := o.key(o.root, before, len(o.lines)); found && before != key {
			at = max(at, s.to)
		}
	}
	if !block(o.root) {
		return nil, errByHand
	}
	if at == 0 {
		at = lineOf(o.root)
	}
	return o.with(span{at, at}, lines...), nil
}

// after puts a comment that stands behind what is replaced behind what
// replaces it, or before it where it is several lines.
func (o *outline) after(s span, lines []string) (before []string) {
	comments := o.kept(s, setIn(o.lines[s.from]))
	if len(comments) == 1 && len(lines) == 1 && s.to == s.from+1 {
		lines[0] += " " + strings.TrimSpace(comments[0])
		return nil
	}
	return comments
}

func sameScope(a, b Form) bool {
	return slices.Equal(a.Gateways, b.Gateways) && slices.Equal(a.Environments, b.Environments) && slices.Equal(a.Patterns, b.Patterns)
}

// allAnew writes all rules again, where they are not a line each.
func (o *outline) allAnew(want Form, from []int) ([]byte, error) {
	if slices.ContainsFunc(want.Clauses, func(c ClauseForm) bool { return c.Nested }) || !block(o.root) {
		return nil, errByHand
	}
	lines, err := want.ruleLines()
	if err != nil {
		return nil, err
	}
	at, found := o.key(o.root, "rules", len(o.lines))
	if !found {
		at = span{len(o.lines), len(o.lines)}
		if s, tests := o.key(o.root, "tests", len(o.lines)); tests {
			at = span{s.from, s.from}
		}
	}
	if out := o.with(at, append(o.kept(at, 0), lines...)...); o.reads(out, want, from) {
		return out, nil
	}
	return nil, errByHand
}
