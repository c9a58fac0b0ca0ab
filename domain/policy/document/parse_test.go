package document_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

var known = connectors.Catalogue{}

// read parses a document that is expected to be right.
func read(t *testing.T, text string) *document.Document {
	t.Helper()
	d, err := document.Parse("p.yaml", []byte(text), known)
	if err != nil {
		t.Fatalf("%s\n%s", fault.Message(err), text)
	}
	return d
}

// refused returns the problems of a document that is expected to have some.
func refused(t *testing.T, text string) []yamldoc.Problem {
	t.Helper()
	_, err := document.Parse("p.yaml", []byte(text), known)
	problems, ok := errors.AsType[*yamldoc.Problems](err)
	if !ok || fault.Of(err) != fault.Invalid {
		t.Fatalf("%v, want problems\n%s", err, text)
	}
	return problems.All
}

// clauses is a document with these rules.
func clauses(rules string) string { return "name: p\nrules:\n" + rules }

// one is a document of one rule with these conditions, which begin in line 5.
func one(conditions string) string {
	return clauses("  - name: r\n    conditions:\n" + indent(conditions, 6) + "\n    decision: deny\n")
}

func indent(s string, by int) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.Repeat(" ", by) + lines[i]
	}
	return strings.Join(lines, "\n")
}

const whole = `# Who may merge.
name: protect-main
description: What lands on main needs a person.
scope:
  gateways: [deploy-*]
  environments: [production]
  actions: ["github.*"]
rules:
  - name: no-deletion
    conditions:
      - {field: action, operator: equals, value: github.repo.delete}
    decision: deny
    reason: Nothing is deleted by a program.
    risk_score: 95
  # main only
  - name: merge-needs-admin
    conditions:
      all:
        - {field: action, operator: equals, value: github.branch.merge}
        - any:
            - {field: params.base, operator: equals, value: main}
            - not: {field: owner, operator: in, value: [acme]}
    decision: requires_approval
    reason: >
      Merges into main
      need an admin.
    approval:
      timeout_seconds: 3600
      hold: 30s
      approver_roles: [admin, owner]
      count: 2
  - name: rest
    conditions: {field: action, operator: starts_with, value: "github."}
    decision: allow
    risk_score: 20
tests:
  - name: a merge waits
    action: {action: github.branch.merge, resource: acme/site, params: {base: main}}
    expect: require_approval
    rule: merge-needs-admin
  - name: at a gateway out of scope
    action: {action: github.repo.delete}
    gateway: other
    expect: allow
`

