package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Catalogue is what is known of connectors.
type Catalogue interface {
	Types() []string
	Actions(connectorType string) []string
	Params(connectorType string, of action.Pattern) []string // what the actions show besides their resource; none where that is not known
	Check(all ...Connector) error                            // each by itself, and that they can be at one gateway
}

const maxReason = 500

// What a document may have of YAML. The limits are far above what anyone
// writes, and below what would keep a parser busy.
const (
	maxSize  = 1 << 20
	maxDepth = 20
	maxKeys  = 64
)

func parseYAML(data []byte) (ast.Node, *yamldoc.Problem) {
	return yamldoc.Tree(data, maxSize, maxDepth, maxKeys)
}

// Parse reads a document. It fails with fault.Invalid, and then the message
// has every problem with its line, its key and, where a word is nearly right,
// the right one; errors.AsType finds them as *yamldoc.Problems. File is what they call
// the document.
func Parse(file string, data []byte, known Catalogue) (*Document, error) {
	r := &parsing{known: known, data: data}
	r.reader, _ = known.(PolicyReader)
	r.Problems.File = file
	root, problem := parseYAML(data)
	switch {
	case problem != nil:
		r.Problems.All = append(r.Problems.All, *problem)
	case root == nil:
		r.Problems.All = append(r.Problems.All, yamldoc.Problem{Line: 1, Column: 1, Message: "The file is empty; begin with “version: 1”."})
	default:
		r.document(yamldoc.Place{Node: root})
	}
	if err := r.Problems.Err(); err != nil {
		return nil, err
	}
	return &r.doc, nil
}

type parsing struct {
	yamldoc.Reader
	known  Catalogue
	reader PolicyReader // nil: only the names of policies are read
	data   []byte
	lines  [][]byte // of data, once they are needed
	doc    Document
	uses   []use
	broken []string // connector types that the document brings and nobody can use
}

func (r *parsing) document(root yamldoc.Place) {
	top := r.Mapping(root, "version", "connector_types", "groups", "credentials", "gateways", "policies")
	if top == nil {
		return
	}
	switch n := top["version"].Node.(type) {
	case nil:
		r.Bad(root, "version is missing; begin with “version: 1”")
	case *ast.IntegerNode:
		if n.GetToken().Value != "1" {
			r.Bad(top["version"], "this program reads version 1")
		}
	default:
		r.Bad(top["version"], "this program reads version 1")
	}
	r.types(top["connector_types"])
	for _, item := range r.Items(top["groups"]) {
		r.doc.Groups = append(r.doc.Groups, r.group(item))
	}
	for _, item := range r.Items(top["credentials"]) {
		r.doc.Credentials = append(r.doc.Credentials, r.credential(item))
	}
	for _, item := range r.Items(top["gateways"]) {
		r.doc.Gateways = append(r.doc.Gateways, r.gateway(item))
	}
	r.policies(top["policies"])
	r.checkUses()
}

// name reads a name that must be like one, and that none before it may have.
func (r *parsing) name(owner yamldoc.Place, p yamldoc.Place, taken func(string) bool) string {
	name := r.Need(owner, p, "name")
	switch {
	case name == "":
	case fleet.CheckName(name) != nil:
		r.Bad(p, "%s", fault.Message(fleet.CheckName(name)))
	case taken(name):
		r.Bad(p, "there is another %q before this", name)
	}
	return name
}

func (r *parsing) connectorType(owner yamldoc.Place, p yamldoc.Place, key string) string {
	typ := r.Need(owner, p, key)
	if slices.Contains(r.broken, typ) {
		return ""
	}
	if r.known != nil && typ != "" && !slices.Contains(r.known.Types(), typ) {
		r.Bad(p, "there is no connector type %q; there are %s%s", yamldoc.Shown(typ), yamldoc.List(r.known.Types()), yamldoc.Suggest(typ, r.known.Types()))
		return ""
	}
	return typ
}

