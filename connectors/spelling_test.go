package connectors_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// respell writes the same request differently, in ways that some server or
// other reads as the same.
func respell(t *rapid.T, r connectors.Request, method string) connectors.Request {
	switch rapid.IntRange(0, 9).Draw(t, "spelling") {
	case 0: // escape some bytes, perhaps twice, perhaps the slashes too
		escape := rapid.SampledFrom([]string{"%%%02X", "%%%02x", "%%25%02X"}).Draw(t, "escape")
		slashes := rapid.Bool().Draw(t, "slashes")
		var b strings.Builder
		for i := range len(r.Path) {
			if c := r.Path[i]; i > 0 && c != '%' && (c != '/' || slashes) && rapid.IntRange(0, 3).Draw(t, "byte") == 0 {
				fmt.Fprintf(&b, escape, c)
				continue
			}
			b.WriteByte(r.Path[i])
		}
		r.Path = b.String()
	case 1: // slashes that do not count
		i := rapid.SampledFrom(slashes(r.Path)).Draw(t, "at")
		r.Path = r.Path[:i] + rapid.SampledFrom([]string{"//", "/./", "/%2e/", "/x/../", "/x/%2e%2E/", "/;/", "\\", "/%5c", "/x/..%2f"}).Draw(t, "slash") + r.Path[i+1:]
	case 2:
		r.Path += rapid.SampledFrom([]string{"/", "//", "/.", "%2F", "/x/..", "%00", "%20", ";a=b", "%0a", "?", "%23"}).Draw(t, "end")
	case 3:
		i := rapid.IntRange(0, len(r.Path)-1).Draw(t, "from")
		r.Path = r.Path[:i] + strings.ToUpper(r.Path[i:])
	case 4:
		r.Method = strings.ToLower(r.Method)
	case 5:
		r.Header = r.Header.Clone()
		r.Header.Set(rapid.SampledFrom([]string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}).Draw(t, "header"), method)
		r.Method = rapid.SampledFrom([]string{"POST", "GET"}).Draw(t, "method")
	case 6:
		if r.RawQuery != "" {
			r.RawQuery += rapid.SampledFrom([]string{"&", ";"}).Draw(t, "and")
		}
		r.RawQuery += "_method=" + method
		r.Method = "POST"
	case 7:
		r.Body = connectors.Unreadable()
	case 8:
		r.Header = r.Header.Clone()
		r.Header.Set("Content-Encoding", "gzip")
	case 9: // say it again in the query
		r.RawQuery += "&st%61te=closed&Sha=x&service=git-receive-pack"
	}
	return r
}

func slashes(path string) []int {
	at := []int{0}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			at = append(at, i)
		}
	}
	return at
}

// TestNoSpellingIsLooser takes every form of every operation, writes it in
// other ways, and wants it refused, or named with a class no looser: either
// the same action, or one that is no operation in particular.
func TestNoSpellingIsLooser(t *testing.T) {
	t.Parallel()

	type known struct {
		c    *connectors.Connector
		r    connectors.Request
		a    action.Action
		form connectors.Form
	}
	var all []known
	for _, typ := range connectors.Types() {
		c := one(t, typ.Name)
		for _, op := range typ.Operations() {
			for _, f := range op.Forms {
				r := example(t, f, c.Hosts()[0])
				a, err := c.Read(r)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, known{c, r, a, f})
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(all).Draw(t, "request")
		r := k.r
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			r = respell(t, r, k.r.Method)
		}
		a, err := k.c.Read(r)
		if err != nil {
			if fault.Of(err) != fault.Invalid || fault.Message(err) == "" {
				t.Fatalf("%s %s?%s: %v, want a sentence", r.Method, r.Path, r.RawQuery, err)
			}
			return
		}
		if a.Class > k.a.Class {
			t.Fatalf("%s %s?%s is %s, class %v; it is %s, class %v", r.Method, r.Path, r.RawQuery, a.Name, a.Class, k.a.Name, k.a.Class)
		}
		if a.Name == k.a.Name || k.a.Class == action.Read {
			return
		}
		for _, or := range a.Or {
			if or.Name == k.a.Name {
				return
			}
		}
		// What is left was made another request by a segment that is not
		// the same to any server; it must not carry another operation's name.
		if a.Name != "github.unknown" {
			t.Fatalf("%s %s?%s is %s, it was %s", r.Method, r.Path, r.RawQuery, a.Name, k.a.Name)
		}
	})
}

func TestOddPathsAreRefusedWithASentence(t *testing.T) {
	t.Parallel()

	c := one(t, "github")
	for name, path := range map[string]string{
		"no slash":                "repos/acme/site",
		"a bad escape":            "/repos/acme/%zz",
		"half an escape":          "/repos/acme/site%2",
		"two slashes":             "/repos//acme/site",
		"two slashes at the end":  "/repos/acme/site//",
		"a dot":                   "/repos/./acme/site",
		"two dots":                "/repos/acme/x/../site",
		"escaped dots":            "/repos/acme/x/%2e%2E/site",
		"dots behind a slash":     "/repos/acme/site/contents/a%2F..%2Fb",
		"a backslash":             "/repos/acme\\site",
		"an escaped backslash":    "/repos/acme%5Csite",
		"a NUL":                   "/repos/acme/site%00",
		"a line break":            "/repos/acme/site/contents/a%0A",
		"invalid UTF-8":           "/repos/acme/site/contents/%ff",
		"escaped twice":           "/repos/acme/site/contents/%252e%252e",
		"a space at an end":       "/repos/acme/site/pulls/12/merge%20",
		"a semicolon":             "/repos/acme/site/contents/a;b",
		"a slash in the repo":     "/repos/acme%2Fsite/pulls/12/merge",
		"a slash in the verb":     "/repos/acme/site/pulls/12%2Fmerge",
		"a parameter in the repo": "/repos/acme/site;x/pulls/12/merge",
		"a number with a space":   "/repos/acme/site/pulls/12%20/merge",
		"a number with a sign":    "/repos/acme/site/pulls/+12/merge",
		"a number with a zero":    "/repos/acme/site/pulls/012/merge",
	} {
		a, err := c.Read(connectors.Request{Method: "PUT", Host: "api.github.com", Path: path, Body: connectors.Whole(nil)})
		if fault.Of(err) != fault.Invalid || !strings.HasSuffix(fault.Message(err), ".") {
			t.Errorf("%s: %s, %v, want fault.Invalid", name, a.Name, err)
		}
	}
	for name, r := range map[string]connectors.Request{
		"no method":           {Method: ""},
		"a method of two":     {Method: "GET PUT"},
		"an override":         {Method: "POST", Header: http.Header{"X-Http-Method-Override": {"DELETE"}}},
		"an override, second": {Method: "POST", Header: http.Header{"X-Http-Method": {"POST", "DELETE"}}},
		"an override, query":  {Method: "POST", RawQuery: "a=b&_method=delete"},
		"a broken query":      {Method: "GET", RawQuery: "service=%zz"},
	} {
		r.Host, r.Path = "github.com", "/acme/site/info/refs"
		if a, err := one(t, "github").Read(r); fault.Of(err) != fault.Invalid {
			t.Errorf("%s: %s, %v, want fault.Invalid", name, a.Name, err)
		}
	}
	r := connectors.Request{Method: "GET", Host: "github.com", Path: "/acme/site/info/refs", RawQuery: "service=git-upload-pack&service=git-receive-pack"}
	if a, err := c.Read(r); fault.Of(err) != fault.Invalid {
		t.Errorf("two services: %s, %v, want fault.Invalid", a.Name, err)
	}
}
