package connectors_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestGitHubActions(t *testing.T) {
	t.Parallel()

	c := one(t, "github", "api.github.com", "github.com", "uploads.github.com", "ghe.example.com", "api.acme.ghe.com", "acme.ghe.com")
	for _, tt := range []struct {
		method, host, path, query, body string
		name, resource                  string
		class                           action.Class
	}{
		{"POST", "api.github.com", "/repos/acme/site/pulls", "", `{"base":"main","head":"x"}`, "github.pr.create", "acme/site", action.Write},
		{"PUT", "api.github.com", "/repos/acme/site/pulls/812/merge", "", `{}`, "github.pr.merge", "acme/site#812", action.Write},
		{"PATCH", "api.github.com", "/repos/acme/site/pulls/812", "", `{"title":"x"}`, "github.pr.update", "acme/site#812", action.Write},
		{"PATCH", "api.github.com", "/repos/acme/site/pulls/812", "", `{"state":"open"}`, "github.pr.update", "acme/site#812", action.Write},
		{"PATCH", "api.github.com", "/repos/acme/site/pulls/812", "", `{"title":"x","state":"closed"}`, "github.pr.close", "acme/site#812", action.Write},
		{"POST", "api.github.com", "/repos/acme/site/pulls/812/reviews", "", `{"event":"APPROVE"}`, "github.pr.review", "acme/site#812", action.Write},
		{"POST", "api.github.com", "/repos/acme/site/issues", "", `{"title":"x"}`, "github.issue.create", "acme/site", action.Write},
		{"PATCH", "api.github.com", "/repos/acme/site/issues/3", "", `{"labels":[]}`, "github.issue.update", "acme/site#3", action.Write},
		{"PATCH", "api.github.com", "/repos/acme/site/issues/3", "", `{"state":"closed"}`, "github.issue.close", "acme/site#3", action.Write},
		{"POST", "api.github.com", "/repos/acme/site/git/refs", "", `{"ref":"refs/heads/x","sha":"c0ffee"}`, "github.branch.create", "acme/site", action.Write},
		{"DELETE", "api.github.com", "/repos/acme/site/git/refs/heads/a/b", "", "", "github.branch.delete", "acme/site", action.Delete},
		{"DELETE", "api.github.com", "/repos/acme/site/git/refs/heads%2Fa%2Fb", "", "", "github.branch.delete", "acme/site", action.Delete},
		{"POST", "api.github.com", "/repos/acme/site/releases", "", `{"tag_name":"v1"}`, "github.release.create", "acme/site", action.Write},
		{"DELETE", "api.github.com", "/repos/acme/site/releases/77", "", "", "github.release.delete", "acme/site", action.Delete},
		{"PUT", "api.github.com", "/repos/acme/site/contents/docs/a b.md", "", `{"content":"eA=="}`, "github.file.create", "acme/site", action.Write},
		{"PUT", "api.github.com", "/repos/acme/site/contents/docs%2Fa%20b.md", "", `{"content":"eA==","sha":"c0ffee"}`, "github.file.update", "acme/site", action.Write},
		{"DELETE", "api.github.com", "/repos/acme/site/contents/docs/a.md", "", `{"sha":"c0ffee"}`, "github.file.delete", "acme/site", action.Delete},
		{"POST", "api.github.com", "/user/repos", "", `{"name":"x"}`, "github.repo.create", "", action.Write},
		{"POST", "api.github.com", "/orgs/acme/repos", "", `{"name":"x"}`, "github.repo.create", "acme", action.Write},
		{"DELETE", "api.github.com", "/repos/acme/site", "", "", "github.repo.delete", "acme/site", action.Delete},
		{"PATCH", "api.github.com", "/repos/acme/site", "", `{"archived":true}`, "github.repo.update", "acme/site", action.Admin},
		{"PATCH", "api.github.com", "/orgs/acme", "", `{}`, "github.org.update", "acme", action.Admin},
		{"POST", "api.github.com", "/orgs/acme/teams", "", `{"name":"x"}`, "github.team.create", "acme", action.Admin},

		{"GET", "api.github.com", "/repos/acme/site", "", "", "github.repo.get", "acme/site", action.Read},
		{"HEAD", "api.github.com", "/repos/acme/site", "", "", "github.repo.get", "acme/site", action.Read},
		{"GET", "api.github.com", "/repos/acme/site/issues", "state=all", "", "github.issue.list", "acme/site", action.Read},
		{"GET", "api.github.com", "/repos/acme/site/issues/comments", "", "", "github.issue_comment.list", "acme/site", action.Read},
		{"GET", "api.github.com", "/repos/acme/site/branches/feature%2Fx", "", "", "github.branch.get", "acme/site", action.Read},
		{"GET", "api.github.com", "/", "", "", "github.meta.get", "", action.Read},
		{"GET", "api.github.com", "", "", "", "", "", 0},
		{"DELETE", "api.github.com", "/REPOS/acme/site", "", "", "github.repo.delete", "acme/site", action.Delete},
		{"PUT", "api.github.com", "/repos/acme/site/contents/a", "", `{"sha":""}`, "github.unknown", "acme/site", action.Admin},
		{"PUT", "api.github.com", "/repos/acme/site/contents/a", "", `{"sha":null}`, "github.unknown", "acme/site", action.Admin},
		{"GET", "api.github.com", "/repos/acme/site/actions/secrets", "", "", "github.secret.list", "acme/site", action.Read},
		{"GET", "api.github.com", "/repos/acme/site/no/such/thing", "", "", "github.other.get", "acme/site", action.Read},
		{"GET", "api.github.com", "/emojis", "", "", "github.emoji.list", "", action.Read},
		{"GET", "api.github.com", "/smileys", "", "", "github.other.get", "", action.Read},
		{"POST", "api.github.com", "/repos/acme/site/issues/3/comments", "", `{"body":"x"}`, "github.issue_comment.create", "acme/site#3", action.Write},
		{"PUT", "api.github.com", "/repos/acme/site/collaborators/eve", "", "", "github.collaborator.add", "acme/site", action.Admin},
		{"PUT", "api.github.com", "/repos/acme/site/friends/eve", "", "", "github.unknown", "acme/site", action.Admin},
		{"TRACE", "api.github.com", "/repos/acme/site", "", "", "github.unknown", "acme/site", action.Admin},
		{"POST", "api.github.com", "/graphql", "", `{"query":"{viewer{login}}"}`, "github.viewer.query", "", action.Read},
		{"POST", "api.github.com", "/graphql", "", `{"query":"{viewer{login}"}`, "github.graphql.unknown", "", action.Admin},
		{"POST", "api.github.com", "/repos/acme/site/pulls/812", "", `{"state":"closed"}`, "github.pr.close", "acme/site#812", action.Write},

		{"POST", "uploads.github.com", "/repos/acme/site/releases/77/assets", "name=a.zip", "", "github.release.upload", "acme/site", action.Write},
		{"DELETE", "uploads.github.com", "/repos/acme/site", "", "", "github.unknown", "", action.Admin},

		{"GET", "github.com", "/acme/site.git/info/refs", "service=git-upload-pack", "", "github.ref.list", "acme/site", action.Read},
		{"POST", "github.com", "/acme/site.git/git-upload-pack", "", "0011command=ls-refs", "github.repo.fetch", "acme/site", action.Read},
		{"GET", "github.com", "/Acme/Site/info/refs", "service=git-receive-pack", "", "github.ref.list", "acme/site", action.Read},
		{"POST", "github.com", "/acme/site.git/git-receive-pack", "", "", "github.repo.push", "acme/site", action.Write},
		{"GET", "github.com", "/acme/site/info/refs", "", "", "github.other.get", "acme/site", action.Read},
		{"GET", "github.com", "/acme/site/info/refs", "service=git-other-pack", "", "github.unknown", "acme/site", action.Admin},
		{"GET", "github.com", "/acme/site/info/refs%23", "service=git-receive-pack", "", "github.unknown", "acme/site", action.Admin},
		{"GET", "github.com", "/acme/site/archive/main.zip", "", "", "github.repo.download", "acme/site", action.Read},
		{"POST", "github.com", "/login/oauth/access_token", "", "", "github.oauth_token.create", "", action.Admin},
		{"POST", "github.com", "/settings/tokens", "", "", "github.unknown", "settings/tokens", action.Admin},
		{"DELETE", "github.com", "/repos/acme/site", "", "", "github.unknown", "repos/acme", action.Admin},

		{"DELETE", "ghe.example.com", "/api/v3/repos/acme/site", "", "", "github.repo.delete", "acme/site", action.Delete},
		{"DELETE", "ghe.example.com", "/API/V3/repos/acme/site", "", "", "github.repo.delete", "acme/site", action.Delete},
		{"POST", "ghe.example.com", "/api/graphql", "", `{}`, "github.graphql.unknown", "", action.Admin},
		{"POST", "ghe.example.com", "/api/uploads/repos/acme/site/releases/77/assets", "", "", "github.release.upload", "acme/site", action.Write},
		{"POST", "ghe.example.com", "/acme/site/git-receive-pack", "", "", "github.repo.push", "acme/site", action.Write},
		{"DELETE", "api.acme.ghe.com", "/repos/acme/site", "", "", "github.repo.delete", "acme/site", action.Delete},
		{"POST", "acme.ghe.com", "/acme/site/git-receive-pack", "", "", "github.repo.push", "acme/site", action.Write},
	} {
		a, err := c.Read(connectors.Request{Method: tt.method, Host: tt.host, Path: tt.path, RawQuery: tt.query, Body: connectors.Whole([]byte(tt.body))})
		if tt.name == "" {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("%s %s%s: %+v, %v, want fault.Invalid", tt.method, tt.host, tt.path, a, err)
			}
			continue
		}
		if err != nil || a.Name != tt.name || a.Resource != tt.resource || a.Class != tt.class {
			t.Errorf("%s %s%s: %s %v on %q, %v, want %s %v on %q", tt.method, tt.host, tt.path, a.Name, a.Class, a.Resource, err, tt.name, tt.class, tt.resource)
		}
	}
}

