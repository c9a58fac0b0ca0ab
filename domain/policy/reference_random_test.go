package policy_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// dice makes policies and requests of few words, so that they often meet.
type dice struct{ *rand.Rand }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// times says yes once in n times.
func (d dice) onceIn(n int) bool { return d.IntN(n) == 0 }

var (
	dicedActions  = []string{"github.pr.get", "github.pr.delete", "github.repo.delete", "github.unknown", "github"}
	dicedPatterns = []action.Pattern{"*", "github.*", "github.pr.*", "github.*.get", "github.pr.delete", "github.repo.delete", "other.*"}
	dicedTexts    = []string{"", "a", "b", "ab", "A", "1", "-21", "1.5", "github.pr.delete", "github.pr.get", "write", "high", "10.0.0.1", "main"}
	dicedFields   = []string{
		"action", "action", "class", "risk", "resource", "owner", "repository", "params.a", "params.b", "params.n", "params.list", "params.ip",
		"service", "request.method", "request.host", "request.query.q", "request.headers.x-h", "request.body.k", "request.body.m.k", "gateway", "environment", "run.principal",
	}
	dicedGlobs   = []string{"a*", "*b", "*", "a", "github.*", "github.pr.*", "*.delete", "*1*", "other.*"}
	dicedRegexes = []string{"a", "^a$", "^github\\.", "[0-9]+", "(?i)A", "^$"}
	dicedWindows = []string{"mon,tue,wed,thu,fri 09:00-17:00 Europe/Berlin", "22:00-06:00 UTC", "sun 02:00-03:00 Europe/Berlin", "sat 00:00-24:00 America/New_York"}
	dicedTimes   = []string{"2026-11-23T12:00:00Z", "2026-03-29T01:30:00Z", "2026-10-25T01:30:00Z", "2026-11-28T23:59:59Z", "2026-11-22T03:00:00Z", "2026-11-23T08:00:00Z", "2026-11-23T16:00:00Z", "2026-11-23T06:00:00Z"}
	dicedNets    = []string{"10.0.0.0/8", "::/0", "192.168.0.0/16", "10.0.0.1/32"}
	dicedRoles   = []string{"", "member", "admin", "owner"}
)

func text(s string) policy.Expr { return policy.Expr{Value: &policy.Const{Text: &s}} }
func intOf(n int64) policy.Expr { return policy.Expr{Value: &policy.Const{Int: &n}} }
func on(name string) policy.Expr {
	return policy.Expr{Field: name}
}

func calls(op policy.Op, args ...policy.Expr) policy.Expr { return policy.Expr{Op: op, Args: args} }

func (d dice) number() policy.Expr {
	if d.onceIn(3) {
		f := pick(d, 1.5, 1.0, -21.0, 0.5)
		return policy.Expr{Value: &policy.Const{Float: &f}}
	}
	return intOf(pick[int64](d, 0, 1, 2, -21, 5))
}

func (d dice) atTime() policy.Expr {
	t, err := time.Parse(time.RFC3339, pick(d, dicedTimes...))
	if err != nil {
		panic(err)
	}
	return policy.Expr{Value: &policy.Const{Time: &t}}
}

func (d dice) window() policy.Expr {
	w := readWindow(pick(d, dicedWindows...))
	return policy.Expr{Value: &policy.Const{Window: &w}}
}

func listOf(of ...policy.Expr) policy.Expr {
	c := policy.Const{IsList: true}
	for _, one := range of {
		c.List = append(c.List, *one.Value)
	}
	return policy.Expr{Value: &c}
}

func (d dice) scalarConst() policy.Expr {
	switch d.IntN(6) {
	case 0, 1:
		return d.number()
	case 2:
		b := d.onceIn(2)
		return policy.Expr{Value: &policy.Const{Bool: &b}}
	}
	return text(pick(d, dicedTexts...))
}

func (d dice) scalars(least int) policy.Expr {
	var all []policy.Expr
	for range least + d.IntN(3) {
		all = append(all, d.scalarConst())
	}
	return listOf(all...)
}

// condition is in YAML's operators or in CEL's, or mixed as a document with
// both is.
func (d dice) condition(depth int) policy.Expr {
	if depth > 0 && d.onceIn(2) {
		op := pick(d, policy.All, policy.All, policy.Any, policy.Any, policy.Not)
		if op == policy.Not {
			return calls(op, d.condition(depth-1))
		}
		e := calls(op)
		for range 1 + d.IntN(3) {
			e.Args = append(e.Args, d.condition(depth-1))
		}
		return e
	}
	if d.onceIn(3) {
		return d.cel(depth)
	}
	return d.leaf()
}

