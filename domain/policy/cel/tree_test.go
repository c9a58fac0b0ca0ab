package cel_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/cel"
)

// show writes a tree in one line.
func show(e policy.Expr) string {
	switch {
	case e.Value != nil:
		return showConst(*e.Value)
	case e.Field != "":
		return strings.TrimPrefix(e.Field, "request.")
	}
	var args []string
	for _, arg := range e.Args {
		args = append(args, show(arg))
	}
	name := string(e.Op)
	if e.Var != "" {
		name += " " + e.Var
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

func showConst(c policy.Const) string {
	switch {
	case c.Text != nil:
		return strconv.Quote(*c.Text)
	case c.Int != nil:
		return strconv.FormatInt(*c.Int, 10)
	case c.Float != nil:
		return fmt.Sprintf("%gf", *c.Float)
	case c.Bool != nil:
		return strconv.FormatBool(*c.Bool)
	case c.Time != nil:
		return c.Time.Format("2006-01-02T15:04:05.999999999Z07:00")
	case c.Duration != nil:
		return c.Duration.String()
	case c.Window != nil:
		return "<" + c.Window.String() + ">"
	case c.IsList:
		var all []string
		for _, one := range c.List {
			all = append(all, showConst(one))
		}
		return "[" + strings.Join(all, " ") + "]"
	}
	return "?"
}

func TestExpressionsBecomeTrees(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		// Fields.
		`action == "github.pr.merge"`:                     `==(action, "github.pr.merge")`,
		`risk_level >= 3`:                                 `>=(risk_level, 3)`,
		`risk_level > 2.5`:                                `>(risk_level, 2.5f)`,
		`reversible`:                                      `reversible`,
		`!reversible`:                                     `not(reversible)`,
		`params.draft`:                                    `params.draft`,
		`params.amount > 100`:                             `>(params.amount, 100)`,
		`params["amount"] > -100`:                         `>(params.amount, -100)`,
		`params["a b-c"] != 'x'`:                          `!=(params.a b-c, "x")`,
		`params.head.ref == "main"`:                       `==(params.head.ref, "main")`,
		`params["head.ref"] == "main"`:                    `==(params.head.ref, "main")`,
		`request.method in ["PUT", "POST"]`:               `member(method, ["PUT" "POST"])`,
		`request.body.a.b.c < 1.5`:                        `<(body.a.b.c, 1.5f)`,
		`request.body["a"].b["c d"] < 1`:                  `<(body.a.b.c d, 1)`,
		`request.body.a["x.y/z"].q == 1`:                  `==(index(index(body.a, "x.y/z"), "q"), 1)`,
		`request.body.items[0].name == "x"`:               `==(index(index(body.items, 0), "name"), "x")`,
		`request.query.page == "2"`:                       `==(query.page, "2")`,
		`request.query["a.b"] == "2"`:                     `==(query.a.b, "2")`,
		`request.headers["X-Reason"].startsWith("t")`:     `begins(headers.x-reason, "t")`,
		`request.headers.accept == "a"`:                   `==(headers.accept, "a")`,
		`run.principal.endsWith("@ci") && run.id != ""`:   `all(ends(run.principal, "@ci"), !=(run.id, ""))`,
		`environment == "production" || gateway == "g-1"`: `any(==(environment, "production"), ==(gateway, "g-1"))`,

		// Is it there?
		`has(params.amount)`:                 `has(params.amount)`,
		`has(request.body.a.b)`:              `has(body.a.b)`,
		`has(request.body.items[0].b)`:       `has(index(index(body.items, 0), "b"))`,
		`has(request.body.a["x.y"].b)`:       `has(index(index(body.a, "x.y"), "b"))`,
		`"amount" in params`:                 `has(params.amount)`,
		`"X-Reason" in request.headers`:      `has(headers.x-reason)`,
		`"a.b" in request.query`:             `has(query.a.b)`,
		`"a" in request.body`:                `has(body.a)`,
		`"a" in request.body.labels`:         `member("a", body.labels)`,
		`!("a" in params.labels)`:            `not(member("a", params.labels))`,
		`has(params.a) && params.a > 1`:      `all(has(params.a), >(params.a, 1))`,
		`action in ["a", request.host, "b"]`: `member(action, list("a", host, "b"))`,
		`1 in [1, 2.5, "x", true]`:           `member(1, [1 2.5f "x" true])`,
		`params.x in []`:                     `member(params.x, [])`,

		// Logic.
		`true`:                        `true`,
		`reversible && true && false`: `all(reversible, true, false)`,
		`risk == "a" && risk == "b" && risk == "c" && risk == "d" && risk == "e"`: `all(==(risk, "a"), ==(risk, "b"), ==(risk, "c"), ==(risk, "d"), ==(risk, "e"))`,
		`risk == "a" || (risk == "b" || risk == "c") && reversible`:               `any(==(risk, "a"), all(any(==(risk, "b"), ==(risk, "c")), reversible))`,
		`risk == "a" || (risk == "b" || risk == "c")`:                             `any(==(risk, "a"), ==(risk, "b"), ==(risk, "c"))`,
		`!(reversible || risk == "high")`:                                         `not(any(reversible, ==(risk, "high")))`,
		`reversible ? risk == "low" : params.x == 1`:                              `?:(reversible, ==(risk, "low"), ==(params.x, 1))`,
		`(reversible ? 1 : 2) > 1`:                                                `>(?:(reversible, 1, 2), 1)`,
		`(reversible && risk == "low") == true`:                                   `==(all(reversible, ==(risk, "low")), true)`,

		// Numbers and texts.
		`params.a + 1 - 2 * 3 / 4 % 5 == -params.b`: `==(-(+(params.a, 1), %(/(*(2, 3), 4), 5)), neg(params.b))`,
		`"a" + resource == 'b' + "c"`:               `==(+("a", resource), +("b", "c"))`,
		`size(params.labels) > 2`:                   `>(sizeof(params.labels), 2)`,
		`params.labels.size() > 2`:                  `>(sizeof(params.labels), 2)`,
		`resource.contains("x")`:                    `within(resource, "x")`,
		`resource.matches("^a+$")`:                  `match(resource, "^a+$")`,
		`matches(resource, r"\d")`:                  `match(resource, "\\d")`,
		`resource.lowerAscii() == "x"`:              `==(lower(resource), "x")`,
		`resource.upperAscii() == "X"`:              `==(upper(resource), "X")`,
		`int(params.a) > 1`:                         `>(int(params.a), 1)`,
		`double(params.a) > 1.0`:                    `>(double(params.a), 1f)`,
		`string(params.a) == "1"`:                   `==(string(params.a), "1")`,
		`dyn(params.a) == 1`:                        `==(params.a, 1)`,
		`glob(resource, "acme/*")`:                  `globof(resource, "acme/*")`,
		`in_cidr(params.ip, "10.0.0.0/8")`:          `innet(params.ip, "10.0.0.0/8")`,
		`0x10 == params.a`:                          `==(16, params.a)`,
		`1e3 == params.a`:                           `==(1000f, params.a)`,
		`"\u00e4\n" == params.a`:                    `==("ä\n", params.a)`,
		`params.a == """x"y"""`:                     `==(params.a, "x\"y")`,

		// Time.
		`in_window(time, "mon-fri 9:00-17:00")`:              `during(time, <mon-fri 09:00-17:00 UTC>)`,
		`time > timestamp("2026-11-23T22:00:00+01:00")`:      `>(time, 2026-11-23T21:00:00Z)`,
		`time - timestamp(params.created) > duration("24h")`: `>(-(time, time(params.created)), 24h0m0s)`,
		`time.getHours("Europe/Berlin") >= 22`:               `>=(timeof(time, "hours", "Europe/Berlin"), 22)`,
		`time.getMinutes() == 0`:                             `==(timeof(time, "minutes", "UTC"), 0)`,
		`time.getDayOfWeek() in [0, 6]`:                      `member(timeof(time, "day_of_week", "UTC"), [0 6])`,
		`time.getDate() == 1`:                                `==(timeof(time, "day_of_month", "UTC"), 1)`,
		`time.getDayOfMonth() == 0`:                          `==(-(timeof(time, "day_of_month", "UTC"), 1), 0)`,
		`time.getMonth() == 11 && time.getFullYear() > 2025`: `all(==(timeof(time, "month", "UTC"), 11), >(timeof(time, "year", "UTC"), 2025))`,

		// Loops.
		`params.labels.exists(x, x == "a")`:                      `exist x(params.labels, ==($x, "a"))`,
		`params.labels.all(x, x != "a" && x != "b")`:             `every x(params.labels, all(!=($x, "a"), !=($x, "b")))`,
		`params.labels.exists_one(x, x.startsWith("a"))`:         `one x(params.labels, begins($x, "a"))`,
		`size(params.labels.filter(x, x != "a")) > 1`:            `>(sizeof(filter x(params.labels, !=($x, "a"))), 1)`,
		`"A" in params.labels.map(x, x.upperAscii())`:            `member("A", map x(params.labels, upper($x)))`,
		`1 in params.n.map(x, x > 1, x + 1)`:                     `member(1, map x(filter x(params.n, >($x, 1)), +($x, 1)))`,
		`1 in params.n.map(x, x > 1, x)`:                         `member(1, filter x(params.n, >($x, 1)))`,
		`request.body.files.exists(f, f.name.endsWith(".env"))`:  `exist f(body.files, ends(index($f, "name"), ".env"))`,
		`request.body.a.all(x, has(x.b) && x.b.all(y, y > x.c))`: `every x(body.a, all(has(index($x, "b")), every y(index($x, "b"), >($y, index($x, "c")))))`,
		`["a", "b"].exists(x, x in params.labels)`:               `exist x(["a" "b"], member($x, params.labels))`,
		`params.labels.exists(x, x == params.y)`:                 `exist x(params.labels, ==($x, params.y))`,
		`params.labels[size(params.labels) - 1] == "a"`:          `==(index(params.labels, -(sizeof(params.labels), 1)), "a")`,
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			got, problems := cel.Parse(source)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if show(*got) != want {
				t.Errorf("got  %s\nwant %s", show(*got), want)
			}
		})
	}
}

