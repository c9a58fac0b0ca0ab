package api

import (
	"cmp"
	"net/http"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/rest"
)

// judged says what a gateway would decide, and why. Nothing is sent, held or
// recorded.
func (s *Server) judged(c *call, in rest.Question) (rest.Answer, error) {
	none := rest.Answer{}
	if err := c.only(); err != nil {
		return none, err
	}
	if (in.Request == nil) == (len(in.Action) == 0) {
		return none, fault.New(fault.Invalid, "Say one of request and action.", nil)
	}
	g, err := s.Gateways.Find(c.Context(), c.viewer.Team.ID, in.Gateway)
	if fault.Of(err) == fault.NotFound {
		return none, fault.New(fault.NotFound, "There is no gateway "+clip(in.Gateway)+".", err)
	}
	if err != nil {
		return none, err
	}
	j, err := s.Judge(c.Context(), c.viewer.Team.ID, g.ID)
	if err != nil {
		return none, err
	}
	known, err := s.Configurations.Catalogue(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return none, err
	}
	q, err := question(j, in, known)
	if err != nil {
		return none, err
	}
	if q.Time.IsZero() {
		q.Time = s.Now()
	}
	if !in.Time.IsZero() {
		q.Time = in.Time
	}
	if in.Principal != "" {
		q.Run = &policy.Run{Principal: in.Principal}
	}
	d, why := j.Engine.Explain(q)
	if g.Status != fleet.Active {
		d, why = policy.Decision{By: policy.ByDefault, Reason: "This gateway has been revoked, so it refuses everything."}, policy.Explanation{}
	}
	return answer(j, q, d, why), nil
}

// question is what is asked of j.
func question(j *judge.Judge, in rest.Question, known document.Catalogue) (policy.Question, error) {
	if in.Request == nil {
		a, _, err := document.ParseAction(in.Action)
		if err != nil {
			return policy.Question{}, err
		}
		a.Rate(known)
		if of := j.Set.OfType(a.Type); j.Set.Named(a.Action.Connector) == nil && len(of) > 0 {
			a.Action.Connector = of[0].Name() // the service has another name here
		}
		return a.Question(), nil
	}
	header := http.Header{}
	for name, values := range in.Request.Headers {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	q, _, err := described.Request{Method: in.Request.Method, URL: in.Request.URL, Header: header, Body: []byte(in.Request.Body)}.Question(j.Set)
	return q, err
}

// answer names policies by what people call them.
func answer(j *judge.Judge, q policy.Question, d policy.Decision, why policy.Explanation) rest.Answer {
	a := q.Action
	out := rest.Answer{
		Connector: a.Connector, Action: a.Name, Class: a.Class.String(), Risk: a.Risk.String(), Resource: a.Resource, Params: a.Params,
		Reversible: a.Reversible, Unknown: a.Unknown, Or: a.Or,
		Decision: d.Effect.String(), By: string(d.By), Rule: d.Rule, Policy: name(j, d.Policy), Version: d.Version, Reason: d.Reason, Score: d.Risk,
		More: why.More, Flip: why.Flip,
	}
	if out.Params == nil {
		out.Params = map[string]any{}
	}
	decider := j.Policies[d.Policy]
	for i, clause := range decider.Clauses {
		if decider.Key(i) == d.Rule {
			out.Line = clause.Line
		}
	}
	if d.Flagged {
		out.Would = d.Would.String()
	}
	if d.Would == policy.RequireApproval && d.Approvers != (policy.Approvers{}) {
		out.Approvers = &d.Approvers
	}
	if d.Reported != "" {
		out.Reported, out.ReportedAs = d.Reported, d.ReportedAs.String()
	}
	for _, one := range why.Considered {
		one.Policy = name(j, one.Policy)
		out.Considered = append(out.Considered, one)
	}
	if out.Flip != nil {
		flip := policy.Flip{To: why.Flip.To}
		for _, change := range why.Flip.Changes {
			change.Policy = name(j, change.Policy)
			flip.Changes = append(flip.Changes, change)
		}
		out.Flip = &flip
	}
	return out
}

func name(j *judge.Judge, id string) string { return cmp.Or(j.Policies[id].Name, id) }
