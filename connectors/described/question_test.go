package described_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func githubSet(t *testing.T) *connectors.Set {
	t.Helper()
	c, err := connectors.New(connectors.Config{Type: "github", Name: "code"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := connectors.NewSet([]*connectors.Connector{c})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestAQuestionHasWhatPoliciesLookAt(t *testing.T) {
	t.Parallel()

	r := described.Request{
		Method: "put", URL: "HTTPS://API.github.com:443/repos/acme/site/pulls/7/merge?dry=1&tag=a&tag=b",
		Header: http.Header{"content-type": {"application/json"}, "X-Team": {"a, b"}},
		Body:   []byte(`{"merge_method":"squash","n":3}`),
	}
	q, c, err := r.Question(githubSet(t))
	if err != nil {
		t.Fatal(err)
	}
	want := &policy.Request{
		Method: "PUT", Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/pulls/7/merge",
		Query:  map[string][]string{"dry": {"1"}, "tag": {"a", "b"}},
		Header: map[string]string{"content-type": "application/json", "x-team": "a, b"},
		Body:   map[string]any{"merge_method": "squash", "n": int64(3)},
	}
	if diff := cmp.Diff(want, q.Request); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if q.Type != "github" || c.Name() != "code" || q.Action.Name != "github.pr.merge" || q.Action.Connector != "code" {
		t.Errorf("type %q, action %+v", q.Type, q.Action)
	}
}

func TestWhatCannotBeReadIsHidden(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		r    described.Request
		want []string
	}{
		"everything is plain": {described.Request{Method: "GET", URL: "https://api.github.com/user"}, nil},
		"a header in lower case": {described.Request{
			Method: "POST", URL: "https://api.other.example/", Header: http.Header{"content-type": {"application/json"}}, Body: []byte("{}"),
		}, nil},
		"a body that its service reads whatever it says": {described.Request{Method: "POST", URL: "https://api.github.com/user", Body: []byte("{}")}, nil},
		"headers of several lines": {described.Request{
			Method: "GET", URL: "https://api.github.com/user", Header: http.Header{"X-B": {"1", "1"}, "X-A": {"1"}, "x-a": {"2"}},
		}, []string{"headers.x-a", "headers.x-b"}},
		"a path with an empty segment": {described.Request{Method: "GET", URL: "https://api.other.example//admin"}, []string{"path"}},
		"a path with a dot segment":    {described.Request{Method: "GET", URL: "https://api.other.example/x/../admin"}, []string{"path"}},
		"a half escape":                {described.Request{Method: "GET", URL: "https://api.other.example/?a=%2"}, []string{"query"}},
		"a body of no type":            {described.Request{Method: "POST", URL: "https://api.other.example/", Body: []byte("{}")}, []string{"body"}},
		"a body elsewhere":             {described.Request{Method: "POST", URL: "https://api.other.example/", Unread: true}, []string{"body"}},
	} {
		q, c, err := tt.r.Question(githubSet(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, q.Request.Hidden); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if (c == nil) != (q.Type == "") || q.Action.Name == "" {
			t.Errorf("%s: connector %v, type %q, action %+v", name, c, q.Type, q.Action)
		}
	}
}

func TestWhatAGatewayRefusesIsNoQuestion(t *testing.T) {
	t.Parallel()

	for _, url := range []string{"ftp://api.github.com/", "https://api.github.com/repos/acme%2Fsite/x/pulls"} {
		if _, _, err := (described.Request{Method: "GET", URL: url}).Question(githubSet(t)); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %v, want invalid", url, err)
		}
	}
}
