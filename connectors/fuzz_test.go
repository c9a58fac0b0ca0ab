package connectors_test

import (
	"net/http"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// FuzzRead sends anything to every type: it must name it or refuse it with a
// sentence, and give it no name that is not in the catalogue.
func FuzzRead(f *testing.F) {
	for _, seed := range [][4]string{
		{"PUT", "/repos/acme/site/pulls/12/merge", "", "{}"},
		{"PATCH", "/repos/acme/site/issues/3", "st%61te=closed", `{"state":"closed"}`},
		{"DELETE", "/repos/acme/site/git/refs/heads%2Fmain", "", ""},
		{"GET", "/acme/site.git/info/refs", "service=git-upload-pack", ""},
		{"GET", "/api/v3//..%2f%252e", "a;b=%zz", "\xff"},
		{"get", "/%", "_method=x", `{"a":{"a":[1,{"a":"\ud83d\ude00"}]}}`},
	} {
		f.Add(seed[0], seed[1], seed[2], []byte(seed[3]))
	}
	type known struct {
		c     *connectors.Connector
		names map[string]action.Class
	}
	var all []known
	for _, typ := range connectors.Types() {
		hosts := append([]string{"ghe.example.com"}, typ.Hosts...)
		k := known{one(f, typ.Name, hosts...), map[string]action.Class{}}
		for _, op := range typ.Operations() {
			k.names[op.Action] = op.Class
		}
		all = append(all, k)
	}
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		for _, k := range all {
			for _, host := range k.c.Hosts() {
				r := connectors.Request{Method: method, Host: host, Path: path, RawQuery: query, Header: http.Header{}, Body: connectors.Whole(body)}
				a, err := k.c.Read(r)
				if err != nil {
					if fault.Of(err) != fault.Invalid {
						t.Fatalf("%q %q: %v", method, path, err)
					}
					continue
				}
				if class, ok := k.names[a.Name]; !ok || class != a.Class {
					t.Fatalf("%q %q: %+v is not in the catalogue", method, path, a)
				}
				connectors.Sentence(a)
				if again, err := k.c.Read(r); err != nil || again.Name != a.Name {
					t.Fatalf("%q %q: %s, and then %s, %v", method, path, a.Name, again.Name, err)
				}
			}
		}
	})
}
