package document_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
)

func TestFieldsOfOlderDocumentsAreRead(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ field, operator, value, want string }{
		{"action_spec.type", "equals", "github.pr.merge", `{"equals",[{"action"},{{"text":"github.pr.merge"}}]}`},
		{"action_spec.parameters.amount", "gt", "10000", `{"gt",[{"params.amount"},{{"int":10000}}]}`},
		{"parameters.amount", "gt", "10000", `{"gt",[{"params.amount"},{{"int":10000}}]}`},
		{"action_spec.resource.provider", "equals", "github", `{"equals",[{"service"},{{"text":"github"}}]}`},
		{"action_spec.resource.organization", "equals", "acme", `{"equals",[{"owner"},{{"text":"acme"}}]}`},
		{"action_spec.resource.account", "equals", "acme", `{"equals",[{"owner"},{{"text":"acme"}}]}`},
		{"action_spec.resource.repository", "equals", "site", `{"equals",[{"repository"},{{"text":"site"}}]}`},
		{"action_spec.resource.target", "equals", "acme/site", `{"equals",[{"resource"},{{"text":"acme/site"}}]}`},
		{"action_spec.resource.environment", "equals", "prod", `{"equals",[{"environment"},{{"text":"prod"}}]}`},
		{"action_spec.risk_hints.is_destructive", "equals", "true", `{"in",[{"class"},{{"list":[{"text":"delete"},{"text":"admin"}],"is_list":true}}]}`},
		{"action_spec.risk_hints.is_destructive", "equals", "false", `{"not",[{"in",[{"class"},{{"list":[{"text":"delete"},{"text":"admin"}],"is_list":true}}]}]}`},
		{"action_spec.risk_hints.irreversible", "equals", "true", `{"equals",[{"reversible"},{{"bool":false}}]}`},
		{"action_spec.risk_hints.irreversible", "not_equals", "true", `{"equals",[{"reversible"},{{"bool":true}}]}`},
		{"risk_hints.production_target", "equals", "true", `{"in",[{"environment"},{{"list":[{"text":"production"},{"text":"prod"}],"is_list":true}}]}`},
		{"risk_hints.financial_impact", "equals", "true", `{"all",[{"equals",[{"service"},{{"text":"stripe"}}]},{"not_equals",[{"class"},{{"text":"read"}}]}]}`},
	} {
		d := read(t, one("- {field: "+tt.field+", operator: "+tt.operator+", value: "+tt.value+"}"))
		if got := said(t, &d.Policy.Clauses[0].If.Args[0]); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.field, got, tt.want)
		}
	}
}

