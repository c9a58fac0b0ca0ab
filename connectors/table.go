package connectors

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// row is one form of one operation, as a table has it.
type row struct {
	place, method, path string
	query               [2]string // a parameter and its value, "" for none
	does                *deed
	also                []action.Alternative // what it does as well
	id                  string               // the service's own name for the operation
	when                []condition
	shown               string // what a form is, that code tells from the others and no condition can

	captures []capture // the names in the path, from left to right
	params   []param
	resource resource
}

// deed is what all forms of an action share.
type deed struct {
	action     string
	class      action.Class
	risk       action.Risk
	reversible bool
	title      string
}

// capture is a segment of the path in braces.
type capture struct {
	name string
	kind captureKind
}

type captureKind uint8

const (
	anySegment captureKind = iota
	nameSegment
	numberSegment
	idSegment
	rest
)

// resource says what an operation is done to: texts with values between them.
// A value may come from one of several sources: the first that is there counts.
type resource struct {
	hidden bool // the request does not say
	parts  []struct {
		text string
		from []source
	}
}

// table is all that is known of a service's operations.
type table struct {
	places map[string]*tree
	rows   []*row
	byName map[string]*deed
}

const columns = 12

// parseTable reads a table as the .tsv files of connectors/tables have it.
// They are part of the program: a test reads them all, and a mistake panics.
func parseTable(text string, s *spec) *table {
	var all []*row
	deeds := map[string]*deed{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRow(strings.Split(line, "\t"), s.kindOf, deeds)
		if err != nil {
			panic(fmt.Sprintf("connectors: %s: %v", line, err))
		}
		all = append(all, r)
	}
	return newTable(all, deeds, s)
}

func newTable(rows []*row, deeds map[string]*deed, s *spec) *table {
	t := &table{places: map[string]*tree{}, rows: rows, byName: deeds}
	var groups []*group
	for _, r := range rows {
		r.params = append(r.params, s.always...)
		if r.shown != "" {
			continue
		}
		if t.places[r.place] == nil {
			t.places[r.place] = &tree{}
		}
		g, made := t.places[r.place].add(r)
		if made {
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		g.compile(s.format)
	}
	return t
}

func parseRow(cols []string, kindOf func(string) captureKind, deeds map[string]*deed) (*row, error) {
	if len(cols) != columns {
		return nil, fmt.Errorf("%d columns, want %d", len(cols), columns)
	}
	for i, c := range cols {
		if c == "-" {
			cols[i] = ""
		}
	}
	r := &row{place: cols[0], method: cols[1], path: cols[2], id: cols[11]}
	if path, query, ok := strings.Cut(r.path, "?"); ok {
		r.path = path
		r.query[0], r.query[1], _ = strings.Cut(query, "=")
	}
	for segment := range strings.SplitSeq(r.path, "/") {
		name, ok := strings.CutPrefix(segment, "{")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		kind := kindOf(name)
		if all, ok := strings.CutSuffix(name, "..."); ok {
			name, kind = all, rest
		}
		r.captures = append(r.captures, capture{name, kind})
	}
	if len(r.captures) > maxCaptures {
		return nil, fmt.Errorf("more than %d names in the path", maxCaptures)
	}
	name, also, _ := strings.Cut(cols[3], "+")
	if also != "" {
		for part := range strings.SplitSeq(also, "+") {
			one, class, _ := strings.Cut(part, "=")
			a := action.Alternative{Name: one}
			if err := a.Class.UnmarshalText([]byte(class)); err != nil {
				return nil, err
			}
			r.also = append(r.also, a)
		}
		r.also = slices.Clip(r.also) // it is shared
	}
	if r.does = deeds[name]; r.does == nil {
		d := &deed{action: name, reversible: cols[6] == "yes", title: cols[10]}
		if err := cmp.Or(d.class.UnmarshalText([]byte(cols[4])), d.risk.UnmarshalText([]byte(cols[5]))); err != nil {
			return nil, err
		}
		r.does, deeds[name] = d, d
	}
	var err error
	if shown, ok := strings.CutPrefix(cols[7], "%"); ok {
		cols[7], r.shown = "", shown
	}
	if r.when, err = parseConditions(cols[7], r.captures); err != nil {
		return nil, err
	}
	if cols[8] != "" {
		for text := range strings.SplitSeq(cols[8], ",") {
			p, err := parseParam(text, r.captures)
			if err != nil {
				return nil, err
			}
			r.params = append(r.params, p)
		}
	}
	r.resource, err = parseResource(cols[9], r.captures)
	return r, err
}

func parseResource(text string, captures []capture) (res resource, err error) {
	if text == "?" {
		return resource{hidden: true}, nil
	}
	for text != "" {
		before, after, found := strings.Cut(text, "{")
		part := struct {
			text string
			from []source
		}{text: before}
		names, more, closed := strings.Cut(after, "}")
		if found && !closed {
			return res, fmt.Errorf("resource: a brace is not closed")
		}
		if found {
			for name := range strings.SplitSeq(names, "|") {
				s, err := parseSource(name, captures)
				if err != nil {
					return res, err
				}
				part.from = append(part.from, s)
			}
		}
		res.parts = append(res.parts, part)
		text = more
	}
	return res, nil
}

// operations gathers rows by action, sorted.
func (t *table) operations(s *spec) []Operation {
	var ops []Operation
	at := map[string]int{}
	for _, r := range t.rows {
		i, ok := at[r.does.action]
		if !ok {
			i = len(ops)
			at[r.does.action] = i
			d := r.does
			ops = append(ops, Operation{Action: d.action, Class: d.class, Risk: d.risk, Title: listed(d.title), Reversible: d.reversible})
		}
		ops[i].Forms = append(ops[i].Forms, s.form(r))
		for _, p := range r.params {
			ops[i].Params = appendNew(ops[i].Params, p.name)
		}
	}
	slices.SortFunc(ops, func(a, b Operation) int { return strings.Compare(a.Action, b.Action) })
	return ops
}

func (r *row) pathAndQuery() string {
	if r.query[0] == "" {
		return r.path
	}
	return r.path + "?" + r.query[0] + "=" + r.query[1]
}

// headers are those that r looks at.
func (r *row) headers() []string {
	var all []string
	for _, c := range r.when {
		if c.in == inHeader {
			all = append(all, c.name)
		}
	}
	for _, p := range r.params {
		if p.in == inHeader {
			all = append(all, p.source.name)
		}
	}
	return all
}
