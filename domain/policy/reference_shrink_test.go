package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/policy"
)

// shrink takes away what the disagreement does not need.
func shrink(s policy.Settings, q policy.Question) (policy.Settings, policy.Question) {
	if stillDisagrees(s, q) == "" {
		return s, q // it was about what must not matter
	}
	for again := true; again; {
		again = false
		for _, smaller := range smallerSettings(s) {
			if stillDisagrees(smaller, q) != "" {
				s, again = smaller, true
				break
			}
		}
		for _, smaller := range smallerQuestions(q) {
			if stillDisagrees(s, smaller) != "" {
				q, again = smaller, true
				break
			}
		}
	}
	return s, q
}

func without[T any](list []T, i int) []T { return slices.Delete(slices.Clone(list), i, i+1) }

func smallerSettings(s policy.Settings) []policy.Settings {
	var all []policy.Settings
	add := func(change func(*policy.Settings)) {
		out := s
		out.Policies = slices.Clone(s.Policies)
		change(&out)
		all = append(all, out)
	}
	for i := range s.Rules {
		add(func(s *policy.Settings) { s.Rules = without(s.Rules, i) })
	}
	for i, p := range s.Policies {
		add(func(s *policy.Settings) { s.Policies = without(s.Policies, i) })
		if len(p.Scope.Actions)+len(p.Scope.Gateways)+len(p.Scope.Environments) > 0 {
			add(func(s *policy.Settings) { s.Policies[i].Scope = policy.Scope{} })
		}
		for j, c := range p.Clauses {
			if len(p.Clauses) > 1 {
				add(func(s *policy.Settings) { s.Policies[i].Clauses = without(p.Clauses, j) })
			}
			for _, e := range smallerExprs(c.If) {
				add(func(s *policy.Settings) {
					s.Policies[i].Clauses = slices.Clone(p.Clauses)
					s.Policies[i].Clauses[j].If = e
				})
			}
		}
	}
	return all
}

func smallerExprs(e *policy.Expr) []*policy.Expr {
	if e == nil || e.Op != policy.All && e.Op != policy.Any && e.Op != policy.Not {
		return nil
	}
	var all []*policy.Expr
	for i := range e.Args {
		all = append(all, &e.Args[i])
		if len(e.Args) > 1 {
			all = append(all, &policy.Expr{Op: e.Op, Args: without(e.Args, i)})
		}
		for _, smaller := range smallerExprs(&e.Args[i]) {
			args := slices.Clone(e.Args)
			args[i] = *smaller
			all = append(all, &policy.Expr{Op: e.Op, Args: args})
		}
	}
	return all
}

func smallerQuestions(q policy.Question) []policy.Question {
	var all []policy.Question
	for name := range q.Action.Params {
		out := q
		out.Action.Params = maps.Clone(q.Action.Params)
		delete(out.Action.Params, name)
		all = append(all, out)
	}
	for i := range q.Action.Unknown {
		out := q
		out.Action.Unknown = without(q.Action.Unknown, i)
		all = append(all, out)
	}
	for i := range q.Action.Or {
		out := q
		out.Action.Or = without(q.Action.Or, i)
		all = append(all, out)
	}
	return all
}

func shownSettings(s policy.Settings) string {
	var b strings.Builder
	fmt.Fprintf(&b, "level %v, environment %q\n", s.Enforcement, s.Environment)
	for _, r := range s.Rules {
		fmt.Fprintf(&b, "rule %s: %v %s when %v\n", r.ID, r.Effect, r.Pattern, r.When)
	}
	for _, p := range s.Policies {
		fmt.Fprintf(&b, "policy %s priority=%d report-only=%v scope=%v\n", p.Name, p.Priority, p.ReportOnly, p.Scope)
		for _, c := range p.Clauses {
			fmt.Fprintf(&b, "  %v %s risk=%d approvers=%v if %s\n", c.Effect, c.Name, c.Risk, c.Approvers, written(c.If))
		}
	}
	return b.String()
}

func shownQuestion(q policy.Question) string {
	b, err := json.Marshal(q)
	if err != nil {
		return fmt.Sprintf("%+v", q)
	}
	return string(b) + "\n"
}
