package proxy_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/dummy"
	"github.com/tameflare/tameflare/gateway/proxy"
)

var ends = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// newAsker is a rig whose run has keys, and whose approvals are as told.
func newAsker(t *testing.T, look func(ctx context.Context, id string, wait time.Duration) (wire.Approval, error), change ...settings) (*keyed, string) {
	t.Helper()
	keys := new(dummy.Keys)
	g := newRig(t, http.HandlerFunc(echo), append([]settings{func(g *rig, s *wire.Snapshot, run *proxy.Run) {
		run.Keys = keys
		s.BaseURL = "https://dash.example"
		g.desk.look = look
	}}, change...)...)
	return &keyed{rig: g}, keys.Token().Reveal()
}

func row(a wire.Approval) func(context.Context, string, time.Duration) (wire.Approval, error) {
	return func(_ context.Context, id string, _ time.Duration) (wire.Approval, error) {
		if id != a.ID {
			return wire.Approval{}, fault.New(fault.NotFound, "There is no such approval.", nil)
		}
		return a, nil
	}
}

var asked = wire.Approval{
	ID: "apr_1", Status: approval.Denied, Decider: "Ana", Note: "Not on a Friday.", Principal: "ana@laptop", Action: "http.post",
	Sentence: "post to api.example.com", ExpiresAt: ends, URL: "https://dash.example/approvals/apr_1",
}

func TestAProcessHearsWhatBecameOfItsApproval(t *testing.T) {
	t.Parallel()

	for name, to := range map[string]string{
		"the name that cannot exist":   "http://tameflare.invalid/approvals/apr_1",
		"the same by https":            "https://tameflare.invalid/approvals/apr_1",
		"where people decide":          "https://dash.example/approvals/apr_1",
		"the same, with its own port":  "https://dash.example:443/approvals/apr_1",
		"with a wait, though it is no": "http://tameflare.invalid/approvals/apr_1?wait=20s",
	} {
		for proto, h2 := range map[string]bool{"h1": false, "h2": true} {
			t.Run(name+" "+proto, func(t *testing.T) {
				t.Parallel()
				g, token := newAsker(t, row(asked))
				res, body := g.ask(g.client(h2), "GET", to, "", header("Authorization", "Bearer "+token))
				var got map[string]string
				if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("Cache-Control") != "no-store" {
					t.Fatalf("%s %v %s", res.Status, res.Header, body)
				}
				for field, want := range map[string]string{
					"id": "apr_1", "status": "denied", "decider": "Ana", "reason": "Not on a Friday.", "action": "http.post", "retry": "",
					"sentence": "post to api.example.com", "detail": "Ana has denied this request. They said: Not on a Friday.",
					"approval_url": asked.URL, "status_url": "http://tameflare.invalid/approvals/apr_1",
				} {
					if got[field] != want {
						t.Errorf("%s is %q, want %q", field, got[field], want)
					}
				}
				g.end()
				if seen, conns := g.upstream.seen(); len(seen) > 0 || conns > 0 {
					t.Errorf("upstream got %v on %d connections", seen, conns)
				}
				if steps := g.spool.steps(); len(steps) > 0 {
					t.Errorf("on record: %v", steps)
				}
				if strings.Contains(g.log.String(), token) {
					t.Error("the token is in the log")
				}
			})
		}
	}
}

func TestWhatEachStateTellsTheProcess(t *testing.T) {
	t.Parallel()

	for status, want := range map[approval.Status][2]string{ // a part of detail, and of retry
		approval.Pending:   {"nobody has answered yet", "Send exactly the same request again"},
		approval.Approved:  {"approved by Ana", "before 2026-11-24T10:00:00Z"},
		approval.Denied:    {"Ana has denied", ""},
		approval.Expired:   {"Nobody has answered in time", "to ask again"},
		approval.Unused:    {"not sent again in time", "to ask again"},
		approval.Cancelled: {"was cancelled. Not on a Friday.", ""},
		approval.Executed:  {"good for one request", ""},
		"perhaps":          {"denied", ""},
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			a := asked
			a.Status = status
			g, token := newAsker(t, row(a))
			_, body := g.ask(g.client(false), "GET", "http://tameflare.invalid/approvals/apr_1", "", header("Authorization", "Bearer "+token))
			var got map[string]string
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got["detail"], want[0]) || !strings.Contains(got["retry"], want[1]) || (want[1] == "") != (got["retry"] == "") {
				t.Errorf("got %s", body)
			}
			if open := status == approval.Pending || status == approval.Approved || status == "perhaps"; status != "perhaps" && open != (got["expires_at"] == "2026-11-24T10:00:00Z") {
				t.Errorf("expires_at is %q", got["expires_at"])
			}
		})
	}
}

