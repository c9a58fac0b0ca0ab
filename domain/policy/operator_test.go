package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// outcome tells the three apart: with a deny that holds and one that is
// unclear the reason differs.
func outcome(t *testing.T, e policy.Expr, q policy.Question) string {
	t.Helper()
	d, _ := withPolicies(t, []policy.Policy{{ID: "pol_1", Name: "p", Clauses: []policy.Clause{{Name: "c", If: &e, Effect: policy.Deny}}}}).DecideByPolicies(q)
	switch {
	case d.Effect == policy.Allow:
		return "fails"
	case strings.Contains(d.Reason, "does not show"):
		return "unclear"
	}
	return "holds"
}

func everything() policy.Question {
	return policy.Question{
		Action: action.Action{
			Connector: "gh", Name: "github.pr.merge", Class: action.Write, Risk: action.Medium, Resource: "acme/site#12", Reversible: true,
			Params:  map[string]any{"base": "main", "n": int64(12), "f": 1.5, "yes": true, "digits": "007", "labels": []string{"a", "b"}, "one": []string{"x"}, "none": []string{}, "odd": []int{1}, "long": []string{"ä", "b"}},
			Unknown: []string{"hidden"},
		},
		Type: "github",
		Time: time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC), // a Monday
		Request: &policy.Request{
			Method: "PUT", Scheme: "https", Host: "10.1.2.3", Path: "/repos/acme/site",
			Query:  map[string][]string{"q": {"x"}, "twice": {"1", "2"}},
			Header: map[string]string{"accept": "text/html"},
			Body:   map[string]any{"a": map[string]any{"b": int64(5), "null": nil}, "list": []any{int64(1), "two", nil}, "items": []any{map[string]any{"amount": int64(500)}}},
		},
		Run: &policy.Run{ID: "run_1", Principal: "ana@laptop"},
	}
}

