package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

// told makes a call that works and decodes what it answers.
func told[Out any](t *testing.T, do func() (int, []byte, rest.Problem)) Out {
	t.Helper()
	var out Out
	status, body, _ := do()
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusOK {
		t.Fatalf("status %d: %s (%v)", status, body, err)
	}
	return out
}

func TestApprovalsAreFilteredByAllThatTheQuerySays(t *testing.T) {
	t.Parallel()

	want := approval.Filter{
		Status: []approval.Status{approval.Pending, approval.Denied}, GatewayID: "gw_1", Connector: "github", Action: "github.pr.*", Risk: "high",
		Channel: "slack", Decider: "ben", Text: "acme",
	}
	const query = "?status=pending&status=denied&gateway=one&connector=github&action=github.pr.*&risk=high&channel=slack&decider=ben&text=acme"
	for _, path := range []string{"/approvals", "/approvals/events"} {
		h, server := open(t)
		if status, body, _ := say(t, server, "viewer", "GET", path+query, ""); status != 200 {
			t.Errorf("%s: status %d: %s", path, status, body)
		}
		if diff := cmp.Diff(want, h.chosen); diff != "" {
			t.Errorf("%s: filter (-want +got)\n%s", path, diff)
		}
	}
}

func TestAnApprovalIsShownWithItsTermsAndHistory(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	a := told[rest.Approval](t, func() (int, []byte, rest.Problem) { return say(t, server, "viewer", "GET", "/approvals/apr_1", "") })
	if a.NeedsRole != "admin" || a.NeedsGroup != "release" || !a.NotSelf || !a.StepUp || a.Repeatable || a.Needs != 1 || !strings.Contains(a.Needed, "in release") {
		t.Errorf("terms: %+v", a)
	}
	if a.Seq != 1 || a.Connector != "github" || a.BodyType != "application/json" || a.BodyCoding != "gzip" {
		t.Errorf("request: %+v", a)
	}
	h := a.History
	if h == nil || h.Asked != 4 || h.Approved != 3 || h.Denied != 1 || h.Suggest != 3 || len(h.Last) != 1 || h.Last[0].LatencyMS != 1500 || h.Last[0].History != nil {
		t.Errorf("history: %+v", h)
	}
}

func TestOnlyWhoDecidesReadsABodyAndItIsExact(t *testing.T) {
	t.Parallel()

	h, server := open(t)
	if status, _, _ := say(t, server, "viewer", "GET", "/approvals/apr_1/body", ""); status != 403 || len(h.viewed) != 0 {
		t.Errorf("status %d, want 403; read by %q", status, h.viewed)
	}
	b := told[rest.Body](t, func() (int, []byte, rest.Problem) {
		return say(t, server, "member", "GET", "/approvals/apr_1/body", "")
	})
	want := rest.Body{Bytes: []byte("\x1f\x8b\x00 not masked"), Type: "application/json", Coding: "gzip", Size: 300, Digest: "d1"}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"member apr_1"}, h.viewed); diff != "" {
		t.Errorf("read by (-want +got)\n%s", diff)
	}
}

func TestAnApprovalCanCountForAWhile(t *testing.T) {
	t.Parallel()

	h, server := open(t)
	if status, body, _ := say(t, server, "member", "POST", "/approvals/apr_1/decision", `{"verdict":"approve","reason":"ok","for":"15m"}`); status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	if want := (approval.Decision{Verdict: approval.Grant, Note: "ok", Channel: approval.API, For: 15 * time.Minute}); h.choice != want {
		t.Errorf("decided %+v, want %+v", h.choice, want)
	}
	if status, _, _ := say(t, server, "viewer", "POST", "/approvals/apr_1/repeat/end", `{}`); status != 403 {
		t.Errorf("a viewer ends it: status %d, want 403", status)
	}
}

func TestOfSeveralEachSaysWhatBecameOfIt(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	list := told[rest.List[rest.Outcome]](t, func() (int, []byte, rest.Problem) {
		return say(t, server, "member", "POST", "/approvals/decisions", `{"ids":["apr_1","apr_1","apr_9"],"verdict":"deny","reason":"no"}`)
	})
	if len(list.Items) != 3 {
		t.Fatalf("%d outcomes, want 3: %+v", len(list.Items), list)
	}
	if o := list.Items[0]; o.ID != "apr_1" || o.Problem != nil || o.Approval == nil || o.Approval.Status != approval.Denied {
		t.Errorf("first: %+v, want denied", o)
	}
	if o := list.Items[1]; o.Problem == nil || o.Problem.Status != 409 || o.Problem.Code != "conflict" || o.Approval == nil || o.Approval.Decider != "ben" {
		t.Errorf("second: %+v, want 409 with the approval", o)
	}
	if o := list.Items[2]; o.ID != "apr_9" || o.Problem == nil || o.Problem.Status != 404 || o.Approval != nil {
		t.Errorf("third: %+v, want 404", o)
	}
	ids := strings.Repeat(`"apr_1",`, 20) + `"apr_1"`
	if status, _, p := say(t, server, "member", "POST", "/approvals/decisions", `{"ids":[`+ids+`],"verdict":"deny"}`); status != 422 || p.Detail != "At most 20 requests are decided at once." {
		t.Errorf("status %d %q, want 422", status, p.Detail)
	}
}

func TestNewsGoOnFromAPlace(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	news := told[rest.News](t, func() (int, []byte, rest.Problem) { return say(t, server, "viewer", "GET", "/approvals/events", "") })
	if news.After != 7 || len(news.Items) != 0 || news.Items == nil {
		t.Errorf("at first: %+v, want the newest place and an empty list", news)
	}
	news = told[rest.News](t, func() (int, []byte, rest.Problem) {
		return say(t, server, "viewer", "GET", "/approvals/events?after=7&wait=1s", "")
	})
	if news.After != 8 || len(news.Items) != 1 || news.Items[0].ID != "apr_1" {
		t.Errorf("after it: %+v, want one approval and place 8", news)
	}
}

func TestNewsDoNotGoToATokenThatEndedMeanwhile(t *testing.T) {
	t.Parallel()

	h, server := open(t)
	h.during = func() {
		if err := h.RevokeToken(t.Context(), team.Viewer{}, "tok_viewer"); err != nil {
			t.Error(err)
		}
	}
	if status, body, _ := say(t, server, "viewer", "GET", "/approvals/events?after=7&wait=1s", ""); status != 401 || strings.Contains(string(body), "apr_1") {
		t.Errorf("status %d: %s; want 401 and no news", status, body)
	}
}
