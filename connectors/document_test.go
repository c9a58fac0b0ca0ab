package connectors_test

import (
	"fmt"
	"slices"
	"strings"
)

// document is how a GraphQL document is written.
type document struct {
	alias      bool
	fragment   int // 1: a named one, 2: one in place, 3: one within another
	variables  int // 1: the whole input, 2: each value, 3: each value by default
	comments   bool
	operations bool // others stand beside it, and the name says which runs
	batch      bool
	twice      bool   // the field is asked for again
	more       string // another field
	directive  bool
}

// envelope is the JSON body that asks for a field.
func (p *plain) envelope() string {
	d := p.how.document
	w := &gql{writing: &p.how}
	name := p.segments[0].text
	kind := strings.ToLower(p.method)
	root := tree(p.body)
	var arguments string
	switch {
	case kind == "mutation" && d.variables == 1:
		w.declare("input", "I!", p.how.json(root), "")
		arguments = "(input: $input)"
	case kind == "mutation":
		arguments = "(input: " + w.literal(root) + ")"
	case len(root.names) > 0:
		text := w.literal(root)
		arguments = "(" + text[1:len(text)-1] + ")"
	}
	field := name + arguments
	if d.directive {
		field += " @include(if: true)"
	}
	field += " { __typename }"
	if d.alias {
		field = "login: " + field
	}
	fields := []string{field}
	if d.twice {
		fields = append(fields, "again: "+name+arguments+" { __typename }")
	}
	if d.more != "" {
		fields = append(fields, d.more)
		slices.Reverse(fields)
	}
	on := strings.ToUpper(kind[:1]) + kind[1:]
	selection, rest := strings.Join(fields, w.gap()), ""
	switch d.fragment {
	case 1:
		selection, rest = "...F", " fragment F on "+on+" { "+selection+" }"
	case 2:
		selection = "... on " + on + " { " + selection + " }"
	case 3:
		selection, rest = "...G", " fragment F on "+on+" { ... { "+selection+" } } fragment G on "+on+" { __typename ...F }"
	}
	operation, variables := kind, strings.Join(w.declared, " ")
	var envelope []said
	add := func(name string, v any) { envelope = append(envelope, said{[]string{name}, v}) }
	if variables != "" || d.operations {
		operation += " Main"
	}
	if variables != "" {
		operation += "(" + variables + ")"
	}
	text := operation + w.gap() + "{" + w.gap() + selection + w.gap() + "}" + rest
	if d.operations {
		text = "query Other { viewer { login } } " + text
		add("operationName", "Main")
	}
	add("query", text)
	out := p.how.json(tree(envelope))
	if len(w.values) > 0 {
		out = `{"variables":{` + strings.Join(w.values, ",") + `},` + strings.TrimLeft(out[1:], " \r\n\t")
	}
	if d.batch {
		out = "[" + out + "]"
	}
	return out
}

// gql writes values, and declares variables for them.
type gql struct {
	*writing
	declared, values []string
}

func (w *gql) gap() string {
	if !w.document.comments {
		return " "
	}
	return []string{" ", "\n", ",", " # mutation { x }\n", "\t,\r\n", "\ufeff"}[w.rng.IntN(6)]
}

func (w *gql) declare(name, kind, value, preset string) string {
	w.declared = append(w.declared, "$"+name+": "+kind+preset)
	if value != "" {
		w.values = append(w.values, quote(name)+":"+value)
	}
	return "$" + name
}

func (w *gql) literal(n *node) string {
	var parts []string
	switch {
	case n.list != nil:
		for _, one := range n.list {
			parts = append(parts, w.literal(one))
		}
		return "[" + strings.Join(parts, w.gap()) + "]"
	case n.leaf != nil:
		return w.leaf(n.leaf)
	}
	for _, i := range w.order(len(n.names)) {
		parts = append(parts, n.names[i]+w.gap()+":"+w.gap()+w.literal(n.fields[n.names[i]]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (w *gql) leaf(v any) string {
	text := w.scalar(v)
	if all, ok := v.([]string); ok {
		text = "["
		for _, one := range all {
			text += w.scalar(one) + " "
		}
		text += "]"
	}
	name := fmt.Sprint("v", len(w.declared))
	switch w.document.variables {
	case 2:
		return w.declare(name, "X", strings.TrimSpace(w.json(&node{leaf: v})), "")
	case 3:
		return w.declare(name, "X", "", " = "+text)
	}
	return text
}

// scalar writes what is in capitals as an enum.
func (w *gql) scalar(v any) string {
	s, ok := v.(string)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case len(s) > 1 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "":
		return s
	case w.document.comments && !strings.ContainsAny(s, `"\`) && s != "" && w.rng.IntN(2) == 0:
		return `"""` + s + `"""`
	}
	return quote(s)
}
