package document_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
)

func TestTestsSayWhyTheyFail(t *testing.T) {
	t.Parallel()

	const rules = `  - name: no-deletion
    conditions: {field: class, operator: equals, value: delete}
    decision: deny
  - name: at-night
    conditions:
      all:
        - {field: action, operator: equals, value: github.issue.create}
        - {field: time, operator: time_window, value: "22:00-06:00"}
    decision: require_approval
  - name: reading
    conditions: {field: class, operator: equals, value: read}
    decision: allow
  - name: reading-too
    conditions: [{field: owner, operator: equals, value: a}, {field: class, operator: equals, value: read}]
    decision: allow
tests:
`
	for name, tt := range map[string]struct{ test, says string }{
		"as expected":            {`{name: t, expect: deny, rule: no-deletion, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}}`, ""},
		"not as expected":        {`{name: t, expect: allow, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}}`, "Expected allow, got deny by the rule “no-deletion” in line 3."},
		"no rule":                {`{name: t, expect: deny, request: {method: POST, url: "https://api.github.com/repos/a/b/issues"}, time: 2026-11-23T12:00:00Z}`, "Expected deny, got allow: no rule applies."},
		"another rule":           {`{name: t, expect: deny, rule: at-night, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}}`, "Expected the rule “at-night” to decide; it was “no-deletion” in line 3."},
		"without a time":         {`{name: t, expect: allow, request: {method: POST, url: "https://api.github.com/repos/a/b/issues"}}`, "unclear whether it applies (what the test leaves out is unknown: the time"},
		"a rule that lets":       {`{name: t, expect: allow, rule: reading, request: {url: "https://api.github.com/repos/a/b"}}`, ""},
		"one of two that let":    {`{name: t, expect: allow, rule: reading-too, request: {url: "https://api.github.com/repos/a/b"}}`, ""},
		"and does not":           {`{name: t, expect: allow, rule: reading, request: {method: POST, url: "https://api.github.com/repos/a/b/forks"}}`, "Expected the rule “reading” to decide; no rule applies."},
		"a request that is none": {`{name: t, expect: allow, request: {url: "https://api.github.com:99999/"}}`, "port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			results, err := read(t, clauses(rules+"  - "+tt.test+"\n")).Run(policies.Reader(nil))
			if err != nil {
				t.Fatal(err)
			}
			r := results[0]
			if r.Passed != (tt.says == "") || !strings.Contains(r.Problem, tt.says) {
				t.Errorf("%v %q, want %q", r.Passed, r.Problem, tt.says)
			}
		})
	}
	d := read(t, clauses(rules+`  - {name: t, expect: deny, request: {method: DELETE, url: "https://api.github.com/repos/a/b"}}`+"\n"))
	if results, err := d.Run(nil); err != nil || results[0].Passed || !strings.Contains(results[0].Problem, "could not be made") {
		t.Errorf("without connectors: %+v, %v", results, err)
	}
}

func TestATestSaysWhoWhereAndWhen(t *testing.T) {
	t.Parallel()

	pass(t, read(t, `name: p
scope: {gateways: [deploy-*], environments: [production]}
rules:
  - name: a
    conditions:
      - {field: gateway, operator: equals, value: deploy-1}
      - {field: environment, operator: equals, value: production}
      - {field: run.principal, operator: ends_with, value: "@ci"}
      - {field: time, operator: lt, value: 2026-01-01T00:00:00Z}
    decision: deny
tests:
  - {name: all of it, action: {action: a.b}, gateway: deploy-1, principal: bot@ci, time: 2025-12-31T00:00:00Z, expect: deny}
  - {name: in the action, action: {action: a.b, gateway: deploy-1, principal: bot@ci, environment: production}, time: 2025-12-31T00:00:00Z, expect: deny}
  - {name: another gateway, action: {action: a.b}, gateway: deploy-2, principal: bot@ci, time: 2025-12-31T00:00:00Z, expect: allow}
  - {name: out of scope, action: {action: a.b}, gateway: other, expect: allow}
  - {name: another environment, action: {action: a.b}, gateway: deploy-1, environment: staging, expect: allow}
  - {name: another principal, action: {action: a.b}, gateway: deploy-1, principal: ana@laptop, expect: allow}
  - {name: nobody knows who, action: {action: a.b}, gateway: deploy-1, time: 2025-12-31T00:00:00Z, expect: deny}
  - {name: later, action: {action: a.b}, gateway: deploy-1, principal: bot@ci, time: 2026-01-01T00:00:00Z, expect: allow}
`), nil)
}

