package connectors

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

// Define makes a type of what a team has written down. Its requests are named
// by the same engine as those of the built-in types, and what its table does
// not have counts as the same. It fails with fault.Invalid, with a sentence
// for everything that is wrong.
func Define(d definition.Definition) (*Type, error) {
	d = d.Plain()
	problems := d.Check()
	for i, host := range d.Hosts {
		plain, err := plainHost(host, true)
		if err != nil {
			problems = append(problems, definition.Problem{Operation: -1, Field: "hosts", Message: fault.Message(err)})
			continue
		}
		d.Hosts[i] = plain
	}
	if err := definition.Err(problems); err != nil {
		return nil, err
	}
	s := spec{
		word: d.Name, format: readsJSON, prefix: "key-", hosts: map[string]string{},
		shape: func(_ Request, p Problem) Reply { return p.generic() },
	}
	if d.Body == definition.Form {
		s.format = readsForm | readsJSON | readsMultipart
	}
	if len(d.Hosts) == 1 {
		s.hosts["api"] = d.Hosts[0]
	}
	rows, deeds, err := defined(d)
	if err != nil {
		return nil, err
	}
	t := &Type{
		Name: d.Name, Title: d.Called(), Docs: d.Docs, Hosts: d.Hosts, Wildcards: true, Styles: stylesFrom(d.Auth.Kind), Header: d.Auth.Name,
		Hint:    Hint{Label: "API key or token", Placeholder: "the key", Help: "The key of " + d.Called() + ". For basic authentication, write user:password."},
		Headers: slices.Clone(carriers),
		Queries: slices.Clone(carrierQueries),
		service: tabledOf(s, func(s *spec) *table { return newTable(rows, deeds, s) }),
		env:     slices.Clone(d.Env),
	}
	for _, r := range rows {
		for _, name := range r.headers() {
			t.Meaning = appendNew(t.Meaning, name)
		}
	}
	switch d.Auth.Kind { // where clients bring it, also at a connector that shows it otherwise
	case credential.Header:
		t.Headers = appendNew(t.Headers, d.Auth.Name)
	case credential.Query:
		t.Queries = appendNew(t.Queries, d.Auth.Name)
	case credential.None, credential.Bearer, credential.Token, credential.Basic:
	}
	return t, nil
}

func stylesFrom(usual credential.Kind) []credential.Kind {
	all := []credential.Kind{usual}
	for _, k := range anyStyle {
		if k != usual {
			all = append(all, k)
		}
	}
	return all
}

// defined reads the operations as the rows of a table.
func defined(d definition.Definition) ([]*row, map[string]*deed, error) {
	rows, deeds := make([]*row, 0, len(d.Operations)), map[string]*deed{}
	any := func(string) captureKind { return anySegment }
	for i, o := range d.Operations {
		r, err := parseRow([]string{
			"api", o.Method, strings.TrimSuffix(d.Base+o.Path, "/"), o.Action, o.Class.String(), o.Risk.String(), yesNo(o.Reversible),
			o.When, strings.Join(o.Params, ","), o.Resource, o.Title, strconv.Itoa(i),
		}, any, deeds)
		if err != nil { // what Check does not look at
			return nil, nil, fault.New(fault.Invalid, fmt.Sprintf("Operation %d (%s): %v.", i+1, shorten(o.Form()), err), err)
		}
		if !o.Reversible { // an action can be undone where all its forms can
			r.does.reversible = false
		}
		rows = append(rows, r)
	}
	return rows, deeds, nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Own is the types of a team. A nil Own is none.
type Own []*Type

// DefineAll makes types of definitions. It fails with fault.Invalid where one
// of them cannot be used, or two have the same name.
func DefineAll(all []definition.Definition) (Own, error) {
	var own Own
	for _, d := range all {
		t, err := Define(d)
		if err != nil {
			return nil, fault.New(fault.Of(err), "Connector type "+shorten(d.Name)+": "+fault.Message(err), err)
		}
		if slices.ContainsFunc(own, func(o *Type) bool { return o.Name == t.Name }) {
			return nil, fault.New(fault.Invalid, "There are two connector types "+t.Name+".", nil)
		}
		own = append(own, t)
	}
	return own, nil
}

// Named returns the type called name, one of o or a built-in one, or nil. Those
// of o come first: a later version may bring along what a team has defined
// before, and must not change what its rules are about.
func (o Own) Named(name string) *Type {
	for _, t := range o {
		if t.Name == name {
			return t
		}
	}
	return TypeNamed(name)
}

// All returns the built-in types, and then those of o.
func (o Own) All() []*Type {
	all := slices.DeleteFunc(Types(), func(t *Type) bool { return o.Named(t.Name) != t })
	return append(all, o...)
}

// CheckNew fails with fault.Invalid where a team cannot have a new type of
// that name: there is a built-in one. One that it has already stays.
func (o Own) CheckNew(name string) error {
	if t := TypeNamed(name); t != nil && o.Named(name) == t {
		return fault.New(fault.Invalid, "There is a built-in connector type "+name+". Choose another name.", nil)
	}
	return nil
}
