package document

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// look notes what may stay and is worth a look. It says only what is certain.
func (r *reading) look() {
	for i := range r.doc.Policy.Clauses {
		r.unusedScope(i)
		r.unknownParams(i)
	}
	r.superfluous()
	slices.SortStableFunc(r.doc.Notes, func(a, b yamldoc.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// noteOlder says what becomes of a field of older documents where that is more
// than another name.
func (r *reading) noteOlder(p yamldoc.Place, f field) {
	switch f.old {
	case branchName:
		r.note(p, "read as the parameter branch, base or ref; where something lands on a branch that the request does not show, the rule counts as if it applied")
	case destructive:
		r.note(p, "read as: class is delete or admin")
	case irreversible:
		r.note(p, "read as: reversible is false")
	case production:
		r.note(p, "read as: environment is production or prod")
	case financial:
		r.note(p, "read as: service is stripe and class is not read")
	case today:
	}
}

// conjuncts are what all have to hold for a clause to apply.
func conjuncts(e *policy.Expr) []policy.Expr {
	switch {
	case e == nil:
		return nil
	case e.Op != policy.All:
		return []policy.Expr{*e}
	}
	var all []policy.Expr
	for i := range e.Args {
		all = append(all, conjuncts(&e.Args[i])...)
	}
	return all
}

// named are the actions that a condition names, where it has to be one of
// them.
func named(e policy.Expr) ([]string, bool) {
	if len(e.Args) != 2 || e.Args[0].Field != "action" || e.Args[1].Value == nil {
		return nil, false
	}
	value := e.Args[1].Value
	switch {
	case (e.Op == policy.Equals || e.Op == policy.Eq) && value.Text != nil:
		return []string{*value.Text}, true
	case (e.Op == policy.In || e.Op == policy.Member) && value.IsList:
		var all []string
		for _, one := range value.List {
			if one.Text != nil {
				all = append(all, *one.Text)
			}
		}
		return all, true
	}
	return nil, false
}

// about are the patterns of the actions that a clause can apply to.
func (r *reading) about(c policy.Clause) []action.Pattern {
	for _, e := range conjuncts(c.If) {
		if names, ok := named(e); ok {
			var all []action.Pattern
			for _, name := range names {
				all = append(all, action.Pattern(name))
			}
			return all
		}
		if len(e.Args) == 2 && e.Args[0].Field == "action" && e.Args[1].Value != nil && e.Args[1].Value.Text != nil && (e.Op == policy.StartsWith || e.Op == policy.Glob || e.Op == policy.Begins) {
			begin, _, _ := strings.Cut(*e.Args[1].Value.Text, "*")
			if i := strings.LastIndexByte(begin, '.'); i > 0 {
				return []action.Pattern{action.Pattern(begin[:i] + ".*")}
			}
		}
	}
	if len(r.doc.Policy.Scope.Actions) > 0 {
		return r.doc.Policy.Scope.Actions
	}
	return []action.Pattern{"*"}
}

// unusedScope notes a clause about actions that are out of scope.
func (r *reading) unusedScope(i int) {
	scope := r.doc.Policy.Scope.Actions
	if len(scope) == 0 {
		return
	}
	for _, e := range conjuncts(r.doc.Policy.Clauses[i].If) {
		names, ok := named(e)
		if !ok || slices.ContainsFunc(names, func(name string) bool {
			return slices.ContainsFunc(scope, func(p action.Pattern) bool { return p.Matches(name) })
		}) {
			continue
		}
		r.noteAt(e.Line, e.Column, "this rule never applies: scope.actions leaves %s out", yamldoc.List(names[:min(len(names), 3)]))
	}
}

// unknownParams notes parameters that none of a clause's actions has.
func (r *reading) unknownParams(i int) {
	c := r.doc.Policy.Clauses[i]
	if r.known.Catalogue == nil || c.If == nil {
		return
	}
	var names []string
	asked, known := false, false
	walk(c.If, func(e *policy.Expr) {
		for _, arg := range e.Args {
			name, ok := strings.CutPrefix(arg.Field, "params.")
			if !ok || r.made[spot{e.Line, e.Column}] && slices.Contains(branches, arg.Field) {
				continue
			}
			if !asked {
				asked = true
				names, known = r.paramsOf(r.about(c))
			}
			if !known || hasParam(names, name) {
				continue
			}
			hint := yamldoc.Suggest(name, names)
			if hint == "" && len(names) > 0 && len(names) <= 12 {
				hint = "; there are " + yamldoc.List(names)
			}
			line, column := e.Line, e.Column
			if line == 0 {
				line, column = c.If.Line, c.If.Column
			}
			r.noteAt(cmp.Or(line, c.Line), max(column, 1), "none of the actions of this rule has the parameter %s%s", yamldoc.Shown(name), hint)
		}
	})
}

// testParams notes parameters of a test's action that no such action has.
func (r *reading) testParams(p yamldoc.Place, a *Action) {
	if r.known.Catalogue == nil || a == nil {
		return
	}
	typ, whole := r.known.typeOf(a.Action.Name)
	if !whole || !slices.Contains(r.known.of(typ), a.Action.Name) {
		return
	}
	names, known := r.paramsOf([]action.Pattern{action.Pattern(a.Action.Name)})
	if !known {
		return
	}
	for _, pair := range r.quietPairs(p) {
		if !hasParam(names, pair.key) {
			r.note(pair.value, "%s has no parameter %s%s", a.Action.Name, yamldoc.Shown(pair.key), yamldoc.Suggest(pair.key, names))
		}
	}
}

// hasParam reports whether names has one, or one that CEL goes further into.
func hasParam(names []string, name string) bool {
	for {
		if policy.HasParam(names, name) {
			return true
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			return false
		}
		name = name[:i]
	}
}

// paramsOf returns what actions show, and whether all of that is known.
func (r *reading) paramsOf(patterns []action.Pattern) ([]string, bool) {
	key := fmt.Sprint(patterns)
	if shown, asked := r.known.together[key]; asked {
		return shown, shown != nil
	}
	shown, known := r.allParams(patterns)
	if r.known.together == nil {
		r.known.together = map[string][]string{}
	}
	if !known {
		shown = nil
	}
	r.known.together[key] = shown
	return shown, known
}

func (r *reading) allParams(patterns []action.Pattern) ([]string, bool) {
	all := []string{}
	for _, p := range patterns {
		types := []string{first(string(p))}
		if types[0] == "*" {
			types = r.known.names()
		}
		for _, typ := range types {
			if _, known := r.known.typeOf(typ); !known {
				return nil, false
			}
			if len(r.known.shows(typ, action.Pattern(typ+".*"))) == 0 {
				return nil, false
			}
			all = append(all, r.known.shows(typ, p)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), true
}

// superfluous notes clauses that a stricter one covers, and documents that
// change nothing.
func (r *reading) superfluous() {
	clauses := r.doc.Policy.Clauses
	strictest := policy.Allow
	said := map[string]int{}
	always := -1
	for i, c := range clauses {
		strictest = min(strictest, c.Effect)
		if c.If == nil && (always < 0 || c.Effect < clauses[always].Effect) {
			always = i
		}
		key := sense(c.If)
		other, twice := said[key]
		if !twice || c.Effect < clauses[other].Effect {
			said[key] = i
		}
		if !twice || c.If == nil {
			continue
		}
		weak, strong := other, i
		if c.Effect >= clauses[other].Effect {
			weak, strong = i, other
		}
		if clauses[weak].Effect != policy.Allow {
			r.noteAt(clauses[weak].Line, 1, "this rule changes nothing: %q applies to the same and is at least as strict", clauses[strong].Name)
		}
	}
	if always >= 0 && clauses[always].Effect != policy.Allow {
		for i, c := range clauses {
			if i != always && c.Effect >= clauses[always].Effect && c.Effect != policy.Allow {
				r.noteAt(c.Line, 1, "this rule changes nothing: %q applies to everything in scope and is at least as strict", clauses[always].Name)
			}
		}
	}
	if strictest == policy.Allow {
		r.noteAt(clauses[0].Line, 1, "this policy changes nothing: policies only make what the access rules allow stricter, and its rules all allow")
	}
}

// sense is what a condition says, without where it stands.
func sense(e *policy.Expr) string {
	if e == nil {
		return ""
	}
	b, err := json.Marshal(bare(*e))
	if err != nil {
		return ""
	}
	return string(b)
}

func bare(e policy.Expr) policy.Expr {
	e.Line, e.Column, e.Text = 0, 0, ""
	args := e.Args
	e.Args = nil
	for _, arg := range args {
		e.Args = append(e.Args, bare(arg))
	}
	return e
}
