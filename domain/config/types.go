package config

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Type is a connector type that the document brings.
type Type struct {
	definition.Definition
	File  string            // the OpenAPI description that it was made of; "" for none
	Notes []definition.Note // what somebody should look at
}

// Definer is a Catalogue that learns what a document brings.
type Definer interface {
	// With returns a Catalogue that knows types besides. It fails with
	// fault.Invalid where they cannot be had.
	With(types ...definition.Definition) (Catalogue, error)

	// Describe makes a definition of an OpenAPI description in a file, which
	// is as the document has it. It fails with fault.Invalid.
	Describe(file string) (definition.Definition, []definition.Note, error)
}

// Definitions returns what the document says of its own connector types.
func (d *Document) Definitions() []definition.Definition {
	var all []definition.Definition
	for _, t := range d.Types {
		all = append(all, t.Definition)
	}
	return all
}

// Described reports whether some of d comes from other files.
func (d *Document) Described() bool {
	return slices.ContainsFunc(d.Types, func(t Type) bool { return t.File != "" }) ||
		slices.ContainsFunc(d.Policies, func(p Policy) bool { return p.File != "" })
}

// ParseType reads a definition that stands alone: what an element of
// connector_types would say. It fails with fault.Invalid as Parse does.
func ParseType(file string, data []byte) (Type, error) {
	r := &parsing{}
	r.Problems.File = file
	root, problem := parseYAML(data)
	switch {
	case problem != nil:
		r.Problems.All = append(r.Problems.All, *problem)
	case root == nil:
		r.Problems.All = append(r.Problems.All, yamldoc.Problem{Line: 1, Column: 1, Message: "The file is empty; begin with “name: ”."})
	}
	if err := r.Problems.Err(); err != nil {
		return Type{}, err
	}
	t, _ := r.connectorTypeDefined(yamldoc.Place{Node: root})
	if err := r.Problems.Err(); err != nil {
		return Type{}, err
	}
	return t, nil
}

// types reads the document's own connector types, so that what comes after
// may use them.
func (r *parsing) types(p yamldoc.Place) {
	for _, item := range r.Items(p) {
		had := len(r.Problems.All)
		t, keys := r.connectorTypeDefined(item)
		switch {
		case t.Name == "":
			continue
		case slices.ContainsFunc(r.doc.Types, func(o Type) bool { return o.Name == t.Name }):
			r.Bad(keys["name"], "there is another %q before this", t.Name)
		}
		r.doc.Types = append(r.doc.Types, t)
		if len(r.Problems.All) > had {
			r.broken = append(r.broken, t.Name)
			continue
		}
		definer, ok := r.known.(Definer)
		if !ok {
			continue
		}
		known, err := definer.With(t.Definition)
		if err != nil {
			r.broken = append(r.broken, t.Name)
			r.Bad(item, "%s", fault.Message(err))
			continue
		}
		r.known = known
	}
}

func (r *parsing) connectorTypeDefined(p yamldoc.Place) (t Type, keys map[string]yamldoc.Place) {
	keys = r.Mapping(p, "name", "title", "docs", "hosts", "auth", "base", "body", "env", "openapi", "operations")
	if keys == nil {
		return t, nil
	}
	had := len(r.Problems.All)
	if keys["openapi"].There() {
		r.described(keys["openapi"], &t)
	}
	t.Name = r.Need(p, keys["name"], "name")
	for key, field := range map[string]*string{"title": &t.Title, "docs": &t.Docs, "base": &t.Base} {
		if keys[key].There() {
			*field = r.Text(keys[key])
		}
	}
	if keys["hosts"].There() {
		t.Hosts = r.Texts(keys["hosts"])
	}
	if keys["env"].There() {
		t.Env = r.Texts(keys["env"])
	}
	if keys["auth"].There() {
		t.Auth = r.auth(keys["auth"])
	}
	r.OneOf(keys["body"], &t.Body, "json", "form")
	t.rename()
	at := make([]map[string]yamldoc.Place, len(t.Operations))
	for _, item := range r.Items(keys["operations"]) {
		at = r.operation(item, &t, at)
	}
	if len(r.Problems.All) > had {
		return t, keys
	}
	t.Definition = t.Plain()
	for _, problem := range t.Check() {
		where := keys[problem.Field]
		if problem.Operation >= 0 {
			where = at[problem.Operation][problem.Field]
			if !where.There() {
				where = at[problem.Operation][""]
			}
		}
		if !where.There() {
			where = p
		}
		if problem.Operation >= 0 && at[problem.Operation] == nil { // of the description
			r.Bad(where, "%s: %s", problem.Form, problem.Message)
			continue
		}
		r.Bad(where, "%s", problem.Message)
	}
	return t, keys
}

