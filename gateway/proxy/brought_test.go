package proxy_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/dummy"
	"github.com/tameflare/tameflare/gateway/proxy"
)

// keyed is a rig whose run has dummy keys, and whose connectors treat a
// client's own key in one way.
type keyed struct {
	*rig
	api, github, stranger string // the run's keys, and one of another run
}

func newKeyed(t *testing.T, handler http.Handler, k credential.ClientKey, change ...settings) *keyed {
	t.Helper()
	keys := new(dummy.Keys)
	g := newRig(t, handler, append([]settings{func(_ *rig, s *wire.Snapshot, run *proxy.Run) {
		run.Keys = keys
		for i := range s.Connectors {
			s.Connectors[i].ClientKey = k
		}
	}}, change...)...)
	of := func(keys *dummy.Keys, c wire.Connector) string {
		made, err := connectors.New(connectors.Config{Type: c.Type, Name: c.Name, Hosts: c.Hosts, Style: c.Style})
		if err != nil {
			t.Fatal(err)
		}
		return keys.For("gw_1", made)
	}
	s := testSnapshot()
	return &keyed{g, of(keys, s.Connectors[0]), of(keys, s.Connectors[1]), of(new(dummy.Keys), s.Connectors[0])}
}

// ask sends a request with what edit puts on it.
func (g *keyed) ask(c *http.Client, method, to, body string, edit func(*http.Request)) (*http.Response, string) {
	g.t.Helper()
	r, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if body == "" {
		r.Body, r.GetBody = nil, nil
	}
	edit(r)
	res, err := c.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return res, string(b)
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestWhatAClientBringsOfItsOwn(t *testing.T) {
	t.Parallel()

	type keys = *keyed
	const ours, own = "Bearer " + canary, "sk-of-the-client-itself"
	set := func(name string, value func(keys) string) func(keys, *http.Request) {
		return func(k keys, r *http.Request) { r.Header.Set(name, value(k)) }
	}
	fixed := func(name, value string) func(keys, *http.Request) {
		return set(name, func(keys) string { return value })
	}
	bearer := func(value func(keys) string) func(keys, *http.Request) {
		return set("Authorization", func(k keys) string { return "Bearer " + value(k) })
	}
	inQuery := func(name string, value func(keys) string) func(keys, *http.Request) {
		return func(k keys, r *http.Request) { r.URL.RawQuery = name + "=" + value(k) }
	}
	given := func(k keys) string { return k.api }
	github := func(k keys) string { return k.github }
	stranger := func(k keys) string { return k.stranger }
	nothing := func(keys, *http.Request) {}

	for name, test := range map[string]struct {
		key    credential.ClientKey
		host   string // api.example.com where empty
		bring  func(keys, *http.Request)
		says   string // a part of the sentence of the refusal; "" where it goes through
		alert  string
		sent   string // the Authorization that the service gets
		record string // the credential on record; "cred_1" where empty
	}{
		"replace: nothing":                 {bring: nothing, sent: ours},
		"replace: its own":                 {bring: fixed("Authorization", "Bearer "+own), sent: ours},
		"replace: the given one":           {bring: bearer(given), sent: ours},
		"replace: in a header of its own":  {bring: set("X-Api-Key", given), sent: ours},
		"replace: in a query parameter":    {bring: inQuery("api_key", given), sent: ours},
		"replace: as a password":           {bring: set("Authorization", func(k keys) string { return basicAuth("x", k.api) }), sent: ours},
		"replace: in another parameter":    {bring: inQuery("q", given), says: "in a place from which"},
		"replace: in a cookie":             {bring: set("Cookie", func(k keys) string { return "a=b; c=" + k.api }), says: "in a place from which"},
		"replace: in the path":             {bring: func(k keys, r *http.Request) { r.URL.Path = "/" + k.api }, says: "in a place from which"},
		"replace: in the user agent":       {bring: set("User-Agent", given), says: "in a place from which"},
		"replace: of another service":      {bring: bearer(github), says: "for another service", alert: audit.DummyElsewhere},
		"replace: that, escaped":           {bring: inQuery("q", func(k keys) string { return strings.ReplaceAll(k.github, "tame", "%74%61m%65") }), says: "for another service", alert: audit.DummyElsewhere},
		"replace: that, escaped twice":     {bring: inQuery("q", func(k keys) string { return strings.ReplaceAll(k.github, "tame", "%2574ame") }), says: "for another service", alert: audit.DummyElsewhere},
		"replace: that, as a password":     {bring: set("Authorization", func(k keys) string { return basicAuth("x", k.github) }), says: "for another service", alert: audit.DummyElsewhere},
		"replace: that, after another":     {bring: set("X-Note", func(k keys) string { return k.api + " " + k.github }), says: "for another service", alert: audit.DummyElsewhere},
		"replace: that, in a cookie":       {bring: set("Cookie", func(k keys) string { return "c=" + k.github }), says: "for another service", alert: audit.DummyElsewhere},
		"replace: of another run":          {bring: bearer(stranger), says: "was not given", alert: audit.DummyOfAnotherRun},
		"replace: to an unknown host":      {host: "other.example.com", bring: bearer(given), alert: audit.DummyElsewhere, says: "answers for this host"},
		"pass: nothing":                    {key: credential.Pass, bring: nothing, sent: ours},
		"pass: the given one":              {key: credential.Pass, bring: bearer(given), sent: ours},
		"pass: the given one as password":  {key: credential.Pass, bring: set("Authorization", func(k keys) string { return basicAuth("x", k.api) }), sent: ours},
		"pass: its own":                    {key: credential.Pass, bring: fixed("Authorization", "Bearer "+own), sent: "Bearer " + own, record: audit.ClientsOwn},
		"pass: its own elsewhere":          {key: credential.Pass, bring: fixed("X-Api-Key", own), sent: "", record: audit.ClientsOwn},
		"pass: both":                       {key: credential.Pass, bring: func(k keys, r *http.Request) { fixed("X-Api-Key", own)(k, r); bearer(given)(k, r) }, sent: ours},
		"pass: its own, ours in sight":     {key: credential.Pass, bring: func(k keys, r *http.Request) { fixed("Authorization", own)(k, r); set("X-Note", given)(k, r) }, says: "in a place from which"},
		"pass: of another run":             {key: credential.Pass, bring: bearer(stranger), says: "was not given", alert: audit.DummyOfAnotherRun},
		"require: the given one":           {key: credential.RequireDummy, bring: bearer(given), sent: ours},
		"require: the given, in a header":  {key: credential.RequireDummy, bring: set("X-Api-Key", given), sent: ours},
		"require: the given, as password":  {key: credential.RequireDummy, bring: set("Authorization", func(k keys) string { return basicAuth("x-access-token", k.api) }), sent: ours},
		"require: the given and a cookie":  {key: credential.RequireDummy, bring: func(k keys, r *http.Request) { bearer(given)(k, r); fixed("Cookie", "seen=1")(k, r) }, sent: ours},
		"require: nothing":                 {key: credential.RequireDummy, bring: nothing, says: "takes only the key"},
		"require: not where a key belongs": {key: credential.RequireDummy, bring: set("X-Note", given), says: "takes only the key"},
		"require: its own":                 {key: credential.RequireDummy, bring: fixed("Authorization", "Bearer "+own), says: "takes only the key", alert: audit.ForeignKey},
		"require: its own, in a query":     {key: credential.RequireDummy, bring: inQuery("access_token", func(keys) string { return own }), says: "takes only the key", alert: audit.ForeignKey},
		"require: both":                    {key: credential.RequireDummy, bring: func(k keys, r *http.Request) { fixed("X-Api-Key", own)(k, r); bearer(given)(k, r) }, says: "takes only the key", alert: audit.ForeignKey},
		"require: of another service":      {key: credential.RequireDummy, bring: bearer(github), says: "for another service", alert: audit.DummyElsewhere},
		"require: of another run":          {key: credential.RequireDummy, bring: bearer(stranger), says: "was not given", alert: audit.DummyOfAnotherRun},
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(map[bool]string{false: "h1 ", true: "h2 "}[h2]+name, func(t *testing.T) {
				t.Parallel()
				g := newKeyed(t, http.HandlerFunc(echo), test.key)
				to := host
				if test.host != "" {
					to = test.host
				}
				res, body := g.ask(g.client(h2), "GET", "https://"+to+"/", "", func(r *http.Request) { test.bring(g, r) })
				entry := g.spool.settled(t, 1)[0]
				if entry.Alert != test.alert {
					t.Errorf("the alert is %q, want %q", entry.Alert, test.alert)
				}
				if test.says != "" {
					if res.StatusCode != 403 || !strings.Contains(body, `"code":"denied"`) || !strings.Contains(body, test.says) {
						t.Errorf("%s %s, want 403 that says %q", res.Status, body, test.says)
					}
					if got, _ := g.upstream.seen(); len(got) > 0 {
						t.Errorf("upstream got %v", got)
					}
					if entry.Step != audit.Refused || entry.Decision != "deny" || !strings.Contains(entry.Reason, test.says) {
						t.Errorf("on record: %+v", entry)
					}
					return
				}
				if res.StatusCode != 200 {
					t.Fatalf("%s %s", res.Status, body)
				}
				if got := g.upstream.lastHeader(t).Get("Authorization"); got != test.sent {
					t.Errorf("the service got %q, want %q", got, test.sent)
				}
				if _, found := connectors.FindDummy(strings.Join(seenKeys(g.rig, t), " ")); found {
					t.Error("the service got a dummy key")
				}
				if want := map[bool]string{true: "cred_1", false: test.record}[test.record == ""]; entry.Credential != want {
					t.Errorf("on record is the credential %q, want %q", entry.Credential, want)
				}
			})
		}
	}
}

