// Package decide turns what the server sends into what the gateway decides by,
// and knows whether that may still be acted on.
//
// A State never changes. The one that counts stands behind an atomic pointer,
// so deciding takes no lock, reads no disk and asks nobody. What cannot be
// compiled is refused as a whole and the State before it stays, except for
// kill switches: those are taken from whatever can be read.
package decide

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
)

// MaxValid is the longest that a snapshot may be acted on without the server
// having confirmed it, whatever the snapshot says.
const MaxValid = 7 * 24 * time.Hour

// State is what requests are decided by. A nil State denies.
type State struct {
	snapshot wire.Snapshot // without its credentials
	settings policy.Settings
	engine   *policy.Engine
	uses     policy.Uses // of engine, whatever kill switches are on
	clauses  int         // how many there are in the policies
	named    map[string]clause
	stops    *policy.Engine // the kill switches alone
	set      *connectors.Set
	settled  map[string]settled // by the configured connector's name
	broken   []string
}

// clause is what people call a clause of a policy. In State it is by its key.
type clause struct {
	policy, name string
	line         int
}

// maxExplained is of how many clauses explanations are worth their time also
// for requests that pass.
const maxExplained = 500

// settled is a connector's part of a snapshot.
type settled struct {
	private    []netip.Prefix
	clientKey  credential.ClientKey
	credential Credential
	has        bool
}

// Credential is a secret and where it may go. Its Secret is empty where it
// could not be opened: then nothing must be sent in its place.
type Credential struct {
	ID     string
	Name   string
	Secret credential.Secret
	Hosts  []string // exact, or *.example.com
}

// For reports whether the credential may go to host.
func (c Credential) For(host string) bool {
	return slices.ContainsFunc(c.Hosts, func(h string) bool {
		suffix, wild := strings.CutPrefix(h, "*")
		return h == host || wild && strings.HasPrefix(suffix, ".") && len(host) > len(suffix) && strings.HasSuffix(host, suffix)
	})
}

// known are the words of wire.Snapshot.Requires that are acted on here.
var known = []string{wire.KnowsLimits, wire.KnowsPolicies, wire.KnowsApprovers, wire.KnowsTerms}

// Compile makes a State. It fails with fault.Invalid where a connector, its type, a
// rule or a policy cannot be used as it stands, and where the snapshot requires
// what this gateway does not know of. A credential that cannot be opened does
// not fail it, since a stricter rule should not wait for it: requests that
// need the credential are refused, and Broken says why.
func Compile(s wire.Snapshot, open func(wire.SealedCredential) (credential.Secret, error)) (*State, error) {
	if s.Version <= 0 || s.ValidFor <= 0 || s.IssuedAt.IsZero() {
		return nil, fault.New(fault.Invalid, "The snapshot does not say which it is or how long it is good for.", nil)
	}
	for _, word := range s.Requires {
		if word == wire.Unreadable {
			return nil, fault.New(fault.Invalid, "The server cannot read one of its policies, so nothing is changed here until that is mended. Its log says which.", nil)
		}
		if !slices.Contains(known, word) {
			return nil, fault.New(fault.Invalid, "The configuration needs a gateway that knows of “"+audit.Plain(word, 60)+"”, and this version does not. Install a newer tameflare.", nil)
		}
	}
	st := &State{snapshot: s, settled: make(map[string]settled, len(s.Connectors))}
	credentials, err := st.open(s.Credentials, open)
	if err != nil {
		return nil, err
	}
	st.snapshot.Credentials = nil

	own, err := connectors.DefineAll(s.Types)
	if err != nil {
		return nil, err
	}
	st.snapshot.Types = nil
	all := make([]*connectors.Connector, 0, len(s.Connectors))
	for _, c := range s.Connectors {
		made, err := connectors.New(connectors.Config{Type: c.Type, Own: own.Named(c.Type), Name: c.Name, Hosts: c.Hosts, Style: c.Style})
		if err != nil {
			return nil, fmt.Errorf("connector %q: %w", c.Name, err)
		}
		all = append(all, made)
		if err := c.ClientKey.Check(); err != nil {
			return nil, fmt.Errorf("connector %q: %w", c.Name, err)
		}
		part := settled{has: c.CredentialID != "", clientKey: c.ClientKey}
		if part.has {
			var there bool
			if part.credential, there = credentials[c.CredentialID]; !there {
				part.credential = Credential{ID: c.CredentialID}
				st.broken = append(st.broken, "The credential of connector "+made.Name()+" did not come with the configuration.")
			}
		}
		for _, cidr := range c.Private {
			if err := fleet.CheckPrivate(cidr); err != nil {
				return nil, fmt.Errorf("connector %q: %w", c.Name, err)
			}
			part.private = append(part.private, netip.MustParsePrefix(cidr))
		}
		st.settled[made.Name()] = part
	}
	if st.set, err = connectors.NewSet(all); err != nil {
		return nil, err
	}
	st.settings = policy.Settings{
		Gateway: s.GatewayName, Environment: s.Environment, Enforcement: s.Enforcement, Rules: s.Rules, Policies: s.Policies, Kills: s.Kills,
	}
	st.snapshot.Policies = nil
	if st.engine, err = policy.Compile(st.settings); err != nil {
		return nil, err
	}
	st.uses = st.engine.Uses()
	st.nameClauses()
	if st.stops, err = policy.Compile(policy.Settings{Kills: s.Kills}); err != nil {
		return nil, err
	}
	return st, nil
}

