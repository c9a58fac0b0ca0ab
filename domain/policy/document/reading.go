package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// reading is one document on its way to a Document.
type reading struct {
	yamldoc.Reader
	known   facts
	text    text
	doc     Document
	rules   []yamldoc.Place // where each clause is
	made    map[spot]bool   // conditions on the branch of older documents
	weight  int             // of all regular expressions so far
	sources int             // bytes of CEL so far
}

// note is about something that may stay.
func (r *reading) note(p yamldoc.Place, format string, args ...any) {
	var other yamldoc.Reader
	other.Bad(p, format, args...)
	for _, n := range other.Problems.All {
		r.keep(n)
	}
}

// keep notes something once, and not more than anyone would read.
func (r *reading) keep(n yamldoc.Problem) {
	if len(r.doc.Notes) < maxNotes && !slices.Contains(r.doc.Notes, n) {
		r.doc.Notes = append(r.doc.Notes, n)
	}
}

// noteAt is note for what has no place of its own in the tree.
func (r *reading) noteAt(line, column int, format string, args ...any) {
	r.keep(yamldoc.Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// beside are keys that people expect in a document.
var beside = []string{"priority", "enabled", "report_only"}

func (r *reading) document(root yamldoc.Place) {
	top := r.Mapping(root, append([]string{"name", "description", "metadata", "scope", "rules", "tests"}, beside...)...)
	if top == nil {
		return
	}
	for _, key := range beside {
		if top[key].There() {
			r.Bad(top[key], "this is kept beside the document: set it on the policy's page, with “tameflare policy push”, or in tameflare.yaml")
		}
	}
	meta := r.inMetadata(top, "name", "description", "scope")
	r.doc.Policy.Name = r.Need(root, meta["name"], "name")
	if n := r.doc.Policy.Name; len(n) > maxName || strings.TrimSpace(n) != n || strings.ContainsFunc(n, control) {
		r.Bad(meta["name"], "a policy's name is 1 to %d characters in one line, without spaces around it", maxName)
	}
	if r.doc.Description = strings.TrimSpace(r.Text(meta["description"])); len(r.doc.Description) > maxAbout {
		r.Bad(meta["description"], "a description has at most %d bytes", maxAbout)
	}
	r.scope(meta["scope"])
	r.clauses(root, top["rules"])
	r.tests(top["tests"])
}

// inMetadata returns what is at the top or, as in older documents, below
// metadata.
func (r *reading) inMetadata(top map[string]yamldoc.Place, keys ...string) map[string]yamldoc.Place {
	if !top["metadata"].There() {
		return top
	}
	meta := r.Mapping(top["metadata"], keys...)
	out := map[string]yamldoc.Place{}
	for _, key := range keys {
		out[key] = top[key]
		if !meta[key].There() {
			continue
		}
		if top[key].There() {
			r.Bad(meta[key], "%s is there twice: here, and at the top", key)
		}
		out[key] = meta[key]
	}
	return out
}

func (r *reading) scope(p yamldoc.Place) {
	if !p.There() {
		return
	}
	keys := r.Mapping(p, "gateways", "agents", "environments", "actions", "action_types")
	scope := &r.doc.Policy.Scope
	scope.Gateways = r.names(r.either(keys, "gateways", "agents"))
	scope.Environments = r.names(keys["environments"])
	at := r.either(keys, "actions", "action_types")
	for _, item := range r.list(at, maxScope) {
		text := r.Text(item)
		if text == "" {
			continue
		}
		if err := action.Pattern(text).Check(); err != nil {
			r.Bad(item, "%s", fault.Message(err))
			continue
		}
		r.checkPattern(item, text)
		scope.Actions = append(scope.Actions, action.Pattern(text))
	}
}

// either returns what one of two keys says that mean the same.
func (r *reading) either(keys map[string]yamldoc.Place, name, other string) yamldoc.Place {
	if keys[name].There() && keys[other].There() {
		r.Bad(keys[other], "%s and %s mean the same; write %s only", name, other, name)
	}
	if keys[name].There() {
		return keys[name]
	}
	return keys[other]
}

// names reads globs of gateways or environments.
func (r *reading) names(p yamldoc.Place) []string {
	var all []string
	for _, item := range r.list(p, maxScope) {
		text := r.Text(item)
		switch {
		case text == "":
		case len(text) > maxName || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789._-*") != "":
			r.Bad(item, "a name is lower-case letters, digits, dot, dash and underscore; a star stands for any text")
		default:
			all = append(all, text)
		}
	}
	return all
}

// list returns the elements of a list, or one value as if it were a list.
func (r *reading) list(p yamldoc.Place, most int) []yamldoc.Place {
	n, ok := p.Node.(*ast.SequenceNode)
	switch {
	case !p.There():
		return nil
	case !ok:
		return []yamldoc.Place{p}
	case len(n.Values) == 0:
		r.Bad(p, "there is nothing in this list; leave it out for everything")
		return nil
	case len(n.Values) > most:
		r.Bad(p, "this list has %d elements; it may have at most %d", len(n.Values), most)
		return nil
	}
	return r.Items(p)
}

// check is what only the whole shows: that a gateway would take it.
func (r *reading) check() {
	if len(r.Problems.All) > 0 {
		return
	}
	p := r.doc.Policy
	p.ID = "pol_document"
	err := compiles(p)
	if err == nil {
		return
	}
	at := r.doc.Policy.Clauses[0].Line
	for _, c := range r.doc.Policy.Clauses {
		p.Clauses = []policy.Clause{c}
		if alone := compiles(p); alone != nil {
			at, err = c.Line, alone
			break
		}
	}
	message := "This policy cannot be used as it stands."
	if fault.Of(err) == fault.Invalid {
		message = fault.Message(err)
	}
	r.Problems.All = append(r.Problems.All, yamldoc.Problem{Line: at, Column: 1, Message: message})
}

func compiles(p policy.Policy) error {
	_, err := policy.Compile(policy.Settings{
		Gateway: included(p.Scope.Gateways), Environment: included(p.Scope.Environments), Policies: []policy.Policy{p},
	})
	if err != nil {
		return fmt.Errorf("compile policy %s: %w", p.Name, err)
	}
	return nil
}

// included is a name that one of the globs stands for.
func included(globs []string) string {
	if len(globs) == 0 {
		return "any"
	}
	return strings.ReplaceAll(globs[0], "*", "x")
}