// seenKeys is everything that came with the last request.
func seenKeys(g *rig, t *testing.T) []string {
	requests, _ := g.upstream.seen()
	all := requests[len(requests)-1:]
	for _, values := range g.upstream.lastHeader(t) {
		all = append(all, values...)
	}
	return all
}

func TestADummyKeyInABodyThatIsReadGoesNowhereElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, to string
		key        func(*keyed) string
		status     int
		alert      string
		asked      int
	}{
		"held, of another service":     {"POST", base, func(g *keyed) string { return g.github }, 403, audit.DummyElsewhere, 0},
		"held, of another run":         {"POST", base, func(g *keyed) string { return g.stranger }, 403, audit.DummyOfAnotherRun, 0},
		"held, of this service":        {"POST", base, func(g *keyed) string { return g.api }, 200, "", 1},
		"judged, of another service":   {"PATCH", "https://api.github.com/repos/a/b/pulls/1", func(g *keyed) string { return g.api }, 403, audit.DummyElsewhere, 0},
		"judged, of this service":      {"PATCH", "https://api.github.com/repos/a/b/pulls/1", func(g *keyed) string { return g.github }, 200, "", 0},
		"streamed, of another service": {"PUT", base, func(g *keyed) string { return g.github }, 200, "", 0},
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(map[bool]string{false: "h1 ", true: "h2 "}[h2]+name, func(t *testing.T) {
				t.Parallel()
				g := newKeyed(t, http.HandlerFunc(echo), credential.Replace)
				res, body := g.ask(g.client(h2), test.method, test.to, `{"title":"`+test.key(g)+`"}`, header("Content-Type", "application/json"))
				if res.StatusCode != test.status {
					t.Errorf("%s %s, want %d", res.Status, body, test.status)
				}
				if e := g.spool.settled(t, 1)[0]; e.Alert != test.alert {
					t.Errorf("the alert is %q, want %q", e.Alert, test.alert)
				}
				if got := len(g.desk.asked); got != test.asked {
					t.Errorf("asked %d times, want %d", got, test.asked)
				}
			})
		}
	}
}

