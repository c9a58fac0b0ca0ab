package proxy_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

var granted = wire.Approval{ID: "apr_1", Status: approval.Approved}

// moments at which a client may go away on the way to being sent. Each calls
// leave, and waits until that is noticed.
var moments = map[string]func(g *rig, leave func()){
	"while it waits": func(g *rig, leave func()) {
		g.desk.answer = func(ctx context.Context, _ wire.Ask) (wire.Approval, error) {
			leave()
			<-ctx.Done()
			return granted, nil // approved all the same
		}
	},
	"while the grant is redeemed": func(g *rig, leave func()) {
		g.desk.using = func(ctx context.Context) { leave(); <-ctx.Done() }
	},
	"while the intent is recorded": func(g *rig, leave func()) {
		var exchange context.Context
		g.desk.answer = func(ctx context.Context, _ wire.Ask) (wire.Approval, error) {
			exchange = ctx //nolint:fatcontext // kept to be looked at
			return granted, nil
		}
		g.spool.before = func(e audit.Traffic) {
			if e.Method == "POST" {
				leave()
				<-exchange.Done()
			}
		}
	},
}

func TestClientThatLeavesGetsNothingDone(t *testing.T) {
	t.Parallel()
	for name, moment := range moments {
		for proto, h2 := range map[string]bool{"h1": false, "h2": true} {
			t.Run(proto+" "+name, func(t *testing.T) {
				t.Parallel()
				ctx, leave := context.WithCancel(context.Background())
				g := newRig(t, only1{http.HandlerFunc(echo)}, func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { moment(g, leave) })
				c := g.client(h2)
				// So that a connection is there that the request could go out on
				// at once.
				if res, _ := g.do(c, "GET", "https://"+host+"/", ""); res.StatusCode != 200 {
					t.Fatal(res.Status)
				}
				g.spool.settled(t, 2)
				r, err := http.NewRequestWithContext(ctx, "POST", "https://"+host+"/", strings.NewReader("x"))
				if err != nil {
					t.Fatal(err)
				}
				if res, err := c.Do(r); err == nil {
					t.Fatalf("an answer for a client that left: %s", res.Status)
				}
				g.spool.settled(t, 3)
				g.end()
				if got, _ := g.upstream.seen(); len(got) != 1 {
					t.Errorf("upstream got %v", got)
				}
				entries := g.spool.settled(t, 3)
				if last := entries[len(entries)-1]; !strings.Contains(last.Error, "client went away") || last.Status != 0 {
					t.Errorf("the record says %+v", last)
				}
			})
		}
	}
}

func TestKillEndsWhatWaits(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
		g.desk.answer = func(ctx context.Context, _ wire.Ask) (wire.Approval, error) {
			g.current.Kill("api", "Enough.")
			<-ctx.Done()
			return granted, nil
		}
	})
	res, body := g.do(g.client(false), "POST", "https://"+host+"/", "x")
	if res.StatusCode != 403 || res.Header.Get("X-TameFlare-Kill-Switch") != "active" || !strings.Contains(body, "Enough.") {
		t.Errorf("%s %v %s", res.Status, res.Header, body)
	}
	if got, _ := g.upstream.seen(); len(got) > 0 {
		t.Errorf("upstream got %v", got)
	}
}

// change makes the desk approve after the configuration has changed.
func change(edit func(*wire.Snapshot)) settings {
	return func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
		g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) {
			s := testSnapshot()
			s.Version++
			edit(&s)
			g.use(s)
			return granted, nil
		}
	}
}

func TestGrantIsForTheConfigurationThatAskedForIt(t *testing.T) {
	t.Parallel()
	post := func(s *wire.Snapshot) *policy.Rule {
		for i := range s.Rules {
			if s.Rules[i].Pattern == "http.post" {
				return &s.Rules[i]
			}
		}
		return nil
	}
	for name, test := range map[string]struct {
		edit   func(*wire.Snapshot)
		status int
		used   int
	}{
		"something else changed":    {func(s *wire.Snapshot) { s.Rules = s.Rules[1:] }, 200, 1},
		"the rule denies now":       {func(s *wire.Snapshot) { post(s).Effect = policy.Deny }, 403, 0},
		"another rule asks now":     {func(s *wire.Snapshot) { post(s).ID = "rule_new" }, 403, 0},
		"another credential is due": {func(s *wire.Snapshot) { s.Connectors[0].CredentialID = "cred_2" }, 403, 0},
		"the connector is gone":     {func(s *wire.Snapshot) { s.Connectors = s.Connectors[1:] }, 403, 0},
		"it is allowed now":         {func(s *wire.Snapshot) { post(s).Effect = policy.Allow }, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), change(test.edit))
			res, body := g.do(g.client(false), "POST", "https://"+host+"/", "x")
			if res.StatusCode != test.status || g.desk.uses() != test.used {
				t.Errorf("status %d with %d uses, want %d with %d: %s", res.StatusCode, g.desk.uses(), test.status, test.used, body)
			}
		})
	}
}

