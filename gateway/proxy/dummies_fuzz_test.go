package proxy

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const aDummy = "tameflare0123456789abcdefghijklmnopq"

// Whatever is around a key, and however it is escaped, it is found; and what
// clients send makes nothing fall over.
func FuzzDummies(f *testing.F) {
	for _, around := range []string{"", "%", "%2", "a=b&c=", "Basic ", "Basic %zz==", "tameflare", "%74ameflare", "%2574", ";", " : "} {
		f.Add(around, around)
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.ContainsAny(before, "%") || strings.HasSuffix(before, "tameflare") {
			before = "" // it would be another key, or another escape
		}
		escaped := ""
		for _, c := range []byte(aDummy) {
			escaped += "%" + string("0123456789abcdef"[c>>4]) + string("0123456789ABCDEF"[c&15])
		}
		for name, found := range map[string][]string{
			"path":    dummiesOf(nil, before+aDummy+after, ""),
			"query":   dummiesOf(nil, "", before+escaped+after),
			"header":  dummiesOf(http.Header{"X": {before + aDummy + after}}, "", ""),
			"basic":   dummiesOf(http.Header{"X": {"basic " + base64.StdEncoding.EncodeToString([]byte(before+aDummy+after))}}, "", ""),
			"rawurl":  dummiesOf(http.Header{"X": {"Basic " + base64.RawURLEncoding.EncodeToString([]byte(before+aDummy+after))}}, "", ""),
			"cookies": dummiesOf(http.Header{"Cookie": {"a=" + escaped + "; b=c"}}, "", ""),
		} {
			if !slices.Contains(found, aDummy) && !strings.Contains(before, "tameflare") {
				t.Errorf("%s: %q + key + %q: found %q", name, before, after, found)
			}
		}
		if plain := lenient(after); len(plain) > len(after) {
			t.Errorf("%q grew to %q", after, plain)
		}
	})
}
