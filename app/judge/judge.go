// Package judge decides as a gateway does, by what is stored for it. It is for
// telling people what would happen; no request passes because of it.
package judge

import (
	"fmt"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// Judge is what one gateway decides by.
type Judge struct {
	Gateway  fleet.Gateway
	Set      *connectors.Set
	Engine   *policy.Engine
	Policies map[string]policy.Policy // by ID, those that are compiled in
}

// Of compiles what is configured for a gateway, after change has had its say.
// It fails where the gateway could not use it either.
func Of(c store.Configuration, change ...func(*policy.Settings)) (*Judge, error) {
	defined, err := connectors.DefineAll(fleet.Definitions(c.Types))
	if err != nil {
		return nil, fmt.Errorf("connector types of %s: %w", c.Gateway.Name, err)
	}
	j := &Judge{Gateway: c.Gateway, Policies: map[string]policy.Policy{}}
	all := make([]*connectors.Connector, 0, len(c.Connectors))
	names := make(map[string]string, len(c.Connectors))
	for _, row := range c.Connectors {
		one, err := connectors.New(connectors.Config{Type: row.Type, Own: defined.Named(row.Type), Name: row.Name, Hosts: row.Hosts, Style: row.Style()})
		if err != nil {
			return nil, fmt.Errorf("connector %s of %s: %w", row.Name, c.Gateway.Name, err)
		}
		all, names[row.ID] = append(all, one), row.Name
	}
	if j.Set, err = connectors.NewSet(all); err != nil {
		return nil, fmt.Errorf("connectors of %s: %w", c.Gateway.Name, err)
	}
	s, err := settings(c, names)
	if err != nil {
		return nil, err
	}
	for _, one := range change {
		one(&s)
	}
	for _, p := range s.Policies {
		j.Policies[p.ID] = p
	}
	if j.Engine, err = policy.Compile(s); err != nil {
		return nil, fmt.Errorf("rules and policies of %s: %w", c.Gateway.Name, err)
	}
	return j, nil
}

func settings(c store.Configuration, names map[string]string) (policy.Settings, error) {
	s := policy.Settings{Gateway: c.Gateway.Name, Environment: c.Gateway.Environment, Enforcement: c.Gateway.Enforcement}
	for _, row := range c.Rules {
		rule, err := row.Policy(names[row.ConnectorID])
		if err != nil {
			return s, fmt.Errorf("rule %s: %w", row.ID, err)
		}
		s.Rules = append(s.Rules, rule)
	}
	for _, row := range c.Policies {
		p, err := row.Policy()
		if err != nil {
			return s, err
		}
		s.Policies = append(s.Policies, p)
	}
	for _, k := range c.Kills {
		if k.GatewayID == "" || k.GatewayID == c.Gateway.ID {
			s.Kills = append(s.Kills, policy.Kill{ID: k.ID, Connector: k.Connector, Reason: k.Reason, Since: k.PulledAt})
		}
	}
	return s, nil
}