func (d dice) leaf() policy.Expr {
	f := on(pick(d, dicedFields...))
	switch d.IntN(17) {
	case 0, 1, 2:
		if f.Field == "action" {
			return calls(pick(d, policy.Equals, policy.NotEquals), f, text(pick(d, dicedActions...)))
		}
		return calls(pick(d, policy.Equals, policy.Equals, policy.NotEquals), f, text(pick(d, dicedTexts...)))
	case 3:
		return calls(pick(d, policy.Equals, policy.NotEquals), on(pick(d, "params.a", "params.n", "request.body.k", "params.list")), d.scalarConst())
	case 4:
		return calls(pick(d, policy.In, policy.NotIn), on(pick(d, "params.a", "params.n", "request.body.k", "params.list")), d.scalars(1))
	case 5:
		return calls(pick(d, policy.StartsWith, policy.EndsWith), f, text(pick(d, "a", "b", "github.", "github.pr.", "ab")))
	case 6:
		return calls(pick(d, policy.Matches, policy.NotMatches), f, text(pick(d, dicedRegexes...)))
	case 7:
		return calls(pick(d, policy.Glob, policy.NotGlob), f, text(pick(d, dicedGlobs...)))
	case 8:
		return calls(pick(d, policy.Glob, policy.NotGlob), f, listOf(text(pick(d, dicedGlobs...)), text(pick(d, dicedGlobs...))))
	case 9:
		return calls(pick(d, policy.GT, policy.GTE, policy.LT, policy.LTE), on(pick(d, "params.a", "params.n", "params.n", "request.body.k", "params.list", "risk_level")), d.number())
	case 10:
		return calls(policy.Between, on(pick(d, "params.n", "params.list", "risk_level")), listOf(intOf(pick[int64](d, -30, 0, 1)), intOf(pick[int64](d, 1, 2, 5))))
	case 11:
		return calls(pick(d, policy.CIDR, policy.NotCIDR), on(pick(d, "params.ip", "params.list", "params.a")), pick(d, text(pick(d, dicedNets...)), listOf(text(pick(d, dicedNets...)), text(pick(d, dicedNets...)))))
	case 12:
		return calls(pick(d, policy.InWindow, policy.NotWindow), on("time"), d.window())
	case 13:
		return calls(pick(d, policy.Contains, policy.NotContains), on(pick(d, "params.list", "params.a", "request.query.q", "request.body.k")), text(pick(d, dicedTexts...)))
	case 14:
		return calls(pick(d, policy.ContainsAny, policy.ContainsAll), on(pick(d, "params.list", "request.query.q")), listOf(text(pick(d, dicedTexts...)), text(pick(d, dicedTexts...))))
	case 15:
		return calls(pick(d, policy.Exists, policy.NotExists), f)
	}
	return calls(pick(d, policy.SizeEquals, policy.SizeGT, policy.SizeLT), on(pick(d, "params.list", "params.a", "request.query.q")), intOf(int64(d.IntN(4))))
}

// cel is true, false or unclear.
func (d dice) cel(depth int) policy.Expr {
	f := on(pick(d, dicedFields...))
	switch d.IntN(14) {
	case 0, 1:
		return calls(pick(d, policy.Eq, policy.Ne), f, text(pick(d, dicedTexts...)))
	case 2:
		return calls(pick(d, policy.Eq, policy.Eq, policy.Ne), d.operand(depth), d.operand(depth))
	case 3:
		return calls(pick(d, policy.Less, policy.LessEq, policy.Greater, policy.GreaterEq), d.operand(depth), d.operand(depth))
	case 4:
		return calls(policy.HasField, on(pick(d, "params.a", "params.n", "params.list", "request.body.k", "request.headers.x-h", "request.query.q")))
	case 5:
		return calls(pick(d, policy.Begins, policy.Ends, policy.Has), f, text(pick(d, "a", "b", "github.", "")))
	case 6:
		return calls(policy.Match, f, text(pick(d, dicedRegexes...)))
	case 7:
		return calls(policy.GlobOf, f, text(pick(d, dicedGlobs...)))
	case 8:
		return calls(policy.Member, pick(d, f, d.scalarConst()), pick(d, on("params.list"), d.scalars(1)))
	case 9:
		if depth > 0 {
			return calls(policy.Cond, d.cel(depth-1), d.cel(depth-1), d.cel(depth-1))
		}
		return on("reversible")
	case 10, 11:
		e := calls(pick(d, policy.Exist, policy.Every, policy.One), on(pick(d, "params.list", "params.list", "request.body.k")), calls(pick(d, policy.Eq, policy.Begins, policy.Less), on("$x"), text(pick(d, "a", "b", "1"))))
		e.Var = "x"
		return e
	case 12:
		return pick(d,
			calls(policy.During, on("time"), d.window()),
			calls(policy.InNetwork, on(pick(d, "params.ip", "params.a")), text(pick(d, dicedNets...))),
			calls(policy.Less, on("time"), d.atTime()),
			calls(policy.GreaterEq, calls(policy.TimePart, on("time"), text(pick(d, "hours", "minutes", "day_of_week", "month")), text(pick(d, "UTC", "Europe/Berlin"))), intOf(int64(d.IntN(24)))))
	}
	return pick(d, on("params.a"), on("reversible"), calls(policy.Greater, calls(policy.Size, on(pick(d, "params.list", "params.a", "request.body.m"))), intOf(int64(d.IntN(3)))))
}