func (st *State) open(sealed []wire.SealedCredential, open func(wire.SealedCredential) (credential.Secret, error)) (map[string]Credential, error) {
	opened := make(map[string]Credential, len(sealed))
	for _, c := range sealed {
		if _, twice := opened[c.ID]; twice || c.ID == "" {
			return nil, fault.New(fault.Invalid, "The snapshot names a credential twice, or not at all.", nil)
		}
		secret, err := open(c)
		if err != nil {
			secret = credential.Secret{}
			st.broken = append(st.broken, "The credential "+c.Name+" cannot be opened here. Enrol the gateway again, or save the credential again.")
		}
		opened[c.ID] = Credential{ID: c.ID, Name: c.Name, Secret: secret, Hosts: c.Hosts}
	}
	return opened, nil
}

// with returns st with other kill switches. Nothing else is compiled anew.
func (st *State) with(kills []policy.Kill) *State {
	next := *st
	next.settings.Kills = kills
	next.engine, next.stops = st.engine.WithKills(kills), st.stops.WithKills(kills)
	return &next
}

// Connector returns the connector that answers for host, or nil.
func (st *State) Connector(host string) *connectors.Connector {
	if st == nil {
		return nil
	}
	return st.set.For(host)
}

// Permits returns the ranges beyond the public internet that host may be in.
func (st *State) Permits(host string) []netip.Prefix {
	c := st.Connector(host)
	if c == nil {
		return nil
	}
	return st.settled[c.Name()].private
}

// Decide says what happens to what q is about, whose action c has named. C may
// be nil: then no connector answers for the host. The Type of q is c's.
func (st *State) Decide(q policy.Question, c *connectors.Connector) policy.Decision {
	if c != nil {
		q.Type = c.Type().Name
	}
	if st == nil {
		return (*policy.Engine)(nil).Decide(q)
	}
	return st.engine.Decide(q)
}

// Stops reports whether a kill switch stops the connector of that name, which
// is c where there is one, and the decision that says so. A nil State stops
// everything.
func (st *State) Stops(name string, c *connectors.Connector) (policy.Decision, bool) {
	q := policy.Question{Action: action.Action{Connector: name}}
	if c != nil {
		q.Type = c.Type().Name
	}
	if st == nil {
		return (*policy.Engine)(nil).Decide(q), true
	}
	d := st.stops.Decide(q)
	return d, d.By == policy.ByKillSwitch
}

