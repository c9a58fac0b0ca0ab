package configuration

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// planner works out what a document changes.
type planner struct {
	s   *Service
	v   team.Viewer
	now state
	opt Options

	plan    store.Plan
	drafts  []vault.Draft // of the credentials that change; the plan has them once they are sealed
	changes []config.Change
	vault   []fleet.Credential // as it will be
	own     connectors.Own     // the same
	after   []fleet.Policy     // the same
}

func (p *planner) make(ctx context.Context, doc *config.Document, secrets map[string]credential.Secret) error {
	p.plan = store.Plan{TeamID: p.v.Team.ID, Revision: p.now.revision}
	types, own, err := p.types(doc)
	if err != nil {
		return err
	}
	p.own = own
	was, want := p.now.document(), plain(doc, own)
	want.Types = types
	if err := p.policies(slices.Clone(want.Policies)); err != nil {
		return err
	}
	keep(was, want, p.opt.Prune)
	p.keepGroups(was, want)
	if err := p.unused(want); err != nil {
		return err
	}
	p.vault = slices.Clone(p.now.credentials)
	replaced, err := p.credentials(ctx, want, secrets)
	if err != nil {
		return err
	}
	p.changes = slices.Concat(replaced, config.Diff(was, want))
	for _, g := range want.Gateways {
		if err := p.gateway(was, g); err != nil {
			return err
		}
	}
	if err := p.groups(was, want); err != nil {
		return err
	}
	p.prune(want)
	return nil
}

// keep adds to want what it does not name and was there. With prune that is
// only what its connectors use.
func keep(was, want *config.Document, prune bool) {
	used := want.External()
	for _, c := range was.Credentials {
		if prune && !slices.Contains(used, c.Name) {
			continue
		}
		if !slices.ContainsFunc(want.Credentials, func(o config.Credential) bool { return o.Name == c.Name }) {
			want.Credentials = append(want.Credentials, c)
		}
	}
	for _, g := range was.Gateways {
		if !prune && !slices.ContainsFunc(want.Gateways, func(o config.Gateway) bool { return o.Name == g.Name }) {
			want.Gateways = append(want.Gateways, g)
		}
	}
	for _, one := range was.Policies {
		if !prune && !slices.ContainsFunc(want.Policies, func(o config.Policy) bool { return o.Name == one.Name }) {
			want.Policies = append(want.Policies, one)
		}
	}
}

// gateway plans what happens to one gateway.
func (p *planner) gateway(was *config.Document, want config.Gateway) error {
	old, there := p.now.gateway(want.Name)
	if err := (gateways.Settings{Name: want.Name, Environment: want.Environment, Enforcement: want.Enforcement}).Check(); err != nil {
		return fault.New(fault.Of(err), "Gateway "+want.Name+": "+fault.Message(err), err)
	}
	g := old.Gateway
	if !there {
		g = fleet.Gateway{
			ID: "gw_" + strings.ToLower(rand.Text()), TeamID: p.v.Team.ID, Name: want.Name, Status: fleet.Active, CreatedAt: audit.Time(p.s.Now()),
		}
	}
	before := g
	g.Environment, g.Enforcement = want.Environment, want.Enforcement
	if !there || g.Environment != before.Environment || g.Enforcement != before.Enforcement {
		typ := "gateway.updated"
		if !there {
			typ = "gateway.created"
		}
		e := p.event(typ, g)
		if there {
			e.Detail["enforcement_before"] = before.Enforcement.String()
		}
		p.plan.Gateways = append(p.plan.Gateways, store.GatewayStep{Gateway: g, New: !there, Event: e})
	}
	cs, err := p.connectors(want)
	if err != nil {
		return err
	}
	rows := make([]fleet.Connector, len(old.connectors))
	for i, c := range old.connectors {
		rows[i] = c.Connector
	}
	made, rules, err := gateways.Arrange(g.ID, cs, rows, p.vault, p.own)
	if err != nil {
		return fault.New(fault.Of(err), "Gateway "+want.Name+": "+fault.Message(err), err)
	}
	if same(was, want) {
		return nil
	}
	e := p.event("gateway.configured", g)
	e.Detail["connectors"], e.Detail["rules"] = strconv.Itoa(len(made)), strconv.Itoa(len(rules))
	p.plan.Configure = append(p.plan.Configure, store.ConfigureStep{GatewayID: g.ID, Connectors: made, Rules: rules, Event: e})
	return nil
}

// same reports whether a gateway's connectors are to stay as they are.
func same(was *config.Document, want config.Gateway) bool {
	i := slices.IndexFunc(was.Gateways, func(g config.Gateway) bool { return g.Name == want.Name })
	if i < 0 {
		return len(want.Connectors) == 0
	}
	only := func(g config.Gateway) *config.Document {
		return &config.Document{Gateways: []config.Gateway{{Name: g.Name, Connectors: g.Connectors}}}
	}
	return len(config.Diff(only(was.Gateways[i]), only(want))) == 0
}

func (p *planner) connectors(want config.Gateway) ([]gateways.Connector, error) {
	cs := make([]gateways.Connector, 0, len(want.Connectors))
	for _, c := range want.Connectors {
		out := gateways.Connector{Connector: fleet.Connector{
			Type: c.Type, Name: c.Name, Hosts: c.Hosts, Private: c.Private, AuthKind: c.Auth.Kind, AuthName: c.Auth.Name, ClientKey: c.ClientKey,
		}}
		if c.Credential != "" {
			i := slices.IndexFunc(p.vault, func(o fleet.Credential) bool { return o.Name == c.Credential })
			if i < 0 {
				return nil, fault.New(fault.Invalid, "Connector "+c.Name+" of gateway "+want.Name+" uses the credential "+c.Credential+", which is neither in the document nor in the vault.", nil)
			}
			out.CredentialID = p.vault[i].ID
		}
		for _, r := range c.Rules {
			rules, err := r.AccessRules(c.Name)
			if err != nil {
				return nil, fault.New(fault.Of(err), "Connector "+c.Name+" of gateway "+want.Name+": "+fault.Message(err), err)
			}
			for _, rule := range rules {
				out.Rules = append(out.Rules, fleet.NewRule(rule, r.Preset))
			}
		}
		cs = append(cs, out)
	}
	return cs, nil
}

// prune plans the end of what want does not name; it names everything unless
// it was asked to.
func (p *planner) prune(want *config.Document) {
	for _, g := range p.now.gateways {
		if !slices.ContainsFunc(want.Gateways, func(o config.Gateway) bool { return o.Name == g.Name }) {
			p.plan.Revoke = append(p.plan.Revoke, store.GatewayStep{Gateway: g.Gateway, Event: p.event("gateway.revoked", g.Gateway)})
		}
	}
	for _, c := range p.now.credentials {
		if !slices.ContainsFunc(want.Credentials, func(o config.Credential) bool { return o.Name == c.Name }) {
			p.plan.Forget = append(p.plan.Forget, store.CredentialStep{Credential: c, Event: audit.Event{
				Time: p.s.Now(), Type: "credential.deleted", Actor: p.v.Actor(), Target: c.ID, Name: c.Name,
				Detail: map[string]string{"type": c.Type, "by": "configuration"},
			}})
		}
	}
}

func (p *planner) event(typ string, g fleet.Gateway) audit.Event {
	return audit.Event{
		Time: p.s.Now(), Type: typ, Actor: p.v.Actor(), Target: g.ID, Name: g.Name, Gateway: g.ID,
		Detail: map[string]string{"environment": cmp.Or(g.Environment, "none"), "enforcement": g.Enforcement.String(), "by": "configuration"},
	}
}