func TestConditionsKnowTheirPlace(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		`action == "a"`:                                         {`1:1 action == "a"`},
		`  action=="a"&&  !(risk  ==  "b" )`:                    {`1:3 action=="a"`, `1:20 risk  ==  "b"`},
		"action == \"ä\" && // why\n\trisk == \"b\"\n":          {`1:1 action == "ä"`, `2:2 risk == "b"`},
		`"ä" == resource || resource == "ö" || reversible`:      {`1:1 "ä" == resource`, `1:20 resource == "ö"`, `1:39 reversible`},
		`(params.a + 1) * 2 > (3) && true`:                      {`1:1 (params.a + 1) * 2 > (3)`, `1:29 true`},
		`(((params.a) + 1) * (2)) > 3`:                          {`1:1 (((params.a) + 1) * (2)) > 3`},
		`has(params.a) && has(request.body.b.c)`:                {`1:1 has(params.a)`, `1:18 has(request.body.b.c)`},
		`glob(resource, "a)*") || in_cidr(params["x"], "::/0")`: {`1:1 glob(resource, "a)*")`, `1:26 in_cidr(params["x"], "::/0")`},
		`resource.startsWith("a") && run.id.contains('"')`:      {`1:1 resource.startsWith("a")`, `1:29 run.id.contains('"')`},
		`params.labels.exists(x, x == "a" || x == "b")`:         {`1:1 params.labels.exists(x, x == "a" || x == "b")`},
		`"a" in params && params.b in [1, 2]`:                   {`1:1 "a" in params`, `1:18 params.b in [1, 2]`},
		`"a" in (params.x) && (params.b) in ([])`:               {`1:1 "a" in (params.x)`, `1:22 (params.b) in ([])`},
		`reversible ? risk == "a" : -params.x > -1`:             {`1:1 reversible`, `1:14 risk == "a"`, `1:28 -params.x > -1`},
		`params.x["a"] == 1 && request.body.y[0][ 1 ] == 2`:     {`1:1 params.x["a"] == 1`, `1:23 request.body.y[0][ 1 ] == 2`},
		`size(params.a) > 1 && time.getHours() > 22`:            {`1:1 size(params.a) > 1`, `1:23 time.getHours() > 22`},
		"true &&\r\n  params.draft":                             {`1:1 true`, `2:3 params.draft`},
		`params.draft && params . other`:                        {`1:1 params.draft`, `1:17 params . other`},
		`(reversible == (risk == "a")) && false`:                {`1:2 reversible == (risk == "a")`, `1:34 false`},
		`-1 < params.a && params.s == """a "b" ) c"""`:          {`1:1 -1 < params.a`, `1:18 params.s == """a "b" ) c"""`},
		`resource == r"\" || resource == 'it\'s'`:               {`1:1 resource == r"\"`, `1:21 resource == 'it\'s'`},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			tree, problems := cel.Parse(source)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var got []string
			var walk func(e policy.Expr)
			walk = func(e policy.Expr) {
				if e.Text != "" {
					got = append(got, fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Text))
				}
				for _, arg := range e.Args {
					walk(arg)
				}
			}
			walk(*tree)
			if diff := cmp.Diff(got, want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, problems := cel.Parse(`action.startsWith("stripe.refund.") && params.amount > 100 && !in_window(time, "mon-fri 09:00-17:00 Europe/Berlin")`); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}
