// Package lookup finds actions by words, over all types of connectors.
//
// An Index is made once and never changes, so any number of goroutines may ask
// it. It holds what pages and the command line show of an action.
package lookup

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
)

// Index knows every action of some types.
type Index struct {
	types   []Type
	actions []*Action // by type, then by name
	named   map[string]*Action
	base    *Index // what With has added to; nil: nothing
}

// Type is a type, and how many actions of each class it has.
type Type struct {
	*connectors.Type
	Actions int
	Class   map[action.Class]int
}

// Action is an action with its type.
type Action struct {
	connectors.Operation
	Type *connectors.Type

	Words string // what it does, for people: "merge …"

	name string // lower case, as are all that words are looked for in
	ids  []string
	text string
	more string
}

// New makes an index of types, in their order.
func New(types []*connectors.Type) *Index {
	x := &Index{named: map[string]*Action{}}
	for _, t := range types {
		all := t.Operations()
		of := Type{Type: t, Actions: len(all), Class: map[action.Class]int{}}
		for _, op := range all {
			a := newAction(t, op)
			of.Class[op.Class]++
			x.actions = append(x.actions, a)
			x.named[t.Name+" "+op.Action] = a
		}
		x.types = append(x.types, of)
	}
	return x
}

// With is x with more types, of which one takes the place of another of its
// name. X stays as it is, and nothing of it is made anew.
func (x *Index) With(more []*connectors.Type) *Index {
	if len(more) == 0 {
		return x
	}
	y := New(more)
	added := y.types
	var types []Type
	for _, t := range x.types {
		if _, ok := y.Type(t.Name); !ok {
			types = append(types, t)
		}
	}
	actions := make([]*Action, 0, len(x.actions)+len(y.actions))
	for _, a := range x.actions {
		if _, ok := y.Type(a.Type.Name); !ok {
			actions = append(actions, a)
		}
	}
	y.types, y.actions, y.base = append(types, added...), append(actions, y.actions...), x
	return y
}

func newAction(t *connectors.Type, op connectors.Operation) *Action {
	a := &Action{Operation: op, Type: t, Words: Plain(op.Title), name: strings.ToLower(op.Action)}
	a.text = strings.ToLower(t.Title + " " + a.Words)
	var b strings.Builder
	for _, f := range op.Forms {
		a.ids = append(a.ids, strings.ToLower(id(f)))
		b.WriteString(id(f) + " " + f.Method + " " + f.Host + f.Path + " " + f.Note + "\n")
	}
	b.WriteString(strings.Join(op.Params, " "))
	a.more = strings.ToLower(b.String())
	return a
}

// Plain is a title for people, with … for what differs from one request to the
// next. Of the parts that a request may leave out stay those that are no more
// than such a value: "delete … in …".
func Plain(title string) string {
	var b strings.Builder
	for rest := title; rest != ""; {
		before, optional, found := strings.Cut(rest, "[")
		b.WriteString(dots(before))
		if !found {
			break
		}
		optional, rest, _ = strings.Cut(optional, "]")
		if inside := dots(optional); strings.TrimSpace(inside) == "…" {
			b.WriteString(inside)
		}
	}
	words := strings.Fields(b.String())
	return strings.Join(slices.CompactFunc(words, func(a, b string) bool { return a == "…" && b == "…" }), " ")
}

// dots puts … in the place of what stands in braces.
func dots(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("…")
		_, s, _ = strings.Cut(rest, "}")
	}
}

// Types returns the types.
func (x *Index) Types() []Type { return slices.Clone(x.types) }

// Type returns the type called name.
func (x *Index) Type(name string) (Type, bool) {
	for _, t := range x.types {
		if t.Name == name {
			return t, true
		}
	}
	return Type{}, false
}

// Len is how many actions there are.
func (x *Index) Len() int { return len(x.actions) }

// Action returns the action of a type, or nil.
func (x *Index) Action(typ, name string) *Action {
	if a := x.named[typ+" "+name]; a != nil || x.base == nil {
		return a
	}
	if a := x.base.Action(typ, name); a != nil {
		if t, ok := x.Type(typ); ok && t.Type == a.Type {
			return a
		}
	}
	return nil
}
