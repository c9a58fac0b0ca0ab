package connectors_test

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// one returns a connector of a type, at its own hosts or at one of ours.
func one(t testing.TB, typ string, hosts ...string) *connectors.Connector {
	t.Helper()
	if len(hosts) == 0 && len(connectors.TypeNamed(typ).Hosts) == 0 {
		hosts = []string{"api.example.com"}
	}
	c, err := connectors.New(connectors.Config{Type: typ, Hosts: hosts})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// example makes the request that a form describes.
func example(t *testing.T, c *connectors.Connector, f connectors.Form) connectors.Request {
	t.Helper()
	host := f.Host
	if host == "" {
		host = c.Hosts()[0]
	}
	if places := placeHosts[c.Type().Name]; places != nil && f.ID != "" || f.Host != "" && f.Path != "/graphql" {
		return described(c, f, host)
	}
	path, query, _ := strings.Cut(f.Path, "?")
	r := connectors.Request{Method: f.Method, Host: host, Path: strings.ReplaceAll(path, "{path...}", "docs/index.md"), RawQuery: query, Header: http.Header{}, Body: connectors.Whole(nil)}
	if f.Path == "/graphql" {
		r.Body = connectors.Whole([]byte(`{"query":"{__typename}"}`))
	}
	switch note, rpc := strings.CutPrefix(f.Note, "JSON-RPC "); {
	case f.Note == "with an Upgrade header":
		r.Header.Set("Upgrade", "websocket")
	case f.Note == "with Accept: text/event-stream":
		r.Header.Set("Accept", "text/event-stream")
	case f.Note == "with an Mcp-Session-Id header":
		r.Header.Set("Mcp-Session-Id", "1")
	case rpc && note == "with a result":
		r.Body = connectors.Whole([]byte(`{"jsonrpc":"2.0","id":1,"result":{}}`))
	case rpc && strings.HasPrefix(f.ID, "notifications/"):
		r.Body = connectors.Whole([]byte(`{"jsonrpc":"2.0","method":"` + f.ID + `"}`))
	case rpc:
		r.Body = connectors.Whole([]byte(`{"jsonrpc":"2.0","id":1,"method":"` + f.ID + `","params":{"name":"x","uri":"x","taskId":"x","level":"x"}}`))
	}
	return r
}

// described makes the request of a form that stands in a table, out of what
// the form says to people.
func described(c *connectors.Connector, f connectors.Form, host string) connectors.Request {
	r := row{service: c.Type().Name, method: f.Method, path: f.Path}
	for place, at := range placeHosts[r.service] {
		if at == host && place != "graphql" {
			r.place = place
		}
	}
	if f.Method == "MUTATION" || f.Method == "QUERY" {
		r.place = "graphql"
	}
	for part := range strings.SplitSeq(f.Note, " and ") {
		for where, mark := range map[string]string{" in the body": ".", " in the query": "?", " in the headers": "@"} {
			if from, ok := strings.CutSuffix(part, where); ok {
				r.when = append(r.when, mark+strings.TrimPrefix(from, "with "))
			}
		}
	}
	if f.Note != "" && r.when == nil {
		r.when = []string{"%" + f.Note}
	}
	p := form{row: r, c: c, host: host}.request(rand.New(rand.NewPCG(1, 2)))
	return p.written()
}

// What must hold for every type there is, and for the next one.
func TestEveryType(t *testing.T) {
	t.Parallel()

	together := map[string]bool{"http.websocket": true, "webhook.websocket": true} // with others, by some forms
	for _, r := range rows(t) {
		together[r.does[0].name] = together[r.does[0].name] || len(r.does) > 1
	}
	owner := map[string]string{}
	for _, typ := range connectors.Types() {
		if connectors.TypeNamed(typ.Name) != typ || typ.Title == "" || typ.Docs == "" || len(typ.Styles) == 0 || typ.Hint == (connectors.Hint{}) {
			t.Errorf("%s: is not described in full", typ.Name)
		}
		for _, host := range typ.Hosts {
			if owner[host] != "" {
				t.Errorf("%s: %s belongs to %s", typ.Name, host, owner[host])
			}
			owner[host] = typ.Name
		}
		c := one(t, typ.Name)
		seen := map[string]bool{}
		for _, op := range typ.Operations() {
			if seen[op.Action] || !strings.HasPrefix(op.Action, typ.Name+".") || action.Pattern(op.Action).Check() != nil {
				t.Errorf("%s: not a name, or there twice", op.Action)
			}
			seen[op.Action] = true
			if op.Class == action.Read && op.Risk < action.Medium && op.Action != "github.migration_archive.download" { // which is a whole organisation
				t.Errorf("%s: a read of risk %v", op.Action, op.Risk)
			}
			for _, f := range op.Forms {
				if f.Docs != "" && !strings.HasPrefix(f.Docs, "https://") || f.Docs == "" && f.ID != "" && len(typ.Hosts) > 0 {
					t.Errorf("%s %s: the documentation is at %q", f.Method, f.Path, f.Docs)
				}
				r := example(t, c, f)
				a, err := c.Read(r)
				if err != nil || a.Name != op.Action || a.Class != op.Class || a.Risk != op.Risk || a.Reversible != op.Reversible || a.Connector != c.Name() {
					t.Errorf("%s %s%s: %+v, %v, want %+v", r.Method, r.Host, r.Path, a, err, op)
				}
				unsaid := slices.DeleteFunc(slices.Clone(a.Unknown), func(name string) bool { return op.Action == "github.pr.merge" && name == "base" })
				if also := len(a.Or) > 0 && !together[op.Action]; also || len(unsaid) > 1 || len(unsaid) == 1 && unsaid[0] != "resource" {
					t.Errorf("%s %s: unknown %v, or %v", r.Method, r.Path, a.Unknown, a.Or)
				}
				if s := connectors.Sentence(a); s == "" || strings.ContainsAny(s, "{}[]") || strings.HasSuffix(s, ".") || strings.Contains(s, "  ") {
					t.Errorf("%s: %q is not what a person would say", op.Action, s)
				}
				hidden := r
				hidden.Body = connectors.Unreadable()
				if b, err := c.Read(hidden); c.NeedsBody(r) == connectors.NeedNothing && (err != nil || b.Name != a.Name || len(b.Unknown) > len(a.Unknown)) {
					t.Errorf("%s %s: says that it needs no body, and without one it is %+v, %v", r.Method, r.Path, b, err)
				} else if b.Class > a.Class {
					t.Errorf("%s %s: %v without its body, looser than %v", r.Method, r.Path, b.Class, a.Class)
				}
				other := r
				other.Host = "elsewhere.example.net"
				if _, err := c.Read(other); err == nil {
					t.Errorf("%s: reads requests to another host", c.Name())
				}
			}
		}
	}
}

func TestEveryTypeTakesForeignCredentialsAway(t *testing.T) {
	t.Parallel()

	for _, typ := range connectors.Types() {
		for _, kind := range typ.Styles {
			style := credential.Style{Kind: kind}
			if kind == credential.Header || kind == credential.Query {
				style.Name = "X-Own"
			}
			c, err := connectors.New(connectors.Config{Type: typ.Name, Hosts: []string{"api.example.com"}, Style: style})
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{"Accept": {"*/*"}}
			for _, name := range append([]string{"Authorization", "Proxy-Authorization"}, typ.Headers...) {
				h.Set(name, "foreign")
			}
			u := &url.URL{Scheme: "https", Host: "api.example.com", Path: "/api/v3/user", User: url.UserPassword("foreign", "foreign"), RawQuery: "q=a%20b&b"}
			for _, name := range typ.Queries {
				u.RawQuery += "&" + name + "=foreign"
			}
			if style.Name != "" {
				h.Set(style.Name, "foreign")
				u.RawQuery += "&" + style.Name + "=foreign"
			}
			c.Strip(h, u)
			if len(h) > 2 || h.Get("Accept") != "*/*" || u.User != nil {
				t.Errorf("%s, %s: left %v %v", typ.Name, kind, h, u)
			}
			if kind == credential.Query && u.RawQuery != "q=a%20b&b" {
				t.Errorf("%s, %s: left the query %s", typ.Name, kind, u.RawQuery)
			}
			if err := c.Authorise(h, u, "api.example.com", credential.NewSecret("ours")); err != nil {
				t.Errorf("%s, %s: %v", typ.Name, kind, err)
			}
			if all := http.Header.Clone(h); kind != credential.Query && len(all) < 2 || kind == credential.Query && !strings.Contains(u.RawQuery, "ours") {
				t.Errorf("%s, %s: put no credential: %v %v", typ.Name, kind, h, u)
			}
		}
	}
}

func TestNoCredentialWhereItDoesNotBelong(t *testing.T) {
	t.Parallel()

	for _, typ := range connectors.Types() {
		c := one(t, typ.Name, "api.example.com")
		for name, tt := range map[string]struct {
			url, host, secret string
			want              fault.Kind
		}{
			"another host":     {"https://evil.example.com/", "evil.example.com", "ours", fault.Forbidden},
			"a host below":     {"https://a.api.example.com/", "a.api.example.com", "ours", fault.Forbidden},
			"a host that ends": {"https://xapi.example.com/", "xapi.example.com", "ours", fault.Forbidden},
			"no host":          {"https:///", "", "ours", fault.Forbidden},
			"plain HTTP":       {"http://api.example.com/", "api.example.com", "ours", fault.Forbidden},
			"no secret":        {"https://api.example.com/", "api.example.com", "", fault.Invalid},
			"a line break":     {"https://api.example.com/", "api.example.com", "a\r\nHost: b", fault.Invalid},
			"a NUL":            {"https://api.example.com/", "api.example.com", "a\x00", fault.Invalid},
		} {
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			if err := c.Authorise(h, u, tt.host, credential.NewSecret(tt.secret)); fault.Of(err) != tt.want || len(h) > 0 || u.RawQuery != "" {
				t.Errorf("%s, %s: %v and %v %v, want %v and nothing", typ.Name, name, err, h, u, tt.want)
			}
		}
	}
}

func TestEveryDummyKeyIsItsOwnAndOfTheRightShape(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, typ := range connectors.Types() {
		for _, seed := range []string{"run_1", "run_2", ""} {
			d := typ.Dummy(seed)
			if seen[d] || d != typ.Dummy(seed) || strings.Trim(d, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
				t.Errorf("%s: dummy %q", typ.Name, d)
			}
			seen[d] = true
		}
	}
	if d := connectors.TypeNamed("github").Dummy("run_1"); !strings.HasPrefix(d, "ghp_") || len(d) != 40 {
		t.Errorf("github: dummy %q, want ghp_ and 36 characters", d)
	}
}