func TestGitHubParamsAreWhatRulesWant(t *testing.T) {
	t.Parallel()

	c := one(t, "github")
	for name, tt := range map[string]struct {
		method, path string
		body         connectors.Body
		params       map[string]any
		unknown      []string
	}{
		"from the body":      {"POST", "/repos/acme/site/pulls", connectors.Whole([]byte(`{"base":"main","head":"fix","draft":true}`)), map[string]any{"base": "main", "head": "fix", "draft": true}, nil},
		"from the path":      {"DELETE", "/repos/acme/site/git/refs/heads/a%20b", connectors.Unreadable(), map[string]any{"ref": "heads/a b"}, nil},
		"a bool":             {"PATCH", "/repos/acme/site", connectors.Whole([]byte(`{"private":false}`)), map[string]any{"private": false}, nil},
		"a number":           {"PATCH", "/repos/acme/site", connectors.Whole([]byte(`{"name":7}`)), map[string]any{"name": int64(7)}, nil},
		"null says nothing":  {"PATCH", "/repos/acme/site", connectors.Whole([]byte(`{"name":null}`)), map[string]any{}, nil},
		"an object":          {"PATCH", "/repos/acme/site", connectors.Whole([]byte(`{"name":{}}`)), map[string]any{}, []string{"name"}},
		"an empty body":      {"PUT", "/repos/acme/site/pulls/1/merge", connectors.Whole(nil), map[string]any{}, []string{"base"}},
		"an unread body":     {"PUT", "/repos/acme/site/pulls/1/merge", connectors.Body{}, map[string]any{}, []string{"merge_method", "sha", "base"}},
		"a body of nonsense": {"PUT", "/repos/acme/site/pulls/1/merge", connectors.Whole([]byte(`{`)), map[string]any{}, []string{"merge_method", "sha", "base"}},
	} {
		a, err := c.Read(connectors.Request{Method: tt.method, Host: "api.github.com", Path: tt.path, Body: tt.body})
		if err != nil || cmp.Diff(tt.params, a.Params, cmpopts.EquateEmpty()) != "" || cmp.Diff(tt.unknown, a.Unknown) != "" {
			t.Errorf("%s: %v, unknown %v, %v, want %v, unknown %v", name, a.Params, a.Unknown, err, tt.params, tt.unknown)
		}
	}
}

