package config

import (
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// use is a connector's mention of a credential.
type use struct {
	at   yamldoc.Place
	name string
	typ  string
}

func (r *parsing) credential(p yamldoc.Place) (c Credential) {
	keys := r.Mapping(p, "name", "connector", "hosts", "from", "oauth")
	if keys == nil {
		return c
	}
	c.Name = r.name(p, keys["name"], func(name string) bool { return r.doc.credential(name) != nil })
	c.Connector = r.connectorType(p, keys["connector"], "connector")
	c.Hosts = r.Texts(keys["hosts"])
	c.From = r.source(keys["from"])
	if p := keys["oauth"]; p.There() {
		r.oauth(p, &c)
		if keys["from"].There() {
			r.Bad(keys["from"], "with oauth the secrets have their own “from”: client_secret: {from: {env: NAME}}")
		}
	}
	if r.known != nil && c.Connector != "" && len(c.Hosts) > 0 {
		if err := r.known.Check(Connector{Type: c.Connector, Name: c.Connector, Hosts: c.Hosts}); err != nil {
			r.Bad(keys["hosts"], "%s", fault.Message(err))
		}
	}
	return c
}

// source reads where a secret comes from. It repeats nothing of what it finds,
// which may be the secret itself.
func (r *parsing) source(p yamldoc.Place) (s Source) {
	if !p.There() {
		return s
	}
	if text, ok := p.Node.(*ast.StringNode); ok {
		if text.Value != "stdin" {
			r.Bad(p, "say where the secret is: {env: NAME}, {file: PATH} or {stdin: true}; never the secret itself")
		}
		return Source{Stdin: true}
	}
	keys := r.Mapping(p, "env", "file", "stdin")
	if keys == nil {
		return s
	}
	s = Source{Env: r.Text(keys["env"]), File: r.Text(keys["file"]), Stdin: r.Yes(keys["stdin"])}
	n := 0
	for _, is := range []bool{s.Env != "", s.File != "", s.Stdin} {
		if is {
			n++
		}
	}
	if n != 1 {
		r.Bad(p, "say one of env, file and stdin")
	}
	if s.Env != "" && !isVariable(s.Env) {
		r.Bad(keys["env"], "this is the name of an environment variable, such as GITHUB_TOKEN; never the secret itself")
	}
	if strings.ContainsFunc(s.File, unicode.IsControl) {
		r.Bad(keys["file"], "this is the path of a file")
	}
	return s
}

// isVariable reports whether s is written like an environment variable. Those
// of small letters are refused: that is what a pasted token looks like.
func isVariable(s string) bool {
	return len(s) <= 100 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && (s[0] < '0' || s[0] > '9')
}

// looksSecret reports whether s begins as the keys of well-known services do,
// and is as long as they are.
func looksSecret(s string) bool {
	return len(s) >= 30 && slices.ContainsFunc([]string{"ghp_", "gho_", "ghs_", "ghu_", "github_pat_", "glpat-", "sk-", "sk_", "rk_", "xoxb-", "xoxp-"}, func(prefix string) bool {
		return strings.HasPrefix(s, prefix)
	})
}

// checkUses looks for credentials that connectors use by a name that is nearly
// that of one in the document, or that are for another type of connector. One
// that is not in the document at all is in the vault, or will not be found
// there.
func (r *parsing) checkUses() {
	var names []string
	for _, c := range r.doc.Credentials {
		names = append(names, c.Name)
	}
	for _, u := range r.uses {
		c := r.doc.credential(u.name)
		switch {
		case fleet.CheckName(u.name) != nil, looksSecret(u.name):
			r.Bad(u.at, "this is the name of a credential; never the secret itself")
		case c != nil && u.typ != "" && c.Connector != "" && c.Connector != u.typ:
			r.Bad(u.at, "the credential %q is for connectors of the type %s", u.name, c.Connector)
		case c == nil:
			if hint := yamldoc.Suggest(u.name, names); hint != "" {
				r.Bad(u.at, "there is no credential %q%s If the vault has it, list it under credentials", u.name, hint)
			}
		}
	}
}
