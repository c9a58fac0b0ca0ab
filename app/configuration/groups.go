package configuration

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/app/groups"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

func (st state) documentGroups() []config.Group {
	var all []config.Group
	for _, g := range st.groups {
		out := config.Group{Name: g.Name}
		for _, u := range g.Members {
			out.Members = append(out.Members, u.Email)
		}
		slices.Sort(out.Members)
		all = append(all, out)
	}
	return all
}

// asksFor is what names a group once the plan is carried out: a rule, or a
// policy; "" for nothing.
func (p *planner) asksFor(want *config.Document, group string) (by string) {
	for _, g := range want.Gateways {
		for _, c := range g.Connectors {
			for _, r := range c.Rules {
				if slices.Contains(r.Approvers.Groups(), group) {
					return "the rule " + string(r.Action) + " of " + g.Name + "/" + c.Name
				}
			}
		}
	}
	for _, one := range p.after {
		said, err := one.Policy()
		if err != nil {
			continue // the store asks again
		}
		for _, c := range said.Clauses {
			if slices.Contains(c.Approvers.Groups(), group) {
				return "the policy " + one.Name
			}
		}
	}
	return ""
}

// keepGroups adds to want the groups that it does not name and were there. With
// prune that is only what something asks for.
func (p *planner) keepGroups(was, want *config.Document) {
	for _, g := range was.Groups {
		named := slices.ContainsFunc(want.Groups, func(o config.Group) bool { return o.Name == g.Name })
		if !named && (!p.opt.Prune || p.asksFor(want, g.Name) != "") {
			want.Groups = append(want.Groups, g)
		}
	}
}

// groups plans what happens to groups. It fails with fault.Invalid where
// something asks for one that there will not be, or a member is not in the
// team.
func (p *planner) groups(was, want *config.Document) error {
	asked := want.Asked()
	for _, one := range p.after {
		if said, err := one.Policy(); err == nil {
			for _, c := range said.Clauses {
				asked = append(asked, c.Approvers.Groups()...)
			}
		}
	}
	for _, name := range asked {
		if !slices.ContainsFunc(want.Groups, func(g config.Group) bool { return g.Name == name }) {
			return store.NoGroup(name, p.asksFor(want, name))
		}
	}
	for _, g := range want.Groups {
		if err := p.group(was, g); err != nil {
			return err
		}
	}
	for _, g := range p.now.groups {
		if !slices.ContainsFunc(want.Groups, func(o config.Group) bool { return o.Name == g.Name }) {
			p.plan.ForgetGroups = append(p.plan.ForgetGroups, store.GroupStep{Group: g, Event: p.groupEvent("group.deleted", g)})
		}
	}
	return nil
}

func (p *planner) group(was *config.Document, want config.Group) error {
	i := slices.IndexFunc(p.now.groups, func(g team.Group) bool { return g.Name == want.Name })
	if i >= 0 && slices.ContainsFunc(was.Groups, func(g config.Group) bool { return g.Name == want.Name && slices.Equal(g.Members, want.Members) }) {
		return nil
	}
	step := store.GroupStep{New: i < 0}
	if step.New {
		step.Group = team.Group{ID: "grp_" + strings.ToLower(rand.Text()), TeamID: p.v.Team.ID, Name: want.Name, CreatedAt: audit.Time(p.s.Now())}
	} else {
		step.Group = p.now.groups[i]
		step.Group.Members = nil
	}
	for _, email := range want.Members {
		j := slices.IndexFunc(p.now.members, func(m store.Member) bool { return m.User.Email == email })
		if j < 0 {
			return fault.New(fault.Invalid, "Group "+want.Name+": nobody in the team has the address "+email+".", nil)
		}
		step.Group.Members = append(step.Group.Members, p.now.members[j].User)
	}
	step.Event = p.groupEvent("group.changed", step.Group)
	if step.New {
		step.Event.Type = "group.created"
	}
	p.plan.Groups = append(p.plan.Groups, step)
	return nil
}

func (p *planner) groupEvent(typ string, g team.Group) audit.Event {
	e := groups.Event(p.v, typ, g, p.s.Now())
	e.Detail["by"] = "configuration"
	return e
}
