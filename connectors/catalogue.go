package connectors

import (
	"fmt"

	"github.com/tameflare/tameflare/domain/config"
)

// Catalogue answers for all types where a configuration is checked.
type Catalogue struct{}

var _ config.Catalogue = Catalogue{}

// Types returns the names of all types.
func (Catalogue) Types() []string {
	var names []string
	for _, t := range Types() {
		names = append(names, t.Name)
	}
	return names
}

// Actions returns the names of all actions of a type.
func (Catalogue) Actions(connectorType string) []string {
	t := TypeNamed(connectorType)
	if t == nil {
		return nil
	}
	var names []string
	for _, op := range t.Operations() {
		names = append(names, op.Action)
	}
	return names
}

// Check fails with fault.Invalid where one of the connectors cannot be used as
// it stands, or two of them not at the same gateway.
func (Catalogue) Check(all ...config.Connector) error {
	var made []*Connector
	for _, c := range all {
		one, err := New(Config{Type: c.Type, Name: c.Name, Hosts: c.Hosts, Style: c.Auth})
		if err != nil {
			return fmt.Errorf("check connector %s: %w", c.Name, err)
		}
		made = append(made, one)
	}
	_, err := NewSet(made)
	return err
}
