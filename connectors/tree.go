package connectors

import (
	"slices"
	"strings"
)

// maxCaptures is how many names a path in a table may have.
const maxCaptures = 8

// tree finds the rows for a path. It costs as much as the path has segments,
// however many rows there are.
type tree struct {
	literals map[string]*tree // in lower case
	one      *tree            // a segment of any text
	groups   []*group         // of paths that end here
	all      []*group         // of paths whose rest is one capture
}

// add puts r in its place. Made says that the group is new.
func (t *tree) add(r *row) (g *group, made bool) {
	path := strings.Trim(r.path, "/")
	for more := path != ""; more; {
		var segment string
		segment, path, more = strings.Cut(path, "/")
		switch {
		case strings.HasSuffix(segment, "...}"):
			t.all, g, made = addRow(t.all, r)
			return g, made
		case segment[0] == '{':
			if t.one == nil {
				t.one = &tree{}
			}
			t = t.one
		default:
			if t.literals == nil {
				t.literals = map[string]*tree{}
			}
			key := strings.ToLower(segment)
			if t.literals[key] == nil {
				t.literals[key] = &tree{}
			}
			t = t.literals[key]
		}
	}
	t.groups, g, made = addRow(t.groups, r)
	return g, made
}

func addRow(groups []*group, r *row) (all []*group, g *group, made bool) {
	for _, have := range groups {
		if have.rows[0].method == r.method && have.rows[0].query == r.query {
			have.rows = append(have.rows, r)
			return groups, have, false
		}
	}
	g = &group{rows: []*row{r}}
	if r.query[0] == "" {
		return append(groups, g), g, true
	}
	return slices.Insert(groups, 0, g), g, true // before one that takes any query
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// captured are the values of the names in a path.
type captured struct {
	values [maxCaptures]string
	n      int
}

// find returns the group for a request, or nil. A literal segment comes before
// one of any text, and that before a capture of the rest.
func (t *tree) find(method string, segments []string, query string, c *captured) (*group, error) {
	if len(segments) == 0 {
		return pick(t.groups, method, query)
	}
	segment, n := segments[0], c.n
	if next := t.literals[lower(segment)]; next != nil {
		if g, err := next.find(method, segments[1:], query, c); g != nil || err != nil {
			return g, err
		}
		c.n = n
	}
	if t.one != nil && n < maxCaptures {
		c.values[n], c.n = segment, n+1
		if g, err := t.one.find(method, segments[1:], query, c); g != nil || err != nil {
			return g, err
		}
		c.n = n
	}
	if len(t.all) == 0 || n == maxCaptures {
		return nil, nil
	}
	g, err := pick(t.all, method, query)
	if g != nil {
		c.values[n], c.n = strings.Join(segments, "/"), n+1
	}
	return g, err
}

func pick(groups []*group, method, query string) (*group, error) {
	for _, g := range groups {
		r := g.rows[0]
		if r.method != method {
			continue
		}
		if r.query[0] == "" {
			return g, nil
		}
		values, err := queryValues(query, r.query[0])
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if v != values[0] {
				return nil, malformedTwice(r.query[0])
			}
		}
		if len(values) > 0 && strings.EqualFold(values[0], r.query[1]) {
			return g, nil
		}
	}
	return nil, nil
}

func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			return strings.ToLower(s)
		}
	}
	return s
}
