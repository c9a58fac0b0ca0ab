package connectors_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tameflare/tameflare/connectors"
)

func TestADummyKeyIsFoundWhereverItStands(t *testing.T) {
	t.Parallel()

	for _, typ := range connectors.Types() {
		d := typ.Dummy("run_1")
		plain, ok := connectors.FindDummy(d)
		if !ok || !strings.HasSuffix(d, plain) || !strings.HasPrefix(plain, connectors.DummyMarker) {
			t.Errorf("%s: found %q in %q", typ.Name, plain, d)
		}
		for _, around := range []string{"Bearer " + d, "x" + d + "y", d + d, "tameflare" + d, `{"token":"` + d + `"}`} {
			if got, ok := connectors.FindDummy(around); !ok || got != plain && !strings.Contains(around, got) {
				t.Errorf("%s: found %q in %q", typ.Name, got, around)
			}
		}
		if got, ok := connectors.FindDummy("tameflare tameflare-" + d); !ok || got != plain {
			t.Errorf("%s: found %q behind the word alone", typ.Name, got)
		}
	}
	for _, none := range []string{"", "tameflare", "ghp_tameflare", connectors.DummyMarker + strings.Repeat("0", 26), connectors.DummyMarker + strings.Repeat("-", 27), "ghp_0123456789"} {
		if got, ok := connectors.FindDummy(none); ok {
			t.Errorf("found %q in %q", got, none)
		}
	}
}

func TestEveryCredentialThatAClientBringsIsFound(t *testing.T) {
	t.Parallel()

	basic := base64.StdEncoding.EncodeToString([]byte("user:pass:word"))
	for name, tt := range map[string]struct {
		typ    string
		header http.Header
		url    string
		want   []string
	}{
		"none":                {"github", http.Header{"Accept": {"*/*"}}, "https://api.github.com/user?q=1", nil},
		"a bearer":            {"github", http.Header{"Authorization": {"Bearer ghp_1"}}, "https://api.github.com/user", []string{"ghp_1"}},
		"a token":             {"github", http.Header{"Authorization": {"token ghp_1"}}, "https://api.github.com/user", []string{"ghp_1"}},
		"both halves":         {"github", http.Header{"Authorization": {"basic " + basic}}, "https://github.com/a/b", []string{"user", "pass:word"}},
		"basic that is not":   {"github", http.Header{"Authorization": {"Basic !"}}, "https://github.com/a/b", []string{"!"}},
		"no scheme":           {"github", http.Header{"Authorization": {"ghp_1"}}, "https://api.github.com/user", []string{"ghp_1"}},
		"two at once":         {"github", http.Header{"Authorization": {"Bearer ghp_1", "Bearer ghp_2"}}, "https://api.github.com/user", []string{"ghp_1", "ghp_2"}},
		"in the address":      {"github", http.Header{}, "https://ghp_1:x-oauth-basic@github.com/a/b", []string{"ghp_1", "x-oauth-basic"}},
		"in the query":        {"github", http.Header{}, "https://api.github.com/user?access_token=ghp_1&ACCESS%5Ftoken=ghp_2", []string{"ghp_1", "ghp_2"}},
		"in a broken query":   {"github", http.Header{}, "https://api.github.com/user?access_token=%zz", []string{"access_token=%zz"}},
		"the service's own":   {"anthropic", http.Header{"X-Api-Key": {"sk-ant-1"}}, "https://api.anthropic.com/v1/models", []string{"sk-ant-1"}},
		"another's":           {"openai", http.Header{"X-Api-Key": {"sk-ant-1"}}, "https://api.openai.com/v1/models", []string{"sk-ant-1"}},
		"Slack's in a query":  {"slack", http.Header{}, "https://slack.com/api/auth.test?token=xoxb-1", []string{"xoxb-1"}},
		"a cookie of Slack's": {"slack", http.Header{"Cookie": {"d=xoxd-1"}}, "https://slack.com/api/auth.test", []string{"d=xoxd-1"}},
		"Stripe's, as a user": {"stripe", http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("sk_test_1:"))}}, "https://api.stripe.com/v1/charges", []string{"sk_test_1"}},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		got := one(t, tt.typ).Brought(tt.header, u)
		slices.Sort(got)
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
