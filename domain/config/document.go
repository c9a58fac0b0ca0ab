// Package config is configuration as code: the document that "tameflare apply"
// reads and "tameflare export" writes. It does no I/O.
//
// A document names everything and holds no secret: a credential says where its
// secret comes from, and whoever applies the document fetches it from there.
package config

import (
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/policy"
)

// Version is the version of the documents that this package reads and writes.
const Version = 1

// Document is a whole configuration. Lists that are empty are nil.
type Document struct {
	Types       []Type // connector types that the program does not bring along
	Groups      []Group
	Credentials []Credential
	Gateways    []Gateway
	Policies    []Policy
}

// Credential is one in the vault, without its secret.
type Credential struct {
	Name      string
	Connector string   // the connector type that it is for
	Hosts     []string // where it may go; the type's hosts where empty
	From      Source   // of a static one's secret

	OAuth        credential.OAuth // zero for a static one
	ClientSecret Source
	RefreshToken Source
}

// Needed is a secret that a document says the whereabouts of.
type Needed struct {
	Name string // by which it goes along with the document: ClientSecretOf and its kin
	From Source
}

// ClientSecretOf and RefreshTokenOf name the secrets of an OAuth credential.
// That of a static one has the credential's own name, which has no slash.
func ClientSecretOf(credential string) string { return credential + "/client_secret" }
func RefreshTokenOf(credential string) string { return credential + "/refresh_token" }

// Needs returns where c's secrets are to be read.
func (c Credential) Needs() []Needed {
	var all []Needed
	for _, n := range []Needed{{c.Name, c.From}, {ClientSecretOf(c.Name), c.ClientSecret}, {RefreshTokenOf(c.Name), c.RefreshToken}} {
		if n.From != (Source{}) {
			all = append(all, n)
		}
	}
	return all
}

// Source says where the secret is to be read when the document is applied. The
// zero Source is nowhere: the vault has it already.
type Source struct {
	Env   string // an environment variable
	File  string
	Stdin bool
}

// Gateway is a gateway and what its requests may do.
type Gateway struct {
	Name        string
	Environment string
	Enforcement policy.Enforcement
	Connectors  []Connector
}

// Connector is a service that a gateway can reach.
type Connector struct {
	Type       string
	Name       string   // the type's where the document says nothing
	Hosts      []string // the type's where empty
	Private    []string // networks, in CIDR form, that the hosts may be in
	Auth       credential.Style
	Credential string // by name; "" for none
	ClientKey  credential.ClientKey
	Rules      []Rule
}

// Rule is an access rule, or a preset that stands for some.
type Rule struct {
	Preset   policy.Preset // with a preset, nothing else
	Action   action.Pattern
	Class    *action.Class // nil: any
	When     policy.Limits // nil: anything
	Decision policy.Effect
	Hold     *time.Duration // nil: policy.DefaultHold
	TTL      time.Duration  // 0: policy.DefaultTTL
	Reason   string

	Approvers policy.Approvers // for RequireApproval; zero: whoever may decide
}

// AccessRules returns what r stands for, without ID.
func (r Rule) AccessRules(connector string) ([]policy.Rule, error) {
	rules := []policy.Rule{{Pattern: r.Action, Class: r.Class, When: r.When, Effect: r.Decision, Hold: r.Hold, TTL: r.TTL, Reason: r.Reason, Approvers: r.Approvers}}
	if r.Preset != policy.NoPreset {
		var err error
		if rules, err = r.Preset.Rules(); err != nil {
			return nil, err
		}
	}
	for i := range rules {
		rules[i].Connector = connector
	}
	return rules, nil
}

// AccessRules returns the rules of all the gateway's connectors. Each has an
// ID that says where it stands: "github/github.pr.merge".
func (g Gateway) AccessRules() ([]policy.Rule, error) {
	var all []policy.Rule
	for _, c := range g.Connectors {
		for _, r := range c.Rules {
			rules, err := r.AccessRules(c.Name)
			if err != nil {
				return nil, err
			}
			for i := range rules {
				rules[i].ID = c.Name + "/" + r.key()
			}
			all = append(all, rules...)
		}
	}
	return all, nil
}

// key tells the rules of one connector apart.
func (r Rule) key() string {
	if r.Preset != policy.NoPreset {
		return "preset " + string(r.Preset)
	}
	key := string(r.Action)
	if r.Class != nil {
		key += " (" + r.Class.String() + ")"
	}
	if len(r.When) > 0 {
		key += " where " + r.When.String()
	}
	return key
}

// External returns the names of the credentials that connectors use and the
// document does not list. The vault must have them.
func (d *Document) External() []string {
	var names []string
	for _, g := range d.Gateways {
		for _, c := range g.Connectors {
			if c.Credential != "" && d.credential(c.Credential) == nil && !slices.Contains(names, c.Credential) {
				names = append(names, c.Credential)
			}
		}
	}
	return names
}

func (d *Document) credential(name string) *Credential {
	for i := range d.Credentials {
		if d.Credentials[i].Name == name {
			return &d.Credentials[i]
		}
	}
	return nil
}
