package gateways

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Connector is a connector of a gateway with its access rules. Of both only
// what people say counts; IDs and places are given to them here.
type Connector struct {
	fleet.Connector
	Rules []fleet.Rule
}

const (
	maxConnectors = 100
	maxRules      = 10_000 // of a gateway
	maxReason     = 500
)

// Configure replaces everything that is configured for a gateway. It fails
// with fault.Invalid where something cannot be used as it stands, with
// fault.NotFound where there is no such gateway or credential, and changes
// nothing then.
func (s *Service) Configure(ctx context.Context, v team.Viewer, gatewayID string, cs []Connector) error {
	if err := manages(v); err != nil {
		return err
	}
	g, err := s.Find(ctx, v.Team.ID, gatewayID)
	if err != nil {
		return err
	}
	was, err := s.Store.Configuration(ctx, v.Team.ID, g.ID)
	if err != nil {
		return fmt.Errorf("configure gateway: %w", err)
	}
	vault, err := s.Store.Credentials(ctx, v.Team.ID)
	if err != nil {
		return fmt.Errorf("configure gateway: %w", err)
	}
	own, err := connectors.DefineAll(fleet.Definitions(was.Types))
	if err != nil {
		return fmt.Errorf("configure gateway: %w", err)
	}
	rows, rules, err := Arrange(g.ID, cs, was.Connectors, vault, own)
	if err != nil {
		return fmt.Errorf("configure gateway: %w", err)
	}
	e := s.event(v, "gateway.configured", g)
	e.Detail["connectors"] = names(rows)
	e.Detail["connectors_before"] = names(was.Connectors)
	e.Detail["rules"], e.Detail["rules_before"] = strconv.Itoa(len(rules)), strconv.Itoa(len(was.Rules))
	if err := s.Store.Configure(ctx, v.Team.ID, g.ID, rows, rules, e); err != nil {
		return fmt.Errorf("configure gateway: %w", err)
	}
	s.changed(ctx, g.TeamID)
	return nil
}

func names(cs []fleet.Connector) string {
	var all []string
	for _, c := range cs {
		all = append(all, c.Name)
	}
	return strings.Join(all, " ")
}

// Configuration returns what is configured for a gateway, in order. It fails
// with fault.NotFound.
func (s *Service) Configuration(ctx context.Context, teamID, gatewayID string) ([]Connector, error) {
	c, err := s.Store.Configuration(ctx, teamID, gatewayID)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Collect(c.Connectors, c.Rules), nil
}

// Connectors returns what is configured for all gateways of a team that may
// take part.
func (s *Service) Connectors(ctx context.Context, teamID string) ([]fleet.Connector, error) {
	gs, err := s.List(ctx, teamID)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, g := range gs {
		if g.Status == fleet.Active {
			ids = append(ids, g.ID)
		}
	}
	cs, err := s.Store.Connectors(ctx, ids...)
	if err != nil {
		return nil, fmt.Errorf("read connectors: %w", err)
	}
	return cs, nil
}

// Collect puts rules to their connectors.
func Collect(rows []fleet.Connector, rules []fleet.Rule) []Connector {
	cs := make([]Connector, len(rows))
	at := make(map[string]int, len(rows))
	for i, row := range rows {
		cs[i].Connector = row
		at[row.ID] = i
	}
	for _, r := range rules {
		if i, ok := at[r.ConnectorID]; ok {
			cs[i].Rules = append(cs[i].Rules, r)
		}
	}
	return cs
}

// Arrange makes rows of what people want for a gateway. A connector that was
// there under its name keeps its ID; a rule that says the same as another of
// its connector is left out. Vault is what credentials may be chosen from, and
// own are the team's types. It
// fails with fault.Invalid, naming the connector, where something cannot be
// used as it stands.
func Arrange(gatewayID string, cs []Connector, was []fleet.Connector, vault []fleet.Credential, own connectors.Own) ([]fleet.Connector, []fleet.Rule, error) {
	if len(cs) > maxConnectors {
		return nil, nil, fault.New(fault.Invalid, "A gateway has at most 100 connectors.", nil)
	}
	rows := make([]fleet.Connector, 0, len(cs))
	made := make([]*connectors.Connector, 0, len(cs))
	var rules []fleet.Rule
	for i, c := range cs {
		row, known, err := arrange(c.Connector, vault, own)
		if err != nil {
			return nil, nil, of(c.Connector, err)
		}
		row.GatewayID, row.Position = gatewayID, i
		row.ID = "con_" + strings.ToLower(rand.Text())
		if j := slices.IndexFunc(was, func(w fleet.Connector) bool { return w.Name == row.Name }); j >= 0 {
			row.ID = was[j].ID
		}
		rows, made = append(rows, row), append(made, known)
		if rules, err = arrangeRules(rules, row, c.Rules); err != nil {
			return nil, nil, of(row, err)
		}
	}
	if _, err := connectors.NewSet(made); err != nil { // names and hosts that are there twice
		return nil, nil, err
	}
	if len(rules) > maxRules {
		return nil, nil, fault.New(fault.Invalid, "A gateway has at most 10,000 rules.", nil)
	}
	return rows, rules, nil
}

