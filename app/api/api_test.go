package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

func TestWhatIsWrongIsSaidInASentence(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", maxBody)
	for name, c := range map[string]struct {
		method, path, body string
		typ                string
		status             int
		says               string
	}{
		"an unknown field":            {"POST", "/kills", `{"gatway":"one"}`, "", 422, `There is no field "gatway" here.`},
		"a field of the wrong type":   {"POST", "/kills", `{"reason":5}`, "", 422, "The field reason cannot be a number."},
		"no JSON":                     {"POST", "/kills", `{`, "", 422, "The body is not the JSON that belongs here."},
		"more than one JSON":          {"POST", "/kills", `{} {}`, "", 422, "There is something after the end of the JSON."},
		"an empty body":               {"POST", "/kills", ` `, "", 422, "The body is not the JSON that belongs here."},
		"a form":                      {"POST", "/kills", `reason=x`, "application/x-www-form-urlencoded", 415, "Send this as application/json."},
		"too much":                    {"POST", "/kills", `{"reason":"` + long + `"}`, "", 413, "This is too large."},
		"an unknown parameter":        {"GET", "/requests?hots=x", "", "", 422, "There is no parameter hots here."},
		"a parameter twice":           {"GET", "/requests?host=a&host=b", "", "", 422, "The parameter host is there twice."},
		"a query that is none":        {"GET", "/requests?host=%zz", "", "", 422, "The query cannot be read."},
		"a bad decision filter":       {"GET", "/requests?decision=maybe", "", "", 422, "A decision is allow, deny or require_approval."},
		"a bad alert filter":          {"GET", "/requests?alert=maybe", "", "", 422, "An alert is any, foreign_key"},
		"a bad time":                  {"GET", "/requests?since=yesterday", "", "", 422, "A time is like 2026-11-23T14:00:00Z, or how long ago, like 15m."},
		"a time before all":           {"GET", "/requests?since=0000-01-01T00:00:00Z", "", "", 422, "A time is like"},
		"a time after all":            {"GET", "/requests?until=9999-12-31T23:59:59-01:00", "", "", 422, "A time is like"},
		"a bad limit":                 {"GET", "/approvals?limit=0", "", "", 422, "A limit is a number from 1 to 500."},
		"a bad cursor":                {"GET", "/approvals?cursor=!", "", "", 422, "This page's address is not complete. Go back to the first page."},
		"a bad status":                {"GET", "/approvals?status=open", "", "", 422, "A status is pending, approved, denied, expired, cancelled, executed or unused."},
		"a bad risk":                  {"GET", "/approvals?risk=some", "", "", 422, "A risk is low, medium, high or critical."},
		"a bad channel":               {"GET", "/approvals?channel=fax", "", "", 422, "A channel is dashboard, cli, api, slack, email or inbound."},
		"news after nothing":          {"GET", "/approvals/events?after=-1", "", "", 422, "The parameter after is what the last answer had as after."},
		"news of too long":            {"GET", "/approvals/events?wait=61s", "", "", 422, "The parameter wait is at most 60s."},
		"a while that is none":        {"POST", "/approvals/apr_1/decision", `{"verdict":"approve","for":"soon"}`, "", 422, "For how long an approval counts is like 15m or 2h, and at most 8h."},
		"a while in the past":         {"POST", "/approvals/apr_1/decision", `{"verdict":"approve","for":"-1m"}`, "", 422, "For how long"},
		"too long a while":            {"POST", "/approvals/apr_1/decision", `{"verdict":"approve","for":"9h"}`, "", 422, "For how long"},
		"a denial for a while":        {"POST", "/approvals/apr_1/decision", `{"verdict":"deny","for":"5m"}`, "", 422, "Only an approval can count for a while."},
		"several without verdict":     {"POST", "/approvals/decisions", `{"ids":["apr_1"]}`, "", 422, "A verdict is approve or deny."},
		"no verdict":                  {"POST", "/approvals/apr_1/decision", `{}`, "", 422, "A verdict is approve or deny."},
		"a bad enforcement":           {"POST", "/gateways", `{"name":"x","enforcement":"some"}`, "", 422, "An enforcement level is monitor, soft_enforce or full_enforce."},
		"a bad name":                  {"POST", "/gateways", `{"name":"A b"}`, "", 422, "A name is 1 to 63 of a-z, 0-9, dot, dash and underscore, and begins and ends with a letter or digit."},
		"a kill of no gateway":        {"POST", "/kills", `{"gateway":"two"}`, "", 404, "There is no gateway two. Nothing was stopped."},
		"a login of no kind":          {"POST", "/logins", `{"kind":"x"}`, "", 422, "The kind of a login is loopback or device."},
		"a login without redirect":    {"POST", "/logins", `{"kind":"loopback"}`, "", 422, "The login's answer may go to http://127.0.0.1:PORT or http://[::1]:PORT only."},
		"a device with a challenge":   {"POST", "/logins", `{"kind":"device","challenge":"x"}`, "", 422, "A device's login has no redirect_uri, state or challenge."},
		"a token for nothing":         {"POST", "/logins/token", `{}`, "", 422, "Send code, verifier and redirect_uri, or device_code."},
		"a token for a spent code":    {"POST", "/logins/token", `{"code":"old","verifier":"v"}`, "", 401, "This sign-in has been used, or is too old. Run tameflare login again."},
		"a document that is not YAML": {"POST", "/configuration", `{"file":"my.yaml","document":"version: 1\ngatways: []\n"}`, "", 422, `my.yaml:2:1: gatways: unknown key`},
		"a flag that is none":         {"POST", "/configuration?prune=perhaps", `{"document":""}`, "", 422, "The parameter prune is true or false."},
		"nothing of ours":             {"GET", "/nothing", "", "", 404, "There is nothing here. Is the command line newer than the server?"},
		"the wrong method":            {"PUT", "/kills", "", "", 405, "This cannot be called with PUT."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h, server := open(t)
			status, _, p := say(t, server, "owner", c.method, c.path, c.body, func(r *http.Request) {
				if c.typ != "" {
					r.Header.Set("Content-Type", c.typ)
				}
			})
			if status != c.status || !strings.HasPrefix(p.Detail, c.says) {
				t.Errorf("status %d %q, want %d %q", status, p.Detail, c.status, c.says)
			}
			if h.applied != nil {
				t.Error("something was applied")
			}
		})
	}
}

