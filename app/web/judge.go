package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/connectors"
	types "github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// judging decides as one gateway does, by what is stored for it now.
type judging struct {
	*judge.Judge // nil: it is no gateway's, and only names
	names        named
	set          *connectors.Set
}

// naming only names, by every type at its own hosts.
func naming(own connectors.Own) *judging { return &judging{set: types.Usual(own)} }

// judge returns what decides for one gateway, after change has had its say. It
// fails with fault.NotFound.
func (s *Server) judge(ctx context.Context, v team.Viewer, gatewayID string, change ...func(*policy.Settings)) (*judging, error) {
	conf, err := s.Configured.Configuration(ctx, v.Team.ID, gatewayID)
	if err != nil {
		return nil, fmt.Errorf("read what is configured: %w", err)
	}
	of, err := judge.Of(conf, change...)
	if err != nil {
		return nil, err
	}
	j := &judging{Judge: of, set: of.Set}
	j.names, err = s.named(ctx, v, textsOf(conf))
	return j, err
}

// textsOf says of access rules what they say, by their IDs.
func textsOf(conf store.Configuration) map[string]string {
	texts := make(map[string]string, len(conf.Rules))
	for _, r := range conf.Rules {
		texts[r.ID] = ruleText(r)
	}
	return texts
}

// decide says what happens to what q is about, and what its client gets to
// read. R is zero where there is no request.
func (j *judging) decide(q policy.Question, r connectors.Request, c *connectors.Connector) *views.TrialDecision {
	d, x := j.Engine.Explain(q)
	if j.Gateway.Status != fleet.Active {
		d, x = policy.Decision{By: policy.ByDefault, Reason: "This gateway has been revoked, so it refuses everything."}, policy.Explanation{}
	}
	out := &views.TrialDecision{
		Gateway: j.Gateway.Name, State: d.Effect.String(), By: string(d.By), Rule: j.names.rules[d.Rule], Reason: d.Reason, Why: j.names.why(x, d),
	}
	if d.By == policy.ByRule {
		out.Rule = cmp.Or(out.Rule, d.Rule)
	}
	if d.By == policy.ByKillSwitch {
		out.State = "kill_switch"
	}
	if d.Flagged {
		out.State, out.Would = "flagged", views.EffectWords(d.Would)
	}
	out.Told = told(d, q, r, c)
	if d.Effect == policy.RequireApproval {
		out.Approval = views.ApprovalWords(d)
	}
	return out
}

// told says what a client gets to read.
func told(d policy.Decision, q policy.Question, r connectors.Request, c *connectors.Connector) string {
	switch d.Effect {
	case policy.Allow:
		return "The answer of the service."
	case policy.RequireApproval:
		if d.Hold <= 0 {
			return "503 at once, and where to look for the decision. The same request sent again, once somebody has agreed, gets the answer of the service."
		}
		return "Nothing while somebody decides, for at most " + views.Duration(d.Hold) +
			". Then the answer of the service, or 503 where nobody has decided: the same request sent again waits on."
	case policy.Deny:
	}
	status := http.StatusForbidden
	if r.Method != "" {
		var service *connectors.Type
		if c != nil {
			service = c.Type()
		}
		reply := service.Refusal(r, connectors.Problem{Title: "Denied by TameFlare", Status: status, Detail: d.Reason, Code: "denied", Action: q.Action.Name})
		status = cmp.Or(reply.Status, status)
	}
	return strconv.Itoa(status) + " and this sentence: “" + d.Reason + "”"
}