func arrange(c fleet.Connector, vault []fleet.Credential, own connectors.Own) (fleet.Connector, *connectors.Connector, error) {
	known, err := connectors.New(connectors.Config{Type: c.Type, Own: own.Named(c.Type), Name: c.Name, Hosts: c.Hosts, Style: c.Style()})
	if err != nil {
		return c, nil, err
	}
	c.Name = known.Name()
	if len(c.Hosts) > 0 {
		c.Hosts = known.Hosts()
	}
	for _, cidr := range c.Private {
		if err := fleet.CheckPrivate(cidr); err != nil {
			return c, nil, err
		}
	}
	if err := c.ClientKey.Check(); err != nil {
		return c, nil, err
	}
	if c.CredentialID == "" {
		return c, known, nil
	}
	if c.AuthKind == credential.None {
		usual := known.Type().Usual()
		c.AuthKind, c.AuthName = usual.Kind, usual.Name
	}
	i := slices.IndexFunc(vault, func(o fleet.Credential) bool { return o.ID == c.CredentialID })
	if i < 0 {
		return c, nil, fault.New(fault.NotFound, "There is no such credential in the vault.", nil)
	}
	if err := fits(vault[i], c, known); err != nil {
		return c, nil, err
	}
	return c, known, nil
}

// fits fails with fault.Invalid where a credential is for another service, or
// may not go to one of the connector's hosts.
func fits(cred fleet.Credential, c fleet.Connector, known *connectors.Connector) error {
	if cred.Type != "" && cred.Type != c.Type {
		return fault.New(fault.Invalid, "The credential "+cred.Name+" is for "+cred.Type+". Choose one for "+c.Type+".", nil)
	}
	if len(cred.Hosts) == 0 {
		return nil
	}
	for _, host := range known.Hosts() {
		if !slices.ContainsFunc(cred.Hosts, func(allowed string) bool { return covers(allowed, host) }) {
			return fault.New(fault.Invalid, "The credential "+cred.Name+" may not go to "+host+". Add the host to the credential, or choose another.", nil)
		}
	}
	return nil
}

// covers reports whether everything that host stands for is allowed.
func covers(allowed, host string) bool {
	suffix, wild := strings.CutPrefix(allowed, "*")
	return allowed == host || wild && strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix)
}

func arrangeRules(rules []fleet.Rule, c fleet.Connector, wanted []fleet.Rule) ([]fleet.Rule, error) {
	seen := map[string]bool{}
	for _, r := range wanted {
		if len(r.Reason) > maxReason {
			return nil, fault.New(fault.Invalid, "A rule's reason is at most 500 bytes.", nil)
		}
		r.When = r.When.Plain()
		if r.Approvers.Count == 1 {
			r.Approvers.Count = 0 // which means the same
		}
		r.ID = fleet.RuleID(c.GatewayID, c.Name, r)
		if _, err := r.Policy(c.Name); err != nil {
			return nil, fault.New(fault.Invalid, "Rule "+cmp.Or(string(r.Pattern), "without a pattern")+": "+fault.Message(err), err)
		}
		if seen[r.ID] {
			continue
		}
		seen[r.ID] = true
		r.GatewayID, r.ConnectorID, r.Position = c.GatewayID, c.ID, len(rules)
		rules = append(rules, r)
	}
	return rules, nil
}

// of says which connector an error is about.
func of(c fleet.Connector, err error) error {
	return fault.New(fault.Of(err), "Connector "+cmp.Or(c.Name, c.Type, "without a type")+": "+fault.Message(err), err)
}
