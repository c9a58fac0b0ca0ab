package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// The generators of conditions know few words, so that they meet.
var (
	genField = rapid.SampledFrom([]string{
		"action", "action", "class", "resource", "owner", "repository", "params.ref", "params.n", "service",
		"request.host", "request.query.x", "request.body.a", "request.headers.accept",
	})
	genText  = rapid.SampledFrom([]string{"github.pr.get", "github.pr", "github.", "github.pr.", "acme", "acme/site", "acme/", "site", "write", "1", "a", "ab", "", "api.github.com"})
	genConst = rapid.OneOf(
		rapid.Map(genText, constText), rapid.Map(genText, constText), rapid.Map(rapid.Int64Range(0, 2), constWhole),
		rapid.Just(constFrom(true)), rapid.Just(constFrom(1.5)),
	)
	genList = rapid.Map(rapid.SliceOfN(genConst, 0, 12), func(all []policy.Const) policy.Const { return policy.Const{IsList: true, List: all} })
	genGlob = rapid.Map(rapid.SampledFrom([]string{"acme/*", "acme/si*#1", "github.*", "github.pr.*", "*", "a*", "acme", "github.pr.get"}), constText)
)

func genLeaf(t *rapid.T) policy.Expr {
	field := policy.Expr{Field: genField.Draw(t, "field")}
	with := func(g *rapid.Generator[policy.Const]) policy.Expr {
		c := g.Draw(t, "constant")
		return policy.Expr{Value: &c}
	}
	switch op := rapid.SampledFrom([]policy.Op{
		policy.Equals, policy.Equals, policy.Equals, policy.In, policy.In, policy.NotEquals, policy.NotIn, policy.StartsWith, policy.Glob, policy.NotGlob,
		policy.Exists, policy.GT, policy.Contains, policy.Eq, policy.Eq, policy.Ne, policy.Member, policy.Begins, policy.GlobOf, policy.HasField,
	}).Draw(t, "operator"); op {
	case policy.In, policy.NotIn, policy.Member:
		return policy.Expr{Op: op, Args: []policy.Expr{field, with(genList)}}
	case policy.StartsWith, policy.Begins:
		return policy.Expr{Op: op, Args: []policy.Expr{field, with(rapid.Map(genText, constText))}}
	case policy.Glob, policy.NotGlob, policy.GlobOf:
		return policy.Expr{Op: op, Args: []policy.Expr{field, with(genGlob)}}
	case policy.Exists, policy.HasField:
		return policy.Expr{Op: op, Args: []policy.Expr{field}}
	case policy.GT:
		return policy.Expr{Op: op, Args: []policy.Expr{field, with(rapid.Map(rapid.Int64Range(0, 2), constWhole))}}
	case policy.Eq:
		args := []policy.Expr{field, with(genConst)}
		if rapid.Bool().Draw(t, "turned round") {
			slices.Reverse(args)
		}
		return policy.Expr{Op: op, Args: args}
	default:
		return policy.Expr{Op: op, Args: []policy.Expr{field, with(genConst)}}
	}
}

func genExpr(t *rapid.T, depth int) policy.Expr {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return genLeaf(t)
	}
	e := policy.Expr{Op: rapid.SampledFrom([]policy.Op{policy.All, policy.All, policy.Any, policy.Not, policy.Cond}).Draw(t, "logic")}
	args := map[policy.Op]int{policy.Not: 1, policy.Cond: 3}[e.Op]
	if args == 0 {
		args = rapid.IntRange(1, 3).Draw(t, "args")
	}
	for range args {
		e.Args = append(e.Args, genExpr(t, depth-1))
	}
	return e
}

