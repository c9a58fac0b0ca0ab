package credential_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
)

func TestAKeyIsStrippedInEverySpellingThatAServerTakes(t *testing.T) {
	t.Parallel()

	for query, want := range map[string]string{
		"token=x":                 "",
		"a=1&token=x&b=%20":       "a=1&b=%20",
		"a=1&%20token=x":          "a=1",
		"TOKEN=x&a=1":             "a=1",
		"a=1;token=x":             "a=1;",
		"token[]=x&token[a]=y&a":  "a",
		"tok%65n=x&a=1&":          "a=1",
		"a=1&&tokens=x&b=token&":  "a=1&&tokens=x&b=token&",
		"metadata[token]=x&%zz=1": "metadata[token]=x&%zz=1",
	} {
		u := url.URL{RawQuery: query}
		credential.Style{Kind: credential.Query, Name: "token"}.Strip(http.Header{}, &u)
		if u.RawQuery != want {
			t.Errorf("%q became %q, want %q", query, u.RawQuery, want)
		}
	}
}
