package config

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Group is some people whom rules and policies may ask to agree.
type Group struct {
	Name    string
	Members []string // e-mail addresses, in lower case and in order
}

const maxMembers = 1000 // of a group

func (r *parsing) group(p yamldoc.Place) (g Group) {
	keys := r.Mapping(p, "name", "members")
	if keys == nil {
		return g
	}
	g.Name = r.Need(p, keys["name"], "name")
	switch err := policy.CheckGroupName(g.Name); {
	case g.Name == "":
	case err != nil:
		r.Bad(keys["name"], "%s", fault.Message(err))
	case slices.ContainsFunc(r.doc.Groups, func(o Group) bool { return o.Name == g.Name }):
		r.Bad(keys["name"], "there is another group %q before this", g.Name)
	}
	items := r.Items(keys["members"])
	if len(items) > maxMembers {
		r.Bad(keys["members"], "a group has at most %d members", maxMembers)
		return g
	}
	for _, item := range items {
		email := strings.ToLower(strings.TrimSpace(r.Text(item)))
		switch {
		case email == "":
		case !strings.Contains(email, "@"):
			r.Bad(item, "the e-mail address of somebody in the team belongs here")
		case slices.Contains(g.Members, email):
			r.Bad(item, "%s is there twice", email)
		default:
			g.Members = append(g.Members, email)
		}
	}
	slices.Sort(g.Members)
	return g
}

func (g Group) id() string { return g.Name }

func (g Group) fields() pairs { return pairs{{"members", words(g.Members)}} }

// Asked returns the names of the groups that access rules ask for.
func (d *Document) Asked() []string {
	var names []string
	for _, g := range d.Gateways {
		for _, c := range g.Connectors {
			for _, r := range c.Rules {
				names = append(names, r.Approvers.Groups()...)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
