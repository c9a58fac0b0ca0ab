package connectors_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
)

func requests() map[string]connectors.Request {
	r := func(method, path, body string) connectors.Request {
		return connectors.Request{Method: method, Host: "api.github.com", Path: path, Header: http.Header{"Accept": {"*/*"}}, Body: connectors.Whole([]byte(body))}
	}
	return map[string]connectors.Request{
		"repo":    r("DELETE", "/repos/acme/site", ""),
		"reviews": r("GET", "/repos/acme/site/pulls/812/reviews", ""),
		"ref":     r("DELETE", "/repos/acme/site/git/refs/heads/feature/x", ""),
		"other":   r("GET", "/repos/acme/site/actions/secrets/public-key", ""),
		"close":   r("PATCH", "/repos/acme/site/pulls/812", `{"title":"`+strings.Repeat("a line of text\\n", 128)+`","state":"closed"}`),
	}
}

func BenchmarkRead(b *testing.B) {
	c := one(b, "github")
	for name, r := range requests() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Read(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Not parallel: what others allocate would be counted too.
func TestNamingByPathAloneAllocatesAtMostThrice(t *testing.T) {
	c := one(t, "github")
	for _, name := range []string{"repo", "reviews", "other"} {
		r := requests()[name]
		if n := testing.AllocsPerRun(100, func() { _, _ = c.Read(r) }); n > 3 {
			t.Errorf("%s: %v allocations, want at most 3", name, n)
		}
	}
}
