package cel_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator writes random expressions. What it writes has the right types, as
// far as they are known; what parameters and bodies turn out to be is not.
type generator struct {
	*rand.Rand
	vars []string // elements of the loops that are open
}

// pick returns one of the choices.
func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *generator) truth(depth int) string {
	if depth <= 0 {
		return g.pick("true", "false", "reversible", "params.flag", "has(params.n)", "has(params.none)", `has(request.body.n)`, "action == \"a.b\"")
	}
	d := depth - 1
	switch g.IntN(22) {
	case 0, 1:
		return g.join(" && ", d)
	case 2, 3:
		return g.join(" || ", d)
	case 4:
		return "!(" + g.truth(d) + ")"
	case 5:
		return fmt.Sprintf("(%s ? %s : %s)", g.truth(d), g.truth(d), g.truth(d))
	case 6, 7, 8:
		return fmt.Sprintf("(%s %s %s)", g.number(d), g.pick("==", "!=", "<", "<=", ">", ">="), g.number(d))
	case 9, 10:
		return fmt.Sprintf("(%s %s %s)", g.text(d), g.pick("==", "!=", "<", "<=", ">", ">="), g.text(d))
	case 11:
		return fmt.Sprintf("(%s %s %s)", g.anything(d), g.pick("==", "!="), g.anything(d))
	case 12:
		return fmt.Sprintf("(%s in %s)", g.anything(d), g.list(d))
	case 13:
		return fmt.Sprintf("%s.%s(%s)", g.text(d), g.pick("startsWith", "endsWith", "contains"), g.text(d))
	case 14:
		return fmt.Sprintf("%s.matches(%s)", g.text(d), g.pick(`"^a"`, `"b$"`, `r"\d+"`, `"(?i)A.*B"`, `""`))
	case 15, 16:
		v := fmt.Sprintf("v%d", len(g.vars))
		if len(g.vars) == 2 {
			return g.truth(0)
		}
		list := g.list(d)
		g.vars = append(g.vars, v)
		body := g.truth(d)
		g.vars = g.vars[:len(g.vars)-1]
		return fmt.Sprintf("%s.%s(%s, %s)", list, g.pick("all", "exists", "exists_one"), v, body)
	case 17:
		return fmt.Sprintf("(%s %s %s)", g.list(d), g.pick("==", "!="), g.list(d))
	case 18:
		return fmt.Sprintf("(%s %s %s)", g.moment(d), g.pick("==", "!=", "<", "<=", ">", ">="), g.moment(d))
	case 19:
		return fmt.Sprintf("(%s %s %s)", g.span(d), g.pick("==", "<", ">="), g.span(d))
	case 20:
		return g.pick(`glob(`, `glob(`) + g.text(d) + `, ` + g.pick(`"a*"`, `"*b"`, `"a.b"`, `"*"`, `"a*b*c"`) + ")"
	default:
		return g.pick("in_window(time, \"mon-fri 09:00-17:00 Europe/Berlin\")", "in_window(time, \"22:00-06:00\")",
			`in_cidr(request.query.ip, "10.0.0.0/8")`, `in_cidr(request.query.ip, "2001:db8::/32")`, `"x" in request.query`, `"x-a" in request.headers`)
	}
}

func (g *generator) join(with string, depth int) string {
	var all []string
	for range 2 + g.IntN(3) {
		all = append(all, g.truth(depth))
	}
	return "(" + strings.Join(all, with) + ")"
}

func (g *generator) number(depth int) string {
	if depth <= 0 {
		return g.pick("0", "1", "2", "-1", "3", "1.5", "-0.5", "2.0", "risk_level", "params.n", "params.n", "params.f", "params.none",
			"request.body.a.b", "request.body.n", "9223372036854775807", "1e40", "9007199254740993", g.variable())
	}
	d := depth - 1
	switch g.IntN(12) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", g.whole(d), g.pick("+", "-", "*", "/", "%"), g.whole(d))
	case 2:
		// By nought it is unclear here, and infinite in CEL.
		return g.pick("("+g.double(d)+" / 4.0)", fmt.Sprintf("(%s %s %s)", g.double(d), g.pick("+", "-", "*"), g.double(d)))
	case 3:
		return "-(" + g.whole(d) + ")"
	case 4:
		return g.pick("size(", "size(") + g.pick(g.list(d), g.text(d)) + ")"
	case 5:
		return "int(" + g.pick(g.number(d), g.text(d)) + ")"
	case 6:
		return "double(" + g.pick(g.number(d), g.text(d)) + ")"
	case 7:
		return fmt.Sprintf("(%s ? dyn(%s) : dyn(%s))", g.truth(d), g.number(d), g.number(d))
	case 8:
		return "time." + g.pick("getHours", "getMinutes", "getDayOfWeek", "getDate", "getDayOfMonth", "getMonth", "getFullYear") + "(" + g.pick("", `"Europe/Berlin"`, `"America/New_York"`) + ")"
	default:
		return g.number(0)
	}
}

