package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/terms"
)

// Op is what applying a document does to one thing.
type Op string

const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
)

// Change is one difference between two documents.
type Change struct {
	Op     Op
	Path   string // "gateways/deploy-bot/connectors/github/rules/github.pr.merge"
	Detail string // "decision: deny → allow"; for what is new or gone, what it says
}

// Diff returns what turns old into new, in the order of new; what is gone
// comes last at each level. The order of rules has no meaning and is no
// difference.
func Diff(old, new *Document) []Change {
	var d differ
	d.types(old.Types, new.Types)
	compare(&d, "groups", old.Groups, new.Groups, Group.id, Group.fields, nil)
	compare(&d, "credentials", old.Credentials, new.Credentials, Credential.id, Credential.fields, nil)
	compare(&d, "gateways", old.Gateways, new.Gateways, Gateway.id, Gateway.fields, func(path string, a, b Gateway) {
		compare(&d, path+"/connectors", a.Connectors, b.Connectors, Connector.id, Connector.fields, func(path string, a, b Connector) {
			compare(&d, path+"/rules", a.Rules, b.Rules, Rule.key, Rule.fields, nil)
		})
	})
	d.policies(old.Policies, new.Policies)
	return d.changes
}

type differ struct{ changes []Change }

// compare finds what is new, changed and gone in a list of things that have an
// id, and looks into those that there still are or newly are.
func compare[T any](d *differ, path string, old, new []T, id func(T) string, fields func(T) pairs, into func(path string, a, b T)) {
	before := map[string]T{}
	for _, t := range old {
		before[id(t)] = t
	}
	for _, t := range new {
		at := path + "/" + id(t)
		was, there := before[id(t)]
		delete(before, id(t))
		if !there {
			d.changes = append(d.changes, Change{Create, at, strings.TrimSuffix(strings.TrimPrefix(flow(fields(t)), "{"), "}")})
		} else if detail := changed(fields(was), fields(t)); detail != "" {
			d.changes = append(d.changes, Change{Update, at, detail})
		}
		if into != nil {
			into(at, was, t)
		}
	}
	for _, t := range old {
		if _, gone := before[id(t)]; gone {
			d.changes = append(d.changes, Change{Delete, path + "/" + id(t), strings.TrimSuffix(strings.TrimPrefix(flow(fields(t)), "{"), "}")})
		}
	}
}

func changed(was, is pairs) string {
	var parts []string
	for i := range is {
		if was[i][1] != is[i][1] {
			parts = append(parts, fmt.Sprintf("%s: %s → %s", is[i][0], orUsual(is[i][0], was[i][1]), orUsual(is[i][0], is[i][1])))
		}
	}
	return strings.Join(parts, ", ")
}

// orUsual says what it means that a key is left out.
func orUsual(key, s string) string {
	switch {
	case s != "":
		return s
	case key == "approvers":
		return "whoever may decide"
	case key == "client_key":
		return credential.Replace.String()
	case key == "enabled":
		return "true"
	case key == "report_only":
		return "false"
	case key == "priority":
		return strconv.Itoa(policy.DefaultPriority)
	}
	return "none"
}

func (c Credential) id() string { return c.Name }
func (g Gateway) id() string    { return g.Name }
func (c Connector) id() string  { return c.Name }

// fields are what an update can change. Where a secret comes from is not among
// them: it says how to apply, not what is there.
func (c Credential) fields() pairs {
	return pairs{{"connector", word(c.Connector)}, {"hosts", words(c.Hosts)}, {"oauth", Credential{OAuth: c.OAuth}.oauth()}}
}

func (g Gateway) fields() pairs {
	return pairs{{"environment", word(g.Environment)}, {"enforcement", g.Enforcement.String()}}
}

func (c Connector) fields() pairs {
	return pairs{{"type", word(c.Type)}, {"hosts", words(c.Hosts)}, {"private", words(c.Private)}, {"auth", auth(c.Auth)}, {"credential", word(c.Credential)}, {"client_key", clientKey(c.ClientKey)}}
}

func (r Rule) fields() pairs {
	if r.Preset != "" {
		return pairs{}
	}
	hold, ttl := "", ""
	if r.Hold != nil {
		hold = duration(*r.Hold)
	}
	if r.TTL != 0 {
		ttl = duration(r.TTL)
	}
	return pairs{{"decision", r.Decision.String()}, {"hold", hold}, {"ttl", ttl}, {"approvers", terms.Write(r.Approvers)}, {"reason", word(r.Reason)}}
}
