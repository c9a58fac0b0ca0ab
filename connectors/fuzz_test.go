package connectors_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// FuzzRead sends anything to every type: it must name it or refuse it with a
// sentence, give it no name that is not in the catalogue, and be no looser
// about it where the body cannot be read.
func FuzzRead(f *testing.F) {
	for _, seed := range [][5]string{
		{"PUT", "/repos/acme/site/pulls/12/merge", "", "application/json", "{}"},
		{"PATCH", "/repos/acme/site/issues/3", "st%61te=closed", "", `{"state":"closed"}`},
		{"DELETE", "/repos/acme/site/git/refs/heads%2Fmain", "", "", ""},
		{"GET", "/acme/site.git/info/refs", "service=git-upload-pack", "", ""},
		{"POST", "/acme/site.git/git-receive-pack", "", "", "0000"},
		{"POST", "/graphql", "", "application/json", `{"query":"mutation{mergePullRequest(input:{}){x}}"}`},
		{"POST", "/v1/charges", "amount=1", "application/x-www-form-urlencoded", "amount=2&items[0][price]=x"},
		{"POST", "/v1/files", "", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nx\r\n--b--\r\n"},
		{"POST", "/api/chat.postMessage", "channel=C1", "application/json; charset=utf-8", `{"channel":"C1","users":"[\"U1\"]"}`},
		{"POST", "/mcp", "", "application/json", `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}]`},
		{"GET", "/api/v3//..%2f%252e", "a;b=%zz", "a/b; c=\"", "\xff"},
		{"get", "/%", "_method=x", "", `{"a":{"a":[1,{"a":"\ud83d\ude00"}]}}`},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], []byte(seed[4]))
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
	f.Fuzz(func(t *testing.T, method, path, query, kind string, body []byte) {
		for _, k := range all {
			for _, host := range k.c.Hosts() {
				r := connectors.Request{Method: method, Host: host, Path: path, RawQuery: query, Header: http.Header{}, Body: connectors.Whole(body)}
				if kind != "" {
					r.Header.Set("Content-Type", kind)
				}
				k.c.NeedsBody(r)
				k.c.Type().Refusal(r, connectors.Problem{Status: 403, Title: "Denied"})
				k.c.Brought(r.Header, &url.URL{Path: path, RawQuery: query})
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
				r.Body = connectors.Unreadable()
				if hidden, err := k.c.Read(r); err == nil && loosest(hidden) > loosest(a) {
					t.Fatalf("%q %q: %+v, and without its body %+v", method, path, a, hidden)
				}
			}
		}
	})
}
