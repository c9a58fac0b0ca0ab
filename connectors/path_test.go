package connectors_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
)

func TestAPathHasOneSpellingOrNone(t *testing.T) {
	t.Parallel()

	for raw, want := range map[string]string{
		"/": "/", "*": "*", "/admin": "/admin", "/admin/": "/admin", "/%61dmin": "/admin", "/%41dmin/a%20b/": "/Admin/a b", "/caf%C3%A9": "/café",
		"/a%2Bb+c": "/a+b+c", "/...": "/...", "/a=b&c": "/a=b&c",
	} {
		if got, known := connectors.PlainPath(raw); got != want || !known {
			t.Errorf("%s: %q, %v, want %q", raw, got, known, want)
		}
	}
	for _, raw := range []string{
		"", "admin", "//", "//admin", "/a//b", "/admin//", "/x/../admin", "/./admin", "/x/%2e%2e/admin", "/x/%2E", "/a%2Fb", "/%2561dmin",
		"/a;b", "/a\\b", "/a%5Cb", "/a%00", "/%", "/%zz", "/a%20", "/%ff", "/a?b", "/a#b",
	} {
		if got, known := connectors.PlainPath(raw); got != "" || known {
			t.Errorf("%s: %q, %v, want none", raw, got, known)
		}
	}
}

func FuzzPlainPath(f *testing.F) {
	for _, raw := range []string{"/", "/admin", "/%61dmin", "/x/../admin", "//a", "/a%2Fb", "*"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, known := connectors.PlainPath(raw)
		switch {
		case !known && got != "":
			t.Errorf("%q is not known and is %q", raw, got)
		case known && got != "*" && !strings.HasPrefix(got, "/"):
			t.Errorf("%q is %q", raw, got)
		case known && (strings.Contains(got, "//") || strings.Contains(got+"/", "/../") || strings.Contains(got+"/", "/./")):
			t.Errorf("%q is %q, which leads elsewhere", raw, got)
		}
	})
}
