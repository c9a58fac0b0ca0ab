package described_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestARequestIsReadAsAGatewayReadsIt(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct{ url, host, path, query string }{
		"plain":         {"https://api.github.com/user", "api.github.com", "/user", ""},
		"host spelling": {"HTTPS://API.GitHub.com.:443/user?a=1#top", "api.github.com", "/user", "a=1"},
		"no path":       {"https://api.github.com?a=1", "api.github.com", "/", "a=1"},
		"escapes stay":  {"https://api.github.com/a%2Fb/../c?x=%20", "api.github.com", "/a%2Fb/../c", "x=%20"},
		"an address":    {"http://[::1]:8080/x", "::1", "/x", ""},
	} {
		got, err := described.Request{Method: "GET", URL: tt.url}.Connectors()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := connectors.Request{Method: "GET", Host: tt.host, Path: tt.path, RawQuery: tt.query, Body: connectors.Whole(nil)}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(connectors.Body{})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

func TestWhatAGatewayRefusesIsRefused(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		r    described.Request
		says string
	}{
		"no scheme":     {described.Request{Method: "GET", URL: "api.github.com"}, "http or https"},
		"other scheme":  {described.Request{Method: "GET", URL: "ftp://api.github.com"}, "http or https"},
		"no method":     {described.Request{URL: "https://api.github.com"}, "method"},
		"a user":        {described.Request{Method: "GET", URL: "https://a:b@api.github.com/"}, ""},
		"odd IPv4":      {described.Request{Method: "GET", URL: "https://0x7f.1/"}, "IPv4"},
		"a space":       {described.Request{Method: "GET", URL: "https://a.example/x y"}, "space"},
		"another host":  {described.Request{Method: "GET", URL: "https://a.example/", Header: http.Header{"Host": {"b.example"}}}, "another host"},
		"a header name": {described.Request{Method: "GET", URL: "https://a.example/", Header: http.Header{"A B": {"c"}}}, "header's name"},
		"a line break":  {described.Request{Method: "GET", URL: "https://a.example/", Header: http.Header{"A": {"b\nc"}}}, "line break"},
	} {
		_, err := tt.r.Connectors()
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), tt.says) {
			t.Errorf("%s: %v, want a sentence with %q", name, err, tt.says)
		}
	}
	same := described.Request{Method: "GET", URL: "https://a.example/", Header: http.Header{"Host": {"A.example:443"}}}
	if _, err := same.Connectors(); err != nil {
		t.Errorf("the same host: %v", err)
	}
}

func TestABodyThatIsNotHereIsUnknown(t *testing.T) {
	t.Parallel()

	got, err := described.Request{Method: "POST", URL: "https://a.example/", Body: []byte("{}"), Unread: true}.Connectors()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(connectors.Unreadable(), got.Body, cmp.AllowUnexported(connectors.Body{})); diff != "" {
		t.Errorf("body (-want +got)\n%s", diff)
	}
}