func TestTheSecondDeciderSeesWhoWasFirst(t *testing.T) {
	t.Parallel()

	h, server := open(t)
	status, body, _ := say(t, server, "member", "POST", "/approvals/apr_1/decision", `{"verdict":"approve","reason":"ok"}`, func(r *http.Request) {
		r.Header.Set("User-Agent", "tameflare-cli/v1")
	})
	var a rest.Approval
	if err := json.Unmarshal(body, &a); err != nil || status != 200 || a.Status != approval.Approved || a.Note != "ok" || a.Page != "https://flare.test/approvals/apr_1" {
		t.Fatalf("status %d: %s (%v)", status, body, err)
	}
	if h.decided != approval.CLI {
		t.Errorf("channel %q, want cli", h.decided)
	}
	status, _, p := say(t, server, "admin", "POST", "/approvals/apr_1/decision", `{"verdict":"deny"}`)
	if status != 409 || p.Detail != "Already approved by ben." || p.Approval == nil || p.Approval.Decider != "ben" {
		t.Errorf("status %d %+v, want 409 with the approval", status, p)
	}
}

func TestADeciderHearsThatTheKillSwitchIsOn(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	status, _, p := say(t, server, "member", "POST", "/approvals/apr_1/decision", `{"verdict":"approve","reason":"while killed"}`)
	if status != 403 || p.Code != "kill_switch" || p.Detail != "The kill switch is on." {
		t.Errorf("status %d %q %q, want 403 kill_switch", status, p.Code, p.Detail)
	}
}

func TestADeviceHearsHowItsLoginIs(t *testing.T) {
	t.Parallel()

	for want, err := range map[string]error{
		rest.AuthorizationPending: accounts.Pending, rest.SlowDown: accounts.SlowDown, rest.AccessDenied: accounts.Denied, rest.ExpiredToken: accounts.ExpiredToken,
		"internal": errors.New("disk on fire"),
	} {
		h, server := open(t)
		h.poll = err
		status, body, p := say(t, server, "", "POST", "/logins/token", `{"device_code":"d"}`)
		if p.Code != want || want != "internal" && status != 400 {
			t.Errorf("status %d %q, want %q", status, p.Code, want)
		}
		if strings.Contains(string(body), "fire") || strings.Contains(string(body), "tfc_") {
			t.Errorf("says too much: %s", body)
		}
	}
}

