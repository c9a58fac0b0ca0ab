package graphql

import (
	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

// Args are the arguments of a field. The zero Args has none.
type Args struct {
	list  []argument
	names *scope
}

// scope is what variables mean.
type scope struct {
	variables map[string]value // those that came with the document
	defaults  map[string]value // what the operation says where there is none
	spent     int
}

// maxSpent is how many bytes of variables, and places in literals, all lookups
// in one operation go through: some dozens of times the largest body, and some
// dozens of milliseconds. Many fields may speak of one large variable.
const maxSpent = 64 << 20

func newScope(variables []byte, defaults map[string]value) *scope {
	s := &scope{defaults: defaults}
	for name, data := range rawjson.Members(variables) {
		if s.variables == nil {
			s.variables = map[string]value{}
		}
		s.variables[name] = fromJSON(data)
	}
	return s
}

// spend reports whether there is enough left to go through v.
func (s *scope) spend(v value) bool {
	s.spent += 1 + len(v.json) + len(v.fields)
	return s.spent <= maxSpent
}

// Lookup returns what stands at path below the arguments, and false where
// there is nothing: also where a variable stands there that has no value.
//
// It says so in the words of package body. An enum is a String. A list of
// scalars is a List, with body.Each at the end of path or without; and as in
// GraphQL, where a list is expected, a value that is none is the only element
// of one. What is said twice is body.Other, and so is everything once an
// unreasonable amount has been looked through. Fields of one operation are not
// for concurrent use.
func (a Args) Lookup(path ...string) (body.Value, bool) {
	if a.names == nil {
		return body.Value{}, false
	}
	v := a.find(value{kind: anObject, fields: a.list}, path)
	return v, v.Kind != body.Absent
}

func (a Args) find(v value, path []string) body.Value {
	if v.kind == aVariable {
		var ok bool
		if v, ok = a.names.lookup(v.text); !ok {
			return body.Value{}
		}
	}
	switch {
	case !a.names.spend(v):
		return body.Value{Kind: body.Other}
	case v.kind == aNull:
		return body.Value{Kind: body.Null}
	case len(path) > 0 && path[0] == body.Each || v.kind == aList && len(path) == 0:
		return a.each(v, path[min(1, len(path)):])
	case len(path) == 0:
		return v.scalar()
	case v.kind != anObject:
		return body.Value{Kind: body.Other}
	}
	return a.field(v, path)
}

func (a Args) field(object value, path []string) (found body.Value) {
	times := 0
	object.parts(func(name string, v value) {
		if name != path[0] {
			return
		}
		if times++; times > 1 {
			found = body.Value{Kind: body.Other}
			return
		}
		found = a.find(v, path[1:])
	})
	return found
}

// each finds path in every element. Lists of lists are for two of body.Each.
func (a Args) each(v value, path []string) body.Value {
	var list rawjson.List
	if v.kind != aList {
		list.Add(a.find(v, path))
		return list.Value()
	}
	v.parts(func(_ string, element value) {
		found := a.find(element, path)
		if found.Kind == body.List && len(path) == 0 || found.Kind == body.Absent && element.kind == aVariable {
			found.Kind = body.Other // the latter is null
		}
		list.Add(found)
	})
	return list.Value()
}

func (s *scope) lookup(name string) (value, bool) {
	v, ok := s.variables[name]
	if !ok {
		v, ok = s.defaults[name]
	}
	return v, ok
}
