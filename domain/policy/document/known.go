package document

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// facts are what is known of connectors, asked once.
type facts struct {
	Catalogue
	types    []string
	actions  map[string][]string
	params   map[string][]string // by type and pattern
	together map[string][]string // by patterns; nil where not all is known
}

func (f *facts) names() []string {
	if f.types == nil && f.Catalogue != nil {
		f.types = f.Catalogue.Types()
	}
	return f.types
}

func (f *facts) of(typ string) []string {
	all, asked := f.actions[typ]
	if !asked {
		if f.actions == nil {
			f.actions = map[string][]string{}
		}
		all = slices.Compact(slices.Sorted(slices.Values(f.Actions(typ))))
		f.actions[typ] = all
	}
	return all
}

func (f *facts) shows(typ string, of action.Pattern) []string {
	key := typ + " " + string(of)
	all, asked := f.params[key]
	if !asked {
		if f.params == nil {
			f.params = map[string][]string{}
		}
		all = slices.Compact(slices.Sorted(slices.Values(f.Params(typ, of))))
		f.params[key] = all
	}
	return all
}

// hasParam reports whether some action shows something of this name.
func (f *facts) hasParam(name string) bool {
	for _, typ := range f.names() {
		if slices.Contains(f.shows(typ, action.Pattern(typ+".*")), name) {
			return true
		}
	}
	return false
}

// typeOf is the connector type whose actions begin so, and whether there is
// one that is known to the last action.
func (f *facts) typeOf(name string) (string, bool) {
	first, _, _ := strings.Cut(name, ".")
	return first, slices.Contains(f.names(), first) && len(f.of(first)) > 0
}

// checkNamed looks at the actions that an expression compares with.
func (r *reading) checkNamed(p yamldoc.Place, e *policy.Expr) {
	names, ok := named(*e)
	if !ok && e.Op == policy.Ne && len(e.Args) == 2 && e.Args[0].Field == "action" && e.Args[1].Value != nil && e.Args[1].Value.Text != nil {
		names = []string{*e.Args[1].Value.Text}
	}
	for _, name := range names {
		had := len(r.Problems.All)
		notes := len(r.doc.Notes)
		r.checkActions(p, name, func(other string) bool { return other == name })
		for i := range r.Problems.All[had:] {
			r.Problems.All[had+i].Line, r.Problems.All[had+i].Column = e.Line, e.Column
		}
		for i := range r.doc.Notes[notes:] {
			r.doc.Notes[notes+i].Line, r.doc.Notes[notes+i].Column = e.Line, e.Column
		}
	}
}

// checkPattern notes a pattern that no action fits, as far as that is known.
func (r *reading) checkPattern(p yamldoc.Place, pattern string) {
	r.checkActions(p, pattern, action.Pattern(pattern).Matches)
}

// checkActions notes where none of the actions that begin as name does fits.
// One that is nearly right, and one of a service whose actions are all known,
// is a mistake; of others nobody can say.
func (r *reading) checkActions(p yamldoc.Place, name string, fits func(string) bool) {
	if r.known.Catalogue == nil || name == "" || strings.HasPrefix(name, "*") {
		return
	}
	typ, whole := r.known.typeOf(name)
	if !slices.Contains(r.known.names(), typ) {
		r.note(p, "no connector type is called %q%s", yamldoc.Shown(typ), yamldoc.Suggest(typ, r.known.names()))
		return
	}
	if !whole || slices.ContainsFunc(r.known.of(typ), fits) {
		return
	}
	hint := yamldoc.Suggest(name, r.known.of(typ))
	if hint == "" {
		hint = "; the catalogue lists them all"
	}
	r.Bad(p, "there is no action %s%s", name, hint)
}

