package document_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
)

// said is a condition as JSON, without where it stands.
func said(t *testing.T, e *policy.Expr) string {
	t.Helper()
	var bare func(e policy.Expr) policy.Expr
	bare = func(e policy.Expr) policy.Expr {
		e.Line, e.Column, e.Text = 0, 0, ""
		args := e.Args
		e.Args = nil
		for _, a := range args {
			e.Args = append(e.Args, bare(a))
		}
		return e
	}
	b, err := json.Marshal(bare(*e))
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`"op":`, "", `"args":`, "", `"field":`, "", `"value":`, "").Replace(string(b))
}

func TestEveryOperatorReadsItsValue(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ field, operator, value, want string }{
		{"owner", "equals", "acme", `{"equals",[{"owner"},{{"text":"acme"}}]}`},
		{"params.a", "equals", "12", `{"equals",[{"params.a"},{{"int":12}}]}`},
		{"params.a", "equals", "-1.50", `{"equals",[{"params.a"},{{"float":-1.5}}]}`},
		{"params.a", "equals", `"12"`, `{"equals",[{"params.a"},{{"text":"12"}}]}`},
		{"params.a", "equals", "true", `{"equals",[{"params.a"},{{"bool":true}}]}`},
		{"reversible", "not_equals", "true", `{"not_equals",[{"reversible"},{{"bool":true}}]}`},
		{"risk_level", "in", "[3, 4]", `{"in",[{"risk_level"},{{"list":[{"int":3},{"int":4}],"is_list":true}}]}`},
		{"owner", "not_in", "[a, b]", `{"not_in",[{"owner"},{{"list":[{"text":"a"},{"text":"b"}],"is_list":true}}]}`},
		{"params.a", "contains", "x", `{"contains",[{"params.a"},{{"text":"x"}}]}`},
		{"params.a", "not_contains", "x", `{"not_contains",[{"params.a"},{{"text":"x"}}]}`},
		{"params.a", "contains_any", "[x]", `{"contains_any",[{"params.a"},{{"list":[{"text":"x"}],"is_list":true}}]}`},
		{"params.a", "contains_all", "[x]", `{"contains_all",[{"params.a"},{{"list":[{"text":"x"}],"is_list":true}}]}`},
		{"request.path", "starts_with", "/a", `{"starts_with",[{"request.path"},{{"text":"/a"}}]}`},
		{"request.path", "not_starts_with", "/a", `{"not",[{"starts_with",[{"request.path"},{{"text":"/a"}}]}]}`},
		{"request.path", "ends_with", "/a", `{"ends_with",[{"request.path"},{{"text":"/a"}}]}`},
		{"request.path", "not_ends_with", "/a", `{"not",[{"ends_with",[{"request.path"},{{"text":"/a"}}]}]}`},
		{"request.path", "matches", "^/a", `{"matches",[{"request.path"},{{"text":"^/a"}}]}`},
		{"request.path", "not_matches", "^/a", `{"not_matches",[{"request.path"},{{"text":"^/a"}}]}`},
		{"owner", "matches", `'^(?i)\pL[\p{Greek}x]{9}$'`, `{"matches",[{"owner"},{{"text":"^(?i)\\pL[\\p{Greek}x]{9}$"}}]}`},
		{"resource", "glob", "acme/*", `{"glob",[{"resource"},{{"text":"acme/*"}}]}`},
		{"resource", "not_glob", "[acme/*, b]", `{"not_glob",[{"resource"},{{"list":[{"text":"acme/*"},{"text":"b"}],"is_list":true}}]}`},
		{"params.a", "gt", "1", `{"gt",[{"params.a"},{{"int":1}}]}`},
		{"request.headers.Content-Length", "gte", "1.5", `{"gte",[{"request.headers.content-length"},{{"float":1.5}}]}`},
		{"risk_level", "lt", "3", `{"lt",[{"risk_level"},{{"int":3}}]}`},
		{"time", "lte", "2026-11-23T22:00:00+01:00", `{"lte",[{"time"},{{"time":"2026-11-23T21:00:00Z"}}]}`},
		{"params.a", "between", "[1, 2.5]", `{"between",[{"params.a"},{{"list":[{"int":1},{"float":2.5}],"is_list":true}}]}`},
		{"params.a", "not_between", "[1, 2]", `{"not",[{"between",[{"params.a"},{{"list":[{"int":1},{"int":2}],"is_list":true}}]}]}`},
		{"params.a", "exists", "true", `{"exists",[{"params.a"}]}`},
		{"params.a", "not_exists", "", `{"not_exists",[{"params.a"}]}`},
		{"params.ip", "cidr", "10.0.0.0/8", `{"cidr",[{"params.ip"},{{"text":"10.0.0.0/8"}}]}`},
		{"params.ip", "not_cidr", `["10.0.0.0/8", "2001:db8::/32"]`, `{"not_cidr",[{"params.ip"},{{"list":[{"text":"10.0.0.0/8"},{"text":"2001:db8::/32"}],"is_list":true}}]}`},
		{"time", "time_window", "mon-tue 09:00-17:00", `{"time_window",[{"time"},{{"window":{"days":[1,2],"from":540,"to":1020,"zone":"UTC"}}}]}`},
		{"time", "not_time_window", `{days: [sat, sun], from: "22:00", to: "06:00", zone: Europe/Berlin}`, `{"not_time_window",[{"time"},{{"window":{"days":[6,0],"from":1320,"to":360,"zone":"Europe/Berlin"}}}]}`},
		{"params.a", "size", "2", `{"size",[{"params.a"},{{"int":2}}]}`},
		{"params.a", "size_gt", "2", `{"size_gt",[{"params.a"},{{"int":2}}]}`},
		{"params.a", "size_gte", "2", `{"size_gt",[{"params.a"},{{"int":1}}]}`},
		{"params.a", "size_lt", "2", `{"size_lt",[{"params.a"},{{"int":2}}]}`},
		{"params.a", "size_lte", "2", `{"size_lt",[{"params.a"},{{"int":3}}]}`},
	} {
		text := "- {field: " + tt.field + ", operator: " + tt.operator
		if tt.value != "" {
			text += ", value: " + tt.value
		}
		d := read(t, one(text+"}"))
		if got := said(t, &d.Policy.Clauses[0].If.Args[0]); got != tt.want {
			t.Errorf("%s %s %s:\ngot  %s\nwant %s", tt.field, tt.operator, tt.value, got, tt.want)
		}
	}
}

