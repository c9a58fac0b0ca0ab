package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/terms"
)

// Marshal writes d so that Parse reads the same again, and the same d always
// in the same way. It fails with fault.Invalid where d could not be read back.
func Marshal(d *Document) ([]byte, error) {
	w := &writer{}
	w.line(0, "version: "+strconv.Itoa(Version))
	if len(d.Types) > 0 {
		w.line(0, "connector_types:")
	}
	for _, t := range d.Types {
		w.connectorType(t)
	}
	if len(d.Groups) > 0 {
		w.line(0, "groups:")
	}
	for _, g := range d.Groups {
		w.item(1, pairs{{"name", terms.Names([]string{g.Name})}, {"members", words(g.Members)}})
	}
	if len(d.Credentials) > 0 {
		w.line(0, "credentials:")
	}
	for _, c := range d.Credentials {
		w.item(1, pairs{{"name", word(c.Name)}, {"connector", word(c.Connector)}, {"hosts", words(c.Hosts)}, {"from", c.From.yaml()}, {"oauth", c.oauth()}})
	}
	if len(d.Gateways) > 0 {
		w.line(0, "gateways:")
	}
	for _, g := range d.Gateways {
		w.item(1, pairs{{"name", word(g.Name)}, {"environment", word(g.Environment)}, {"enforcement", g.Enforcement.String()}})
		if len(g.Connectors) > 0 {
			w.line(2, "connectors:")
		}
		for _, c := range g.Connectors {
			w.connector(c)
		}
	}
	if len(d.Policies) > 0 {
		w.line(0, "policies:")
	}
	for _, p := range d.Policies {
		w.policy(p)
	}
	data := []byte(w.String())
	if _, err := Parse("export", data, nil); err != nil {
		return nil, fmt.Errorf("read the document back: %w", err)
	}
	if len(data) > maxSize {
		return nil, fault.New(fault.Invalid, "The configuration is too large for one document.", nil)
	}
	return data, nil
}

type pairs [][2]string // key and value; without a value the key is left out

type writer struct{ strings.Builder }

func (w *writer) line(depth int, text string) {
	w.WriteString(strings.Repeat("  ", depth) + text + "\n")
}

// item writes an element of a list, one line a key.
func (w *writer) item(depth int, p pairs) {
	mark := "- "
	for _, kv := range p {
		if kv[1] == "" {
			continue
		}
		w.line(depth, mark+kv[0]+": "+kv[1])
		mark = "  "
	}
}

func (w *writer) connector(c Connector) {
	name := c.Name
	if name == c.Type {
		name = ""
	}
	w.item(3, pairs{
		{"type", word(c.Type)}, {"name", word(name)}, {"hosts", words(c.Hosts)}, {"private", words(c.Private)},
		{"auth", auth(c.Auth)}, {"credential", word(c.Credential)}, {"client_key", clientKey(c.ClientKey)},
	})
	if len(c.Rules) > 0 {
		w.line(4, "rules:")
	}
	for _, r := range c.Rules {
		w.line(5, "- "+r.yaml())
	}
}

func (s Source) yaml() string {
	switch {
	case s.Env != "":
		return flow(pairs{{"env", word(s.Env)}})
	case s.File != "":
		return flow(pairs{{"file", word(s.File)}})
	case s.Stdin:
		return "{stdin: true}"
	}
	return ""
}

func auth(s credential.Style) string {
	if s == (credential.Style{}) {
		return ""
	}
	return flow(pairs{{"style", word(string(s.Kind))}, {"name", word(s.Name)}})
}

// clientKey leaves out what is usual.
func clientKey(k credential.ClientKey) string {
	if k == credential.Replace {
		return ""
	}
	return k.String()
}

func (r Rule) yaml() string {
	if r.Preset != policy.NoPreset {
		return flow(pairs{{"preset", word(string(r.Preset))}})
	}
	p := pairs{{"action", strconv.Quote(string(r.Action))}, {"decision", r.Decision.String()}}
	if r.Class != nil {
		p = append(p, [2]string{"class", r.Class.String()})
	}
	if len(r.When) > 0 {
		p = append(p, [2]string{"when", limits(r.When)})
	}
	if r.Hold != nil {
		p = append(p, [2]string{"hold", duration(*r.Hold)})
	}
	if r.TTL != 0 {
		p = append(p, [2]string{"ttl", duration(r.TTL)})
	}
	p = append(p, [2]string{"approvers", terms.Write(r.Approvers)})
	return flow(append(p, [2]string{"reason", word(r.Reason)}))
}

// duration writes 10m0s as 10m.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func flow(p pairs) string {
	var parts []string
	for _, kv := range p {
		if kv[1] != "" {
			parts = append(parts, kv[0]+": "+kv[1])
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func words(list []string) string {
	if len(list) == 0 {
		return ""
	}
	var parts []string
	for _, s := range list {
		parts = append(parts, word(s))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

var (
	plain    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)
	reserved = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// word writes text as it is where YAML would read it so, and in quotes else.
func word(s string) string {
	switch {
	case s == "":
		return ""
	case plain.MatchString(s) && !reserved.MatchString(s):
		return s
	}
	return quote(s)
}

// quote writes what YAML reads between double quotes.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
