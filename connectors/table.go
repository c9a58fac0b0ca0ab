package connectors

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// row is one form of one operation, as the table has it.
type row struct {
	place, method, path string
	query               [2]string // a parameter and its value, "" for none
	action              string
	class               action.Class
	risk                action.Risk
	reversible          bool
	when                condition
	title               string

	captures []capture // the names in the path, from left to right
	resource template
	params   []int    // captures that become params
	fields   []string // fields of the body that become params
}

// condition is a field of the body that tells a row from the next one.
type condition struct{ field, value string } // value "": the field is there

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
	rest
)

// kindOf says what a capture takes. Some have a form of their own; the others take
// any segment. A name or number that is not written like one is refused, since
// the service may take it for another that is.
func kindOf(name string) captureKind {
	switch name {
	case "owner", "repo", "org", "username", "team_slug", "gist_id":
		return nameSegment
	}
	if strings.HasSuffix(name, "_number") || strings.HasSuffix(name, "_id") {
		return numberSegment
	}
	return anySegment
}

// template is text with captures in it.
type template []struct {
	text    string
	capture int // index of the capture after text, -1 for none
}

func (t template) fill(values []string) string {
	switch {
	case len(t) == 0:
		return ""
	case len(t) == 2 && t[0].text == "":
		return values[t[0].capture] + t[1].text + values[t[1].capture] // nearly always: owner/repo
	}
	var b strings.Builder
	for _, part := range t {
		b.WriteString(part.text)
		if part.capture >= 0 {
			b.WriteString(values[part.capture])
		}
	}
	return b.String()
}

// parseTable reads a table as the .tsv files beside this have it. The tables
// are part of the program: a test reads them all, and a mistake panics.
func parseTable(text string) []*row {
	var rows []*row
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRow(strings.Split(line, "\t"))
		if err != nil {
			panic(fmt.Sprintf("connectors: %s: %v", line, err))
		}
		rows = append(rows, r)
	}
	return rows
}

func parseRow(cols []string) (*row, error) {
	if len(cols) != 11 {
		return nil, fmt.Errorf("%d columns", len(cols))
	}
	for i, c := range cols {
		if c == "-" {
			cols[i] = ""
		}
	}
	r := &row{place: cols[0], method: cols[1], path: cols[2], action: cols[3], reversible: cols[6] == "yes", title: cols[10]}
	if path, query, ok := strings.Cut(r.path, "?"); ok {
		r.path = path
		r.query[0], r.query[1], _ = strings.Cut(query, "=")
	}
	r.when.field, r.when.value, _ = strings.Cut(cols[7], "=")
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
	if cols[8] != "" {
		for name := range strings.SplitSeq(cols[8], ",") {
			if field, ok := strings.CutPrefix(name, "."); ok {
				r.fields = append(r.fields, field)
				continue
			}
			i := r.capture(name)
			if i < 0 {
				return nil, fmt.Errorf("no %s in the path", name)
			}
			r.params = append(r.params, i)
		}
	}
	if err := r.setResource(cols[9]); err != nil {
		return nil, err
	}
	return r, cmp.Or(r.class.UnmarshalText([]byte(cols[4])), r.risk.UnmarshalText([]byte(cols[5])))
}

func (r *row) capture(name string) int {
	return slices.IndexFunc(r.captures, func(c capture) bool { return c.name == name })
}

func (r *row) setResource(text string) error {
	for text != "" {
		before, after, found := strings.Cut(text, "{")
		name, more, _ := strings.Cut(after, "}")
		i := -1
		if found {
			if i = r.capture(name); i < 0 {
				return fmt.Errorf("no %s in the path", name)
			}
		}
		r.resource = append(r.resource, struct {
			text    string
			capture int
		}{before, i})
		text = more
	}
	return nil
}

// operations gathers rows by action, sorted.
func operations(rows []*row, host func(place string) string) []Operation {
	var ops []Operation
	at := map[string]int{}
	for _, r := range rows {
		i, ok := at[r.action]
		if !ok {
			i = len(ops)
			at[r.action] = i
			ops = append(ops, Operation{Action: r.action, Class: r.class, Risk: r.risk, Title: r.title, Reversible: r.reversible})
		}
		ops[i].Forms = append(ops[i].Forms, Form{Host: host(r.place), Method: r.method, Path: r.pathAndQuery(), Note: r.when.note()})
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

func (c condition) note() string {
	switch {
	case c.field == "":
		return ""
	case c.value == "":
		return "with " + c.field + " in the body"
	}
	return "with " + c.field + "=" + c.value + " in the body"
}