func TestNobodyElseHearsOfAnApproval(t *testing.T) {
	t.Parallel()

	another := asked
	another.Principal = "eve@laptop"
	older := asked
	older.Principal = ""
	for name, c := range map[string]struct {
		row    wire.Approval
		method string
		to     string
		auth   string // %s is the token
		want   int
		says   string
	}{
		"no token":                     {row: asked, want: 401, says: "TAMEFLARE_RUN_TOKEN"},
		"another token":                {row: asked, auth: "Bearer tfr_tameflare000000000000000000000000000", want: 401, says: "TAMEFLARE_RUN_TOKEN"},
		"half of the token":            {row: asked, auth: "Bearer %.20s", want: 401},
		"not as a bearer":              {row: asked, auth: "Basic %s", want: 401},
		"no token at the dashboard":    {row: asked, to: "https://dash.example/approvals/apr_1", want: 401, says: "TAMEFLARE_RUN_TOKEN"},
		"somebody else's approval":     {row: another, auth: "Bearer %s", want: 404},
		"nobody says whose it is":      {row: older, auth: "Bearer %s", want: 404},
		"no such approval":             {row: asked, to: "http://tameflare.invalid/approvals/apr_2", auth: "Bearer %s", want: 404},
		"something else there":         {row: asked, to: "http://tameflare.invalid/", auth: "Bearer %s", want: 404},
		"below the approval":           {row: asked, to: "http://tameflare.invalid/approvals/apr_1/decide", auth: "Bearer %s", want: 404},
		"an ID of odd bytes":           {row: asked, to: "http://tameflare.invalid/approvals/apr_%00", auth: "Bearer %s", want: 404},
		"a decision":                   {row: asked, method: "POST", auth: "Bearer %s", want: 404},
		"a wait that is none":          {row: asked, to: "http://tameflare.invalid/approvals/apr_1?wait=soon", auth: "Bearer %s", want: 400},
		"a decision at the dashboard":  {row: asked, method: "POST", to: "https://dash.example/approvals/apr_1", auth: "Bearer %s", want: 403, says: "denied"},
		"another page there":           {row: asked, to: "https://dash.example/settings", auth: "Bearer %s", want: 403, says: "denied"},
		"another port there":           {row: asked, to: "https://dash.example:8443/approvals/apr_1", auth: "Bearer %s", want: 403},
		"by http":                      {row: asked, to: "http://dash.example/approvals/apr_1", auth: "Bearer %s", want: 403},
		"the path at another host":     {row: asked, to: "https://" + host + "/approvals/apr_1", auth: "Bearer %s", want: 403, says: "asks about its approvals"},
		"a name below the special one": {row: asked, to: "http://x.tameflare.invalid/approvals/apr_1", auth: "Bearer %s", want: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, token := newAsker(t, row(c.row))
			method, to := c.method, c.to
			if method == "" {
				method = "GET"
			}
			if to == "" {
				to = "http://tameflare.invalid/approvals/apr_1"
			}
			res, body := g.ask(g.client(false), method, to, "", func(r *http.Request) {
				switch {
				case strings.Contains(c.auth, "%.20s"):
					r.Header.Set("Authorization", strings.ReplaceAll(c.auth, "%.20s", token[:20]))
				case c.auth != "":
					r.Header.Set("Authorization", strings.ReplaceAll(c.auth, "%s", token))
				}
			})
			if res.StatusCode != c.want || !strings.Contains(body, c.says) || strings.Contains(body, "Friday") || strings.Contains(body, token) {
				t.Errorf("%s %s", res.Status, body)
			}
			if challenge := res.Header.Get("Www-Authenticate"); (c.want == 401) != strings.HasPrefix(challenge, "Bearer") || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("header %v", res.Header)
			}
			if seen, _ := g.upstream.seen(); len(seen) > 0 {
				t.Errorf("upstream got %v", seen)
			}
		})
	}
}