// described fills t with what an OpenAPI description says.
func (r *parsing) described(p yamldoc.Place, t *Type) {
	keys := r.Mapping(p, "file")
	if keys == nil {
		return
	}
	t.File = r.Need(p, keys["file"], "file")
	definer, ok := r.known.(Definer)
	switch {
	case t.File == "":
	case strings.ContainsFunc(t.File, unicode.IsControl):
		r.Bad(keys["file"], "this is the path of a file")
	case !ok:
		r.Bad(p, "an OpenAPI description can be read only where the document is applied from")
	default:
		var err error
		if t.Definition, t.Notes, err = definer.Describe(t.File); err != nil {
			r.Bad(keys["file"], "%s", fault.Message(err))
		}
		if t.Title == t.Name { // it has no title, and gets another name
			t.Title = ""
		}
	}
}

// rename puts the type's name before its actions: a description knows nothing
// of it.
func (t *Type) rename() {
	for i, o := range t.Operations {
		if first, rest, ok := strings.Cut(o.Action, "."); ok && first != t.Name && t.Name != "" {
			t.Operations[i].Action = t.Name + "." + rest
		}
	}
}

// operation reads one, or what is to be different about one of the
// description, and notes where it stands.
func (r *parsing) operation(p yamldoc.Place, t *Type, at []map[string]yamldoc.Place) []map[string]yamldoc.Place {
	keys := r.Mapping(p, "method", "path", "action", "class", "risk", "reversible", "when", "params", "resource", "title")
	if keys == nil {
		return at
	}
	keys[""] = p
	had := len(r.Problems.All)
	method, path := strings.ToUpper(r.Need(p, keys["method"], "method")), r.Need(p, keys["path"], "path")
	if len(r.Problems.All) > had {
		return at
	}
	when := r.Text(keys["when"])
	i := slices.IndexFunc(t.Operations, func(o definition.Operation) bool {
		return t.File != "" && o.When == when && definition.Shape(o.Method, o.Path) == definition.Shape(method, path)
	})
	o := definition.Operation{Method: method, Path: path, When: when}
	if i >= 0 {
		o = t.Operations[i]
	}
	for key, field := range map[string]*string{"action": &o.Action, "resource": &o.Resource, "title": &o.Title} {
		if keys[key].There() {
			*field = r.Text(keys[key])
		}
	}
	if keys["params"].There() {
		o.Params = r.Texts(keys["params"])
	}
	r.OneOf(keys["class"], &o.Class, "read", "write", "delete", "admin")
	r.OneOf(keys["risk"], &o.Risk, "low", "medium", "high", "critical")
	if i >= 0 {
		if keys["class"].There() && !keys["risk"].There() {
			o.Risk = definition.UsualRisk(o.Class)
		}
		if keys["reversible"].There() {
			o.Reversible = r.Yes(keys["reversible"])
		}
		t.Notes = slices.DeleteFunc(t.Notes, func(n definition.Note) bool { return n.Form == o.Form() && keys["class"].There() })
		t.Operations[i], at[i] = o, keys
		return at
	}
	var look string
	_, words, _ := strings.Cut(o.Action, ".")
	if o, look = o.Usual(words, keys["class"].There(), keys["risk"].There()); look != "" {
		t.Notes = append(t.Notes, definition.Note{Form: o.Form(), Message: look})
	}
	o.Reversible = keys["reversible"].There() && r.Yes(keys["reversible"]) || !keys["reversible"].There() && o.Class == usualRead
	t.Operations = append(t.Operations, o)
	return append(at, keys)
}