func TestAnActionDocumentIsRead(t *testing.T) {
	t.Parallel()

	for name, text := range map[string]string{
		"JSON":   `{"action":"github.pr.merge","resource":"acme/site#1","params":{"base":"main","n":2,"ok":true,"labels":["a","b"],"none":null},"class":"write","risk":"low","reversible":true,"environment":"prod","gateway":"g","principal":"ana@laptop"}`,
		"YAML":   "action: github.pr.merge\nresource: acme/site#1\nparams: {base: main, n: 2, ok: true, labels: [a, b]}\nclass: write\nrisk: low\nreversible: true\nenvironment: prod\ngateway: g\nprincipal: ana@laptop\n",
		"older":  "action_spec:\n  type: github.pr.merge\n  resource: {provider: github, target: acme/site#1, environment: prod}\n  parameters: {base: main, n: 2, ok: true, labels: [a, b]}\n  risk_hints: {is_destructive: false, irreversible: false}\ngateway: g\nprincipal: ana@laptop\n",
		"oldest": "type: github.pr.merge\nresource: {target: acme/site#1, environment: prod}\nparameters: {base: main, n: 2, ok: true, labels: [a, b]}\nrisk_hints: {is_destructive: false, irreversible: false}\ngateway: g\nprincipal: ana@laptop\n",
	} {
		a, q, err := document.ParseAction([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := q.Action.Params
		if q.Action.Name != "github.pr.merge" || q.Type != "github" || q.Action.Connector != "github" || q.Action.Resource != "acme/site#1" ||
			p["base"] != "main" || p["n"] != int64(2) || p["ok"] != true || len(p["labels"].([]string)) != 2 || len(p) != 4 ||
			q.Action.Class != action.Write || !q.Action.Reversible || q.Run == nil || q.Run.Principal != "ana@laptop" || a.Environment != "prod" || a.Gateway != "g" {
			t.Errorf("%s: %+v %+v", name, a, q)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "a list": "[a]", "no name": "{resource: a}", "no action": "{action: Merge it}", "a star": "{action: github.*}",
		"a class": "{action: a.b, class: reed}", "a key": "{action: a.b, colour: red}", "a param": "{action: a.b, params: {c: {d: 1}}}",
		"two": "{action: a.b, type: a.b}",
	} {
		if a, _, err := document.ParseAction([]byte(text)); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// What nobody rated counts as the worst, and what the catalogue knows as that.
func TestAnActionIsRatedByTheCatalogue(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		text  string
		class action.Class
		risk  action.Risk
	}{
		"known":          {"{action: github.issue.create}", action.Write, action.Low},
		"said otherwise": {"{action: github.issue.create, class: delete, risk: high}", action.Delete, action.High},
		"unknown":        {"{action: bicycle.wheel.paint}", action.Admin, action.Critical},
	} {
		a, _, err := document.ParseAction([]byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		d := read(t, clauses("  - {name: r, decision: deny}\ntests:\n  - {name: t, expect: deny, action: "+tt.text+"}\n"))
		if got := d.Tests[0].Action.Action; got.Class != tt.class || got.Risk != tt.risk {
			t.Errorf("%s, in a test: %v, %v", name, got.Class, got.Risk)
		}
		a.Rate(known)
		if a.Action.Class != tt.class || a.Action.Risk != tt.risk {
			t.Errorf("%s: %v, %v", name, a.Action.Class, a.Action.Risk)
		}
	}
}