func TestMonitorMarksWhatTheClientBringsAndLetsItPass(t *testing.T) {
	t.Parallel()
	monitor := func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Enforcement = policy.Monitor }
	g := newKeyed(t, http.HandlerFunc(echo), credential.RequireDummy, monitor)
	res, body := g.ask(g.client(false), "GET", base, "", header("Authorization", "Bearer theirs"))
	e := g.spool.settled(t, 1)[0]
	if res.StatusCode != 200 || e.Alert != audit.ForeignKey || e.Would != "deny" || e.Decision != "allow" || e.By != "client_key" {
		t.Errorf("%s %s; on record: %+v", res.Status, body, e)
	}
	if got := g.upstream.lastHeader(t).Get("Authorization"); got != "Bearer "+canary {
		t.Errorf("the service got %q", got)
	}
}

func TestADeniedRequestStillRaisesItsAlert(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method string
		change settings
		by     string
	}{
		"by a rule":          {"DELETE", func(*rig, *wire.Snapshot, *proxy.Run) {}, "rule"},
		"by the kill switch": {"GET", func(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Kills = []policy.Kill{{ID: "kill_1"}} }, "kill_switch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newKeyed(t, http.HandlerFunc(echo), credential.RequireDummy, test.change)
			g.ask(g.client(false), test.method, base, "", header("Authorization", "Bearer theirs"))
			if e := g.spool.settled(t, 1)[0]; e.By != test.by || e.Alert != audit.ForeignKey || e.Decision != "deny" {
				t.Errorf("on record: %+v", e)
			}
		})
	}
}