func (r *parsing) gateway(p yamldoc.Place) (g Gateway) {
	keys := r.Mapping(p, "name", "environment", "enforcement", "connectors")
	if keys == nil {
		return g
	}
	g.Name = r.name(p, keys["name"], func(name string) bool {
		return slices.ContainsFunc(r.doc.Gateways, func(other Gateway) bool { return other.Name == name })
	})
	g.Environment = r.Text(keys["environment"])
	if fleet.CheckEnvironment(g.Environment) != nil {
		r.Bad(keys["environment"], "an environment is a word such as production: at most 40 of a-z, 0-9, dot, dash and underscore")
	}
	r.OneOf(keys["enforcement"], &g.Enforcement, "monitor", "soft_enforce", "full_enforce")
	before := len(r.Problems.All)
	for _, item := range r.Items(keys["connectors"]) {
		g.Connectors = append(g.Connectors, r.connector(item, g.Connectors))
	}
	whole := !slices.ContainsFunc(g.Connectors, func(c Connector) bool { return c.Type == "" })
	if r.known != nil && whole && len(r.Problems.All) == before {
		if err := r.known.Check(g.Connectors...); err != nil {
			r.Bad(keys["connectors"], "%s", fault.Message(err))
		}
	}
	return g
}

func (r *parsing) connector(p yamldoc.Place, before []Connector) (c Connector) {
	keys := r.Mapping(p, "type", "name", "hosts", "private", "auth", "credential", "client_key", "rules")
	if keys == nil {
		return c
	}
	had := len(r.Problems.All)
	c.Type = r.connectorType(p, keys["type"], "type")
	taken := func(name string) bool {
		return slices.ContainsFunc(before, func(other Connector) bool { return other.Name == name })
	}
	switch c.Name = c.Type; {
	case keys["name"].There():
		c.Name = r.name(p, keys["name"], taken)
	case c.Name != "" && taken(c.Name):
		r.Bad(p, "there is another connector of the name %q before this; give this one a name of its own", c.Name)
	}
	c.Hosts, c.Private = r.Texts(keys["hosts"]), r.Texts(keys["private"])
	for _, item := range r.Items(keys["private"]) {
		if text, ok := item.Node.(*ast.StringNode); ok && fleet.CheckPrivate(text.Value) != nil {
			r.Bad(item, "%s", fault.Message(fleet.CheckPrivate(text.Value)))
		}
	}
	c.Auth = r.auth(keys["auth"])
	if c.Credential = r.Text(keys["credential"]); c.Credential != "" {
		r.uses = append(r.uses, use{keys["credential"], c.Credential, c.Type})
	}
	r.OneOf(keys["client_key"], &c.ClientKey, "replace", "pass", "require_dummy")
	if r.known != nil && c.Type != "" && len(r.Problems.All) == had {
		if err := r.known.Check(c); err != nil {
			r.Bad(p, "%s", fault.Message(err))
		}
	}
	seen := map[string]bool{}
	for _, item := range r.Items(keys["rules"]) {
		rule := r.rule(item, c.Type)
		if seen[rule.key()] && rule.key() != "" {
			r.Bad(item, "there is another rule for %s before this", rule.key())
		}
		seen[rule.key()] = true
		c.Rules = append(c.Rules, rule)
	}
	return c
}

func (r *parsing) auth(p yamldoc.Place) (s credential.Style) {
	if !p.There() {
		return s
	}
	keys := r.Mapping(p, "style", "name")
	if keys == nil {
		return s
	}
	s = credential.Style{Kind: credential.Kind(r.Need(p, keys["style"], "style")), Name: r.Text(keys["name"])}
	styles := []string{"bearer", "token", "basic", "header", "query"}
	switch {
	case s.Kind == "":
	case !slices.Contains(styles, string(s.Kind)):
		r.Bad(keys["style"], "%q is not one of %s%s", yamldoc.Shown(string(s.Kind)), yamldoc.List(styles), yamldoc.Suggest(string(s.Kind), styles))
	case s.Check() != nil:
		r.Bad(p, "%s", fault.Message(s.Check()))
	}
	return s
}

var presets = []string{string(policy.AllowAll), string(policy.ReadOnly), string(policy.ApproveAll)}
