package connectors_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/connectorstest"
	"github.com/tameflare/tameflare/domain/action"
)

// everyType is a set of all types at their own hosts.
func everyType(t testing.TB) *connectors.Set {
	t.Helper()
	var all []*connectors.Connector
	for _, typ := range connectors.Types() {
		if len(typ.Hosts) > 0 {
			all = append(all, one(t, typ.Name))
		}
	}
	s, err := connectors.NewSet(all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func facts(t testing.TB) ([]connectorstest.Fact, map[connectorstest.Fact]string) {
	t.Helper()
	all, err := connectorstest.Facts("tables")
	if err != nil {
		t.Fatal(err)
	}
	named, err := connectorstest.Named("tables")
	if err != nil {
		t.Fatal(err)
	}
	return all, named
}

// catalogue is every action of every type.
func catalogue() map[string]connectors.Operation {
	all := map[string]connectors.Operation{}
	for _, typ := range connectors.Types() {
		for _, op := range typ.Operations() {
			all[op.Action] = op
		}
	}
	return all
}

func TestEveryOperationThatAServiceListsIsNamed(t *testing.T) {
	t.Parallel()

	all, named := facts(t)
	known, set := catalogue(), everyType(t)
	count, seen := map[string]int{}, map[string]int{}
	for _, f := range all {
		count[f.Service]++
		want := named[connectorstest.Fact{Service: f.Service, Key: f.Key}]
		if want == "" {
			t.Errorf("%s: %s has no name", f.Service, f.Key)
		}
		for _, request := range f.Requests() {
			seen[f.Service]++
			r := request.Connectors()
			c := set.For(r.Host)
			if c == nil || c.Type().Name != f.Service {
				t.Fatalf("%s: the connector of %s is %v", f.Key, request.URL, c)
			}
			a, err := c.Read(r)
			if err != nil || a.Name != want {
				t.Errorf("%s %s %q: %s, %v, want %s", request.Method, request.URL, request.Body, a.Name, err, want)
				continue
			}
			op, listed := known[a.Name]
			if !listed || op.Class != a.Class || op.Risk != a.Risk || op.Reversible != a.Reversible {
				t.Errorf("%s %s: %+v is not in the catalogue", request.Method, request.URL, a)
			}
		}
	}
	for service, want := range map[string]int{"github": 1223 + 279, "openai": 288, "anthropic": 270, "stripe": 594, "slack": 280} {
		if count[service] != want || seen[service] < want {
			t.Errorf("%s: %d operations in %d requests, want %d", service, count[service], seen[service], want)
		}
	}
	t.Log(count, "operations as", seen, "requests")
}

func TestGitHubEnterpriseServesTheSame(t *testing.T) {
	t.Parallel()

	all, named := facts(t)
	server, residency := one(t, "github", "ghe.example.com"), one(t, "github", "api.acme.ghe.com")
	for _, f := range all {
		if f.Service != "github" {
			continue
		}
		want := named[connectorstest.Fact{Service: f.Service, Key: f.Key}]
		for _, request := range f.Requests() {
			r := request.Connectors()
			r.Host = "api.acme.ghe.com"
			if a, err := residency.Read(r); err != nil || a.Name != want {
				t.Errorf("%s %s%s: %s, %v, want %s", r.Method, r.Host, r.Path, a.Name, err, want)
			}
			r.Host, r.Path = "ghe.example.com", "/api/v3"+r.Path
			if r.Path == "/api/v3/graphql" {
				r.Path = "/api/graphql"
			}
			if a, err := server.Read(r); err != nil || a.Name != want {
				t.Errorf("%s %s%s: %s, %v, want %s", r.Method, r.Host, r.Path, a.Name, err, want)
			}
		}
	}
}

// What has been published is in people's rules.
func TestPublishedNamesStay(t *testing.T) {
	t.Parallel()

	c := one(t, "github")
	for _, tt := range []struct{ method, path, body, want string }{
		{"POST", "/repos/acme/site/pulls", "", "github.pr.create"},
		{"PUT", "/repos/acme/site/pulls/1/merge", "", "github.pr.merge"},
		{"PATCH", "/repos/acme/site/pulls/1", `{"title":"x"}`, "github.pr.update"},
		{"PATCH", "/repos/acme/site/pulls/1", `{"state":"closed"}`, "github.pr.close"},
		{"POST", "/repos/acme/site/pulls/1/reviews", "", "github.pr.review"},
		{"POST", "/repos/acme/site/issues", "", "github.issue.create"},
		{"PATCH", "/repos/acme/site/issues/1", `{"title":"x"}`, "github.issue.update"},
		{"PATCH", "/repos/acme/site/issues/1", `{"state":"closed"}`, "github.issue.close"},
		{"POST", "/repos/acme/site/git/refs", "", "github.branch.create"},
		{"DELETE", "/repos/acme/site/git/refs/heads/x", "", "github.branch.delete"},
		{"POST", "/repos/acme/site/releases", "", "github.release.create"},
		{"DELETE", "/repos/acme/site/releases/1", "", "github.release.delete"},
		{"PUT", "/repos/acme/site/contents/a/b.md", `{"content":"eA=="}`, "github.file.create"},
		{"PUT", "/repos/acme/site/contents/a/b.md", `{"content":"eA==","sha":"c0ffee"}`, "github.file.update"},
		{"DELETE", "/repos/acme/site/contents/a/b.md", "", "github.file.delete"},
		{"POST", "/user/repos", "", "github.repo.create"},
		{"POST", "/orgs/acme/repos", "", "github.repo.create"},
		{"DELETE", "/repos/acme/site", "", "github.repo.delete"},
		{"PATCH", "/repos/acme/site", "", "github.repo.update"},
		{"PATCH", "/orgs/acme", "", "github.org.update"},
		{"POST", "/orgs/acme/teams", "", "github.team.create"},
	} {
		r := connectors.Request{Method: tt.method, Host: "api.github.com", Path: tt.path, Body: connectors.Whole([]byte(tt.body))}
		if a, err := c.Read(r); err != nil || a.Name != tt.want {
			t.Errorf("%s %s %s: %s, %v, want %s", tt.method, tt.path, tt.body, a.Name, err, tt.want)
		}
	}
	known := catalogue()
	for _, name := range []string{
		"github.repo.push", "github.repo.clone", "github.repo.fetch", "openai.chat.create", "openai.file.upload", "anthropic.message.create",
		"stripe.charge.create", "stripe.refund.create", "stripe.transfer.create", "slack.message.send", "slack.channel.archive",
		"http.get", "http.post", "http.delete", "webhook.get", "webhook.post",
	} {
		if _, ok := known[name]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
}

// A rule about a class would otherwise speak of some forms of an action only.
func TestNoActionHasTwoClasses(t *testing.T) {
	t.Parallel()

	classes := map[string]action.Class{}
	for _, typ := range connectors.Types() {
		for _, op := range typ.Operations() {
			if class, ok := classes[op.Action]; ok && class != op.Class {
				t.Errorf("%s is %v and %v", op.Action, class, op.Class)
			}
			classes[op.Action] = op.Class
		}
	}
	for _, row := range rows(t) {
		for _, d := range row.does {
			if class, ok := classes[d.name]; !ok || class != d.class {
				t.Errorf("%s %s: %s is %v, in the catalogue %v, %v", row.method, row.path, d.name, d.class, class, ok)
			}
		}
	}
	for name, class := range classes {
		if verb := name[strings.LastIndexByte(name, '.')+1:]; verb == "unknown" && class != action.Admin {
			t.Errorf("%s has class %v", name, class)
		}
	}
}