var genPolicies = rapid.Custom(func(t *rapid.T) []policy.Policy {
	var all []policy.Policy
	for i := range rapid.IntRange(1, 4).Draw(t, "policies") {
		p := policy.Policy{ID: fmt.Sprint("pol_", i), Name: fmt.Sprint("p", rapid.IntRange(0, 2).Draw(t, "name")), Priority: rapid.IntRange(0, 2).Draw(t, "priority"), ReportOnly: rapid.IntRange(0, 5).Draw(t, "report") == 0}
		for range rapid.IntRange(0, 2).Draw(t, "scopes") {
			p.Scope.Actions = append(p.Scope.Actions, action.Pattern(patterns.Draw(t, "scope")))
		}
		for n := range rapid.IntRange(1, 14).Draw(t, "clauses") {
			e := genExpr(t, 2)
			p.Clauses = append(p.Clauses, policy.Clause{
				Name: fmt.Sprint("c", n), Effect: effects.Draw(t, "effect"), If: &e, Risk: rapid.IntRange(0, 3).Draw(t, "risk"),
				Approvers: approvers.Draw(t, "approvers"),
			})
		}
		all = append(all, p)
	}
	return all
})

var genQuestion = rapid.Custom(func(t *rapid.T) policy.Question {
	a := someAction.Draw(t, "action")
	a.Resource = rapid.SampledFrom([]string{"", "acme", "acme/site", "acme/site#1", "/site", "acme/"}).Draw(t, "resource")
	a.Name = rapid.SampledFrom([]string{"github.pr.get", "github.pr.merge", "github", "", "github.pr.*", "a..b", "*"}).Draw(t, "name")
	if rapid.Bool().Draw(t, "nothing else") {
		a.Or = nil
	}
	q := policy.Question{Action: a, Type: "github", Time: time.Unix(1e9, 0)}
	if rapid.Bool().Draw(t, "a request") {
		q.Request = &policy.Request{
			Method: "GET", Scheme: "https", Host: "api.github.com", Path: "/",
			Query:  map[string][]string{"x": rapid.SliceOfN(genText, 0, 9).Draw(t, "query")},
			Body:   map[string]any{"a": rapid.SampledFrom([]any{nil, "a", int64(1), true, []any{"a", "b"}, []any{nil, "a"}, map[string]any{}, []any{}}).Draw(t, "body")},
			Hidden: rapid.SliceOfN(rapid.SampledFrom([]string{"query", "headers", "body"}), 0, 1).Draw(t, "hidden"),
		}
	}
	return q
})

func TestTheIndexNeverChangesADecision(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		e, err := policy.Compile(policy.Settings{
			Enforcement: levels.Draw(t, "level"), Policies: genPolicies.Draw(t, "policies"),
			Rules: []policy.Rule{{ID: "r", Connector: "github", Pattern: "*", Effect: effects.Draw(t, "access")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			q := genQuestion.Draw(t, "question")
			got, want := e.Decide(q), e.Linear(q)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("with the index (-without +with):\n%s", diff)
			}
			explained, x := e.Explain(q)
			if diff := cmp.Diff(got, explained); diff != "" {
				t.Fatalf("Explain decides otherwise (-Decide +Explain):\n%s", diff)
			}
			if x.Flip != nil && (x.Flip.To <= got.Would || len(x.Flip.Changes) == 0) {
				t.Fatalf("%v would become %+v", got.Would, x.Flip)
			}
			if best := e.Mildest(q); len(q.Action.Or) == 0 && got.Effect > best.Effect && len(q.Action.Unknown) == 0 && q.Action.Name == "github.pr.get" {
				t.Fatalf("%+v, but at best %+v", got, best)
			}
		}
	})
}

