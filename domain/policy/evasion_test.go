package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

func constOf(v any) *policy.Const {
	switch v := v.(type) {
	case string:
		return &policy.Const{Text: &v}
	case bool:
		return &policy.Const{Bool: &v}
	case int64:
		return &policy.Const{Int: &v}
	}
	panic("no constant")
}

func with(op policy.Op, field string, v any) *policy.Expr {
	return &policy.Expr{Op: op, Args: []policy.Expr{{Field: field}, {Value: constOf(v)}}}
}

// denying is an engine with six clauses that deny, so that they are found by an
// index. The first has the condition; the others are like it and about
// something else.
func denying(t *testing.T, first *policy.Expr, reportOnly bool) *policy.Engine {
	t.Helper()
	p := policy.Policy{ID: "pol_1", Name: "p", ReportOnly: reportOnly, Clauses: []policy.Clause{{Name: "first", If: first, Effect: policy.Deny}}}
	for i := range 5 {
		other := *first
		if len(first.Args) == 2 && first.Args[1].Value != nil {
			other.Args = []policy.Expr{first.Args[0], {Value: constOf(fmt.Sprintf("other%d", i))}}
			p.Clauses = append(p.Clauses, policy.Clause{Name: fmt.Sprintf("c%d", i), If: &other, Effect: policy.Deny})
		}
	}
	e, err := policy.Compile(policy.Settings{Policies: []policy.Policy{p}, Rules: []policy.Rule{{ID: "all", Connector: "api", Pattern: "*", Effect: policy.Allow}}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// An agent chooses how it writes a request. None of these ways may let one
// pass that the plain way does not.
func TestNoOtherSpellingPassesAPolicy(t *testing.T) {
	t.Parallel()

	query := func(values ...string) *policy.Request {
		return &policy.Request{Method: "POST", Host: "api.example", Path: "/", Query: map[string][]string{"force": values}}
	}
	for name, tt := range map[string]struct {
		deny   *policy.Expr
		params map[string]any
		r      *policy.Request
	}{
		"a number for a glob":               {with(policy.GlobOf, "params.ref", "main"), map[string]any{"ref": int64(5)}, nil},
		"a truth for a glob":                {with(policy.GlobOf, "params.ref", "main"), map[string]any{"ref": true}, nil},
		"a list for a glob":                 {with(policy.GlobOf, "params.ref", "main"), map[string]any{"ref": []string{"x", "y"}}, nil},
		"an empty list for a glob":          {with(policy.GlobOf, "params.ref", "main"), map[string]any{"ref": []string{}}, nil},
		"a parameter twice, in CEL":         {with(policy.Eq, "request.query.force", "true"), nil, query("true", "true")},
		"one of two, in CEL":                {with(policy.Eq, "request.query.force", "true"), nil, query("x", "true")},
		"a parameter twice":                 {with(policy.Equals, "request.query.force", "true"), nil, query("x", "true")},
		"true as a text":                    {with(policy.Equals, "request.query.force", true), nil, query("true")},
		"another case of a parameter":       {with(policy.Equals, "request.query.FORCE", "true"), nil, query("true")},
		"a path that is not known":          {with(policy.StartsWith, "request.path", "/admin"), nil, &policy.Request{Path: "/x", Hidden: []string{"path"}}},
		"a header in two lines":             {with(policy.Equals, "request.headers.x-env", "prod"), nil, &policy.Request{Hidden: []string{"headers.x-env"}}},
		"another case of a field of a body": {with(policy.Equals, "request.body.amount", int64(5)), nil, &policy.Request{Body: map[string]any{"Amount": int64(5)}}},
	} {
		q := policy.Question{Action: action.Action{Connector: "api", Name: "http.post", Class: action.Write, Params: tt.params}, Type: "http", Request: tt.r, Time: time.Now()}
		if d := denying(t, tt.deny, false).Decide(q); d.Effect != policy.Deny || d.By != policy.ByPolicy {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestALargeBodyCostsLittle(t *testing.T) {
	t.Parallel()

	body := map[string]any{}
	for i := range 60_000 {
		body[fmt.Sprintf("k%d", i)] = int64(i)
	}
	p := policy.Policy{ID: "pol_1", Name: "p"}
	for i := range 200 {
		p.Clauses = append(p.Clauses, policy.Clause{Name: fmt.Sprint("c", i), Effect: policy.Allow, If: with(policy.NotEquals, fmt.Sprintf("request.body.x%d", i), "a")})
	}
	e, err := policy.Compile(policy.Settings{Policies: []policy.Policy{p}, Rules: []policy.Rule{{ID: "all", Connector: "api", Pattern: "*", Effect: policy.Allow}}})
	if err != nil {
		t.Fatal(err)
	}
	q := policy.Question{Action: action.Action{Connector: "api", Name: "http.post"}, Request: &policy.Request{Body: body}}
	began := time.Now()
	for range 10 {
		e.Decide(q)
	}
	if took := time.Since(began); took > time.Second { // looked through, it would be half a minute
		t.Errorf("ten decisions took %v", took)
	}
}

// nested loops over a list of three thousand are more than a decision may cost.
func costly() *policy.Expr {
	sum := policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Op: policy.Add, Args: []policy.Expr{{Field: "$x"}, {Field: "$y"}}}, {Value: constOf("none")}}}
	inner := policy.Expr{Op: policy.Exist, Var: "y", Args: []policy.Expr{{Field: "params.list"}, sum}}
	return &policy.Expr{Op: policy.Exist, Var: "x", Args: []policy.Expr{{Field: "params.list"}, inner}}
}

func TestAPolicyThatOnlyReportsNeverDecides(t *testing.T) {
	t.Parallel()

	list := make([]string, 3000)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	q := policy.Question{Action: action.Action{Connector: "api", Name: "http.post", Params: map[string]any{"list": list}}, Time: time.Now()}
	for reportOnly, want := range map[bool]policy.Effect{true: policy.Allow, false: policy.Deny} {
		if d := denying(t, costly(), reportOnly).Decide(q); d.Effect != want {
			t.Errorf("report only %v: %+v", reportOnly, d)
		}
	}
}

func TestAnExplanationIsSoonMade(t *testing.T) {
	t.Parallel()

	leaf := func(n int) policy.Expr { return *with(policy.Eq, fmt.Sprint("params.p", n), "a") }
	nested := leaf(0)
	for i := range 22 {
		nested = policy.Expr{Op: policy.Cond, Args: []policy.Expr{nested, leaf(2*i + 1), leaf(2*i + 2)}}
	}
	e := denying(t, &nested, false)
	began := time.Now()
	d, _ := e.DecideByPolicies(policy.Question{Action: action.Action{Connector: "api", Name: "http.post"}, Time: time.Now()})
	if took := time.Since(began); took > 500*time.Millisecond || d.Effect != policy.Deny || !strings.Contains(d.Reason, "first") {
		t.Errorf("%v: %+v", took, d)
	}
}