func TestWhoHasToAgreeIsANumberOrAMapping(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]policy.Approvers{
		"approvers: 3":               {Count: 3},
		"min_approvals: 2":           {Count: 2},
		"approver_roles: [owner]":    {Role: "owner"},
		"approvers: {group: [b, a]}": {Group: "a+b"},
		"approvers: {step_up: true}": {StepUp: true},
		"approvers: {role: admin, count: 2, prevent_self_approval: true}": {Role: "admin", Count: 2, NotSelf: true},
	} {
		d := read(t, clauses("  - {name: a, decision: require_approval, approval: {"+text+"}}\n"))
		if got := d.Policy.Clauses[0].Approvers; got != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestADocumentIsReadWhole(t *testing.T) {
	t.Parallel()

	d := read(t, whole)
	p := d.Policy
	if p.Name != "protect-main" || d.Description != "What lands on main needs a person." {
		t.Errorf("%q, %q", p.Name, d.Description)
	}
	if diff := cmp.Diff(policy.Scope{Gateways: []string{"deploy-*"}, Environments: []string{"production"}, Actions: p.Scope.Actions}, p.Scope); diff != "" || len(p.Scope.Actions) != 1 || p.Scope.Actions[0] != "github.*" {
		t.Error(diff, p.Scope.Actions)
	}
	if len(p.Clauses) != 3 {
		t.Fatalf("%d rules", len(p.Clauses))
	}
	first, merge, rest := p.Clauses[0], p.Clauses[1], p.Clauses[2]
	if first.Name != "no-deletion" || first.Effect != policy.Deny || first.Risk != 95 || first.Line != 9 || first.Reason != "Nothing is deleted by a program." {
		t.Errorf("%+v", first)
	}
	hold := 30 * time.Second
	if merge.Effect != policy.RequireApproval || merge.TTL != time.Hour || merge.Hold == nil || *merge.Hold != hold || merge.Reason != "Merges into main need an admin." || merge.Line != 16 {
		t.Errorf("%+v", merge)
	}
	if (merge.Approvers != policy.Approvers{Role: "admin", Count: 2}) {
		t.Errorf("%+v", merge.Approvers)
	}
	if rest.Effect != policy.Allow || rest.If == nil || rest.If.Op != policy.StartsWith {
		t.Errorf("%+v", rest)
	}
	tree := merge.If
	if tree.Op != policy.All || len(tree.Args) != 2 || tree.Args[1].Op != policy.Any || tree.Args[1].Args[1].Op != policy.Not {
		t.Fatalf("%+v", tree)
	}
	if leaf := tree.Args[1].Args[0]; leaf.Line != 21 || leaf.Text != "params.base equals main" {
		t.Errorf("the leaf: line %d, %q", leaf.Line, leaf.Text)
	}
	if len(d.Tests) != 2 || d.Tests[0].Expect != policy.RequireApproval || d.Tests[0].Rule != "merge-needs-admin" || d.Tests[1].Gateway != "other" || d.Tests[0].Line != 37 {
		t.Errorf("%+v", d.Tests)
	}
	if len(d.Notes) != 0 {
		t.Errorf("%v", d.Notes)
	}
	if _, err := json.Marshal(p); err != nil {
		t.Error(err)
	}
	pass(t, d, nil)
}

func TestMistakesAreSaidInTheirPlaces(t *testing.T) {
	t.Parallel()

	leaf := func(field, operator, value string) string {
		return one("- {field: " + field + ", operator: " + operator + ", value: " + value + "}")
	}
	for name, tt := range map[string]struct {
		text string
		line int
		says string
	}{
		"nothing":                       {"", 1, "begin with"},
		"a list":                        {"- a\n", 1, "keys with values belong here"},
		"no name":                       {"rules: [{name: a, decision: deny}]\n", 1, "name is missing"},
		"a misspelt key":                {"name: p\nruels: []\n", 2, `did you mean "rules"?`},
		"a key of how it counts":        {"name: p\npriority: 3\nrules: [{name: a, decision: deny}]\n", 2, "beside the document"},
		"no rules":                      {"name: p\n", 1, "rules is missing"},
		"empty rules":                   {"name: p\nrules: []\n", 2, "there is no rule"},
		"a name twice":                  {clauses("  - {name: a, decision: deny}\n  - {name: a, decision: allow}\n"), 4, `another rule of the name "a"`},
		"a credential in a test":        {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, expect: deny, request: {url: \"https://a.example/\", headers: {\n    X-Api-Key: abc}}}\n"), 6, "leave this header out"},
		"a password in a test's URL":    {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, expect: deny, request: {url: \"https://a:b@a.example/\"}}\n"), 5, "leave out what stands before the @"},
		"an environment in capitals":    {one("- {field: environment, operator: in, value: [Production]}"), 5, `did you mean "production"?`},
		"a gateway in capitals":         {one("- {field: gateway, operator: glob, value: Deploy-*}"), 5, `did you mean "deploy-*"?`},
		"no decision":                   {clauses("  - name: a\n"), 3, "decision is missing"},
		"a misspelt decision":           {clauses("  - {name: a, decision: denny}\n"), 3, `did you mean "deny"?`},
		"approval of a denial":          {clauses("  - {name: a, decision: deny, approval: {count: 2}}\n"), 3, "require_approval only"},
		"a viewer":                      {clauses("  - {name: a, decision: require_approval, approval: {approver_roles: [viewer]}}\n"), 3, "a viewer cannot approve"},
		"an unknown role":               {clauses("  - {name: a, decision: require_approval, approval: {approver_roles: [admn]}}\n"), 3, `did you mean "admin"?`},
		"too many approvers":            {clauses("  - {name: a, decision: require_approval, approval: {count: 11}}\n"), 3, "from 1 to 10"},
		"a viewer in a mapping":         {clauses("  - {name: a, decision: require_approval, approval: {approvers: {role: viewer}}}\n"), 3, "a viewer cannot approve"},
		"a misspelt term":               {clauses("  - {name: a, decision: require_approval, approval: {approvers: {stepup: true}}}\n"), 3, `did you mean "step_up"?`},
		"a group that cannot be":        {clauses("  - name: a\n    decision: require_approval\n    approval:\n      approvers:\n        group: Release Team\n"), 7, "A group's name is"},
		"a role twice":                  {clauses("  - {name: a, decision: require_approval, approval: {approvers: {role: admin}, approver_roles: [owner]}}\n"), 3, "write this below approvers"},
		"a count beside a mapping":      {clauses("  - {name: a, decision: require_approval, approval: {approvers: {role: admin}, min_approvals: 2}}\n"), 3, "write this below approvers"},
		"a timeout twice":               {clauses("  - {name: a, decision: require_approval, approval: {timeout: 1h, timeout_seconds: 60}}\n"), 3, "said already"},
		"too long a timeout":            {clauses("  - {name: a, decision: require_approval, approval: {timeout_seconds: 999999999999}}\n"), 3, "between 30s and 24h"},
		"too long a hold":               {clauses("  - {name: a, decision: require_approval, approval: {hold: 31m}}\n"), 3, "between 0s and 30m"},
		"a risk score":                  {clauses("  - {name: a, decision: deny, risk_score: 101}\n"), 3, "from 0 to 100"},
		"an empty scope":                {"name: p\nscope: {actions: []}\nrules: [{name: a, decision: deny}]\n", 2, "leave it out for everything"},
		"a pattern in scope":            {"name: p\nscope: {actions: [github.pr.mrege]}\nrules: [{name: a, decision: deny}]\n", 2, `did you mean "github.pr.merge"?`},
		"a gateway's name":              {"name: p\nscope: {gateways: [Deploy Bot]}\nrules: [{name: a, decision: deny}]\n", 2, "lower-case letters"},
		"a misspelt field":              {leaf("acton", "equals", "a"), 5, `did you mean "action"?`},
		"a misspelt field of many":      {leaf("parms.base", "equals", "a"), 5, `did you mean "params.base"?`},
		"a field without its place":     {leaf("path", "equals", "a"), 5, `did you mean "request.path"?`},
		"a parameter without its place": {leaf("merge_method", "equals", "a"), 5, `did you mean "params.merge_method"?`},
		"another field":                 {leaf("colour", "equals", "a"), 5, "there are action, class"},
		"a field to be named":           {leaf("params.", "equals", "a"), 5, "params.NAME"},
		"a header with a credential":    {leaf("request.headers.Authorization", "equals", "a"), 5, "credential"},
		"a misspelt operator":           {leaf("action", "equasl", "a"), 5, `did you mean "equals"?`},
		"another operator":              {leaf("action", "resembles", "a"), 5, "there are equals"},
		"no operator":                   {one("- {field: action, value: a}"), 5, "operator is missing"},
		"no value":                      {one("- {field: action, operator: equals}"), 5, "value is missing"},
		"a value of exists":             {leaf("params.a", "exists", "false"), 5, "has no value"},
		"a misspelt action":             {leaf("action", "equals", "github.pr.mrge"), 5, `did you mean "github.pr.merge"?`},
		"an action that there is not":   {leaf("action", "equals", "github.bicycle.paint"), 5, "no action github.bicycle.paint"},
		"a begin that no action has":    {leaf("action", "starts_with", "github.bicycle."), 5, "no action github.bicycle."},
		"a star where it is a star":     {leaf("action", "equals", `"github.*"`), 5, "use glob"},
		"a misspelt class":              {leaf("class", "equals", "reed"), 5, `did you mean "read"?`},
		"a risk in a list":              {leaf("risk", "in", "[low, hihg]"), 5, `did you mean "high"?`},
		"a risk compared":               {leaf("risk", "gte", "high"), 5, "risk_level"},
		"a risk level":                  {leaf("risk_level", "gte", "high"), 5, "a number belongs here"},
		"a risk level out of range":     {leaf("risk_level", "equals", "7"), 5, "4 for critical"},
		"text for truth":                {leaf("reversible", "equals", "never"), 5, "true or false"},
		"a number for text":             {leaf("owner", "equals", "12"), 5, "quotes"},
		"an octal number":               {leaf("params.a", "equals", "012"), 5, "plain digits"},
		"a number for an operator":      {leaf("params.a", "gt", "ten"), 5, "a number belongs here"},
		"text compared":                 {leaf("owner", "gt", "10"), 5, "owner is text"},
		"half a range":                  {leaf("params.a", "between", "[1]"), 5, "two values"},
		"a range turned round":          {leaf("params.a", "between", "[2, 1]"), 5, "nothing is between"},
		"a colon in a list":             {leaf("time", "between", "[2026-12-23T00:00:00Z, 2027-01-04T00:00:00Z]"), 5, "if it has a colon in it"},
		"no list":                       {leaf("owner", "in", "acme"), 5, "a list belongs here"},
		"an empty list":                 {leaf("owner", "in", "[]"), 5, "nothing in this list"},
		"a moment hit":                  {leaf("time", "equals", "2026-01-01T00:00:00Z"), 5, "time_window"},
		"a moment":                      {leaf("time", "gt", "yesterday"), 5, "2026-11-23T22:00:00Z"},
		"a window of text":              {leaf("owner", "time_window", "09:00-17:00"), 5, "for the field time"},
		"a window":                      {leaf("time", "time_window", "whenever"), 5, "A window is written"},
		"a zone":                        {leaf("time", "time_window", "09:00-17:00 Europe/Brlin"), 5, "time zone"},
		"an expression":                 {leaf("owner", "matches", `"a("`), 5, "missing closing )"},
		"an expression that repeats":    {leaf("owner", "matches", `"(?:x{500}){2}y{900}"`), 5, "repeats too much"},
		"a network":                     {leaf("params.ip", "cidr", "10.0.0.1"), 5, "how large the network is"},
		"no network":                    {leaf("params.ip", "cidr", "office"), 5, "10.0.0.0/8"},
		"a method in small letters":     {leaf("request.method", "equals", "delete"), 5, `did you mean "DELETE"?`},
		"a misspelt action in CEL":      {clauses("  - name: a\n    when: |\n      owner == 'a' &&\n      action == 'github.pr.mrge'\n    decision: deny\n"), 6, `did you mean "github.pr.merge"?`},
		"one of several in CEL":         {clauses("  - {name: a, decision: deny, when: \"action in ['github.pr.merge', 'github.pr.mrge']\"}\n"), 3, `did you mean "github.pr.merge"?`},
		"more than a gateway takes":     {clauses("  - {name: a, decision: deny}\n  - name: b\n    decision: deny\n    conditions:\n" + strings.Repeat("      - {field: owner, operator: exists}\n", 2100)), 4, "Make several rules"},
		"two groups":                    {one("all: [{field: owner, operator: exists}]\nany: [{field: owner, operator: exists}]"), 5, "write one of all, any, not"},
		"an empty group":                {one("any: []"), 5, "no condition in this list"},
		"not of several":                {one("not: [{field: owner, operator: exists}, {field: action, operator: exists}]"), 5, "put all or any below not"},
		"nested too deep":               {one(strings.Repeat("{all: [", 13) + "{field: owner, operator: exists}" + strings.Repeat("]}", 13)), 5, "at most 12 deep"},
		"a hint of before, compared":    {leaf("action_spec.risk_hints.is_destructive", "gt", "1"), 5, "is for"},
		"a test without a subject":      {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, expect: deny}\n"), 5, "a request or an action"},
		"a test with two":               {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, expect: deny, action: {action: a.b}, request: {url: \"https://a.example\"}}\n"), 5, "either a request or an action"},
		"a test that expects nothing":   {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, action: {action: a.b}}\n"), 5, "expect is missing"},
		"a test of another rule":        {clauses("  - {name: abc, decision: deny}\ntests:\n  - {name: t, action: {action: a.b}, expect: deny, rule: abd}\n"), 5, `did you mean "abc"?`},
		"a test's address":              {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, request: {url: /user}, expect: deny}\n"), 5, "a whole URL"},
		"a test's time":                 {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, action: {action: a.b}, time: noon, expect: deny}\n"), 5, "a moment is written"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			problems := refused(t, tt.text)
			for _, p := range problems {
				if p.Line == tt.line && p.Column > 0 && strings.Contains(p.Message, tt.says) {
					return
				}
			}
			t.Errorf("%+v, want one in line %d that says %q", problems, tt.line, tt.says)
		})
	}
}

func TestEverythingWrongIsSaidInOnePass(t *testing.T) {
	t.Parallel()

	problems := refused(t, `name: p
scope: {action: ["github.*"]}
rules:
  - name: a
    conditions:
      all:
        - {field: acton, operator: equals, value: github.pr.merge}
        - {field: class, operator: equasl, value: read}
    decision: denny
  - name: b
    decision: deny
    risk_score: high
tests:
  - name: t
    action: {acton: github.pr.merge}
    expect: maybe
`)
	var lines []int
	for _, p := range problems {
		lines = append(lines, p.Line)
	}
	if diff := cmp.Diff([]int{2, 7, 8, 9, 12, 15, 15, 16}, lines); diff != "" {
		t.Errorf("lines: (-want +got)\n%s\n%v", diff, problems)
	}
}
