package configuration

import (
	"slices"

	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/connectors"
	described "github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// reason is what the history of a policy says of versions from here.
const reason = "Applied from a configuration."

func (st state) documentPolicies() []config.Policy {
	var all []config.Policy
	for _, p := range st.policies {
		all = append(all, config.Policy{Name: p.Name, Document: p.Document, Disabled: !p.Enabled, ReportOnly: p.ReportOnly, Priority: p.Priority})
	}
	return all
}

func (st state) policy(name string) *fleet.Policy {
	i := slices.IndexFunc(st.policies, func(p fleet.Policy) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &st.policies[i]
}

// policies plans what happens to policies, of which the document says asked.
// It fails with fault.Invalid where gateways could not use one, or a test of
// one fails.
func (p *planner) policies(asked []config.Policy) error {
	known, read := connectors.Catalogue{Own: p.own}, described.Reader(p.own)
	after := slices.Clone(p.now.policies)
	for i, one := range asked {
		if slices.ContainsFunc(asked[:i], func(o config.Policy) bool { return o.Name == one.Name }) {
			return fault.New(fault.Invalid, "The document has two policies of the name "+one.Name+".", nil)
		}
		was := p.now.policy(one.Name)
		next := policies.Next{
			Document: one.Document, Message: reason,
			Counts: policies.Counts{Enabled: !one.Disabled, ReportOnly: one.ReportOnly, Priority: one.Priority},
		}
		checked, err := policies.Check(one.Document, known, read)
		if err == nil {
			err = checked.Failing()
		}
		if err == nil && checked.Document.Policy.Name != one.Name {
			err = fault.New(fault.Invalid, "Its document calls it "+checked.Document.Policy.Name+".", nil)
		}
		if err != nil {
			return fault.New(fault.Of(err), "Policy "+one.Name+": "+fault.Message(err), err)
		}
		next.Compiled = checked.Compiled
		step, changes, err := next.Step(p.v, was, p.s.Now())
		if err != nil {
			return fault.New(fault.Of(err), "Policy "+one.Name+": "+fault.Message(err), err)
		}
		if !changes {
			continue
		}
		step.Event.Detail["by"] = "configuration"
		p.plan.Policies = append(p.plan.Policies, step)
		after = append(slices.DeleteFunc(after, func(o fleet.Policy) bool { return o.ID == step.Policy.ID }), step.Policy)
	}
	for _, old := range p.now.policies {
		if p.opt.Prune && !slices.ContainsFunc(asked, func(o config.Policy) bool { return o.Name == old.Name }) {
			step := policies.ForgetStep(p.v, old, p.s.Now())
			step.Event.Detail["by"] = "configuration"
			p.plan.ForgetPolicies = append(p.plan.ForgetPolicies, step)
			after = slices.DeleteFunc(after, func(o fleet.Policy) bool { return o.ID == old.ID })
		}
	}
	p.after = after
	return policies.CheckAll(after)
}
