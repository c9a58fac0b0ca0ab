package web

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// named is what is called what in explanations.
type named struct {
	policies map[string]fleet.Policy
	lines    map[string]int    // of clauses as they stand today, by their keys
	clauses  map[string]string // their names
	rules    map[string]string // what access rules say, by their IDs
}

// named knows a team's policies as they stand today, and these access rules.
func (s *Server) named(ctx context.Context, v team.Viewer, rules map[string]string) (named, error) {
	n := named{policies: map[string]fleet.Policy{}, lines: map[string]int{}, clauses: map[string]string{}, rules: rules}
	all, err := s.Policies.List(ctx, v.Team.ID)
	if err != nil {
		return n, err
	}
	for _, p := range all {
		said, err := p.Policy()
		if err != nil {
			return n, err
		}
		n.policies[p.ID] = p
		n.add(said)
	}
	return n, nil
}

func (n named) add(p policy.Policy) {
	for i, c := range p.Clauses {
		key := p.Key(i)
		n.lines[key], n.clauses[key] = c.Line, c.Name
	}
}

// why puts the explanation of a decision into words.
func (n named) why(x policy.Explanation, d policy.Decision) views.Why {
	w := views.Why{More: x.More, Score: d.Risk}
	for _, c := range x.Considered {
		r := n.rule(c)
		if c.Decides && c.Stage == policy.ByPolicy {
			n.pin(&r, c.Policy, d.Version, c.Line)
			decider := r
			w.Decider = &decider
		}
		w.Rules = append(w.Rules, r)
	}
	if w.Decider == nil && d.By == policy.ByPolicy {
		r := n.rule(policy.Considered{Stage: policy.ByPolicy, Rule: d.Rule, Policy: d.Policy, Name: n.clauses[d.Rule], Line: n.lines[d.Rule], Effect: d.Would})
		n.pin(&r, d.Policy, d.Version, r.Line)
		w.Decider = &r
	}
	if d.Reported != "" {
		id, _, _ := strings.Cut(d.Reported, "/")
		r := n.rule(policy.Considered{Stage: policy.ByPolicy, Rule: d.Reported, Policy: id, Name: n.clauses[d.Reported], Line: n.lines[d.Reported], Effect: d.ReportedAs})
		w.Reported = &r
	}
	if x.Flip != nil {
		w.Flip = &views.WhyFlip{To: x.Flip.To}
		for _, c := range x.Flip.Changes {
			change := views.WhyChange{Text: c.Text, Holds: c.Holds, Line: c.Line}
			if p, ok := n.policies[c.Policy]; ok {
				if change.Policy = p.Name; p.ID != draftID {
					change.URL = "/policies/" + p.ID
				}
			}
			w.Flip.Changes = append(w.Flip.Changes, change)
		}
	}
	return w
}

func (n named) rule(c policy.Considered) views.WhyRule {
	r := views.WhyRule{Text: c.Name, Line: c.Line, Effect: c.Effect, Verdict: c.Verdict, Decides: c.Decides, ReportOnly: c.ReportOnly}
	if c.Stage != policy.ByPolicy {
		if words := n.rules[c.Rule]; words != "" {
			r.Text, _, _ = strings.Cut(words, " → ")
		}
		return r
	}
	r.Policy = c.Policy
	p, ok := n.policies[c.Policy]
	if !ok {
		return r
	}
	r.Policy = p.Name
	if p.ID == draftID {
		return r
	}
	r.PolicyURL = "/policies/" + p.ID
	if line := n.lines[c.Rule]; line > 0 { // it still says so
		r.Line, r.LineURL = line, r.PolicyURL+"#L"+strconv.Itoa(line)
	}
	return r
}

// pin leads to the version that decided: the policy may say something else by
// now.
func (n named) pin(r *views.WhyRule, id string, version int64, line int) {
	if _, ok := n.policies[id]; !ok || version == 0 || id == draftID {
		return
	}
	r.PolicyURL = "/policies/" + id + "/versions/" + strconv.FormatInt(version, 10)
	if r.Line = line; line > 0 {
		r.LineURL = r.PolicyURL + "#L" + strconv.Itoa(line)
	}
}

// recorded is what a request's row keeps of the decision about it, and of the
// reasons. What was written by a later version and cannot be read is left out.
func recorded(r audit.Request) (d policy.Decision, x policy.Explanation) {
	d = policy.Decision{By: policy.By(r.DecidedBy), Rule: r.RuleID, Reason: r.Reason, Policy: r.PolicyID, Version: r.PolicyV, Risk: r.Score, Reported: r.Reported}
	d.Effect = effectOf(r.Decision)
	d.Would = d.Effect
	if r.Would != "" {
		d.Would, d.Flagged = effectOf(r.Would), true
	}
	d.ReportedAs = effectOf(r.ReportedAs)
	if r.Why != "" && json.Unmarshal([]byte(r.Why), &x) != nil {
		x = policy.Explanation{}
	}
	return d, x
}

// effectOf reads a decision as it was recorded; what is none is the strictest.
func effectOf(word string) policy.Effect {
	var e policy.Effect
	if e.UnmarshalText([]byte(word)) != nil {
		return policy.Deny
	}
	return e
}