func (d dice) operand(depth int) policy.Expr {
	switch d.IntN(9) {
	case 0, 1:
		return d.number()
	case 2:
		return d.scalarConst()
	case 3, 4:
		return on(pick(d, "params.n", "params.a", "request.body.k", "risk_level"))
	case 5:
		if depth > 0 {
			return calls(pick(d, policy.Add, policy.Sub, policy.Mul, policy.Div, policy.Mod), d.operand(depth-1), d.operand(depth-1))
		}
		return on("params.n")
	case 6:
		return pick(d, calls(policy.ToInt, on(pick(d, "params.n", "params.a"))), calls(policy.Neg, on("params.n")), calls(policy.Size, on("params.list")), calls(policy.Lower, on("params.a")))
	case 7:
		return calls(policy.Index, on("params.list"), intOf(int64(d.IntN(3))))
	}
	e := calls(policy.Filter, on("params.list"), calls(policy.Begins, on("$y"), text("a")))
	e.Var = "y"
	return calls(policy.Size, e)
}

func (d dice) clause(i int) policy.Clause {
	c := policy.Clause{Name: fmt.Sprint("c", i), Effect: pick(d, policy.Deny, policy.RequireApproval, policy.RequireApproval, policy.Allow), Risk: d.IntN(4) * 10}
	if !d.onceIn(12) {
		e := d.condition(2)
		c.If = &e
	}
	if c.Effect == policy.RequireApproval {
		c.Approvers = d.approvers()
		c.TTL = time.Duration(d.IntN(3)) * time.Hour
		if d.onceIn(3) {
			hold := time.Duration(d.IntN(3)) * time.Second
			c.Hold = &hold
		}
	}
	return c
}

func (d dice) approvers() policy.Approvers {
	return policy.Approvers{
		Role: pick(d, dicedRoles...), Count: d.IntN(4), Group: pick(d, "", "", "ops", "release", "ops+release", "db+ops"),
		NotSelf: d.onceIn(4), StepUp: d.onceIn(4),
	}
}

func (d dice) policies() []policy.Policy {
	var all []policy.Policy
	for i := range d.IntN(5) {
		p := policy.Policy{ID: fmt.Sprint("pol_", i), Name: fmt.Sprint("p", i), Version: int64(i), Priority: pick(d, 0, 0, 1, 50, 100, 900), ReportOnly: d.onceIn(6)}
		if d.onceIn(4) {
			p.Scope.Actions = []action.Pattern{pick(d, dicedPatterns...)}
		}
		if d.onceIn(8) {
			p.Scope.Actions = append(p.Scope.Actions, pick(d, dicedPatterns...))
		}
		if d.onceIn(8) {
			p.Scope.Gateways = []string{pick(d, "deploy-*", "research", "*-bot")}
		}
		if d.onceIn(8) {
			p.Scope.Environments = []string{pick(d, "production", "staging", "*")}
		}
		for i := range 1 + d.IntN(4) {
			p.Clauses = append(p.Clauses, d.clause(i))
		}
		all = append(all, p)
	}
	return all
}

