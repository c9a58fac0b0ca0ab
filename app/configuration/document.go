package configuration

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// document writes st as a person would have: what is usual is left out.
func (st state) document() *config.Document {
	doc, own := &config.Document{Types: st.documentTypes(), Groups: st.documentGroups(), Policies: st.documentPolicies()}, st.own()
	for _, c := range st.credentials {
		doc.Credentials = append(doc.Credentials, config.Credential{Name: c.Name, Connector: c.Type, Hosts: orNil(c.Hosts), OAuth: c.OAuth})
	}
	for _, g := range st.gateways {
		out := config.Gateway{Name: g.Name, Environment: g.Environment, Enforcement: g.Enforcement}
		for _, c := range g.connectors {
			written := config.Connector{
				Type: c.Type, Name: c.Name, Hosts: orNil(c.Hosts), Private: orNil(c.Private), Auth: unusual(own.Named(c.Type), c.Style()), ClientKey: c.ClientKey, Rules: writeRules(c.Rules),
			}
			for _, cred := range st.credentials {
				if cred.ID == c.CredentialID {
					written.Credential = cred.Name
				}
			}
			out.Connectors = append(out.Connectors, written)
		}
		doc.Gateways = append(doc.Gateways, out)
	}
	return doc
}

func orNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// unusual returns style, or the zero Style where it is the type's usual one.
func unusual(typ *connectors.Type, style credential.Style) credential.Style {
	if typ != nil && style == typ.Usual() {
		return credential.Style{}
	}
	return style
}

// writeRules puts the rules of a preset together again, where they are all
// there as the preset has them now.
func writeRules(rows []fleet.Rule) []config.Rule {
	var out []config.Rule
	done := map[policy.Preset]bool{}
	for _, r := range rows {
		if r.Preset != policy.NoPreset && isWhole(r.Preset, rows) {
			if !done[r.Preset] {
				done[r.Preset] = true
				out = append(out, config.Rule{Preset: r.Preset})
			}
			continue
		}
		out = append(out, writeRule(r))
	}
	return out
}

func isWhole(p policy.Preset, rows []fleet.Rule) bool {
	want, err := fleet.PresetRules(p)
	if err != nil {
		return false
	}
	var have []fleet.Rule
	for _, r := range rows {
		if r.Preset == p {
			have = append(have, r)
		}
	}
	return slices.EqualFunc(want, have, func(a, b fleet.Rule) bool { return fleet.RuleID("", "", a) == fleet.RuleID("", "", b) })
}

func writeRule(r fleet.Rule) config.Rule {
	out := config.Rule{Action: r.Pattern, When: r.When.Plain(), Decision: r.Effect, TTL: time.Duration(r.TTLMS) * time.Millisecond, Reason: r.Reason, Approvers: r.Approvers}
	if r.Class != "" {
		out.Class = new(action.Class)
		_ = out.Class.UnmarshalText([]byte(r.Class)) // else the zero Class, which is the strictest
	}
	if r.HoldMS >= 0 {
		hold := time.Duration(r.HoldMS) * time.Millisecond
		out.Hold = &hold
	}
	return out
}

// plain returns doc in the spelling in which Export would write it, so that
// the two can be compared. Own are the connector types that there will be.
func plain(doc *config.Document, own connectors.Own) *config.Document {
	out := &config.Document{Groups: slices.Clone(doc.Groups)}
	for _, c := range doc.Credentials {
		c.From, c.ClientSecret, c.RefreshToken = config.Source{}, config.Source{}, config.Source{}
		c.Hosts = plainHosts(c.Hosts)
		out.Credentials = append(out.Credentials, c)
	}
	for _, g := range doc.Gateways {
		was := g.Connectors
		g.Connectors = nil
		for _, c := range was {
			c.Name = cmp.Or(c.Name, c.Type)
			if known, err := connectors.New(connectors.Config{Type: c.Type, Own: own.Named(c.Type), Name: c.Name, Hosts: c.Hosts, Style: c.Auth}); err == nil && len(c.Hosts) > 0 {
				c.Hosts = known.Hosts()
			}
			c.Hosts, c.Private, c.Auth = orNil(c.Hosts), orNil(c.Private), unusual(own.Named(c.Type), c.Auth)
			g.Connectors = append(g.Connectors, c)
		}
		out.Gateways = append(out.Gateways, g)
	}
	for _, p := range doc.Policies {
		p.File, p.Notes, p.Priority = "", nil, cmp.Or(p.Priority, policy.DefaultPriority)
		out.Policies = append(out.Policies, p)
	}
	return out
}

// plainHosts spells hosts as the vault does.
func plainHosts(hosts []string) []string {
	var out []string
	for _, h := range hosts {
		if h = strings.ToLower(strings.TrimSpace(h)); h != "" {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
