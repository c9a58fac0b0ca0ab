package cel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/policy/cel"
)

func TestWhatIsWrongIsSaidWhereItIs(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":   `1:1 The expression is empty.`,
		" x": `1:2 There is no field "x"; a parameter of the action is written params.NAME, and the fields are action, class, risk, risk_level, reversible, resource, owner, repository, params, service, connector, request.method, request.scheme, request.host, request.path, request.query, request.headers, request.body, gateway, environment, run.id, run.principal or time.`,
		// Names.
		`actoin == "x"`:                           `1:1 There is no field "actoin"; did you mean "action"?`,
		`true && paramz.x == 1`:                   `1:9 There is no field "paramz"; did you mean "params"?`,
		`path == "/x"`:                            `1:1 There is no field "path"; did you mean "request.path"?`,
		`principal == "x"`:                        `1:1 There is no field "principal"; did you mean "run.principal"?`,
		`branch == "main"`:                        `1:1 There is no field "branch"; a parameter of the action is written params.NAME, and the fields are action, class, risk, risk_level, reversible, resource, owner, repository, params, service, connector, request.method, request.scheme, request.host, request.path, request.query, request.headers, request.body, gateway, environment, run.id, run.principal or time.`,
		`request.methid == "GET"`:                 `1:1 There is no "request.methid"; did you mean "request.method"?`,
		`request == "GET"`:                        `1:1 Say what of request; it has request.method, request.scheme, request.host, request.path, request.query, request.headers or request.body.`,
		`request.foo.bar == "GET"`:                `1:1 There is no "request.foo"; it has request.method, request.scheme, request.host, request.path, request.query, request.headers or request.body.`,
		`run.x == "x"`:                            `1:1 There is no "run.x"; did you mean "run.id"?`,
		`action.name == "x"`:                      `1:1 action is a text; there is nothing below it.`,
		`params == "x"`:                           `1:1 params cannot be used as a whole; write params.NAME or params["NAME"].`,
		`params[action] == "x"`:                   `1:8 What is taken out of params has to be written out as a text: params["NAME"].`,
		`size(params) > 1`:                        `1:6 params cannot be used as a whole; write params.NAME or params["NAME"].`,
		`request.body == "x"`:                     `1:1 request.body cannot be used as a whole; write request.body.NAME or request.body["NAME"].`,
		`request.body["a.b"] == "x"`:              `1:1 A field at the top of a body whose name has a dot in it cannot be looked at.`,
		`request.query.a.b == "x"`:                `1:1 A name with a dot in it is written request.query["a.b"].`,
		`request.headers.x.y == "x"`:              `1:1 A header is a text; there is nothing below it. A name with a dot in it is written request.headers["x.y"].`,
		`request.headers["Authorization"] == "x"`: `1:1 The header "authorization" carries a credential, which policies do not look at.`,
		`has(request.headers.cookie)`:             `1:1 The header "cookie" carries a credential, which policies do not look at.`,
		`"X-Api-Key" in request.headers`:          `1:16 The header "x-api-key" carries a credential, which policies do not look at.`,
		`request.headers["a b"] == ""`:            `1:1 "a b" cannot be the name of a header.`,
		`params[""] == 1`:                         `1:1 A name below params cannot be empty.`,
		`resource in params`:                      `1:1 The name to look for in params has to be written out as a text.`,
		`.action == "x"`:                          `1:1 There is no field ".action"; did you mean "action"?`,
		// Functions.
		`resource.startswith("x")`:                           `1:10 There is no function "startswith"; did you mean "startsWith"?`,
		`startsWith(resource, "x")`:                          `1:1 Write it like X.startsWith("a").`,
		`resource.glob("x")`:                                 `1:10 Write it like glob(X, "a*").`,
		`len(resource) > 1`:                                  `1:1 There is no function "len"; write it like size(X).`,
		`resource.foo()`:                                     `1:10 There is no function "foo"; there are all, contains, double, duration, dyn, endsWith, exists, exists_one, filter, getDate, getDayOfMonth, getDayOfWeek, getFullYear, getHours, getMinutes, getMonth, glob, has, in_cidr, in_window, int, lowerAscii, map, matches, size, startsWith, string, timestamp or upperAscii.`,
		`glob(resource, action)`:                             `1:16 A glob has to be written out as a text here.`,
		`resource.matches("(")`:                              "1:18 This is not a pattern of RE2: missing closing ): `(`.",
		`resource.matches("((a{100}){9}){9}")`:               "1:18 This is not a pattern of RE2: invalid repeat count: `{9}`.",
		`in_cidr(resource, "10.0.0.1")`:                      `1:19 A network is written like 10.0.0.0/8 or 2001:db8::/32; of one address, 192.0.2.1/32.`,
		`in_window(time, "always")`:                          `1:17 A window is written like "mon-fri 09:00-17:00 Europe/Berlin"; the days are mon, tue, wed, thu, fri, sat and sun.`,
		`in_window(time, "09:00-17:00 Europe/Berln")`:        `1:17 There is no time zone "Europe/Berln"; write one such as UTC, Europe/Berlin or America/New_York.`,
		`time.getHours("Berlin") > 1`:                        `1:15 There is no time zone "Berlin"; write one such as UTC, Europe/Berlin or America/New_York.`,
		`time > timestamp("yesterday")`:                      `1:18 A time is written like 2026-11-23T22:00:00Z.`,
		`time - time > duration("1 day")`:                    `1:24 A duration is written like 90s, 15m or 24h.`,
		`time - time > duration(params.x)`:                   `1:24 A duration has to be written out as a text here.`,
		`type(action) == string`:                             "1:1 There is no function \"type\"; there are all, contains, double, duration, dyn, endsWith, exists, exists_one, filter, getDate, getDayOfMonth, getDayOfWeek, getFullYear, getHours, getMinutes, getMonth, glob, has, in_cidr, in_window, int, lowerAscii, map, matches, size, startsWith, string, timestamp or upperAscii.\n1:17 There is no field \"string\"; a parameter of the action is written params.NAME, and the fields are action, class, risk, risk_level, reversible, resource, owner, repository, params, service, connector, request.method, request.scheme, request.host, request.path, request.query, request.headers, request.body, gateway, environment, run.id, run.principal or time.",
		`bool(params.x)`:                                     `1:1 There is no function "bool"; there are all, contains, double, duration, dyn, endsWith, exists, exists_one, filter, getDate, getDayOfMonth, getDayOfWeek, getFullYear, getHours, getMinutes, getMonth, glob, has, in_cidr, in_window, int, lowerAscii, map, matches, size, startsWith, string, timestamp or upperAscii.`,
		`has(action)`:                                        `1:5 Write has() with a name that follows a dot, such as has(params.amount), or "NAME" in params.`,
		`has(params["x"])`:                                   `1:11 Write has() with a name that follows a dot, such as has(params.amount), or "NAME" in params.`,
		`resource.contains()`:                                `1:10 Write it like X.contains("a").`,
		`params.l.exists("x", true)`:                         `1:17 Write a name for an element first, such as params.labels.exists(x, x == "ready").`,
		`params.l.exists(action, true)`:                      `1:1 "action" is the name of something else; give the element another one.`,
		`params.l.exists(x, params.m.exists(x, true))`:       `1:20 "x" is the name of something else; give the element another one.`,
		`params.a.exists(x, x.exists(y, y.exists(z, true)))`: `1:32 Loops are at most 2 deep.`,
		// Types.
		`action == 1`:                     `1:8 == does not go with a text and a whole number.`,
		`risk > 2`:                        `1:6 risk is a text such as "high"; the number is risk_level.`,
		`risk_level > "high"`:             `1:12 > does not go with a whole number and a text.`,
		`action`:                          `1:1 A condition is true or false; this is a text.`,
		`risk_level`:                      `1:1 A condition is true or false; this is a whole number.`,
		`params.x + 1 == "a" + 1`:         `1:21 + does not go with a text and a whole number.`,
		`action && reversible`:            `1:1 What stands here has to be true or false; this is a text.`,
		`!action`:                         `1:1 Write ! before what is true or false; this is a text.`,
		`action.getHours() > 1`:           `1:16 This does not go with a text; write it like time.getHours().`,
		`reversible < true`:               `1:1 Compare true and false with == or !=.`,
		`int(time) > 1`:                   `1:1 A time is no number; compare it with timestamp("2026-11-23T22:00:00Z").`,
		`action in "abc"`:                 `1:8 What stands after in is a list; write TEXT.contains(PART) to look into a text.`,
		`action in [1, 2]`:                `1:8 In this list there cannot be a text.`,
		`action.all(x, x == "a")`:         `1:1 Only lists have elements; this is a text.`,
		`"abc".all(x, x == "a")`:          `1:1 Only lists have elements; this is a text.`,
		`reversible ? 1 : 2`:              `1:1 A condition is true or false; this is a whole number.`,
		`action ? true : false`:           `1:8 Before the ? stands what is true or false, and on both sides of the : two of one kind.`,
		`(time - time).getHours() > 1`:    `1:1 Compare durations with one another, such as duration("2h").`,
		`-action == "x"`:                  `1:1 There is no minus of a text.`,
		`action[0] == "x"`:                `1:7 Nothing can be taken out of a text by a whole number.`,
		`in_cidr(1, "10.0.0.0/8")`:        `1:8 This does not go with a whole number and a text; write it like in_cidr(X, "10.0.0.0/8").`,
		`[1, 2].map(x, x + "a") == []`:    `1:17 + does not go with a whole number and a text.`,
		`[1, 2].exists(x, x.name == "a")`: `1:19 There is nothing below this; it is a whole number.`,
		// What CEL has, and this has not.
		`params.x == null`:        `1:13 null is not used here; has(NAME) says whether something is there.`,
		`params.x == 1u`:          `1:13 Numbers are written without u here.`,
		`params.x == b"a"`:        `1:13 Text is written without b here.`,
		`{"a": 1}.a == 1`:         `1:1 Maps are not written out here; compare the fields one by one.`,
		`Foo{a: 1}.a == 1`:        `1:4 This part of CEL is not used here.`,
		`9223372036854775808 > 1`: `1:1 This number is too large.`,
		`1e999 > 1.0`:             `1:1 This number is too large.`,
		// Syntax.
		`action = "x"`:                    `1:8 Write == to compare.`,
		`action === "x"`:                  `1:10 Write == to compare.`,
		`action == "x" and reversible`:    `1:15 Write && for and.`,
		`reversible OR true`:              `1:12 Write || for or.`,
		`not reversible`:                  `1:1 Write ! for not.`,
		`reversible & true`:               `1:12 Write && for and.`,
		`reversible | true`:               `1:12 Write || for or.`,
		`action == `:                      `1:10 Something is missing at the end.`,
		`action == "x`:                    `1:11 The text that begins here has no end; put the closing quote.`,
		`(action == "x"`:                  `1:15 Something is missing at the end.`,
		`action == "x")`:                  `1:14 Nothing opens this bracket, or something is missing before it.`,
		"reversible &&\n  action == == 1": `2:13 This is not CEL from here on.`,
		`if == 1`:                         `1:1 The word if cannot be used here.`,
		`!!reversible`:                    `1:2 One ! is enough.`,
		"`a`":                             `1:1 This is not CEL from here on.`,
		`reversible; true`:                `1:11 This is not CEL from here on.`,
		`params.?x == 1`:                  `1:7 This is not CEL from here on.`,
		`"\q" == action`:                  `1:1 A \ in a text stands before a letter that it does not go with; write r"…" to take it as it is.`,
		"action == \"\xff\"":              `1:1 The expression is not UTF-8.`,
		`action == "x" // done`:           ``,
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			tree, problems := cel.Parse(source)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Message))
			}
			if (tree == nil) != (len(problems) > 0) {
				t.Errorf("a tree is %v and there are %v", tree, problems)
			}
			if diff := cmp.Diff(strings.Join(got, "\n"), want); diff != "" {
				t.Error(diff)
			}
		})
	}
}