// A body in which two readers could find different things is neither of the
// actions that it could be, and counts as both.
func TestAnUnclearBodyCountsAsAllThatItMayBe(t *testing.T) {
	t.Parallel()

	c := one(t, "github")
	gzip, utf16 := http.Header{"Content-Encoding": {"gzip"}}, http.Header{"Content-Type": {"application/json; charset=utf-16"}}
	for name, r := range map[string]connectors.Request{
		"not read":                {},
		"too large":               {Body: connectors.Unreadable()},
		"cut off":                 {Body: connectors.Whole([]byte(`{"state":"closed"`))},
		"a key twice":             {Body: connectors.Whole([]byte(`{"state":"open","state":"closed"}`))},
		"a key twice, escaped":    {Body: connectors.Whole([]byte(`{"state":"open","st\u0061te":"closed"}`))},
		"a key twice, deep":       {Body: connectors.Whole([]byte(`{"a":[{"b":1,"b":2}]}`))},
		"invalid UTF-8":           {Body: connectors.Whole([]byte("{\"title\":\"\xff\"}"))},
		"half a surrogate":        {Body: connectors.Whole([]byte(`{"title":"\ud800"}`))},
		"a broken surrogate pair": {Body: connectors.Whole([]byte(`{"title":"\ud83d\u0041"}`))},
		"two documents":           {Body: connectors.Whole([]byte(`{"state":"open"}{"state":"closed"}`))},
		"not an object":           {Body: connectors.Whole([]byte(`[{"state":"closed"}]`))},
		"a form":                  {Body: connectors.Whole([]byte(`state=closed`))},
		"a comment":               {Body: connectors.Whole([]byte(`{/* x */"state":"closed"}`))},
		"a trailing comma":        {Body: connectors.Whole([]byte(`{"state":"closed",}`))},
		"a byte order mark":       {Body: connectors.Whole([]byte("\ufeff{\"state\":\"closed\"}"))},
		"too deep":                {Body: connectors.Whole([]byte(`{"a":` + deep(100) + `}`))},
		"a state that is none":    {Body: connectors.Whole([]byte(`{"state":["closed"]}`))},
		"a state of null":         {Body: connectors.Whole([]byte(`{"state":null}`))},
		"a state and more":        {Body: connectors.Whole([]byte(`{"state":"closed\u0000"}`))},
		"state in the query":      {Body: connectors.Whole([]byte(`{}`)), RawQuery: "state=closed"},
		"state in the query, %":   {Body: connectors.Whole([]byte(`{}`)), RawQuery: "a&st%61te=closed"},
		"another encoding":        {Body: connectors.Whole([]byte(`{}`)), Header: gzip},
		"another character set":   {Body: connectors.Whole([]byte(`{}`)), Header: utf16},
		"a number that is broken": {Body: connectors.Whole([]byte(`{"a":01}`))},
	} {
		r.Method, r.Host, r.Path = "PATCH", "api.github.com", "/repos/acme/site/pulls/12"
		if c.NeedsBody(r) != connectors.NeedAll {
			t.Fatal("PATCH does not want the body")
		}
		a, err := c.Read(r)
		want := []action.Alternative{{Name: "github.pr.close", Class: action.Write}, {Name: "github.pr.update", Class: action.Write}}
		if err != nil || a.Name != "github.unknown" || a.Class != action.Admin || a.Risk != action.Critical || a.Resource != "acme/site#12" || cmp.Diff(want, a.Or) != "" {
			t.Errorf("%s: %+v, %v, want github.unknown or %v", name, a, err, want)
		}
	}
}

