package connectors

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// spec is what a service differs in from the next one whose operations are in
// a table.
type spec struct {
	word   string // the first of its actions
	format format
	prefix string // of a key
	always []param

	// hosts says on which host the paths of a place are.
	hosts map[string]string

	// where says to which place a host and the first segments of a path lead.
	where func(host string, segments []string) (place string, inside []string)

	// as lists the methods that the service takes a method for, after itself.
	as func(place, method string) []string

	kindOf func(capture string) captureKind

	// tidy puts a captured value into the one spelling, where the service has
	// several for one thing.
	tidy func(capture, value string) string

	// page returns the service's documentation of a row.
	page func(r *row) string

	// fills are parameters that code finds, by action.
	fills map[string][]string

	// more are actions that code names and no row has.
	more []Operation

	// shape writes a refusal as the service writes errors.
	shape func(Request, Problem) Reply
}

// tabled is a service that a table describes.
type tabled struct {
	spec
	table func() *table
	named func() []Operation

	unlistedGet, anything string // the actions of what the table does not have: word.other.get, word.unknown

	readings sync.Pool // of *values
}

func newTabled(s spec, text string) *tabled {
	return tabledOf(s, func(s *spec) *table { return parseTable(text, s) })
}

// tabledOf is a service whose table make makes, when it is first needed.
func tabledOf(s spec, make func(*spec) *table) *tabled {
	if s.where == nil {
		s.where = func(_ string, segments []string) (string, []string) { return "api", segments }
	}
	if s.as == nil {
		s.as = func(string, string) []string { return nil }
	}
	if s.kindOf == nil {
		s.kindOf = func(string) captureKind { return anySegment }
	}
	t := &tabled{spec: s, unlistedGet: s.word + ".other.get", anything: s.word + ".unknown"}
	t.table = sync.OnceValue(func() *table { return make(&t.spec) })
	t.named = sync.OnceValue(func() []Operation {
		ops := slices.Concat(t.table().operations(&t.spec), t.more, t.unlistedOperations())
		for i, op := range ops {
			ops[i].Params = append(op.Params, t.fills[op.Action]...)
		}
		slices.SortFunc(ops, func(a, b Operation) int { return strings.Compare(a.Action, b.Action) })
		return ops
	})
	return t
}

func (s *spec) form(r *row) Form {
	f := Form{Host: s.hosts[r.place], Method: r.method, Path: r.pathAndQuery(), Note: cmp.Or(r.shown, note(r.when)), ID: r.id}
	if s.page != nil {
		f.Docs = s.page(r)
	}
	return f
}

func (t *tabled) operations() []Operation { return slices.Clone(t.named()) }

func (t *tabled) unlistedOperations() []Operation {
	return []Operation{
		{Action: t.unlistedGet, Class: action.Read, Risk: action.Low, Title: "read something else[ of {resource}]", Reversible: true},
		{Action: t.anything, Title: "do something that the connector does not know[ to {resource}]"},
	}
}

func (t *tabled) needs(r Request) Need {
	v := t.begin(r)
	defer t.end(v)
	segments, _ := splitPath(r.Path, v.segments[:0])
	place, inside := t.where(r.Host, segments)
	return t.needsAt(place, upper(r.Method), inside, r.RawQuery)
}

func (t *tabled) needsAt(place, method string, segments []string, query string) Need {
	v := t.begin(Request{})
	defer t.end(v)
	g, err := t.find(place, method, segments, query, &v.captured)
	if err != nil || g == nil || g.finder == nil {
		return NeedNothing
	}
	return NeedAll
}

// find looks a request up. HEAD is answered as GET is.
func (t *tabled) find(place, method string, segments []string, query string, c *captured) (*group, error) {
	tree := t.table().places[place]
	if tree == nil {
		return nil, nil
	}
	if method == "HEAD" {
		method = "GET"
	}
	g, err := tree.find(method, segments, query, c)
	if g != nil || err != nil {
		return g, err
	}
	for _, other := range t.as(place, method) {
		if g, err := tree.find(other, segments, query, c); g != nil || err != nil {
			return g, err
		}
	}
	return nil, nil
}

// judging names a request, once its path has been cut into segments.
type judging func(v *values, method string, segments []string) (action.Action, error)

func (t *tabled) read(r Request) (action.Action, error) { return t.readAs(r, t.judge) }