func TestAGrantFitsOnlyTheKeyThatItWasAskedWith(t *testing.T) {
	t.Parallel()
	g := newKeyed(t, http.HandlerFunc(echo), credential.Pass)
	c := g.client(false)
	ask := func(edit func(*http.Request)) string {
		res, body := g.ask(c, "POST", base+"/a?b=1", "body", edit)
		if res.StatusCode != 200 {
			t.Fatalf("%s %s", res.Status, body)
		}
		return (<-g.desk.asked).Fingerprint
	}
	mine := ask(header("Authorization", "Bearer mine"))
	if again := ask(header("Authorization", "Bearer mine")); again != mine {
		t.Error("the same key has another fingerprint")
	}
	if strings.Contains(mine, "mine") {
		t.Error("the fingerprint tells the key")
	}
	for name, edit := range map[string]func(*http.Request){
		"another key": header("Authorization", "Bearer yours"),
		"no key":      func(*http.Request) {},
		"the dummy":   header("Authorization", "Bearer "+g.api),
		"that key and more": func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer mine")
			r.Header.Set("X-Api-Key", "yours")
		},
		"in the query": func(r *http.Request) { r.URL.RawQuery = url.Values{"b": {"1"}, "api_key": {"mine"}}.Encode() },
	} {
		if got := ask(edit); got == mine {
			t.Errorf("%s: the fingerprint is the same", name)
		}
	}
}

// The configuration may change while a request waits for a person.
func TestAKeyIsLookedAtAgainAfterAWait(t *testing.T) {
	t.Parallel()
	g := newKeyed(t, http.HandlerFunc(echo), credential.Replace, change(func(s *wire.Snapshot) { s.Connectors[0].ClientKey = credential.RequireDummy }))
	res, body := g.ask(g.client(false), "POST", base, "x", header("Authorization", "Bearer theirs"))
	if res.StatusCode != 403 || !strings.Contains(body, "takes only the key") {
		t.Errorf("%s %s", res.Status, body)
	}
	if e := g.spool.settled(t, 1)[0]; e.Alert != audit.ForeignKey || g.desk.uses() != 0 {
		t.Errorf("%d grants spent; on record: %+v", g.desk.uses(), e)
	}
}

// A connector may be renamed or taken away while processes have its key.
func TestKeysOutliveTheConfiguration(t *testing.T) {
	t.Parallel()
	g := newKeyed(t, http.HandlerFunc(echo), credential.Replace)
	s := testSnapshot()
	s.Version++
	s.Connectors[1].Name = "gh"
	g.use(s)
	res, body := g.ask(g.client(false), "GET", base, "", header("Authorization", "Bearer "+g.github))
	if e := g.spool.settled(t, 1)[0]; res.StatusCode != 403 || e.Alert != audit.DummyElsewhere {
		t.Errorf("%s %s; on record: %+v", res.Status, body, e)
	}
}