// checkWords looks at the values of fields that have few.
func (r *reading) checkWords(p yamldoc.Place, f field, o operator) {
	if o.takes != oneValue && o.takes != several && o.takes != aText && o.takes != globs {
		return
	}
	items := []yamldoc.Place{p}
	if o.takes == several || o.takes == globs {
		items = r.quiet(p)
	}
	for _, item := range items {
		text, ok := textOf(item.Node)
		if !ok {
			continue
		}
		exact := o.takes == oneValue || o.takes == several
		switch {
		case (f.name == "environment" || f.name == "gateway") && text != strings.ToLower(text):
			r.Bad(item, "the name of %s is in lower case; did you mean %q?", map[string]string{"environment": "an environment", "gateway": "a gateway"}[f.name], strings.ToLower(text))
		case f.name == "repository" && strings.Contains(text, "/") && !r.nested():
			r.note(item, "repository is the resource after its first slash, so that of acme/site is site; compare resource with a name that has a slash")
		case !exact && f.name != "action":
		case f.name == "action":
			r.checkActionValue(item, text, o)
		case words[f.name] != nil && !slices.Contains(words[f.name], text) && o.op != policy.Contains && o.op != policy.NotContains:
			r.Bad(item, "%s is %s%s", f.name, yamldoc.List(words[f.name]), yamldoc.Suggest(text, words[f.name]))
		case f.name == "request.method" && text != strings.ToUpper(text):
			r.Bad(item, "a method is written in capitals here; did you mean %q?", strings.ToUpper(text))
		case f.name == "request.host" && text != strings.ToLower(text):
			r.Bad(item, "a host is written in lower case here; did you mean %q?", strings.ToLower(text))
		case f.name == "service" && r.known.Catalogue != nil && !slices.Contains(r.known.names(), text):
			r.note(item, "no connector type is called %q%s", yamldoc.Shown(text), yamldoc.Suggest(text, r.known.names()))
		}
	}
}

func (r *reading) checkActionValue(p yamldoc.Place, text string, o operator) {
	switch o.op {
	case policy.Equals, policy.NotEquals, policy.In, policy.NotIn:
		if strings.Contains(text, "*") {
			r.Bad(p, "%s takes a star for what it is; use glob", o.name)
			return
		}
		if text != "" {
			r.checkActions(p, text, func(name string) bool { return name == text })
		}
	case policy.StartsWith:
		if strings.Contains(text, ".") {
			r.checkActions(p, text, func(name string) bool { return strings.HasPrefix(name, text) })
		}
	case policy.Glob, policy.NotGlob:
		if first, _, _ := strings.Cut(text, "*"); strings.Contains(first, ".") {
			r.checkActions(p, text, func(name string) bool { return globbed(text, name) })
		}
	default:
	}
}

// globbed reports whether a text fits a glob, in which a star stands for any
// text.
func globbed(glob, s string) bool {
	first, rest, star := strings.Cut(glob, "*")
	if !star {
		return glob == s
	}
	s, ok := strings.CutPrefix(s, first)
	for ok {
		part, more, another := strings.Cut(rest, "*")
		if !another {
			return strings.HasSuffix(s, part)
		}
		var i int
		if i = strings.Index(s, part); i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
	return false
}

// quiet is one value or the elements of a list, of which the reader knows
// already that they are fine.
func (r *reading) quiet(p yamldoc.Place) []yamldoc.Place {
	if n, ok := p.Node.(*ast.SequenceNode); ok {
		var items []yamldoc.Place
		for _, value := range n.Values {
			items = append(items, yamldoc.Place{Node: value, Path: p.Path})
		}
		return items
	}
	return []yamldoc.Place{p}
}

// quietPairs are the names and values of a mapping, of which the reader knows
// already that they are fine.
func (r *reading) quietPairs(p yamldoc.Place) []pair {
	var all []pair
	for _, n := range pairsOf(p.Node) {
		all = append(all, pair{n.Key.GetToken().Value, yamldoc.Place{Node: n.Value, Path: p.Path}})
	}
	return all
}

// nested reports whether all in scope is a service whose repositories may
// stand in groups of groups, so that their names have slashes.
func (r *reading) nested() bool {
	scope := r.doc.Policy.Scope.Actions
	return len(scope) > 0 && !slices.ContainsFunc(scope, func(p action.Pattern) bool { return first(string(p)) != "gitlab" })
}

func textOf(n ast.Node) (string, bool) {
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return written(n)
	}
	return "", false
}