// begin takes what was used for another request, so that to name one allocates
// little.
func (t *tabled) begin(r Request) *values {
	v, ok := t.readings.Get().(*values)
	if !ok {
		v = &values{}
	}
	v.r = r
	return v
}

// end forgets the request, which may have had a secret in it.
func (t *tabled) end(v *values) {
	*v = values{}
	t.readings.Put(v)
}

// readAs cuts the path, in both ways where it hides a slash, and judges it.
func (t *tabled) readAs(r Request, judge judging) (action.Action, error) {
	method, err := r.method()
	if err != nil {
		return action.Action{}, err
	}
	v := t.begin(r)
	defer t.end(v)
	segments, odd := splitPath(r.Path, v.segments[:0])
	if odd&^slashEscaped != 0 {
		return action.Action{}, fault.New(fault.Invalid, odd.sentence(), nil)
	}
	a, err := judge(v, method, segments)
	if err != nil {
		return a, err
	}
	if r.upgrades() && !strings.HasSuffix(a.Name, ".connect") { // whatever it reads, anything may be sent afterwards
		return t.unknown(), nil
	}
	if odd == 0 {
		return a, nil
	}
	// The service undoes the escapes either before it looks for slashes or
	// after: both readings have to come to the same, or to reading only.
	b, err := judge(v, method, resplit(segments))
	switch {
	case err != nil:
		return action.Action{}, err
	case a.Name == b.Name && a.Resource == b.Resource:
		return b, nil
	case a.Class == action.Read && b.Class == action.Read:
		if a.Resource != b.Resource {
			a.Resource, a.Unknown = "", append(a.Unknown, "resource")
		}
		a.Or = append(a.Or, action.Alternative{Name: b.Name, Class: b.Class})
		return a, nil
	case t.unlistedName(b.Name) && !t.unlistedName(a.Name):
		return a, nil // only the first reading is anything that the service has
	}
	return action.Action{}, fault.New(fault.Invalid, odd.sentence(), nil)
}

func (t *tabled) unlistedName(name string) bool {
	return name == t.anything || name == t.unlistedGet
}

func (t *tabled) judge(v *values, method string, segments []string) (action.Action, error) {
	place, inside := t.where(v.r.Host, segments)
	v.captured = captured{}
	g, err := t.find(place, method, inside, v.r.RawQuery, &v.captured)
	if err != nil {
		return action.Action{}, err
	}
	if g == nil {
		return t.unlisted(method), nil
	}
	return t.inGroup(g, v)
}

// inGroup names a request that is one of g's.
func (t *tabled) inGroup(g *group, v *values) (action.Action, error) {
	first := g.rows[0]
	if err := first.check(&v.captured); err != nil {
		return action.Action{}, err
	}
	if t.tidy != nil {
		for i, capture := range first.captures {
			v.captured.values[i] = t.tidy(capture.name, v.captured.values[i])
		}
	}
	a, ok, err := g.name(v, t.format)
	if err != nil || ok {
		return a, err
	}
	a = action.Action{Name: t.anything, Unknown: []string{"*"}, Or: g.alternatives()}
	v.readable = false // it does not say which row it is: what it says of that is nothing either
	if resource, known := first.resource.of(v); known {
		a.Resource = resource
	}
	return a, nil
}

// unlisted names what the table does not know. What a GET reads is harmless as
// far as anybody can tell; all else counts as the worst that there is.
func (t *tabled) unlisted(method string) action.Action {
	if method == "GET" || method == "HEAD" {
		return action.Action{Name: t.unlistedGet, Class: action.Read, Risk: action.Low, Reversible: true, Unknown: []string{"*"}}
	}
	return t.unknown()
}

// unknown may be anything that the service can do.
func (t *tabled) unknown() action.Action {
	return action.Action{
		Name: t.anything, Unknown: []string{"*"}, Or: []action.Alternative{{Name: t.word + ".*", Class: action.Admin}},
	}
}

func (t *tabled) sentence(a action.Action) (title string, ok bool) {
	if d := t.table().byName[a.Name]; d != nil {
		return d.title, true
	}
	for _, op := range t.named() {
		if op.Action == a.Name {
			return op.Title, true
		}
	}
	return "", false
}

func (t *tabled) style(_, _ string, configured credential.Style) (credential.Style, string) {
	return configured, ""
}

func (t *tabled) refusal(r Request, p Problem) Reply { return t.shape(r, p) }

func (t *tabled) dummyPrefix() string { return t.prefix }
