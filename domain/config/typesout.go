package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
)

const usualRead = action.Read

// connectorType writes a connector type. An OpenAPI description is not
// mentioned: what it said is in the operations.
func (w *writer) connectorType(t Type) {
	w.item(1, t.head())
	w.operations(2, t.Definition)
}

func (t Type) head() pairs {
	title, body, style := t.Title, "", t.Auth
	if title == t.Name {
		title = ""
	}
	if t.Body != definition.JSON {
		body = t.Body.String()
	}
	if style == (credential.Style{Kind: credential.Bearer}) {
		style = credential.Style{}
	}
	return pairs{
		{"name", word(t.Name)}, {"title", word(title)}, {"docs", word(t.Docs)}, {"hosts", words(t.Hosts)}, {"auth", auth(style)},
		{"base", word(t.Base)}, {"body", body}, {"env", words(t.Env)},
	}
}

func (w *writer) operations(depth int, d definition.Definition) {
	w.line(depth, "operations:")
	for _, o := range d.Operations {
		w.line(depth+1, "- "+operationYAML(o))
	}
}

// operationYAML leaves out what reading it would fill in.
func operationYAML(o definition.Operation) string {
	p := pairs{{"method", o.Method}, {"path", quote(o.Path)}, {"action", word(o.Action)}, {"class", o.Class.String()}, {"risk", o.Risk.String()}}
	if o.Reversible != (o.Class == usualRead) {
		p = append(p, [2]string{"reversible", strconv.FormatBool(o.Reversible)})
	}
	p = append(p, pairs{{"when", word(o.When)}, {"params", words(o.Params)}, {"resource", word(o.Resource)}}...)
	if o.Title != o.UsualTitle() {
		p = append(p, [2]string{"title", word(o.Title)})
	}
	return flow(p)
}

// MarshalType writes a definition as ParseType reads it.
func MarshalType(d definition.Definition) []byte {
	w := &writer{}
	for _, kv := range (Type{Definition: d}).head() {
		if kv[1] != "" {
			w.line(0, kv[0]+": "+kv[1])
		}
	}
	w.operations(0, d)
	return []byte(w.String())
}

// types says what changes about connector types: of their operations how many
// there are, and which.
func (d *differ) types(old, new []Type) {
	compare(d, "connector_types", old, new, Type.id, func(t Type) pairs {
		return append(t.head(), [2]string{"operations", strconv.Itoa(len(t.Operations))})
	}, func(path string, a, b Type) {
		if a.Name == "" { // it is new, and has been named with how many it has
			return
		}
		detail := operationsChanged(a.Definition, b.Definition)
		if detail == "" {
			return
		}
		if n := len(d.changes); n > 0 && d.changes[n-1].Path == path {
			d.changes[n-1].Detail += ": " + detail
			return
		}
		d.changes = append(d.changes, Change{Update, path, "operations: " + detail})
	})
}

func (t Type) id() string { return t.Name }

const maxNamed = 10

// operationsChanged names the actions whose operations are new, gone or
// different.
func operationsChanged(old, new definition.Definition) string {
	byForm := func(d definition.Definition) map[string]definition.Operation {
		all := map[string]definition.Operation{}
		for _, o := range d.Operations {
			all[definition.Shape(o.Method, o.Path)+" "+o.When] = o
		}
		return all
	}
	was, is := byForm(old), byForm(new)
	var parts []string
	for _, o := range new.Operations {
		before, there := was[definition.Shape(o.Method, o.Path)+" "+o.When]
		switch {
		case !there:
			parts = append(parts, "+"+o.Action)
		case operationYAML(before) != operationYAML(o):
			parts = append(parts, "~"+differs(before, o))
		}
	}
	for _, o := range old.Operations {
		if _, there := is[definition.Shape(o.Method, o.Path)+" "+o.When]; !there {
			parts = append(parts, "-"+o.Action)
		}
	}
	if len(parts) == 0 && !slices.EqualFunc(old.Operations, new.Operations, func(a, b definition.Operation) bool { return operationYAML(a) == operationYAML(b) }) {
		parts = append(parts, "in another order")
	}
	if n := len(parts); n > maxNamed {
		parts = append(parts[:maxNamed], fmt.Sprintf("and %d more", n-maxNamed))
	}
	return strings.Join(parts, ", ")
}

// differs says how strictly an operation counts now, where that has changed.
func differs(before, now definition.Operation) string {
	name := now.Action
	if before.Action != now.Action {
		name = before.Action + " → " + now.Action
	}
	if before.Class != now.Class {
		name += " (" + before.Class.String() + " → " + now.Class.String() + ")"
	}
	if before.Risk != now.Risk {
		name += " (risk " + before.Risk.String() + " → " + now.Risk.String() + ")"
	}
	return name
}
