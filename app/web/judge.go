package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/views"
)

// judge decides as one gateway does, by what is stored for it now.
type judge struct {
	gateway fleet.Gateway
	set     *connectors.Set
	engine  *policy.Engine    // nil: it is no gateway's, and only names
	rules   map[string]string // what a rule says, by its ID
}

// newJudge compiles what is configured for a gateway. It fails where the
// gateway could not use it either.
func newJudge(g fleet.Gateway, cs []gateways.Connector, own connectors.Own, kills []fleet.Kill) (*judge, error) {
	j := &judge{gateway: g, rules: map[string]string{}}
	settings := policy.Settings{Gateway: g.Name, Enforcement: g.Enforcement}
	var all []*connectors.Connector
	for _, c := range cs {
		one, err := connectors.New(connectors.Config{Type: c.Type, Own: own.Named(c.Type), Name: c.Name, Hosts: c.Hosts, Style: c.Style()})
		if err != nil {
			return nil, fmt.Errorf("connector %s: %w", c.Name, err)
		}
		all = append(all, one)
		for _, row := range c.Rules {
			rule, err := row.Policy(c.Name)
			if err != nil {
				return nil, fmt.Errorf("rule %s: %w", row.ID, err)
			}
			settings.Rules = append(settings.Rules, rule)
			j.rules[row.ID] = ruleText(row)
		}
	}
	for _, k := range kills {
		if k.GatewayID == "" || k.GatewayID == g.ID {
			settings.Kills = append(settings.Kills, policy.Kill{ID: k.ID, Connector: k.Connector, Reason: k.Reason, Since: k.PulledAt})
		}
	}
	var err error
	if j.set, err = connectors.NewSet(all); err != nil {
		return nil, fmt.Errorf("connectors of %s: %w", g.Name, err)
	}
	if j.engine, err = policy.Compile(settings); err != nil {
		return nil, fmt.Errorf("rules of %s: %w", g.Name, err)
	}
	return j, nil
}

// usual is every type at the service's own hosts. A host that several types
// share is that of the team's own.
func usual(own connectors.Own) *connectors.Set {
	var all []*connectors.Connector
	set := (*connectors.Set)(nil)
	for _, t := range slices.Concat(own, connectors.Types()) {
		c, err := connectors.New(connectors.Config{Type: t.Name, Own: t})
		if err != nil {
			continue // it has no hosts of its own
		}
		if bigger, err := connectors.NewSet(append(all, c)); err == nil {
			all, set = append(all, c), bigger
		}
	}
	return set
}

// decide says what happens to a, and what its client gets to read.
func (j *judge) decide(r connectors.Request, a action.Action, c *connectors.Connector) *views.TrialDecision {
	var service *connectors.Type
	typ := ""
	if c != nil {
		service, typ = c.Type(), c.Type().Name
	}
	d := j.engine.Decide(policy.Question{Action: a, Type: typ})
	if j.gateway.Status != fleet.Active {
		d = policy.Decision{By: policy.ByDefault, Reason: "This gateway has been revoked, so it refuses everything."}
	}
	out := &views.TrialDecision{
		Gateway: j.gateway.Name, State: d.Effect.String(), By: string(d.By), Rule: cmp.Or(j.rules[d.Rule], d.Rule), Reason: d.Reason,
	}
	if d.By == policy.ByKillSwitch {
		out.State, out.Rule = "kill_switch", ""
	}
	if d.Flagged {
		out.State, out.Would = "flagged", views.EffectWords(d.Would)
	}
	switch d.Effect {
	case policy.Allow:
		out.Told = "The answer of the service."
	case policy.RequireApproval:
		out.Told = "Nothing while somebody decides, for at most " + views.Duration(d.Hold) +
			". Then the answer of the service, or 503 where nobody has decided: the same request sent again waits on."
	case policy.Deny:
		reply := service.Refusal(r, connectors.Problem{Title: "Denied by TameFlare", Status: http.StatusForbidden, Detail: d.Reason, Code: "denied", Action: a.Name})
		out.Told = strconv.Itoa(cmp.Or(reply.Status, http.StatusForbidden)) + " and this sentence: “" + d.Reason + "”"
	}
	return out
}