// Of two that are nobody's one does not belong to the other.
func TestWhoeverIsNobodyHearsOfNothing(t *testing.T) {
	t.Parallel()

	nobodys := asked
	nobodys.Principal = ""
	g, token := newAsker(t, row(nobodys), func(_ *rig, _ *wire.Snapshot, run *proxy.Run) { run.Principal = "" })
	if res, body := g.ask(g.client(false), "GET", asked.URL, "", header("Authorization", "Bearer "+token)); res.StatusCode != http.StatusNotFound {
		t.Errorf("%s %s", res.Status, body)
	}
}

// Wherever the token of the run goes but to the gateway itself, it is stopped,
// and somebody hears of it.
func TestTheTokenOfTheRunGoesNowhere(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		to   string
		edit func(r *http.Request, token string)
		body string
	}{
		"to a service":                {edit: func(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }},
		"in a header of its own":      {edit: func(r *http.Request, token string) { r.Header.Set("X-Note", token) }},
		"in a path":                   {edit: func(r *http.Request, token string) { r.URL.Path = "/" + token }},
		"in the user agent":           {edit: func(r *http.Request, token string) { r.Header.Set("User-Agent", token) }},
		"in a query":                  {edit: func(r *http.Request, token string) { r.URL.RawQuery = "q=" + token }},
		"to a host that nobody knows": {to: "https://elsewhere.example/", edit: func(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }},
		"to the dashboard's API":      {to: "https://dash.example/api/v1/approvals", edit: func(r *http.Request, token string) { r.Header.Set("Authorization", "Bearer "+token) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, token := newAsker(t, nil)
			to := c.to
			if to == "" {
				to = "https://" + host + "/"
			}
			res, body := g.ask(g.client(false), "GET", to, "", func(r *http.Request) { c.edit(r, token) })
			if res.StatusCode != 403 || strings.Contains(body, token) {
				t.Errorf("%s %s", res.Status, body)
			}
			if e := g.spool.settled(t, 1)[0]; e.Alert != audit.DummyElsewhere || strings.Contains(string(e.Bytes()), token) {
				t.Errorf("on record: %s", e.Bytes())
			}
		})
	}
	t.Run("in a body that is held", func(t *testing.T) {
		t.Parallel()
		g, token := newAsker(t, nil)
		res, body := g.ask(g.client(false), "POST", "https://"+host+"/", "key="+token, func(*http.Request) {})
		if res.StatusCode != 403 || !strings.Contains(body, "asks about its approvals") {
			t.Errorf("%s %s", res.Status, body)
		}
		if len(g.desk.asked) > 0 {
			t.Error("somebody was asked")
		}
	})
}

func TestAProcessMayWaitForTheAnswer(t *testing.T) {
	t.Parallel()

	waits := make(chan time.Duration, 8)
	decided := make(chan struct{})
	pending := asked
	pending.Status = approval.Pending
	g, token := newAsker(t, func(ctx context.Context, _ string, wait time.Duration) (wire.Approval, error) {
		if wait == 0 {
			return pending, nil
		}
		waits <- wait
		select {
		case <-ctx.Done():
			return wire.Approval{}, ctx.Err()
		case <-decided:
			return asked, nil
		}
	})
	answer := make(chan string, 1)
	go func() {
		_, body := g.ask(g.client(false), "GET", "http://tameflare.invalid/approvals/apr_1?wait=10m", "", header("Authorization", "Bearer "+token))
		answer <- body
	}()
	if wait := <-waits; wait != time.Minute {
		t.Errorf("waits for %v, want the longest", wait)
	}
	close(decided)
	if body := <-answer; !strings.Contains(body, `"denied"`) {
		t.Errorf("got %s", body)
	}
}

