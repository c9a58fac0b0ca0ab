package connectors_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
)

var refused = connectors.Problem{
	Type: "https://tameflare.com/problems/denied", Title: "Denied", Status: 403, Code: "denied", Decision: "deny",
	Detail: "No rule allows github.repo.delete.", Action: "github.repo.delete", RequestID: "req_1", Suggestion: "Ask an administrator.",
}

func TestEveryRefusalKeepsItsFieldsAndItsSentence(t *testing.T) {
	t.Parallel()

	for _, typ := range append(connectors.Types(), nil) {
		contentType, body := typ.Refusal(connectors.Request{Method: "DELETE", Host: "api.github.com", Path: "/repos/acme/site"}, refused)
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil || !strings.Contains(contentType, "json") {
			t.Fatalf("%v: %s %s, %v", typ, contentType, body, err)
		}
		for field, want := range map[string]any{"type": refused.Type, "status": 403.0, "code": "denied", "detail": refused.Detail, "action": refused.Action, "request_id": "req_1"} {
			if got[field] != want {
				t.Errorf("%v: %s is %v, want %v", typ, field, got[field], want)
			}
		}
		if typ != nil && typ.Name == "github" && (got["message"] != refused.Detail || got["documentation_url"] != refused.Type || !strings.HasPrefix(contentType, "application/json")) {
			t.Errorf("github: %s %s, want a message that Octokit prints", contentType, body)
		}
	}
}

func TestGitIsRefusedInWordsThatItShows(t *testing.T) {
	t.Parallel()

	contentType, body := connectors.TypeNamed("github").Refusal(connectors.Request{Method: "POST", Host: "github.com", Path: "/acme/site.git/git-receive-pack"}, refused)
	if !strings.HasPrefix(contentType, "text/plain") || !strings.Contains(string(body), refused.Detail) || !strings.Contains(string(body), "req_1") {
		t.Errorf("%s %q, want plain text with the sentence and the request", contentType, body)
	}
}