func TestEveryOperatorIsTried(t *testing.T) {
	t.Parallel()

	all := document.Operators()
	if len(all) < 20 {
		t.Errorf("%d operators", len(all))
	}
	for _, other := range [][2]string{
		{"eq", "equals"}, {"==", "equals"}, {"Equals", "equals"}, {"neq", "not_equals"}, {"!=", "not_equals"}, {"notEquals", "not_equals"},
		{">", "gt"}, {"greaterThan", "gt"}, {"greater_than_or_equal", "gte"}, {">=", "gte"}, {"less-than", "lt"}, {"<=", "lte"},
		{"regex", "matches"}, {"=~", "matches"}, {"!~", "not_matches"}, {"startsWith", "starts_with"}, {"prefix", "starts_with"},
		{"endsWith", "ends_with"}, {"like", "glob"}, {"includes", "contains"}, {"NOT IN", "not_in"},
	} {
		value := "x"
		switch other[1] {
		case "gt", "gte", "lt", "lte":
			value = "1"
		case "not_in":
			value = "[x]"
		}
		now := read(t, one("- {field: params.a, operator: "+other[1]+", value: "+value+"}"))
		before := read(t, one("- {field: params.a, operator: \""+other[0]+"\", value: "+value+"}"))
		if diff := cmp.Diff(said(t, now.Policy.Clauses[0].If), said(t, before.Policy.Clauses[0].If)); diff != "" {
			t.Errorf("%s: %s", other[0], diff)
		}
	}
}

func TestGroupsAreReadInEveryForm(t *testing.T) {
	t.Parallel()

	leaf := "{field: owner, operator: exists}"
	const want = `{"exists",[{"owner"}]}`
	for conditions, tree := range map[string]string{
		leaf:                    want,
		"[" + leaf + "]":        `{"all",[` + want + `]}`,
		"{all: [" + leaf + "]}": `{"all",[` + want + `]}`,
		"{any: [" + leaf + "]}": `{"any",[` + want + `]}`,
		"{not: " + leaf + "}":   `{"not",[` + want + `]}`,
		"{not: [" + leaf + "]}": `{"not",[` + want + `]}`,
		"{not: {any: [" + leaf + ", {all: [" + leaf + "]}]}}": `{"not",[{"any",[` + want + `,{"all",[` + want + `]}]}]}`,
	} {
		d := read(t, clauses("  - {name: a, decision: deny, conditions: "+conditions+"}\n"))
		if got := said(t, d.Policy.Clauses[0].If); got != tree {
			t.Errorf("%s: %s, want %s", conditions, got, tree)
		}
	}
	if d := read(t, clauses("  - {name: a, decision: deny}\n")); d.Policy.Clauses[0].If != nil {
		t.Errorf("%+v", d.Policy.Clauses[0].If)
	}
}
