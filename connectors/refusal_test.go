package connectors_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
)

var refused = connectors.Problem{
	Type: "https://tameflare.com/problems/denied", Title: "Denied", Status: 403, Detail: "No rule allows github.repo.delete.",
	Instance: "urn:request:req_1", Code: "denied", Decision: "deny", Action: "github.repo.delete", Rule: "rule_1", RequestID: "req_1",
	ApprovalID: "apr_1", ApprovalURL: "https://app.example.com/approvals/apr_1",
	StatusURL: "http://tameflare.invalid/approvals/apr_1", ExpiresAt: "2026-11-23T10:00:00Z", Decider: "Ana", Reason: "Not on a Friday.", Suggestion: "Ask an administrator.",
}

// at is what stands at a path of names in JSON.
func at(v any, path ...string) any {
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

// Every refusal has what its service's clients print, and all fields of ours.
func TestARefusalIsWrittenAsTheServiceWritesErrors(t *testing.T) {
	t.Parallel()

	var fields map[string]any
	b, err := json.Marshal(refused)
	if err != nil || json.Unmarshal(b, &fields) != nil || len(fields) != 17 {
		t.Fatalf("%s, %v, want all 17 fields", b, err)
	}
	for name, tt := range map[string]struct {
		r       connectors.Request
		message []string          // where clients look for the sentence
		has     map[string]string // what else they want to see
		problem []string          // where our fields are
		named   map[string]string // those of ours that are called otherwise
	}{
		"github":    {r: connectors.Request{Method: "DELETE", Host: "api.github.com", Path: "/repos/acme/site"}, message: []string{"message"}, has: map[string]string{"documentation_url": refused.Type}},
		"openai":    {message: []string{"error", "message"}, has: map[string]string{"error/code": "denied", "error/type": "tameflare_denied"}},
		"anthropic": {message: []string{"error", "message"}, has: map[string]string{"type": "error", "error/type": "permission_error", "error/problem": refused.Type}, named: map[string]string{"type": "error"}},
		"stripe":    {message: []string{"error", "message"}, has: map[string]string{"error/type": "invalid_request_error", "error/code": "denied", "error/doc_url": refused.Type}},
		"slack":     {message: []string{"error"}},
		"mcp":       {r: connectors.Request{Method: "POST", Body: connectors.Whole([]byte(`{"jsonrpc":"2.0","id":7,"method":"ping"}`))}, message: []string{"error", "message"}, has: map[string]string{"jsonrpc": "2.0"}, problem: []string{"error", "data"}},
		"http":      {message: []string{"detail"}},
		"webhook":   {message: []string{"detail"}},
	} {
		typ := connectors.TypeNamed(name)
		if tt.r.Header == nil {
			tt.r.Header = http.Header{}
		}
		reply := typ.Refusal(tt.r, refused)
		var got any
		if err := json.Unmarshal(reply.Body, &got); err != nil || !strings.Contains(reply.ContentType, "json") || reply.Status != 0 {
			t.Errorf("%s: %d %s %s, %v", name, reply.Status, reply.ContentType, reply.Body, err)
			continue
		}
		if problem := reply.ContentType == "application/problem+json"; problem != (name == "http" || name == "webhook") {
			t.Errorf("%s: content type %s", name, reply.ContentType)
		}
		if message, _ := at(got, tt.message...).(string); !strings.HasSuffix(message, refused.Detail) {
			t.Errorf("%s: %s, want the sentence at %v", name, reply.Body, tt.message)
		}
		for path, want := range tt.has {
			if at(got, strings.Split(path, "/")...) != want {
				t.Errorf("%s: %s, want %s at %s", name, reply.Body, want, path)
			}
		}
		problem, _ := at(got, tt.problem...).(map[string]any)
		for field, want := range fields {
			if other, ok := tt.named[field]; ok {
				want = other
			}
			if diff := cmp.Diff(want, problem[field]); diff != "" {
				t.Errorf("%s: %s: %s", name, field, diff)
			}
		}
	}
	for _, typ := range connectors.Types() {
		if reply := typ.Refusal(connectors.Request{}, connectors.Problem{Status: 403, Title: "Denied"}); !strings.Contains(string(reply.Body), "Denied") {
			t.Errorf("%s: %s, want the title where there is no sentence", typ.Name, reply.Body)
		}
	}
	var none *connectors.Type
	if reply := none.Refusal(connectors.Request{}, refused); reply.ContentType != "application/problem+json" || string(reply.Body) != string(b) {
		t.Errorf("no type: %s %s, want the problem as it is", reply.ContentType, reply.Body)
	}
}

func TestGraphQLIsRefusedAmongItsErrors(t *testing.T) {
	t.Parallel()

	for host, path := range map[string]string{"api.github.com": "/graphql", "ghe.example.com": "/api/graphql/"} {
		reply := connectors.TypeNamed("github").Refusal(connectors.Request{Method: "POST", Host: host, Path: path}, refused)
		var got struct {
			Message string
			Errors  []struct{ Type, Message string }
		}
		if err := json.Unmarshal(reply.Body, &got); err != nil || len(got.Errors) != 1 || got.Errors[0].Message != refused.Detail || got.Message != refused.Detail {
			t.Errorf("%s: %s, %v", path, reply.Body, err)
		}
	}
}

// Slack's SDKs print no other error than one that came with status 200.
func TestSlackSDKsAreAnsweredWithTheStatusThatTheyRead(t *testing.T) {
	t.Parallel()

	for agent, want := range map[string]int{
		"@slack:web-api/7.9.1 node/20": 200, "python-slackclient/3.27 slack_sdk": 200, "curl/8.5.0": 0, "": 0,
	} {
		r := connectors.Request{Method: "POST", Host: "slack.com", Path: "/api/chat.postMessage", Header: http.Header{"User-Agent": {agent}}}
		if reply := connectors.TypeNamed("slack").Refusal(r, refused); reply.Status != want {
			t.Errorf("%q: status %d, want %d", agent, reply.Status, want)
		}
		later := refused
		later.Status = 503
		if reply := connectors.TypeNamed("slack").Refusal(r, later); reply.Status != 0 {
			t.Errorf("%q: status %d of what may be tried again, want that of the problem", agent, reply.Status)
		}
	}
}

func TestGitIsRefusedInWordsThatItShows(t *testing.T) {
	t.Parallel()

	push := connectors.Whole([]byte("00940000000000000000000000000000000000000000 c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff refs/heads/main\x00 report-status side-band-64k agent=git/2.43.0\n0000"))
	git := http.Header{"User-Agent": {"git/2.43.0"}}
	for name, tt := range map[string]struct {
		r      connectors.Request
		status int
		kind   string
	}{
		"a push":                  {connectors.Request{Path: "/acme/site.git/git-receive-pack", Header: git, Body: push}, 200, "application/x-git-receive-pack-result"},
		"a push that is not read": {connectors.Request{Path: "/acme/site.git/git-receive-pack", Header: git}, 0, "text/plain; charset=utf-8"},
		"a push of others":        {connectors.Request{Path: "/acme/site.git/git-receive-pack", Body: push}, 0, "text/plain; charset=utf-8"},
		"a fetch":                 {connectors.Request{Path: "/acme/site.git/git-upload-pack", Header: git}, 200, "application/x-git-upload-pack-result"},
		"the refs":                {connectors.Request{Path: "/acme/site.git/info/refs", Header: git}, 0, "text/plain; charset=utf-8"},
	} {
		tt.r.Method, tt.r.Host = "POST", "github.com"
		reply := connectors.TypeNamed("github").Refusal(tt.r, refused)
		if reply.Status != tt.status || reply.ContentType != tt.kind || !strings.Contains(string(reply.Body), refused.Detail) {
			t.Errorf("%s: %d %s %q, want %d %s with the sentence", name, reply.Status, reply.ContentType, reply.Body, tt.status, tt.kind)
		}
		if tt.status == 0 && (!strings.Contains(string(reply.Body), "req_1") || !strings.Contains(string(reply.Body), refused.ApprovalURL)) {
			t.Errorf("%s: %q, want the request and the approval", name, reply.Body)
		}
	}
}