func TestOperatorsOfYAML(t *testing.T) {
	t.Parallel()

	window := func(w policy.Window) policy.Const { return policy.Const{Window: &w} }
	two := func(a, b any) policy.Const {
		return policy.Const{IsList: true, List: []policy.Const{constFrom(a), constFrom(b)}}
	}
	for _, tt := range []struct {
		op    policy.Op
		field string
		with  policy.Const
		want  string
	}{
		{policy.Equals, "action", constText("github.pr.merge"), "holds"},
		{policy.Equals, "action", constText("GitHub.pr.merge"), "fails"},
		{policy.Equals, "class", constText("write"), "holds"},
		{policy.Equals, "risk", constText("medium"), "holds"},
		{policy.Equals, "risk_level", constWhole(2), "holds"},
		{policy.Equals, "reversible", constFrom(true), "holds"},
		{policy.Equals, "owner", constText("acme"), "holds"},
		{policy.Equals, "repository", constText("site"), "holds"},
		{policy.Equals, "service", constText("github"), "holds"},
		{policy.Equals, "connector", constText("gh"), "holds"},
		{policy.Equals, "gateway", constText("g"), "holds"},
		{policy.Equals, "environment", constText(""), "holds"},
		{policy.Equals, "run.principal", constText("ana@laptop"), "holds"},
		{policy.Equals, "request.query.q", constText("x"), "holds"},
		{policy.Equals, "request.headers.accept", constText("text/html"), "holds"},
		{policy.Equals, "request.body.a.b", constWhole(5), "holds"},
		{policy.Equals, "request.body.a.b.c", constWhole(5), "fails"},
		{policy.Equals, "request.body.items.amount", constWhole(5), "unclear"},
		{policy.Equals, "request.body.a.null", constWhole(5), "unclear"},
		{policy.Equals, "params.digits", constWhole(7), "holds"},
		{policy.Equals, "params.digits", constText("7"), "fails"},
		{policy.Equals, "params.n", constText("12.0"), "holds"},
		{policy.Equals, "params.n", constText("1e1"), "fails"},
		{policy.Equals, "params.yes", constText("true"), "holds"},
		{policy.Equals, "params.yes", constText("yes"), "fails"},
		{policy.Equals, "params.labels", constText("b"), "holds"},
		{policy.NotEquals, "params.labels", constText("b"), "holds"}, // of a
		{policy.Equals, "params.none", constText("b"), "fails"},
		{policy.NotEquals, "params.none", constText("b"), "holds"},
		{policy.Equals, "params.missing", constText("b"), "fails"},
		{policy.NotEquals, "params.missing", constText("b"), "holds"},
		{policy.Equals, "params.hidden", constText("b"), "unclear"},
		{policy.NotEquals, "params.hidden", constText("b"), "unclear"},
		{policy.Equals, "params.odd", constText("b"), "unclear"},
		{policy.In, "params.base", constTexts("a", "main"), "holds"},
		{policy.In, "params.n", constTexts("a", "12"), "holds"},
		{policy.In, "params.base", constTexts(), "fails"},
		{policy.NotIn, "params.base", constTexts("a", "b"), "holds"},
		{policy.In, "params.base", constTexts("1", "2", "3", "4", "5", "6", "7", "8", "9", "main"), "holds"},
		{policy.In, "params.digits", policy.Const{IsList: true, List: []policy.Const{constText("a"), constText("b"), constText("c"), constText("d"), constText("e"), constText("f"), constText("g"), constText("h"), constWhole(7)}}, "holds"},
		{policy.StartsWith, "params.base", constText("ma"), "holds"},
		{policy.StartsWith, "params.n", constText("1"), "unclear"},
		{policy.EndsWith, "resource", constText("#12"), "holds"},
		{policy.Matches, "resource", constText("^acme/.+#[0-9]+$"), "holds"},
		{policy.NotMatches, "resource", constText("^other"), "holds"},
		{policy.Glob, "resource", constTexts("x", "acme/*"), "holds"},
		{policy.NotGlob, "resource", constText("acme/*"), "fails"},
		{policy.GT, "params.n", constWhole(11), "holds"},
		{policy.GT, "params.n", constFrom(11.5), "holds"},
		{policy.GTE, "params.f", constFrom(1.5), "holds"},
		{policy.LT, "params.digits", constWhole(8), "holds"},
		{policy.LTE, "params.base", constWhole(8), "unclear"},
		{policy.GT, "time", constFrom(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), "holds"},
		{policy.Between, "params.n", two(12, 13), "holds"},
		{policy.Between, "params.n", two(13, 20), "fails"},
		{policy.CIDR, "request.host", constTexts("192.168.0.0/16", "10.0.0.0/8"), "holds"},
		{policy.NotCIDR, "request.host", constText("10.1.2.3"), "fails"},
		{policy.CIDR, "request.path", constText("10.0.0.0/8"), "unclear"},
		{policy.InWindow, "time", window(policy.Window{From: 22 * 60, To: 6 * 60, Zone: "UTC"}), "holds"},
		{policy.NotWindow, "time", window(policy.Window{From: 9 * 60, To: 17 * 60, Zone: "UTC"}), "holds"},
		{policy.InWindow, "params.base", window(policy.Window{From: 9 * 60, To: 17 * 60, Zone: "UTC"}), "unclear"},
		{policy.Contains, "params.labels", constText("b"), "holds"},
		{policy.NotContains, "params.labels", constText("c"), "holds"},
		{policy.Contains, "params.base", constText("ai"), "holds"},
		{policy.Contains, "params.n", constText("1"), "unclear"},
		{policy.ContainsAny, "params.labels", constTexts("c", "a"), "holds"},
		{policy.ContainsAll, "params.labels", constTexts("c", "a"), "fails"},
		{policy.ContainsAll, "params.labels", constTexts("b", "a"), "holds"},
		{policy.Contains, "request.body.list", constText("two"), "holds"},
		{policy.Contains, "request.body.list", constText("three"), "unclear"}, // the null
		{policy.SizeEquals, "params.labels", constWhole(2), "holds"},
		{policy.SizeGT, "params.base", constWhole(3), "holds"},
		{policy.SizeLT, "params.missing", constWhole(3), "fails"},
	} {
		if got := outcome(t, fieldHas(tt.op, tt.field, tt.with), everything()); got != tt.want {
			t.Errorf("%s %s %+v %s, want %s", tt.field, tt.op, tt.with, got, tt.want)
		}
	}
	for field, want := range map[string]string{"params.base": "holds", "params.missing": "fails", "params.hidden": "unclear", "request.body.a.null": "holds", "request.body.x.y": "fails", "params.none": "holds"} {
		if got := outcome(t, policy.Expr{Op: policy.Exists, Args: []policy.Expr{{Field: field}}}, everything()); got != want {
			t.Errorf("%s exists: %s, want %s", field, got, want)
		}
	}
}