func TestAProcessThatLeavesIsNotWaitedFor(t *testing.T) {
	t.Parallel()

	pending := asked
	pending.Status = approval.Pending
	waiting, gone := make(chan struct{}), make(chan struct{})
	g, token := newAsker(t, func(ctx context.Context, _ string, wait time.Duration) (wire.Approval, error) {
		if wait == 0 {
			return pending, nil
		}
		close(waiting)
		<-ctx.Done()
		close(gone)
		return wire.Approval{}, ctx.Err()
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() { <-waiting; leave() }()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://tameflare.invalid/approvals/apr_1?wait=60s", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if res, err := g.client(false).Do(r); err == nil {
		t.Errorf("answered %s", res.Status)
	}
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Fatal("it is still waited for")
	}
	g.end()
	if steps := g.spool.steps(); len(steps) > 0 {
		t.Errorf("on record: %v", steps)
	}
}

func TestAProcessThatAsksWithoutEndIsTold(t *testing.T) {
	t.Parallel()

	g, token := newAsker(t, row(asked))
	c := g.client(false)
	for i := range 200 { // a slow machine earns some more in between
		res, body := g.ask(c, "GET", "http://tameflare.invalid/approvals/apr_1", "", header("Authorization", "Bearer "+token))
		if res.StatusCode == http.StatusTooManyRequests && i >= 40 {
			if res.Header.Get("Retry-After") == "" || !strings.Contains(body, "wait=60s") {
				t.Errorf("%v %s", res.Header, body)
			}
			return
		}
		if res.StatusCode != http.StatusOK {
			t.Fatalf("inquiry %d: %s %s", i+1, res.Status, body)
		}
	}
	t.Error("it is never told")
}

func TestThePendingAnswerSaysWhatToDo(t *testing.T) {
	t.Parallel()

	waits := wire.Approval{ID: "apr_7", Status: approval.Pending, ExpiresAt: ends, URL: "https://dash.example/approvals/apr_7"}
	for name, c := range map[string]struct {
		who  policy.Approvers
		says string
	}{
		"anybody":              {says: "This request needs a person's approval, and has not got it yet."},
		"several of a role":    {who: policy.Approvers{Count: 2, Role: "admin"}, says: "the approval of 2 admins"},
		"of a group":           {who: policy.Approvers{Group: "release", Count: 3}, says: "the approval of 3 people of release"},
		"not the one who asks": {who: policy.Approvers{NotSelf: true}, says: "other than whoever enrolled the gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), func(g *rig, s *wire.Snapshot, _ *proxy.Run) {
				for i := range s.Rules {
					if s.Rules[i].Effect == policy.RequireApproval {
						s.Rules[i].Approvers = c.who
					}
				}
				g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) { return waits, nil }
			})
			res, body := g.do(g.client(false), "POST", "https://"+host+"/", "x")
			var got map[string]any
			if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != 503 || res.Header.Get("Retry-After") != "10" {
				t.Fatalf("%s %v %s", res.Status, res.Header, body)
			}
			for field, want := range map[string]string{
				"code": "approval_pending", "approval_id": "apr_7", "approval_url": waits.URL, "expires_at": "2026-11-24T10:00:00Z",
				"status_url": "http://tameflare.invalid/approvals/apr_7",
			} {
				if got[field] != want {
					t.Errorf("%s is %v, want %s", field, got[field], want)
				}
			}
			detail, _ := got["detail"].(string)
			suggestion, _ := got["suggestion"].(string)
			if !strings.Contains(detail, c.says) || !strings.Contains(detail, waits.URL) {
				t.Errorf("detail %q", detail)
			}
			for _, part := range []string{"exactly the same request", "without changing a byte", "before 2026-11-24T10:00:00Z", "http://tameflare.invalid/approvals/apr_7?wait=60s", "TAMEFLARE_RUN_TOKEN"} {
				if !strings.Contains(suggestion, part) {
					t.Errorf("suggestion %q: want %q in it", suggestion, part)
				}
			}
		})
	}
}

func TestARefusalSaysWhoAndWhy(t *testing.T) {
	t.Parallel()

	for _, status := range []approval.Status{approval.Denied, approval.Cancelled} {
		g := newRig(t, http.HandlerFunc(echo), settle(status))
		_, body := g.do(g.client(false), "POST", "https://"+host+"/", "x")
		var got map[string]any
		if err := json.Unmarshal([]byte(body), &got); err != nil || got["decider"] != "Ana" || got["reason"] != "Not on a Friday." || got["expires_at"] != nil {
			t.Errorf("%s: %v %s", status, err, body)
		}
	}
}
