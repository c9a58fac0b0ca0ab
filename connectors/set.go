package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// Set is all the connectors of one gateway. A nil Set is empty.
type Set struct {
	names map[string]*Connector
	exact map[string]*Connector
	below map[string]*Connector // *.example.com under "example.com"
}

// NewSet puts connectors together. It fails with fault.Invalid where two of
// them have the same name or answer for the same host.
func NewSet(all []*Connector) (*Set, error) {
	s := &Set{names: map[string]*Connector{}, exact: map[string]*Connector{}, below: map[string]*Connector{}}
	for _, c := range all {
		if s.names[c.name] != nil {
			return nil, fault.New(fault.Invalid, "Two connectors have the name "+c.name+". Give each its own.", nil)
		}
		s.names[c.name] = c
		for _, host := range c.hosts {
			in, key := s.exact, host
			if suffix, ok := strings.CutPrefix(host, "*."); ok {
				in, key = s.below, suffix
			}
			if other := in[key]; other != nil {
				return nil, fault.New(fault.Invalid, "The connectors "+other.name+" and "+c.name+" both answer for "+host+". Leave it to one of them.", nil)
			}
			in[key] = c
		}
	}
	return s, nil
}

// For returns the connector that answers for host, or nil. A host that is
// named comes before a pattern, and a longer pattern before a shorter one.
func (s *Set) For(host string) *Connector {
	if s == nil {
		return nil
	}
	host = strings.TrimSuffix(lower(host), ".")
	if c := s.exact[host]; c != nil {
		return c
	}
	if len(s.below) == 0 || strings.HasPrefix(host, ".") {
		return nil
	}
	for rest, more := host, true; more; {
		_, rest, more = strings.Cut(rest, ".")
		if c := s.below[rest]; c != nil && more {
			return c
		}
	}
	return nil
}

// OfType returns the connectors of a type, by their names.
func (s *Set) OfType(connectorType string) []*Connector {
	if s == nil {
		return nil
	}
	var all []*Connector
	for _, c := range s.names {
		if c.Type().Name == connectorType {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *Connector) int { return strings.Compare(a.name, b.name) })
	return all
}

// Named returns the connector called name, or nil.
func (s *Set) Named(name string) *Connector {
	if s == nil {
		return nil
	}
	return s.names[name]
}