// A merge of a pull request does not show into which branch. What older
// documents say of main must not pass it over.
func TestABranchThatIsNotShownIsNotPassedOver(t *testing.T) {
	t.Parallel()

	const (
		unclear = "unclear"
		holds   = "holds"
		fails   = "fails"
	)
	for name, tt := range map[string]struct{ operator, value, action, want string }{
		"the base":                     {"equals", "main", "{action: github.branch.merge, params: {base: main}}", holds},
		"another base":                 {"equals", "main", "{action: github.branch.merge, params: {base: next}}", fails},
		"a branch":                     {"equals", "main", "{action: github.file.update, params: {branch: main}}", holds},
		"the older parameter":          {"equals", "main", "{action: git.push, params: {branch_name: main}}", holds},
		"a whole ref":                  {"equals", "main", "{action: github.repo.push, params: {ref: [refs/heads/main]}}", holds},
		"half a ref":                   {"equals", "main", "{action: github.branch.delete, params: {ref: heads/main}}", holds},
		"one ref of two":               {"equals", "main", "{action: github.repo.push, params: {ref: [refs/heads/a, refs/heads/main]}}", holds},
		"another ref":                  {"equals", "main", "{action: github.repo.push, params: {ref: [refs/heads/a]}}", fails},
		"a merge that hides it":        {"equals", "main", "{action: github.pr.merge, class: write}", unclear},
		"the same, turned round":       {"not_equals", "main", "{action: github.pr.merge, class: write}", unclear},
		"the same, of several":         {"in", "[main, next]", "{action: github.pr.merge, class: write}", unclear},
		"the same, by a begin":         {"starts_with", "main", "{action: github.pr.merge, class: write}", unclear},
		"whether there is one":         {"exists", "true", "{action: github.pr.merge, class: write}", unclear},
		"a file without a branch":      {"equals", "main", "{action: github.file.update, class: write, params: {path: a}}", unclear},
		"what has to do with none":     {"equals", "main", "{action: github.issue.create, class: write, params: {title: main}}", fails},
		"reading":                      {"equals", "main", "{action: github.file.get, class: read, params: {path: a}}", fails},
		"other than main":              {"not_equals", "main", "{action: github.branch.merge, params: {base: next}}", holds},
		"several":                      {"in", "[main, next]", "{action: github.branch.delete, params: {ref: refs/heads/next}}", holds},
		"a begin":                      {"starts_with", "release/", "{action: github.branch.delete, params: {ref: heads/release/1}}", holds},
		"an expression from the start": {"matches", "^main$", "{action: github.repo.push, params: {ref: [refs/heads/main]}}", holds},
		"an expression of two":         {"matches", "^(main|next)$", "{action: github.repo.push, params: {ref: [refs/heads/next]}}", holds},
		"an expression of another":     {"matches", "^(main|next)$", "{action: github.repo.push, params: {ref: [refs/heads/maintenance]}}", fails},
		"one that only ends so":        {"matches", "^main$", "{action: github.repo.push, params: {ref: [refs/heads/a/refs/heads/main]}}", fails},
		"an expression not of it":      {"not_matches", "^main$", "{action: github.repo.push, params: {ref: [refs/heads/main]}}", fails},
		"a glob":                       {"glob", "release/*", "{action: github.repo.push, params: {ref: [refs/heads/release/2]}}", holds},
		"several globs":                {"glob", "[release/*, main]", "{action: github.repo.push, params: {ref: [refs/heads/main]}}", holds},
		"an end":                       {"ends_with", "-lts", "{action: github.branch.merge, params: {base: v1-lts}}", holds},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value := ", value: " + tt.value
			if tt.operator == "exists" {
				value = ""
			}
			d := read(t, clauses("  - name: r\n    conditions: {field: action_spec.parameters.branch_name, operator: "+tt.operator+value+"}\n    decision: deny\ntests:\n  - {name: t, expect: deny, action: "+tt.action+"}\n"))
			results, err := d.Run(nil)
			if err != nil {
				t.Fatal(err)
			}
			got := fails
			for _, c := range results[0].Explanation.Considered {
				got = c.Verdict
			}
			if got != tt.want || (results[0].Got.Effect == policy.Allow) != (tt.want == fails) {
				t.Errorf("%s: %s, want %s", got, results[0].Got.Effect, tt.want)
			}
			if len(d.Notes) != 1 || !strings.Contains(d.Notes[0].Message, "does not show") {
				t.Errorf("%v", d.Notes)
			}
		})
	}
}

func TestTheOlderTutorialHoldsTheMergeOfAPullRequest(t *testing.T) {
	t.Parallel()

	d := read(t, `metadata:
  name: github-protection
  scope:
    action_types: ["github.*"]
rules:
  - name: block-repo-deletion
    conditions:
      all:
        - {field: action_spec.type, operator: equals, value: github.repo.delete}
    decision: deny
    reason: Repositories are not deleted.
    risk_score: 95
  - name: merge-to-main
    conditions:
      all:
        - {field: action_spec.type, operator: equals, value: github.pr.merge}
        - {field: action_spec.parameters.branch_name, operator: equals, value: main}
    decision: requires_approval
    reason: Merging into main needs an admin.
    risk_score: 70
    approval: {timeout_seconds: 3600, approver_roles: [admin, owner]}
  - name: allow-other
    conditions:
      all:
        - {field: action_spec.type, operator: starts_with, value: "github."}
    decision: allow
    risk_score: 20
tests:
  - name: deleting
    request: {method: DELETE, url: "https://api.github.com/repos/acme/site"}
    expect: deny
    rule: block-repo-deletion
  - name: merging
    request: {method: PUT, url: "https://api.github.com/repos/acme/site/pulls/1/merge", body: {}}
    expect: requires_approval
    rule: merge-to-main
  - name: merging as an action of before
    action_spec: {type: github.pr.merge, resource: {provider: github, organization: acme, repository: site}, parameters: {branch_name: main}}
    expect: require_approval
    rule: merge-to-main
  - name: merging elsewhere as an action of before
    action_spec: {type: github.pr.merge, parameters: {branch_name: next}}
    expect: allow
    rule: allow-other
  - name: an issue
    request: {method: POST, url: "https://api.github.com/repos/acme/site/issues", body: {title: main}}
    expect: allow
    rule: allow-other
`)
	pass(t, d, policies.Reader(nil))
}

// pass makes the tests of a document, which are all expected to pass.
func pass(t *testing.T, d *document.Document, reader document.Reader) {
	t.Helper()
	results, err := d.Run(reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s: %s", r.Test.Name, r.Problem)
		}
	}
}
