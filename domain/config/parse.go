package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// Catalogue is what is known of connectors.
type Catalogue interface {
	Types() []string
	Actions(connectorType string) []string
	Params(connectorType string, of action.Pattern) []string // what the actions show besides their resource; none where that is not known
	Check(all ...Connector) error                            // each by itself, and that they can be at one gateway
}

const maxReason = 500

// Parse reads a document. It fails with fault.Invalid, and then the message
// has every problem with its line, its key and, where a word is nearly right,
// the right one; errors.AsType finds them as *Problems. File is what they call
// the document.
func Parse(file string, data []byte, known Catalogue) (*Document, error) {
	r := &parsing{known: known}
	r.problems.File = file
	root, problem := parseYAML(data)
	switch {
	case problem != nil:
		r.problems.All = append(r.problems.All, *problem)
	case root == nil:
		r.problems.All = append(r.problems.All, Problem{Line: 1, Column: 1, Message: "The file is empty; begin with “version: 1”."})
	default:
		r.document(place{node: root})
	}
	if err := r.problems.err(); err != nil {
		return nil, err
	}
	return &r.doc, nil
}

type parsing struct {
	reader
	known  Catalogue
	doc    Document
	uses   []use
	broken []string // connector types that the document brings and nobody can use
}

func (r *parsing) document(root place) {
	top := r.mapping(root, "version", "connector_types", "credentials", "gateways", "policies")
	if top == nil {
		return
	}
	switch n := top["version"].node.(type) {
	case nil:
		r.bad(root, "version is missing; begin with “version: 1”")
	case *ast.IntegerNode:
		if n.GetToken().Value != "1" {
			r.bad(top["version"], "this program reads version 1")
		}
	default:
		r.bad(top["version"], "this program reads version 1")
	}
	if p := top["policies"]; p.there() && len(r.items(p)) > 0 {
		r.bad(p, "policies are not supported by this version; leave them out and use access rules")
	}
	r.types(top["connector_types"])
	for _, item := range r.items(top["credentials"]) {
		r.doc.Credentials = append(r.doc.Credentials, r.credential(item))
	}
	for _, item := range r.items(top["gateways"]) {
		r.doc.Gateways = append(r.doc.Gateways, r.gateway(item))
	}
	r.checkUses()
}

// name reads a name that must be like one, and that none before it may have.
func (r *parsing) name(owner place, p place, taken func(string) bool) string {
	name := r.need(owner, p, "name")
	switch {
	case name == "":
	case fleet.CheckName(name) != nil:
		r.bad(p, "%s", fault.Message(fleet.CheckName(name)))
	case taken(name):
		r.bad(p, "there is another %q before this", name)
	}
	return name
}

func (r *parsing) connectorType(owner place, p place, key string) string {
	typ := r.need(owner, p, key)
	if slices.Contains(r.broken, typ) {
		return ""
	}
	if r.known != nil && typ != "" && !slices.Contains(r.known.Types(), typ) {
		r.bad(p, "there is no connector type %q; there are %s%s", shown(typ), list(r.known.Types()), suggest(typ, r.known.Types()))
		return ""
	}
	return typ
}

func (r *parsing) gateway(p place) (g Gateway) {
	keys := r.mapping(p, "name", "environment", "enforcement", "connectors")
	if keys == nil {
		return g
	}
	g.Name = r.name(p, keys["name"], func(name string) bool {
		return slices.ContainsFunc(r.doc.Gateways, func(other Gateway) bool { return other.Name == name })
	})
	g.Environment = r.text(keys["environment"])
	if fleet.CheckEnvironment(g.Environment) != nil {
		r.bad(keys["environment"], "an environment is a word such as production: at most 40 of a-z, 0-9, dot, dash and underscore")
	}
	r.oneOf(keys["enforcement"], &g.Enforcement, "monitor", "soft_enforce", "full_enforce")
	before := len(r.problems.All)
	for _, item := range r.items(keys["connectors"]) {
		g.Connectors = append(g.Connectors, r.connector(item, g.Connectors))
	}
	whole := !slices.ContainsFunc(g.Connectors, func(c Connector) bool { return c.Type == "" })
	if r.known != nil && whole && len(r.problems.All) == before {
		if err := r.known.Check(g.Connectors...); err != nil {
			r.bad(keys["connectors"], "%s", fault.Message(err))
		}
	}
	return g
}

func (r *parsing) connector(p place, before []Connector) (c Connector) {
	keys := r.mapping(p, "type", "name", "hosts", "private", "auth", "credential", "client_key", "rules")
	if keys == nil {
		return c
	}
	had := len(r.problems.All)
	c.Type = r.connectorType(p, keys["type"], "type")
	taken := func(name string) bool {
		return slices.ContainsFunc(before, func(other Connector) bool { return other.Name == name })
	}
	switch c.Name = c.Type; {
	case keys["name"].there():
		c.Name = r.name(p, keys["name"], taken)
	case c.Name != "" && taken(c.Name):
		r.bad(p, "there is another connector of the name %q before this; give this one a name of its own", c.Name)
	}
	c.Hosts, c.Private = r.texts(keys["hosts"]), r.texts(keys["private"])
	for _, item := range r.items(keys["private"]) {
		if text, ok := item.node.(*ast.StringNode); ok && fleet.CheckPrivate(text.Value) != nil {
			r.bad(item, "%s", fault.Message(fleet.CheckPrivate(text.Value)))
		}
	}
	c.Auth = r.auth(keys["auth"])
	if c.Credential = r.text(keys["credential"]); c.Credential != "" {
		r.uses = append(r.uses, use{keys["credential"], c.Credential, c.Type})
	}
	r.oneOf(keys["client_key"], &c.ClientKey, "replace", "pass", "require_dummy")
	if r.known != nil && c.Type != "" && len(r.problems.All) == had {
		if err := r.known.Check(c); err != nil {
			r.bad(p, "%s", fault.Message(err))
		}
	}
	seen := map[string]bool{}
	for _, item := range r.items(keys["rules"]) {
		rule := r.rule(item, c.Type)
		if seen[rule.key()] && rule.key() != "" {
			r.bad(item, "there is another rule for %s before this", rule.key())
		}
		seen[rule.key()] = true
		c.Rules = append(c.Rules, rule)
	}
	return c
}

func (r *parsing) auth(p place) (s credential.Style) {
	if !p.there() {
		return s
	}
	keys := r.mapping(p, "style", "name")
	if keys == nil {
		return s
	}
	s = credential.Style{Kind: credential.Kind(r.need(p, keys["style"], "style")), Name: r.text(keys["name"])}
	styles := []string{"bearer", "token", "basic", "header", "query"}
	switch {
	case s.Kind == "":
	case !slices.Contains(styles, string(s.Kind)):
		r.bad(keys["style"], "%q is not one of %s%s", shown(string(s.Kind)), list(styles), suggest(string(s.Kind), styles))
	case s.Check() != nil:
		r.bad(p, "%s", fault.Message(s.Check()))
	}
	return s
}

var presets = []string{string(policy.AllowAll), string(policy.ReadOnly), string(policy.ApproveAll)}
