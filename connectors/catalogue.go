package connectors

import (
	"fmt"
	"slices"

	"github.com/tameflare/tameflare/connectors/openapi"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

// Catalogue answers for all types where a configuration is checked.
type Catalogue struct {
	Own  Own
	Open func(file string) ([]byte, error) // reads an OpenAPI description; nil: there are no files here
}

var (
	_ config.Catalogue = Catalogue{}
	_ config.Definer   = Catalogue{}
)

// With returns c with types besides its own, in the place of those of the same
// name. It fails with fault.Invalid where one of them cannot be used.
func (c Catalogue) With(types ...definition.Definition) (config.Catalogue, error) {
	c.Own = slices.Clone(c.Own)
	for _, d := range types {
		t, err := Define(d)
		if err == nil {
			err = c.Own.CheckNew(d.Name)
		}
		if err != nil {
			return nil, err
		}
		c.Own = append(slices.DeleteFunc(c.Own, func(o *Type) bool { return o.Name == t.Name }), t)
	}
	return c, nil
}

// Describe makes a definition of an OpenAPI description. It fails with
// fault.Invalid where there is none that can be read.
func (c Catalogue) Describe(file string) (definition.Definition, []definition.Note, error) {
	if c.Open == nil {
		return definition.Definition{}, nil, fault.New(fault.Invalid, "An OpenAPI description can be read only where the document is applied from.", nil)
	}
	data, err := c.Open(file)
	if err != nil {
		return definition.Definition{}, nil, err
	}
	return openapi.Read(data)
}

// Types returns the names of all types.
func (c Catalogue) Types() []string {
	var names []string
	for _, t := range c.Own.All() {
		names = append(names, t.Name)
	}
	return names
}

// Actions returns the names of all actions of a type.
func (c Catalogue) Actions(connectorType string) []string {
	t := c.Own.Named(connectorType)
	if t == nil {
		return nil
	}
	var names []string
	for _, op := range t.Operations() {
		names = append(names, op.Action)
	}
	return names
}

// Params returns what actions of a type show besides their resource. It may
// name one more than once.
func (c Catalogue) Params(connectorType string, of action.Pattern) []string {
	t := c.Own.Named(connectorType)
	if t == nil {
		return nil
	}
	var names []string
	for _, op := range t.Operations() {
		if of.Matches(op.Action) {
			names = append(names, op.Params...)
		}
	}
	return names
}

// Rate returns what is known of an action by its name: the strictest, where
// forms of it differ.
func (c Catalogue) Rate(connectorType, name string) (class action.Class, risk action.Risk, reversible, known bool) {
	t := c.Own.Named(connectorType)
	if t == nil {
		return class, risk, false, false
	}
	for _, op := range t.Operations() {
		switch {
		case op.Action != name:
		case !known:
			class, risk, reversible, known = op.Class, op.Risk, op.Reversible, true
		default:
			class, risk, reversible = min(class, op.Class), min(risk, op.Risk), reversible && op.Reversible
		}
	}
	return class, risk, reversible, known
}

// Check fails with fault.Invalid where one of the connectors cannot be used as
// it stands, or two of them not at the same gateway.
func (c Catalogue) Check(all ...config.Connector) error {
	own := c.Own
	var made []*Connector
	for _, c := range all {
		one, err := New(Config{Type: c.Type, Own: own.Named(c.Type), Name: c.Name, Hosts: c.Hosts, Style: c.Auth})
		if err != nil {
			return fmt.Errorf("check connector %s: %w", c.Name, err)
		}
		made = append(made, one)
	}
	_, err := NewSet(made)
	return err
}