func (d dice) settings() policy.Settings {
	s := policy.Settings{Gateway: "deploy-bot", Environment: pick(d, "production", "production", "staging", ""), Enforcement: pick(d, policy.FullEnforce, policy.FullEnforce, policy.SoftEnforce, policy.Monitor), Policies: d.policies()}
	if !d.onceIn(4) {
		s.Rules = append(s.Rules, policy.Rule{ID: "rule_all", Connector: "github", Pattern: "*", Effect: pick(d, policy.Allow, policy.Allow, policy.RequireApproval)})
	}
	for i := range d.IntN(3) {
		r := policy.Rule{ID: fmt.Sprint("rule_", i), Connector: "github", Pattern: pick(d, dicedPatterns...), Effect: pick(d, policy.Deny, policy.RequireApproval, policy.Allow, policy.Allow)}
		if r.Effect == policy.RequireApproval {
			r.Approvers = d.approvers()
		}
		if d.onceIn(3) {
			r.When = policy.Limits{"a": {pick(d, dicedGlobs...)}}
		}
		s.Rules = append(s.Rules, r)
	}
	if d.onceIn(20) {
		s.Kills = []policy.Kill{{ID: "kill_1", Connector: pick(d, "", "github", "gitlab")}}
	}
	return s
}

func (d dice) value() any {
	switch d.IntN(10) {
	case 0:
		return pick[int64](d, 0, 1, -21, 5)
	case 1:
		return pick(d, 1.5, 1.0, 0.25)
	case 2:
		return d.onceIn(2)
	case 3:
		return []int{1}
	}
	return pick(d, dicedTexts...)
}

func (d dice) texts() []string {
	list := []string{}
	for range pick(d, 0, 1, 1, 2, 2, 3, 8, 9, 64, 65) {
		list = append(list, pick(d, "a", "b", "ab", "1", "10.0.0.1"))
	}
	return list
}

func (d dice) body() any {
	switch d.IntN(6) {
	case 0:
		return nil
	case 1:
		return []any{int64(1)}
	}
	m := map[string]any{}
	switch d.IntN(4) {
	case 0:
		m["k"] = []any{pick[any](d, "a", int64(1), true), pick[any](d, "b", 1.5), "1"}
	case 1:
		m["k"] = pick[any](d, "a", int64(1), 1.5, true)
	}
	if d.onceIn(2) {
		m["m"] = map[string]any{"k": pick(d, dicedTexts...)}
	}
	return m
}

func (d dice) question() policy.Question {
	q := somewhere()
	a := &q.Action
	a.Name, a.Class = pick(d, dicedActions...), pick(d, action.Admin, action.Delete, action.Write, action.Read)
	a.Risk, a.Reversible = pick(d, action.Critical, action.High, action.Medium, action.Low), d.onceIn(2)
	a.Resource = pick(d, "", "a", "a/b", "ab/a#1", "b/b@c")
	q.Type = pick(d, "github", "github", "a")
	for _, name := range []string{"a", "b", "n", "ip"} {
		if !d.onceIn(3) {
			a.Params[name] = d.value()
		}
		if d.onceIn(10) {
			a.Params[name] = d.texts()
		}
	}
	if !d.onceIn(3) {
		a.Params["list"] = d.texts()
	}
	if d.onceIn(4) {
		a.Unknown = append(a.Unknown, pick(d, "a", "b", "n", "list", "resource", "ip", "*"))
	}
	for range pick(d, 0, 0, 0, 0, 0, 0, 1, 2) {
		a.Or = append(a.Or, action.Alternative{Name: pick(d, dicedActions...) + pick(d, "", "", "", "", "", "", ".*"), Class: pick(d, action.Admin, action.Read)})
	}
	q.Request.Method, q.Request.Host = pick(d, "GET", "PUT", "a"), pick(d, "a", "b", "api.github.com")
	q.Request.Body = d.body()
	if d.onceIn(2) {
		q.Request.Query["q"] = pick(d, []string{"a"}, []string{"a", "b"}, []string{"1"})
	}
	if d.onceIn(2) {
		q.Request.Header["x-h"] = pick(d, dicedTexts...)
	}
	if d.onceIn(6) {
		q.Request.Hidden = []string{pick(d, "query", "headers", "body")}
	}
	t, err := time.Parse(time.RFC3339, pick(d, dicedTimes...))
	if err != nil {
		panic(err)
	}
	q.Time = t
	switch d.IntN(20) {
	case 0:
		q.Request = nil
	case 1:
		q.Run = nil
	case 2:
		q.Time = time.Time{}
	}
	return q
}