func TestABodyWhoseCodingWasTakenOffIsRead(t *testing.T) {
	t.Parallel()

	r := connectors.Request{Method: "PATCH", Host: "api.github.com", Path: "/repos/acme/site/pulls/12", Header: http.Header{"Content-Encoding": {"gzip"}}}
	r.Body = connectors.Decoded([]byte(`{"state":"closed"}`))
	if a, err := one(t, "github").Read(r); err != nil || a.Name != "github.pr.close" {
		t.Errorf("%+v, %v, want github.pr.close", a, err)
	}
}

// A slash that is escaped in the name of an environment could also be one in the path.
func TestAnEscapedSlashIsReadInBothWays(t *testing.T) {
	t.Parallel()

	a, err := one(t, "github").Read(connectors.Request{Method: "GET", Host: "api.github.com", Path: "/repos/acme/site/environments/a%2Fb"})
	want := []action.Alternative{{Name: "github.other.get", Class: action.Read}}
	if err != nil || a.Name != "github.environment.get" || a.Params["environment_name"] != "a/b" || cmp.Diff(want, a.Or) != "" {
		t.Errorf("%+v, %v, want github.environment.get of a/b or %v", a, err, want)
	}
}

func deep(n int) string {
	s := ""
	for range n {
		s = "[" + s + "]"
	}
	return s
}

