package policies

import (
	"context"
	"fmt"
	"slices"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Draft is a policy as somebody wants to save it.
type Draft struct {
	ID                  string // "" makes a new policy
	Base                int64  // the version that it was made from; 0 for a new one
	Document            string
	Enabled, ReportOnly bool
	Priority            int    // policy.DefaultPriority where 0
	Message             string // why
}

// Save makes a policy, or its next version; where nothing changes there is
// none. It fails with fault.Invalid where the document cannot be used, or a
// test of it fails, with fault.NotFound, and with fault.Conflict where Base is
// not the newest version any more, or another policy has the name.
func (s *Service) Save(ctx context.Context, v team.Viewer, d Draft) (fleet.Policy, error) {
	if err := manages(v); err != nil {
		return fleet.Policy{}, err
	}
	p, err := s.put(ctx, v, d.ID, d.Base, Next{
		Document: d.Document, Counts: Counts{d.Enabled, d.ReportOnly, d.Priority}, Message: d.Message,
	})
	if err != nil {
		return fleet.Policy{}, fmt.Errorf("save policy: %w", err)
	}
	return p, nil
}

// Revert makes a policy what it was in version to, in what it says and in how
// it counts. It fails as Save does.
func (s *Service) Revert(ctx context.Context, v team.Viewer, id string, base, to int64, message string) (fleet.Policy, error) {
	if err := manages(v); err != nil {
		return fleet.Policy{}, err
	}
	was, err := s.Version(ctx, v.Team.ID, id, to)
	if err != nil {
		return fleet.Policy{}, err
	}
	p, err := s.put(ctx, v, id, base, Next{
		Document: was.Document, Counts: Counts{was.Enabled, was.ReportOnly, was.Priority}, Message: message, Reverts: to,
	})
	if err != nil {
		return fleet.Policy{}, fmt.Errorf("revert policy: %w", err)
	}
	return p, nil
}

// put saves n, whose document is still to be read.
func (s *Service) put(ctx context.Context, v team.Viewer, id string, base int64, n Next) (fleet.Policy, error) {
	c, err := s.Check(ctx, v.Team.ID, n.Document)
	if err != nil {
		return fleet.Policy{}, err
	}
	if err := c.Failing(); err != nil {
		return fleet.Policy{}, err
	}
	n.Compiled = c.Compiled
	return s.change(ctx, v, id, base, func(*fleet.Policy) (Next, error) { return n, nil })
}

// Set changes how a policy counts. It fails with fault.NotFound, with
// fault.Invalid where it cannot count like that, and with fault.Conflict where
// base is not the newest version any more.
func (s *Service) Set(ctx context.Context, v team.Viewer, id string, base int64, c Counts, message string) (fleet.Policy, error) {
	if err := manages(v); err != nil {
		return fleet.Policy{}, err
	}
	p, err := s.change(ctx, v, id, base, func(was *fleet.Policy) (Next, error) {
		n := Next{Document: was.Document, Counts: c, Message: message}
		var err error
		if n.Compiled, err = was.Policy(); err != nil {
			return n, err
		}
		if c.Enabled && !was.Enabled { // it may be of a time when gateways took more
			err = fits(n.Compiled)
		}
		n.Compiled = stored(n.Compiled)
		return n, err
	})
	if err != nil {
		return fleet.Policy{}, fmt.Errorf("change policy: %w", err)
	}
	return p, nil
}

// stored takes out of p what is kept beside it.
func stored(p policy.Policy) policy.Policy {
	p.ID, p.Version, p.Priority, p.ReportOnly = "", 0, 0, false
	return p
}

// Delete removes a policy; its versions stay. It fails with fault.NotFound,
// and with fault.Conflict where base is not the newest version any more.
func (s *Service) Delete(ctx context.Context, v team.Viewer, id string, base int64) error {
	if err := manages(v); err != nil {
		return err
	}
	_, err := s.carry(ctx, v, func(all []fleet.Policy) (store.Plan, fleet.Policy, error) {
		was, err := at(all, id, base)
		if err != nil {
			return store.Plan{}, fleet.Policy{}, err
		}
		return store.Plan{ForgetPolicies: []store.PolicyStep{ForgetStep(v, *was, s.Now())}}, *was, nil
	})
	if err != nil {
		return fmt.Errorf("delete policy: %w", err)
	}
	return nil
}

// change makes the policy in its version base, or a new one where id is "",
// what next says.
func (s *Service) change(ctx context.Context, v team.Viewer, id string, base int64, next func(was *fleet.Policy) (Next, error)) (fleet.Policy, error) {
	return s.carry(ctx, v, func(all []fleet.Policy) (store.Plan, fleet.Policy, error) {
		var plan store.Plan
		var was *fleet.Policy
		if id != "" {
			var err error
			if was, err = at(all, id, base); err != nil {
				return plan, fleet.Policy{}, err
			}
		}
		n, err := next(was)
		if err != nil {
			return plan, fleet.Policy{}, err
		}
		step, changes, err := n.Step(v, was, s.Now())
		if err != nil || !changes {
			return plan, step.Policy, err
		}
		after := slices.DeleteFunc(slices.Clone(all), func(p fleet.Policy) bool { return p.ID == step.Policy.ID })
		if slices.ContainsFunc(after, func(p fleet.Policy) bool { return p.Name == step.Policy.Name }) {
			return plan, fleet.Policy{}, fault.New(fault.Conflict, "There is a policy "+step.Policy.Name+" already. Give this one another name.", nil)
		}
		if err := CheckAll(append(after, step.Policy)); err != nil {
			return plan, fleet.Policy{}, err
		}
		plan.Policies = []store.PolicyStep{step}
		return plan, step.Policy, nil
	})
}

// at finds the policy that a change is to be made to.
func at(all []fleet.Policy, id string, base int64) (*fleet.Policy, error) {
	i := slices.IndexFunc(all, func(p fleet.Policy) bool { return p.ID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "There is no such policy.", nil)
	}
	if now := all[i].Version; now != base {
		return nil, fault.New(fault.Conflict, fmt.Sprintf("Somebody has changed the policy %s meanwhile: it is at version %d now, and this was made from version %d.", all[i].Name, now, base), nil)
	}
	return &all[i], nil
}

const attempts = 5

// carry makes a plan of all policies there are, and happen. Where the
// configuration has changed in between, it looks again: the change is made to
// what plan has seen, or not at all.
func (s *Service) carry(ctx context.Context, v team.Viewer, plan func(all []fleet.Policy) (store.Plan, fleet.Policy, error)) (fleet.Policy, error) {
	teamID := v.Team.ID
	for range attempts {
		revision, err := s.Store.Revision(ctx, teamID)
		if err != nil {
			return fleet.Policy{}, err
		}
		all, err := s.Store.Policies(ctx, teamID)
		if err != nil {
			return fleet.Policy{}, err
		}
		p, out, err := plan(all)
		if err != nil || len(p.Policies)+len(p.ForgetPolicies) == 0 {
			return out, err
		}
		p.TeamID, p.Revision = teamID, revision
		err = s.Store.Carry(ctx, p)
		if fault.Of(err) == fault.Conflict {
			continue
		}
		if err != nil {
			return fleet.Policy{}, err
		}
		s.Bus.Publish(ctx, bus.Config(teamID))
		s.Bus.Publish(ctx, bus.Gateways(teamID))
		return out, nil
	}
	return fleet.Policy{}, fault.New(fault.Unavailable, "The configuration keeps changing. Try again in a moment.", nil)
}
