package cli_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/rest"
)

// kept is a policy at the server, and what it has said, oldest first.
type kept struct {
	rest.Policy
	said []string
}

// policyRoutes keeps policies as a server does, and minds nothing but which
// version a change was made from.
func (s *site) policyRoutes(handle func(pattern string, do func(r *http.Request) (any, error))) {
	find := func(idOrName string) *kept {
		for _, p := range s.policies {
			if p.ID == idOrName || p.Name == idOrName {
				return p
			}
		}
		return nil
	}
	none := fault.New(fault.NotFound, "There is no such policy.", nil)
	handle("GET /policies", func(*http.Request) (any, error) {
		list := rest.List[rest.Policy]{Items: []rest.Policy{}}
		for _, p := range s.policies {
			one := p.Policy
			one.Document = ""
			list.Items = append(list.Items, one)
		}
		return list, nil
	})
	handle("GET /policies/{name}", func(r *http.Request) (any, error) {
		if p := find(r.PathValue("name")); p != nil {
			return p.Policy, nil
		}
		return nil, none
	})
	handle("GET /policies/{name}/versions", func(r *http.Request) (any, error) {
		p := find(r.PathValue("name"))
		if p == nil {
			return nil, none
		}
		var list rest.List[rest.PolicyVersion]
		for i, text := range p.said {
			sum := sha256.Sum256([]byte(text))
			list.Items = append(list.Items, rest.PolicyVersion{Version: int64(i + 1), Digest: hex.EncodeToString(sum[:])})
		}
		return list, nil
	})
	handle("POST /policies", func(r *http.Request) (any, error) {
		var d rest.PolicyDraft
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			return nil, err
		}
		doc, err := document.Parse("policy", []byte(d.Document), connectors.Catalogue{})
		if err != nil {
			return nil, err
		}
		p := find(d.Policy)
		switch {
		case d.Policy != "" && p == nil:
			return nil, none
		case p != nil && d.Base != p.Version, p == nil && find(doc.Policy.Name) != nil:
			return nil, fault.New(fault.Conflict, "Somebody has changed the policy "+doc.Policy.Name+" meanwhile.", nil)
		case p == nil:
			p = &kept{Policy: rest.Policy{ID: fmt.Sprintf("pol_%d", len(s.policies)+1), Enabled: true, Priority: 100}}
			if !d.DryRun {
				s.policies = append(s.policies, p)
			}
		}
		if d.DryRun {
			return rest.PolicySaved{DryRun: true, Changed: true, Policy: p.Policy}, nil
		}
		p.Name, p.Document, p.said = doc.Policy.Name, d.Document, append(p.said, d.Document)
		p.Version = int64(len(p.said))
		p.Rules = nil
		for _, c := range doc.Policy.Clauses {
			p.Rules = append(p.Rules, rest.PolicyRule{Name: c.Name})
		}
		if d.Enabled != nil {
			p.Enabled = *d.Enabled
		}
		if d.ReportOnly != nil {
			p.ReportOnly = *d.ReportOnly
		}
		if d.Priority != nil {
			p.Priority = *d.Priority
		}
		return rest.PolicySaved{Changed: true, Policy: p.Policy}, nil
	})
}

// export is the configuration: one gateway, which may do everything, and the
// policies.
func (s *site) export() (rest.Configuration, error) {
	if len(s.policies) == 0 {
		return rest.Configuration{Document: "version: 1\n"}, nil
	}
	doc := &config.Document{Gateways: []config.Gateway{{Name: "box", Connectors: []config.Connector{
		{Type: "github", Name: "github", Rules: []config.Rule{{Preset: "allow_all"}}},
	}}}}
	for _, p := range s.policies {
		doc.Policies = append(doc.Policies, config.Policy{Name: p.Name, Document: p.Document, Disabled: !p.Enabled, ReportOnly: p.ReportOnly, Priority: p.Priority})
	}
	text, err := config.Marshal(doc)
	return rest.Configuration{Document: string(text)}, err
}
