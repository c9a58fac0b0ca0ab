package integration_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/rest"
)

// tutorial is what people write first, in the words of the documents that they
// may have already.
const tutorial = `name: github-protection
description: What agents may do at GitHub.
scope:
  action_types: ["github.*"]
  environments: [production]
rules:
  - name: no-repo-deletion
    conditions:
      all:
        - {field: action_spec.type, operator: equals, value: github.repo.delete}
    decision: deny
    reason: Repositories are not deleted by agents.
    risk_score: 95
  - name: merge-into-main
    conditions:
      all:
        - {field: action_spec.type, operator: equals, value: github.pr.merge}
        - {field: action_spec.parameters.branch_name, operator: equals, value: main}
    decision: requires_approval
    reason: A person looks at what goes into main.
    risk_score: 70
    approval:
      timeout_seconds: 3600
      approver_roles: [admin, owner]
  - name: the-rest
    conditions:
      all:
        - {field: action_spec.type, operator: starts_with, value: github.}
    decision: allow
    risk_score: 20
tests:
  - name: nobody deletes
    request: {method: DELETE, url: "https://api.github.com/repos/acme/site"}
    expect: deny
  - name: a merge waits
    request: {method: PUT, url: "https://api.github.com/repos/acme/site/pulls/12/merge"}
    expect: require_approval
  - name: reading goes on
    request: {method: GET, url: "https://api.github.com/user"}
    expect: allow
`

const governed = `version: 1
credentials:
  - {name: github-bot, connector: github, from: {env: GITHUB_BOT}}
gateways:
  - name: agent
    environment: production
    connectors:
      - type: github
        credential: github-bot
        rules: [{preset: allow_all}]
policies:
  - file: protection.yaml
`

func TestThePoliciesTutorialWorksThroughARealGateway(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", "")
	if err := os.WriteFile(w.Path("protection.yaml"), []byte(tutorial), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := w.Do(t.Context(), "", "tameflare", "policy", "test", "-f", w.Path("protection.yaml")); err != nil {
		t.Fatalf("policy test: %v\n%s", err, out)
	}
	if err := w.Apply(t.Context(), []byte(governed), "GITHUB_BOT="+w.GitHub.Token); err != nil {
		t.Fatal(err)
	}
	curl := func(args ...string) string {
		t.Helper()
		out, err := w.Do(t.Context(), "", "tameflare", w.RunArgs("agent", append([]string{"curl", "-sSi", "--http1.1"}, args...)...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}

	if out := curl("https://api.github.com/user"); !strings.HasPrefix(out, "HTTP/1.1 200") {
		t.Errorf("the rest:\n%s", out)
	}
	out := curl("-X", "DELETE", "https://api.github.com/repos/acme/site")
	for _, want := range []string{"HTTP/1.1 403", "Repositories are not deleted by agents.", `"policy":"github-protection"`} {
		if !strings.Contains(out, want) {
			t.Errorf("deleting: no %s in\n%s", want, out)
		}
	}

	answer := make(chan string, 1)
	go func() { answer <- curl("-X", "PUT", "https://api.github.com/repos/acme/site/pulls/12/merge") }()
	pending, err := w.WaitForPending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Do(t.Context(), "", "tameflare", "approvals", "approve", pending.ID); err != nil {
		t.Fatal(err)
	}
	if out := <-answer; !strings.HasPrefix(out, "HTTP/1.1 200") {
		t.Errorf("an approved merge:\n%s", out)
	}

	var rows rest.List[rest.Request]
	if err := w.API(t.Context(), "GET", "/requests?action=github.repo.delete", "", &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows.Items) != 1 || rows.Items[0].DecidedBy != "policy" || !strings.HasPrefix(rows.Items[0].Rule, "pol_") {
		t.Errorf("the record says %+v", rows.Items)
	}
	explained, err := w.Do(t.Context(), "", "tameflare", "explain", "--gateway", "agent", "DELETE", "https://api.github.com/repos/acme/site")
	for _, want := range []string{"deny", "no-repo-deletion", "github-protection", "Repositories are not deleted by agents."} {
		if err != nil || !strings.Contains(explained, want) {
			t.Errorf("explain: %v, no %s in\n%s", err, want, explained)
		}
	}
}