// Every field is unknown where the question leaves it out, but for those that
// are known of every gateway and connector.
func TestWhatAQuestionLeavesOutIsUnknown(t *testing.T) {
	t.Parallel()

	q := policy.Question{Action: action.Action{Name: "github.pr.merge", Unknown: []string{"*"}}}
	known := map[string]bool{"action": true, "class": true, "risk": true, "risk_level": true, "reversible": true, "service": true, "connector": true, "gateway": true, "environment": true}
	for _, f := range policy.Fields() {
		name := strings.Replace(f.Name, ".*", ".x", 1)
		got := outcome(t, policy.Expr{Op: policy.NotExists, Args: []policy.Expr{{Field: name}}}, q)
		if want := map[bool]string{true: "fails", false: "unclear"}[known[name]]; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		// Of an action that the request may be besides, no more is known than its name.
		other := q
		other.Action.Or = []action.Alternative{{Name: "github.x", Class: action.Read}}
		if f.Name == "risk" || f.Name == "reversible" || f.Name == "risk_level" {
			if got := outcome(t, policy.Expr{Op: policy.NotExists, Args: []policy.Expr{{Field: name}}}, other); got != "unclear" {
				t.Errorf("%s of an alternative: %s", name, got)
			}
		}
	}
}

func TestAListIsLookedAtOneElementAtATime(t *testing.T) {
	t.Parallel()

	long := make([]string, 33)
	for i := range long {
		long[i] = fmt.Sprint(i)
	}
	q := everything()
	q.Action.Params["long"], q.Action.Params["labels"] = long, []string{"a", "b"}
	for name, tt := range map[string]struct {
		e    policy.Expr
		want string
	}{
		"the same element":           {*everyOf(fieldIs("params.labels", "a"), fieldIs("params.labels", "b")), "fails"},
		"one of each":                {*everyOf(fieldIs("params.labels", "a"), fieldIs("request.query.twice", "2")), "holds"},
		"neither":                    {policy.Expr{Op: policy.Not, Args: []policy.Expr{fieldIs("params.labels", "a")}}, "holds"}, // with b
		"too many":                   {*everyOf(fieldIs("params.labels", "a"), fieldIs("params.long", "7")), "unclear"},
		"too many, of either":        {*everyOf(fieldIs("params.labels", "z"), fieldIs("params.long", "7")), "unclear"},
		"one way or the other":       {policy.Expr{Op: policy.Cond, Args: []policy.Expr{fieldIs("params.hidden", "x"), fieldIs("class", "read"), fieldIs("class", "read")}}, "unclear"},
		"too many, and it is moot":   {*everyOf(fieldIs("params.labels", "a"), fieldIs("params.long", "7"), fieldIs("class", "read")), "fails"},
		"many of one":                {fieldIs("params.long", "7"), "holds"},
		"the whole list besides":     {*everyOf(fieldIs("params.labels", "a"), fieldHas(policy.Contains, "params.labels", constText("b"))), "holds"},
		"a list is a list, for CEL":  {policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Field: "params.labels"}, {Value: new(constText("a"))}}}, "fails"},
		"missing is unclear for CEL": {policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Field: "params.missing"}, {Value: new(constText("a"))}}}, "unclear"},
	} {
		if got := outcome(t, tt.e, q); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestWindowsGoByTheClockOnTheWall(t *testing.T) {
	t.Parallel()

	night := policy.Window{From: 22 * 60, To: 6 * 60, Zone: "Europe/Berlin", Days: []time.Weekday{time.Friday}}
	early := policy.Window{From: 2 * 60, To: 3 * 60, Zone: "Europe/Berlin"}
	for _, tt := range []struct {
		w    policy.Window
		at   string
		want string
	}{
		{night, "2026-11-27T22:00:00+01:00", "holds"}, // a Friday
		{night, "2026-11-27T21:59:59+01:00", "fails"},
		{night, "2026-11-28T05:59:59+01:00", "holds"}, // that began on Friday
		{night, "2026-11-28T06:00:00+01:00", "fails"},
		{night, "2026-11-28T22:00:00+01:00", "fails"},
		{night, "2026-11-27T05:00:00+01:00", "fails"}, // of Thursday
		{early, "2026-03-29T00:59:59Z", "fails"},      // 01:59:59; the next second is 03:00
		{early, "2026-03-29T01:00:00Z", "fails"},      // two o'clock is left out
		{early, "2026-10-25T00:30:00Z", "holds"},      // 02:30, for the first time
		{early, "2026-10-25T01:30:00Z", "holds"},      // and again
		{early, "2026-10-25T02:00:00Z", "fails"},      // 03:00
		{policy.Window{From: 0, To: 1440, Zone: "UTC"}, "2026-10-25T23:59:59Z", "holds"},
		{policy.Window{From: 600, To: 600, Zone: "UTC"}, "2026-10-25T09:00:00Z", "holds"}, // until the next day
	} {
		q := everything()
		var err error
		if q.Time, err = time.Parse(time.RFC3339, tt.at); err != nil {
			t.Fatal(err)
		}
		if got := outcome(t, fieldHas(policy.InWindow, "time", policy.Const{Window: &tt.w}), q); got != tt.want {
			t.Errorf("%v at %s: %s, want %s", tt.w, tt.at, got, tt.want)
		}
	}
}