func TestAnyChangedByteIsAnotherRequest(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo))
	c := g.client(false)
	ask := func(edit func(*http.Request)) string {
		r, err := http.NewRequest("POST", "https://"+host+"/a?b=1&c=2", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "text/plain")
		edit(r)
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		return (<-g.desk.asked).Fingerprint
	}
	first := ask(func(*http.Request) {})
	if again := ask(func(r *http.Request) {
		r.Header.Set("User-Agent", "other")
		r.Header.Set("Authorization", "Bearer mine")
	}); again != first {
		t.Error("the same request has another fingerprint")
	}
	for name, edit := range map[string]func(*http.Request){
		"path":           func(r *http.Request) { r.URL.Path = "/A" },
		"escape in path": func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/a", "/%61" },
		"query order":    func(r *http.Request) { r.URL.RawQuery = "c=2&b=1" },
		"body":           func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("bodY")) },
		"content type":   func(r *http.Request) { r.Header.Set("Content-Type", "text/html") },
		"coding":         func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") },
	} {
		if got := ask(edit); got == first {
			t.Errorf("%s: the fingerprint is the same", name)
		}
	}
}

func TestWhatCannotBeKeptIsNotHeld(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits proxy.Limits
		status int
		want   string
	}{
		"body too large":       {proxy.Limits{Body: 10}, 403, "too large"},
		"too much kept at all": {proxy.Limits{Kept: 10}, 429, "rate_limited"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.proxy.Limits = test.limits })
			c := g.client(false)
			for range 2 { // the second on the same connection
				res, body := g.do(c, "POST", "https://"+host+"/", strings.Repeat("x", 100))
				if res.StatusCode != test.status || !strings.Contains(body, test.want) {
					t.Errorf("%s %s", res.Status, body)
				}
			}
			if res, _ := g.do(c, "GET", "https://"+host+"/", ""); res.StatusCode != 200 {
				t.Errorf("afterwards: %s", res.Status)
			}
			if got, _ := g.upstream.seen(); len(got) != 1 {
				t.Errorf("upstream got %v", got)
			}
		})
	}
}

func TestTooManyWaiting(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
		g.proxy.Limits = proxy.Limits{Holds: 1}
		g.desk.answer = func(ctx context.Context, _ wire.Ask) (wire.Approval, error) {
			<-release
			return granted, nil
		}
	})
	c := g.client(true)
	done := make(chan int)
	go func() {
		res, _ := g.do(c, "POST", "https://"+host+"/1", "x")
		done <- res.StatusCode
	}()
	<-g.desk.asked
	if res, _ := g.do(c, "POST", "https://"+host+"/2", "x"); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("the second: %s", res.Status)
	}
	close(release)
	select {
	case status := <-done:
		if status != 200 {
			t.Errorf("the first: %d", status)
		}
	case <-time.After(10 * time.Second):
		t.Error("the first never ended")
	}
}

// A client that waits reads nothing until there is an answer: whatever came
// before would be taken for one.
func TestNothingIsWrittenToAClientThatWaits(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
		g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) {
			<-release
			return granted, nil
		}
	})
	conn, br := g.secure(host+":443", host)
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 1\r\n\r\nx"); err != nil {
		t.Fatal(err)
	}
	<-g.desk.asked
	first := make(chan byte, 1)
	go func() {
		b, err := br.ReadByte()
		if err == nil {
			err = br.UnreadByte()
		}
		if err != nil {
			t.Error(err)
		}
		first <- b
	}()
	select {
	case b := <-first:
		t.Errorf("it reads %q while it waits", b)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	if b := <-first; b != 'H' {
		t.Errorf("then it reads %q", b)
	}
	res, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("answered %s", res.Status)
	}
}