func TestGitHubTakesItsCredentialAsEachHostWants(t *testing.T) {
	t.Parallel()

	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:ghp_1"))
	for name, tt := range map[string]struct {
		style     credential.Kind
		host, url string
		want      string
	}{
		"the API":            {"", "api.github.com", "/user", "Bearer ghp_1"},
		"the API, token":     {credential.Token, "api.github.com", "/user", "token ghp_1"},
		"uploads":            {"", "uploads.github.com", "/repos/a/b/releases/1/assets", "Bearer ghp_1"},
		"git":                {"", "github.com", "/acme/site.git/info/refs", basic},
		"git, token":         {credential.Token, "github.com", "/acme/site.git/info/refs", basic},
		"git, own user":      {credential.Basic, "github.com", "/acme/site.git/info/refs", "Basic " + base64.StdEncoding.EncodeToString([]byte("ghp_1"))},
		"Enterprise, API":    {"", "ghe.example.com", "/api/v3/user", "Bearer ghp_1"},
		"Enterprise, git":    {"", "ghe.example.com", "/acme/site.git/git-upload-pack", basic},
		"data residency":     {"", "api.acme.ghe.com", "/user", "Bearer ghp_1"},
		"data residency git": {"", "acme.ghe.com", "/acme/site.git/info/refs", basic},
	} {
		c, err := connectors.New(connectors.Config{Type: "github", Hosts: []string{tt.host}, Style: credential.Style{Kind: tt.style}})
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{}
		if err := c.Authorise(h, &url.URL{Scheme: "https", Host: tt.host, Path: tt.url}, tt.host, credential.NewSecret("ghp_1")); err != nil || h.Get("Authorization") != tt.want {
			t.Errorf("%s: %q, %v, want %q", name, h.Get("Authorization"), err, tt.want)
		}
	}
}

func TestGitHubUpgradesAreNoReads(t *testing.T) {
	t.Parallel()

	c := one(t, "github", "api.github.com")
	r := connectors.Request{Method: "GET", Host: "api.github.com", Path: "/repos/acme/site", Body: connectors.Whole(nil)}
	for upgrade, want := range map[string]string{"": "github.repo.get", "websocket": "github.unknown"} {
		r.Header = http.Header{}
		if upgrade != "" {
			r.Header.Set("Upgrade", upgrade)
		}
		if a, err := c.Read(r); err != nil || a.Name != want || (a.Class == action.Read) != (upgrade == "") {
			t.Errorf("upgrade to %q: %+v, %v, want %s", upgrade, a, err, want)
		}
	}
}
