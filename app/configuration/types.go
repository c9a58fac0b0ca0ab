package configuration

import (
	"slices"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// own are the team's connector types as they are. What cannot be made ready
// any more is as if it were not there.
func (st state) own() connectors.Own {
	var own connectors.Own
	for _, t := range st.types {
		if made, err := connectors.Define(t.Definition); err == nil {
			own = append(own, made)
		}
	}
	return own
}

func (st state) documentTypes() []config.Type {
	var all []config.Type
	for _, t := range st.types {
		all = append(all, config.Type{Definition: t.Definition})
	}
	return all
}

// types plans what happens to connector types, and returns those that there
// will be: what the document says, and without prune also the others.
func (p *planner) types(doc *config.Document) ([]config.Type, connectors.Own, error) {
	var want []config.Type
	var own connectors.Own
	for _, t := range doc.Types {
		made, err := connectors.Define(t.Definition)
		if err != nil {
			return nil, nil, fault.New(fault.Of(err), "Connector type "+t.Name+": "+fault.Message(err), err)
		}
		d := t.Sorted()
		d.Hosts = made.Hosts
		want, own = append(want, config.Type{Definition: d}), append(own, made)
		if i := slices.IndexFunc(p.now.types, func(o fleet.ConnectorType) bool { return o.Name == t.Name }); i >= 0 {
			was := []config.Type{{Definition: p.now.types[i].Definition}}
			if len(config.Diff(&config.Document{Types: was}, &config.Document{Types: want[len(want)-1:]})) == 0 {
				continue
			}
		}
		step, err := gateways.NextType(p.v, p.now.types, d, p.s.Now)
		if err != nil {
			return nil, nil, fault.New(fault.Of(err), "Connector type "+t.Name+": "+fault.Message(err), err)
		}
		step.Event.Detail["by"] = "configuration"
		p.plan.Types = append(p.plan.Types, step)
	}
	for _, t := range p.now.types {
		if slices.ContainsFunc(doc.Types, func(o config.Type) bool { return o.Name == t.Name }) {
			continue
		}
		if p.opt.Prune {
			event := gateways.TypeEvent(p.v, "connector_type.deleted", t, p.s.Now)
			event.Detail["by"] = "configuration"
			p.plan.ForgetTypes = append(p.plan.ForgetTypes, store.TypeStep{Type: t, Event: event})
			continue
		}
		want = append(want, config.Type{Definition: t.Definition})
		if i := slices.IndexFunc(p.now.own(), func(o *connectors.Type) bool { return o.Name == t.Name }); i >= 0 {
			own = append(own, p.now.own()[i])
		}
	}
	if n := len(want); n > gateways.MaxTypes {
		return nil, nil, fault.New(fault.Invalid, "A team defines at most 50 connector types.", nil)
	}
	return want, own, nil
}

// unused fails with fault.Invalid where a connector type is to be pruned that
// something is of.
func (p *planner) unused(want *config.Document) error {
	for _, step := range p.plan.ForgetTypes {
		name := step.Type.Name
		user := ""
		for _, c := range want.Credentials {
			if c.Connector == name {
				user = "the credential " + c.Name
			}
		}
		for _, g := range want.Gateways {
			for _, c := range g.Connectors {
				if c.Type == name {
					user = "the connector " + c.Name + " of gateway " + g.Name
				}
			}
		}
		if user != "" {
			return fault.New(fault.Invalid, "The connector type "+name+" cannot be pruned: "+user+" is of it. List it under connector_types, as the export has it, or remove what is of it.", nil)
		}
	}
	return nil
}
