package proxy_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func TestRecordsSayWhatHappenedAndNoSecret(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo))
	c := g.client(false)
	r, err := http.NewRequest("PUT", "https://"+host+"/a%2Fb?page=2&access_token=mine-mine&x=ghp_0123456789abcdef&q=a%26b", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer of-the-client")
	r.Header.Set("X-Api-Key", "of-the-client")
	r.Header.Set("Proxy-Authorization", "Basic of-the-client")
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	entries := g.spool.settled(t, 2)
	intent, outcome := entries[0], entries[1]
	for what, ok := range map[string]bool{
		"step":       intent.Step == audit.Intent && outcome.Step == audit.Outcome,
		"request":    intent.Request != "" && intent.Request == outcome.Request && res.Header.Get("X-TameFlare-Request-Id") == intent.Request,
		"run":        intent.Run == "run_1",
		"place":      intent.Method == "PUT" && intent.Scheme == "https" && intent.Host == host && intent.Path == "/a%2Fb",
		"query":      intent.Query == "page=2&access_token=[cut]&x=[cut]&q=a%26b",
		"action":     intent.Action.Name == "http.put" && intent.Action.Connector == "api",
		"decision":   intent.Decision == "allow" && intent.Rule == "rule_put" && intent.By == "rule" && intent.Would == "",
		"credential": intent.Credential == "cred_1" && intent.Snapshot == 7,
		"outcome":    outcome.Status == 200 && outcome.Sent == 5 && outcome.Received > 0 && outcome.Error == "",
	} {
		if !ok {
			t.Errorf("%s: intent %+v, outcome %+v", what, intent, outcome)
		}
	}
	for name, values := range g.upstream.lastHeader(t) {
		if strings.Contains(fmt.Sprint(values), "of-the-client") || strings.Contains(strings.ToLower(name), "tameflare") {
			t.Errorf("upstream got %s: %v", name, values)
		}
	}
	if s := fmt.Sprintf("%+v %s", entries, g.log); strings.Contains(s, canary) || strings.Contains(s, "of-the-client") {
		t.Errorf("the records tell a secret: %s", s)
	}
}

// What a request does may be in its body, and a body that hides it does not
// make it something milder.
func TestBodiesAreLookedIntoAsTheServiceReadsThem(t *testing.T) {
	t.Parallel()
	zipped := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.String()
	}
	for name, test := range map[string]struct {
		coding, body string
		status       int
	}{
		"a new title":               {"", `{"title":"x"}`, 200},
		"closing it":                {"", `{"state":"closed"}`, 403},
		"a new title, zipped":       {"gzip", zipped(`{"title":"x"}`), 200},
		"closing it, zipped":        {"gzip", zipped(`{"state":"closed"}`), 403},
		"said to be zipped":         {"gzip", `{"title":"x"}`, 403},
		"in an unknown coding":      {"br", `{"title":"x"}`, 403},
		"too large to look into":    {"", `{"title":"` + strings.Repeat("x", 2000) + `"}`, 403},
		"zipped, and large in fact": {"gzip", zipped(`{"title":"` + strings.Repeat("x", 2000) + `"}`), 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.proxy.Limits.Look = 1000 })
			r, err := http.NewRequest("PATCH", "https://api.github.com/repos/acme/site/pulls/1", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if test.coding != "" {
				r.Header.Set("Content-Encoding", test.coding)
			}
			res, err := g.client(false).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			var b bytes.Buffer
			_, _ = b.ReadFrom(res.Body)
			if res.StatusCode != test.status {
				t.Errorf("%s: %s", res.Status, &b)
			}
			if test.status == 200 && !strings.HasSuffix(b.String(), test.body) {
				t.Errorf("upstream got %q, want %q", &b, test.body)
			}
			if test.status == 403 && !strings.Contains(b.String(), `"message":`) {
				t.Errorf("not in the service's own shape: %s", &b)
			}
		})
	}
}

func TestPanicIsARefusal(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, r *proxy.Run) {
		g.spool.before = func(e audit.Traffic) {
			if e.Method == "PUT" {
				panic("a bug")
			}
		}
	})
	c := g.client(false)
	if res, body := g.do(c, "PUT", "https://"+host+"/", "x"); res.StatusCode != 503 || strings.Contains(body, "a bug") {
		t.Errorf("%s %s", res.Status, body)
	}
	if res, _ := g.do(c, "GET", "https://"+host+"/", ""); res.StatusCode != 200 {
		t.Errorf("afterwards: %s", res.Status)
	}
	if steps := g.spool.steps(); steps[0] != "refused unavailable" {
		t.Errorf("steps %v", steps)
	}
}