func TestLogoutRevokesItsOwnToken(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	if status, body, _ := say(t, server, "member", "DELETE", "/tokens/current", ""); status != 204 || len(body) != 0 {
		t.Fatalf("status %d %s, want 204", status, body)
	}
	if status, _, p := say(t, server, "member", "GET", "/me", ""); status != 401 || !strings.Contains(p.Detail, "revoked") {
		t.Errorf("status %d %q afterwards, want 401", status, p.Detail)
	}
}

func TestStrangersAreSlowedDown(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	for i := range burst {
		if status, _, _ := say(t, server, "rubbish", "GET", "/me", ""); status != 401 {
			t.Fatalf("call %d: status %d, want 401", i, status)
		}
	}
	if status, _, _ := say(t, server, "rubbish", "GET", "/me", ""); status != 429 {
		t.Errorf("status %d, want 429", status)
	}
	if status, _, _ := say(t, server, "", "POST", "/logins", `{"kind":"device"}`); status != 429 {
		t.Errorf("a login: status %d, want 429", status)
	}
	if status, _, _ := say(t, server, "viewer", "GET", "/me", ""); status != 200 {
		t.Errorf("with a good token: status %d, want 200", status)
	}
}

func TestApplyHandsOnDocumentSecretsAndFlags(t *testing.T) {
	t.Parallel()

	h, server := open(t)
	doc, err := json.Marshal(rest.Configuration{Document: "version: 1\ngateways:\n  - {name: two}\n", Secrets: map[string]string{"bot": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	status, body, _ := say(t, server, "admin", "POST", "/configuration?dry_run=true&prune", string(doc))
	var got rest.Changes
	if err := json.Unmarshal(body, &got); err != nil || status != 200 || !got.DryRun || len(got.Changes) == 0 || got.Changes[0].Path != "gateways/two" || got.Changes[0].Op != "create" {
		t.Errorf("status %d: %s (%v)", status, body, err)
	}
	if secret := h.applied["bot"]; secret.Reveal() != "s3cret" || !h.dryRun || !h.prune {
		t.Errorf("applied %v, dry run %v, prune %v", h.applied, h.dryRun, h.prune)
	}
	if strings.Contains(string(body), "s3cret") {
		t.Error("the answer has the secret")
	}
}

func TestRequestsAreStreamedAsTheyComeAndChange(t *testing.T) {
	t.Parallel()

	h, server := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+rest.Prefix+"/requests/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer viewer")
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if typ := res.Header.Get("Content-Type"); typ != "text/event-stream" {
		t.Fatalf("type %q", typ)
	}
	events := make(chan rest.Request)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var r rest.Request
				if err := json.Unmarshal([]byte(data), &r); err != nil {
					t.Error(err)
				}
				events <- r
			}
		}
	}()
	put := func(rs ...audit.Request) {
		h.mu.Lock()
		h.requests = rs
		h.mu.Unlock()
		h.bus.Publish(ctx, bus.Traffic(ours))
	}
	next := func() rest.Request {
		select {
		case r := <-events:
			return r
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came")
			return rest.Request{}
		}
	}
	one := audit.Request{ID: "req_1", Seq: 1, Scheme: "https", Host: "api.github.com", Path: "/user", Query: "a=b", Step: audit.Intent}
	put(one)
	if r := next(); r.ID != "req_1" || r.Step != "intent" || r.URL != "https://api.github.com/user?a=b" {
		t.Errorf("got %+v", r)
	}
	done := one
	done.Seq, done.Step, done.Status = 3, audit.Outcome, 200
	put(audit.Request{ID: "req_2", Seq: 2}, done)
	if r := next(); r.ID != "req_1" || r.Status != 200 {
		t.Errorf("got %+v, want the outcome of the first", r)
	}
	if r := next(); r.ID != "req_2" {
		t.Errorf("got %+v, want the second", r)
	}
	if err := h.RevokeToken(ctx, team.Viewer{}, "tok_viewer"); err != nil {
		t.Fatal(err)
	}
	select {
	case r, more := <-events:
		if more {
			t.Errorf("got %+v after the token was revoked", r)
		}
	case <-time.After(3 * bus.Interval):
		t.Error("the stream goes on with a revoked token")
	}
}
