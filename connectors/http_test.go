package connectors_test

import (
	"net/http"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestHTTPIsNamedByItsMethod(t *testing.T) {
	t.Parallel()

	upgrade := http.Header{"Upgrade": {"websocket"}}
	for _, tt := range []struct {
		method, path string
		header       http.Header
		name         string
		class        action.Class
		resource     string
	}{
		{"GET", "/v1/things", nil, "get", action.Read, "api.example.com/v1/things"},
		{"get", "/v1/things/", nil, "get", action.Read, "api.example.com/v1/things"},
		{"HEAD", "/v1/th%69ngs", nil, "head", action.Read, "api.example.com/v1/things"},
		{"OPTIONS", "*", nil, "options", action.Read, "api.example.com"},
		{"POST", "/", nil, "post", action.Write, "api.example.com"},
		{"PUT", "/a b", nil, "put", action.Write, "api.example.com/a b"},
		{"PATCH", "/a%20b", nil, "patch", action.Write, "api.example.com/a b"},
		{"DELETE", "/v1/things/7", nil, "delete", action.Delete, "api.example.com/v1/things/7"},
		{"PROPFIND", "/v1", nil, "unknown", action.Admin, "api.example.com/v1"},
		{"CONNECT", "/v1", nil, "unknown", action.Admin, "api.example.com/v1"},
		{"GET", "/live", upgrade, "websocket", action.Write, "api.example.com/live"},
		{"POST", "/live", upgrade, "unknown", action.Admin, "api.example.com/live"},
		{"GET", "/a/../admin", nil, "get", action.Read, ""},
		{"GET", "//admin", nil, "get", action.Read, ""},
		{"GET", "/projects/group%2Fname", nil, "get", action.Read, ""},
		{"GET", "/%2561dmin", nil, "get", action.Read, ""},
		{"GET", "/a\\b", nil, "get", action.Read, ""},
	} {
		r := connectors.Request{Method: tt.method, Host: "api.example.com", Path: tt.path, Header: tt.header}
		for _, typ := range []string{"http", "webhook"} {
			a, err := one(t, typ).Read(r)
			if err != nil || a.Name != typ+"."+tt.name || a.Class != tt.class || a.Resource != tt.resource || (a.Resource == "") != (len(a.Unknown) > 0) {
				t.Errorf("%s %s: %+v, %v, want %s.%s %v on %q", tt.method, tt.path, a, err, typ, tt.name, tt.class, tt.resource)
			}
		}
		if a := connectors.Unmatched(r); a.Connector != "" || a.Name != "http."+tt.name || a.Class != tt.class {
			t.Errorf("%s %s: unmatched is %+v", tt.method, tt.path, a)
		}
	}
	for method, want := range map[string]action.Alternative{"GET": {Name: "http.get", Class: action.Read}, "DELETE": {Name: "http.delete", Class: action.Delete}} {
		// The server may not mind that an upgrade is asked for.
		r := connectors.Request{Method: method, Host: "api.example.com", Path: "/live", Header: upgrade}
		if a, err := one(t, "http").Read(r); err != nil || len(a.Or) != 1 || a.Or[0] != want {
			t.Errorf("%s: %+v, %v, want or %v", method, a, err, want)
		}
	}
	if _, err := one(t, "http").Read(connectors.Request{Method: "GET", Host: "api.example.com", Path: "/%"}); fault.Of(err) != fault.Invalid {
		t.Errorf("a broken path: %v, want fault.Invalid", err)
	}
	if a := connectors.Unmatched(connectors.Request{}); a.Name != "http.unknown" || a.Class != action.Admin {
		t.Errorf("nothing at all: %+v", a)
	}
}