// A bucket that is large enough to be sorted by one field is asked with every
// sort of value there.
func TestAKeyNeverHidesAClause(t *testing.T) {
	t.Parallel()

	words := []string{"a", "b", "1", "acme", "", "c", "d", "e"}
	conditions := map[string]func(field, word string) policy.Expr{
		"equals": func(f, w string) policy.Expr { return fieldIs(f, w) },
		"in":     func(f, w string) policy.Expr { return fieldHas(policy.In, f, constTexts(w, "z")) },
		"==": func(f, w string) policy.Expr {
			return policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Field: f}, {Value: new(constText(w))}}}
		},
		"member": func(f, w string) policy.Expr {
			return policy.Expr{Op: policy.Member, Args: []policy.Expr{{Field: f}, {Value: new(constTexts(w, "z"))}}}
		},
		"glob": func(_, w string) policy.Expr { return fieldHas(policy.Glob, "resource", constText(w+"/*")) },
		"globof": func(_, w string) policy.Expr {
			return policy.Expr{Op: policy.GlobOf, Args: []policy.Expr{{Field: "resource"}, {Value: new(constText(w + "/*"))}}}
		},
		"lists": func(f, w string) policy.Expr {
			return *everyOf(fieldIs(f, w), fieldHas(policy.NotEquals, "params.labels", constText("q")))
		},
	}
	long := make([]string, 70)
	for i := range long {
		long[i] = fmt.Sprint("a", i)
	}
	for name, condition := range conditions {
		for _, field := range []string{"params.k", "request.body.k"} {
			for _, value := range []any{"a", "b", "1", "x", "acme", int64(1), 1.0, true, nil, []string{}, []string{"a"}, []string{"x", "b"}, long, []any{"a", nil}, []any{int64(1), "x"}, map[string]any{}, []int{1}, "absent", "unknown"} {
				for _, scope := range [][]action.Pattern{nil, {"github.*"}, {"*.pr.*"}} {
					var all []policy.Policy
					for _, w := range words {
						p := just("pol_"+w, policy.Clause{Name: w, Effect: policy.RequireApproval, If: new(condition(field, w)), Risk: len(all)})
						p.Scope.Actions = scope
						all = append(all, p)
					}
					q := everything()
					q.Action.Resource, q.Action.Unknown = "", nil
					if name == "lists" {
						q.Action.Params["labels"] = long[:40]
					}
					body := map[string]any{}
					switch value {
					case "absent":
					case "unknown":
						q.Action.Unknown, q.Request.Hidden = []string{"*"}, []string{"body"}
					default:
						q.Action.Params["k"], body["k"] = value, value
						if s, ok := value.(string); ok {
							q.Action.Resource = s + "/x"
						}
					}
					q.Request.Body = body
					e := withPolicies(t, all)
					for _, name2 := range []string{"github.pr.merge", "github.pr.*", "*"} {
						q.Action.Name = name2
						if diff := cmp.Diff(e.Linear(q), e.Decide(q)); diff != "" {
							t.Errorf("%s of %s, which is %v, scope %v, %s (-without +with the index):\n%s", name, field, value, scope, name2, diff)
						}
					}
				}
			}
		}
	}
}

func TestTheOrderOfPoliciesHasNoMeaning(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		all, q := genPolicies.Draw(t, "policies"), genQuestion.Draw(t, "question")
		want := withPolicies(t, all).Decide(q)
		if diff := cmp.Diff(want, withPolicies(t, rapid.Permutation(all).Draw(t, "permuted")).Decide(q)); diff != "" {
			t.Fatalf("-before +after:\n%s", diff)
		}
	})
}

func TestAnotherClauseNeverAllowsMore(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		all, q, more := genPolicies.Draw(t, "policies"), genQuestion.Draw(t, "question"), genPolicies.Draw(t, "more")
		before, after := withPolicies(t, all).Decide(q), withPolicies(t, append(slices.Clone(all), more...)).Decide(q)
		if after.Effect > before.Effect || after.Would > before.Would {
			t.Fatalf("%v became %v", before, after)
		}
	})
}

func TestWhatIsNotKnownNeverAllowsMore(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		e, q := withPolicies(t, genPolicies.Draw(t, "policies")), genQuestion.Draw(t, "question")
		before := e.Decide(q)
		switch rapid.IntRange(0, 3).Draw(t, "unknown") {
		case 0:
			q.Action.Unknown = append(slices.Clone(q.Action.Unknown), rapid.SampledFrom([]string{"ref", "n", "resource", "*"}).Draw(t, "hidden"))
		case 1:
			q.Request = nil
		case 2:
			q.Time = time.Time{}
		case 3:
			if q.Request != nil {
				r := *q.Request
				r.Hidden = []string{"query", "headers", "body"}
				q.Request = &r
			}
		}
		if after := e.Decide(q); after.Would > before.Would {
			t.Fatalf("%v became %v", before, after)
		}
	})
}