// Explain says what Decide says, and why.
func (st *State) Explain(q policy.Question, c *connectors.Connector) (policy.Decision, policy.Explanation) {
	if c != nil {
		q.Type = c.Type().Name
	}
	if st == nil {
		return (*policy.Engine)(nil).Explain(q)
	}
	return st.engine.Explain(q)
}

// Uses says what policies look at of requests.
func (st *State) Uses() policy.Uses {
	if st == nil {
		return policy.Uses{}
	}
	return st.uses
}

// Clause names what d was decided by, where that is a policy: the policy, the
// rule in it, and its line.
func (st *State) Clause(d policy.Decision) (name, rule string, line int) {
	if st == nil {
		return "", "", 0
	}
	if c, ok := st.named[d.Rule]; ok && strings.HasPrefix(d.Rule, d.Policy+"/") {
		return c.policy, c.name, c.line
	}
	for i := range st.settings.Policies {
		if p := &st.settings.Policies[i]; p.ID == d.Policy {
			return p.Name, "", 0
		}
	}
	return "", "", 0
}

// nameClauses fills in what people call the clauses.
func (st *State) nameClauses() {
	for i := range st.settings.Policies {
		st.clauses += len(st.settings.Policies[i].Clauses)
	}
	st.named = make(map[string]clause, st.clauses)
	for i := range st.settings.Policies {
		p := &st.settings.Policies[i]
		for n := range p.Clauses {
			if key := p.Key(n); st.named[key] == (clause{}) { // of two that are the same, the first
				st.named[key] = clause{p.Name, p.Clauses[n].Name, p.Clauses[n].Line}
			}
		}
	}
}

// Judges reports whether there are policies here at all.
func (st *State) Judges() bool { return st != nil && len(st.settings.Policies) > 0 }

// Explains reports whether there are policies, and few enough that working out
// why a request simply passes is no burden.
func (st *State) Explains() bool { return st.Judges() && st.clauses <= maxExplained }

// Credential returns the credential that c's requests are given, and whether
// there is to be one. Its Secret may be empty: see Credential.
func (st *State) Credential(c *connectors.Connector) (Credential, bool) {
	if st == nil || c == nil {
		return Credential{}, false
	}
	part := st.settled[c.Name()]
	return part.credential, part.has
}

// ClientKey says what becomes of a key that a client brings to c of its own.
func (st *State) ClientKey(c *connectors.Connector) credential.ClientKey {
	if st == nil || c == nil {
		return credential.RequireDummy
	}
	return st.settled[c.Name()].clientKey
}

// Version returns the number of the snapshot.
func (st *State) Version() int64 { return st.snapshot.Version }

// GatewayID returns whose snapshot it is.
func (st *State) GatewayID() string { return st.snapshot.GatewayID }

// GatewayName returns what people call the gateway.
func (st *State) GatewayName() string { return st.snapshot.GatewayName }

// BaseURL returns where the dashboard is.
func (st *State) BaseURL() string { return st.snapshot.BaseURL }

// Enforcement returns how much of a decision is acted on.
func (st *State) Enforcement() policy.Enforcement { return st.snapshot.Enforcement }

// IssuedAt returns when the server made the snapshot, by its clock.
func (st *State) IssuedAt() time.Time { return st.snapshot.IssuedAt }

// Kills returns the kill switches that are on, the machine's own among them.
func (st *State) Kills() []policy.Kill { return slices.Clone(st.settings.Kills) }

// Connectors returns the configured connectors.
func (st *State) Connectors() []*connectors.Connector {
	out := make([]*connectors.Connector, 0, len(st.snapshot.Connectors))
	for _, c := range st.snapshot.Connectors {
		name := c.Name
		if name == "" {
			name = c.Type
		}
		if made := st.set.Named(name); made != nil {
			out = append(out, made)
		}
	}
	return out
}

// Broken says in sentences what of the snapshot cannot be used.
func (st *State) Broken() []string { return slices.Clone(st.broken) }