func (g *generator) whole(depth int) string { return "int(" + g.number(depth) + ")" }

func (g *generator) double(depth int) string { return "double(" + g.number(depth) + ")" }

func (g *generator) text(depth int) string {
	if depth <= 0 {
		return g.pick(`"a"`, `"b"`, `""`, `"aäb"`, `"a.b"`, `"12"`, "action", "resource", "owner", "repository", "class", "risk", "gateway",
			"environment", "connector", "service", "string(params.s)", "string(params.none)", "request.method", "request.path", "request.host",
			`request.headers["x-a"]`, "run.id", "run.principal", "string(request.query.q)", "string(request.body.s)")
	}
	d := depth - 1
	switch g.IntN(6) {
	case 0:
		return "(" + g.text(d) + " + " + g.text(d) + ")"
	case 1:
		return g.text(d) + g.pick(".lowerAscii()", ".upperAscii()")
	case 2:
		return "string(" + g.pick(g.text(d), g.whole(d), g.truth(d), "1.5") + ")"
	case 3:
		return fmt.Sprintf("(%s ? %s : %s)", g.truth(d), g.text(d), g.text(d))
	default:
		return g.text(0)
	}
}

func (g *generator) anything(depth int) string {
	switch g.IntN(6) {
	case 0:
		return "dyn(" + g.number(depth) + ")"
	case 1:
		return "dyn(" + g.text(depth) + ")"
	case 2:
		return "dyn(" + g.truth(depth-1) + ")"
	case 3:
		return "dyn(" + g.list(depth-1) + ")"
	case 4:
		return "dyn(" + g.variable() + ")"
	default:
		return g.pick("params.s", "params.n", "params.f", "params.flag", "params.l", "params.none", "request.body.l[0]", "request.body.o[0].k",
			`request.body.a["b"]`, "request.query.q", "request.body.s", "params.l[1]", "request.body.nil", "request.body.a")
	}
}

func (g *generator) variable() string {
	if len(g.vars) == 0 {
		return "1"
	}
	return g.vars[g.IntN(len(g.vars))] + g.pick("", "", "", ".k")
}

func (g *generator) list(depth int) string {
	if depth <= 0 {
		return g.pick("params.l", "params.l", "params.none", "request.body.l", "request.body.o", "[1, 2, 3]", `["a", "b"]`, "[]", "[dyn(1), dyn(\"a\"), dyn(2.0)]",
			"request.query.many", "params.n", "[[1], [2]]")
	}
	d := depth - 1
	switch g.IntN(5) {
	case 0:
		return fmt.Sprintf("[%s, %s]", g.anything(d), g.anything(d))
	case 1:
		return "(" + g.list(d) + " + dyn(" + g.list(d) + "))"
	case 2, 3:
		if len(g.vars) == 2 {
			return g.list(0)
		}
		v := fmt.Sprintf("v%d", len(g.vars))
		over := g.list(d)
		g.vars = append(g.vars, v)
		defer func() { g.vars = g.vars[:len(g.vars)-1] }()
		switch g.IntN(3) {
		case 0:
			return fmt.Sprintf("%s.filter(%s, %s)", over, v, g.truth(d))
		case 1:
			return fmt.Sprintf("%s.map(%s, %s, %s)", over, v, g.truth(d), g.anything(d))
		default:
			return fmt.Sprintf("%s.map(%s, %s)", over, v, g.anything(d))
		}
	default:
		return g.list(0)
	}
}

func (g *generator) moment(depth int) string {
	if depth <= 0 {
		return g.pick("time", "time", `timestamp("2026-11-23T22:00:00Z")`, `timestamp("2026-03-29T02:30:00+01:00")`, "timestamp(params.created)", "timestamp(string(params.s))")
	}
	return fmt.Sprintf("(%s %s %s)", g.moment(depth-1), g.pick("+", "-"), g.span(depth-1))
}

func (g *generator) span(depth int) string {
	if depth <= 0 || g.IntN(2) == 0 {
		return g.pick(`duration("1h")`, `duration("-90s")`, `duration("0s")`, `duration("1.5h")`)
	}
	if g.IntN(2) == 0 {
		return fmt.Sprintf("(%s - %s)", g.moment(depth-1), g.moment(depth-1))
	}
	return fmt.Sprintf("(%s %s %s)", g.span(depth-1), g.pick("+", "-"), g.span(depth-1))
}
