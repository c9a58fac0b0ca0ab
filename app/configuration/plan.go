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
	changes []config.Change
	vault   []fleet.Credential // as it will be
}

func (p *planner) make(ctx context.Context, doc *config.Document, secrets map[string]credential.Secret) error {
	p.plan = store.Plan{TeamID: p.v.Team.ID, Revision: p.now.revision}
	was, want := p.now.document(), plain(doc)
	keep(was, want, p.opt.Prune)
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
}

// credentials plans what happens to the vault, and returns which secrets are
// replaced: that is the one change which documents do not show.
func (p *planner) credentials(ctx context.Context, want *config.Document, secrets map[string]credential.Secret) ([]config.Change, error) {
	var replaced []config.Change
	for _, c := range want.Credentials {
		old, there := p.now.credential(c.Name)
		if there && old.Type != c.Connector {
			return nil, fault.New(fault.Invalid, "The credential "+c.Name+" is for "+old.Type+". Choose another name for one for "+c.Connector+".", nil)
		}
		moved := there && !slices.Equal(plainHosts(old.Hosts), c.Hosts)
		secret, given := secrets[c.Name]
		switch {
		case !given && !there:
			return nil, fault.New(fault.Invalid, "The credential "+c.Name+" is not in the vault, and no secret came with it. Say under “from” where it is.", nil)
		case !given && moved:
			return nil, fault.New(fault.Invalid, "The hosts of the credential "+c.Name+" change, and its secret is bound to them. Say under “from” where it is.", nil)
		case !given:
			continue
		}
		step, err := p.seal(ctx, c, secret)
		if err != nil {
			return nil, fault.New(fault.Of(err), "Credential "+c.Name+": "+fault.Message(err), err)
		}
		if there && !moved && step.Credential.Fingerprint == old.Fingerprint {
			continue // the secret that is there already
		}
		if there && step.Credential.Fingerprint != old.Fingerprint {
			replaced = append(replaced, config.Change{Op: config.Update, Path: "credentials/" + c.Name, Detail: "secret: replaced"})
		}
		p.plan.Credentials = append(p.plan.Credentials, step)
		p.vault = append(slices.DeleteFunc(p.vault, func(o fleet.Credential) bool { return o.ID == step.Credential.ID }), step.Credential)
	}
	return replaced, nil
}

// seal lets the vault do what it does when somebody puts a secret into it, and
// keeps what it would have written for the plan.
func (p *planner) seal(ctx context.Context, c config.Credential, secret credential.Secret) (store.CredentialStep, error) {
	aside := &aside{Store: p.s.Store}
	v := vault.Service{Store: aside, Master: p.s.Vault.Master, Now: p.s.Now}
	if _, err := v.Put(ctx, p.v, c.Name, c.Connector, c.Hosts, secret); err != nil {
		return store.CredentialStep{}, err
	}
	return aside.step, nil
}

// aside is a vault's store that writes nothing.
type aside struct {
	vault.Store
	step store.CredentialStep
}

func (a *aside) InsertCredential(_ context.Context, c fleet.Credential, e audit.Event) error {
	a.step = store.CredentialStep{Credential: c, New: true, Event: e}
	return nil
}

func (a *aside) RotateCredential(_ context.Context, c fleet.Credential, e audit.Event) error {
	a.step = store.CredentialStep{Credential: c, Event: e}
	return nil
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
	made, rules, err := gateways.Arrange(g.ID, cs, rows, p.vault)
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
			Type: c.Type, Name: c.Name, Hosts: c.Hosts, Private: c.Private, AuthKind: c.Auth.Kind, AuthName: c.Auth.Name,
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
