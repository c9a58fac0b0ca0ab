package proxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
)

func TestAHeaderThatRepeatsTheCredentialDoesNotReachTheClient(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t/with+escapes"
	repeat := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<https://"+host+"/early?"+r.URL.RawQuery+">")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Last")
		w.Header().Set("Location", r.URL.Path+"/?"+r.URL.RawQuery)
		w.Header().Set("X-Echo", r.URL.Query().Get("api_key"))
		w.WriteHeader(http.StatusMovedPermanently)
		_, _ = w.Write([]byte("moved"))
		w.Header().Set("X-Last", r.URL.Query().Get("api_key"))
	})
	for name, h := range map[string]http.Handler{"h1": only1{repeat}, "h2": repeat} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, h)
			s := testSnapshot()
			s.Connectors[0].Style = credential.Style{Kind: credential.Query, Name: "api_key"}
			g.useSecret(s, secret)
			res, _ := g.do(g.client(false), "GET", base+"/a?b=1", "")
			if got, _ := g.upstream.seen(); len(got) != 1 || !strings.Contains(got[0], "api_key="+url.QueryEscape(secret)) {
				t.Fatalf("upstream got %v", got)
			}
			if got := res.Header.Get("Location"); !strings.HasPrefix(got, "/a/?b=1&api_key=") {
				t.Errorf("Location %q", got)
			}
			for _, h := range []http.Header{res.Header, res.Trailer} {
				for name, values := range h {
					if all := strings.Join(values, " "); strings.Contains(all, secret) || strings.Contains(all, url.QueryEscape(secret)) {
						t.Errorf("%s: %s", name, all)
					}
				}
			}
			if _, ok := res.Trailer["X-Last"]; !ok {
				t.Error("no trailer came")
			}
		})
	}
}
