package document

import (
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// enough is how long the tests of one document may take. Every decision has a
// limit of its own, so that none of them can be much longer.
const enough = 2 * time.Second

// Run makes the tests of d, in their order. Only d decides in them: what it
// says nothing about is allowed. Without read, those with a request fail.
func (d *Document) Run(read Reader) ([]Result, error) {
	p := d.Policy
	p.ID = "pol_document"
	rules := map[string]int{}
	for i := range p.Clauses {
		rules[p.Key(i)] = i
	}
	engines := map[[2]string]*policy.Engine{}
	began := time.Now()
	results := make([]Result, 0, len(d.Tests))
	for _, t := range d.Tests {
		if time.Since(began) > enough {
			results = append(results, Result{Test: t, Problem: "It was not made: the tests before it took too long."})
			continue
		}
		at := [2]string{t.Gateway, t.Environment}
		if at[0] == "" {
			at[0] = included(p.Scope.Gateways)
		}
		if at[1] == "" {
			at[1] = included(p.Scope.Environments)
		}
		if engines[at] == nil {
			engine, err := policy.Compile(policy.Settings{Gateway: at[0], Environment: at[1], Policies: []policy.Policy{p}})
			if err != nil {
				return nil, fmt.Errorf("compile policy %s for its tests: %w", p.Name, err)
			}
			engines[at] = engine
		}
		results = append(results, t.run(engines[at], &p, rules, read))
	}
	return results, nil
}

func (t Test) run(engine *policy.Engine, p *policy.Policy, rules map[string]int, read Reader) Result {
	q, err := t.question(read)
	if err != nil {
		return Result{Test: t, Problem: fault.Message(err)}
	}
	r := Result{Test: t}
	r.Got, r.Explanation = engine.DecideByPolicies(q)
	if i, ok := rules[r.Got.Rule]; ok {
		r.Rule, r.Line = p.Clauses[i].Name, p.Clauses[i].Line
	}
	r.Problem = r.failure()
	r.Passed = r.Problem == ""
	return r
}

func (t Test) question(read Reader) (q policy.Question, err error) {
	switch {
	case t.Action != nil:
		q = t.Action.Question()
	case read == nil || t.Request == nil:
		return q, fault.New(fault.Invalid, "The request could not be made: nobody here knows the connectors.", nil)
	default:
		if q, err = read(*t.Request); err != nil {
			return q, fmt.Errorf("read the request of test %q: %w", t.Name, err)
		}
	}
	if q.Time = t.Time; t.Principal != "" {
		q.Run = &policy.Run{Principal: t.Principal}
	}
	return q, nil
}

// failure says in a sentence why r is not what the test expects.
func (r Result) failure() string {
	if r.Got.Effect != r.Test.Expect {
		return "Expected " + r.Test.Expect.String() + ", got " + r.Got.Effect.String() + r.by() + "."
	}
	if r.Test.Rule == "" || r.Test.Rule == r.Rule || r.allowedBy() {
		return ""
	}
	if r.Rule == "" {
		return "Expected the rule “" + r.Test.Rule + "” to decide; no rule applies."
	}
	return "Expected the rule “" + r.Test.Rule + "” to decide; it was “" + r.Rule + fmt.Sprintf("” in line %d.", r.Line)
}

// by says who decided, as the end of a sentence.
func (r Result) by() string {
	if r.Rule == "" {
		return ": no rule applies"
	}
	s := fmt.Sprintf(" by the rule “%s” in line %d", r.Rule, r.Line)
	for _, c := range r.Explanation.Considered {
		if !c.Decides || c.Verdict != "unclear" {
			continue
		}
		s += ", because it is unclear whether it applies"
		if r.Test.Time.IsZero() {
			s += " (what the test leaves out is unknown: the time, for one)"
		}
	}
	return s
}

// allowedBy reports whether the rule that the test names allows what is
// allowed. Several may, and none of them decides by itself.
func (r Result) allowedBy() bool {
	if r.Got.Effect != policy.Allow {
		return false
	}
	for _, c := range r.Explanation.Considered {
		if c.Name == r.Test.Rule && c.Verdict == "holds" && c.Effect == policy.Allow && c.Stage == policy.ByPolicy {
			return true
		}
	}
	return false
}
