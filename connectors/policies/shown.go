package policies

import (
	"errors"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Problems are what is wrong with a document, as it was refused with err.
func Problems(err error) []rest.PolicyProblem {
	if found, ok := errors.AsType[*yamldoc.Problems](err); ok {
		return Shown(found.All)
	}
	return []rest.PolicyProblem{{Message: fault.Message(err)}}
}

// Shown are problems or notes as other programs read them.
func Shown(all []yamldoc.Problem) []rest.PolicyProblem {
	out := make([]rest.PolicyProblem, 0, len(all))
	for _, p := range all {
		out = append(out, rest.PolicyProblem{Line: p.Line, Column: p.Column, Path: p.Path, Message: p.Message})
	}
	return out
}

// Tests are the results of tests as other programs read them.
func Tests(results []document.Result) []rest.PolicyTest {
	out := make([]rest.PolicyTest, 0, len(results))
	for _, r := range results {
		one := rest.PolicyTest{Name: r.Test.Name, Line: r.Test.Line, Passed: r.Passed, Expected: r.Test.Expect.String(), Rule: r.Rule, RuleLine: r.Line, Problem: r.Problem}
		if r.Got.By != "" { // it could be made
			one.Got = r.Got.Effect.String()
		}
		out = append(out, one)
	}
	return out
}

// Rules are what the rules of a policy come to.
func Rules(p policy.Policy) []rest.PolicyRule {
	out := make([]rest.PolicyRule, 0, len(p.Clauses))
	for _, c := range p.Clauses {
		out = append(out, rest.PolicyRule{Name: c.Name, Decision: c.Effect.String(), Reason: c.Reason, Risk: c.Risk, Line: c.Line})
	}
	return out
}
