package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// hostile is what an agent may put wherever it can write.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' autofocus onfocus=alert(1) x='`,
	`javascript:alert(1)`,
	`<div hx-get="/vault" hx-trigger="load">`,
	`" hx-get="/sign-out" hx-trigger="load" x="`,
	`</title><script>alert(1)</script>`,
	`<!--`, `]]>`, `{{7*7}}`, `${7*7}`,
	"merge \u202Egnp.exe into main",
	"new\nline\r\nSet-Cookie: a=b\x1b[31m",
	"\u200b\u2066hidden\u2069",
	`<svg/onload=alert(1)>`, `<a href="data:text/html,x">`, `<base href=//evil.example>`, `<meta http-equiv=refresh content=0>`,
	strings.Repeat("long ", 400),
}

// mayBe are the elements that pages are made of.
var mayBe = strings.Fields(`html head meta title link script body a nav img ul ol li svg use span form button header main div b h1 h2 h3 p small
	section dl dt dd input label select option table caption thead tbody tr th td time article progress details summary pre code fieldset legend
	datalist textarea aside footer rect line br hx-partial dialog kbd`)

// documented are the addresses that connectors name as documentation: the only
// pages of others that ours lead to.
var documented = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, t := range connectors.Types() {
		all[t.Docs] = true
		for _, op := range t.Operations() {
			for _, f := range op.Forms {
				all[f.Docs] = true
			}
		}
	}
	delete(all, "")
	return all
})

// wantSound fails where a page holds an element, handler or address that is not ours.
func wantSound(t *testing.T, what, body string) {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		switch z.Next() { //nolint:exhaustive // only what could do something
		case html.ErrorToken:
			return
		case html.CommentToken:
			t.Errorf("%s: a comment: %q", what, z.Token().Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			tag := z.Token()
			if !slices.Contains(mayBe, tag.Data) {
				t.Errorf("%s: an element %v", what, tag)
			}
			if tag.Data == "script" && !slices.ContainsFunc(tag.Attr, func(a html.Attribute) bool { return a.Key == "src" }) {
				t.Errorf("%s: an inline script", what)
			}
			for _, a := range tag.Attr {
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "http-equiv":
					t.Errorf("%s: attribute %s in %v", what, a.Key, tag)
				case a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "hx-get" || a.Key == "hx-post" || a.Key == "hx-sse:connect":
					if tag.Data == "a" && documented()[a.Val] && slices.Contains(tag.Attr, html.Attribute{Key: "rel", Val: "external noreferrer"}) {
						continue
					}
					if !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "?") || strings.HasPrefix(a.Val, "//") {
						t.Errorf("%s: %s leads to %q", what, a.Key, a.Val)
					}
				}
			}
		}
	}
}

func TestWhatAgentsSendStaysText(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	var ids []string
	for i, text := range hostile {
		q := question("0123456789abcdef"[i%16])
		q.Fingerprint = q.Fingerprint[:60] + string(rune('a'+i/16)) + q.Fingerprint[61:]
		q.Sentence, q.URL, q.Principal, q.Reason, q.Method, q.RunID = text, text, text, text, text, text
		q.Action.Name, q.Action.Resource, q.Action.Connector = text, text, text
		q.Action.Params, q.Action.Unknown = map[string]any{text: text}, []string{text}
		q.Action.Or = []action.Alternative{{Name: text}}
		ids = append(ids, h.ask(t, q).ID)
		h.record(t, audit.Traffic{
			Request: "req_hostile" + string(rune('a'+i)), Step: audit.Refused, Run: text, Method: text, Scheme: text, Host: text, Path: text, Query: text,
			Action: action.Action{Connector: text, Name: text, Resource: text}, Decision: "deny", By: text, Rule: text, Reason: text, Code: text, Error: text,
			UserAgent: text, Approval: "x" + text, Credential: text, Alert: text,
		})
	}
	if _, err := h.Approvals.Decide(t.Context(), h.owner, ids[0], approval.Decision{Channel: approval.Dashboard, Verdict: approval.Deny, Note: hostile[0] + hostile[1]}); err != nil {
		t.Fatal(err)
	}
	pages := []string{"/", "/overview", "/approvals", "/approvals/cards", "/approvals/history", "/traffic", "/audit", "/gateways/" + h.gateway.ID, "/status", "/kill"}
	for i, id := range ids {
		pages = append(pages, "/approvals/"+id, "/approvals/"+id+"/card", "/traffic/req_hostile"+string(rune('a'+i)))
	}
	for _, text := range hostile {
		for _, name := range []string{"q", "host", "action", "run", "method"} {
			pages = append(pages, "/traffic?"+url.Values{name: {text}}.Encode())
		}
		pages = append(pages, "/device?"+url.Values{"code": {text}}.Encode())
	}
	for _, path := range pages {
		body := h.get(t, path)
		wantSound(t, path, body)
		if !strings.Contains(path, "?") { // a field shows what its own reader has typed
			wantSilent(t, path, body, "\u202e", "\x1b", "\u2066")
		}
		if head, _, ok := strings.Cut(body, "</title>"); ok {
			wantSilent(t, path+" title", head, "alert(1)", "merge ")
		}
	}
	wantSays(t, "bidi", h.get(t, "/approvals"), "⟨U+202E⟩gnp.exe")
}

func TestEveryPageIsSound(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, h *house, rt route, q visit) {
		for _, role := range []team.Role{team.RoleOwner, team.RoleViewer, team.Nobody} {
			if q.as = (team.Viewer{}); role != team.Nobody {
				q.as = storetest.Member(t, h.store, h.owner, `Mia "<b>`, role)
			}
			if w := h.do(t, q); strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				wantSound(t, string(role), w.Body.String())
			}
		}
	})
}

func TestHidingCharactersAreSpelledOut(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain text, é 日本 🙂":        "plain text, é 日本 🙂",
		"a\u202eb":                  "a⟨U+202E⟩b",
		"a\x00b\n":                  "a⟨U+0000⟩b⟨U+000A⟩",
		"a\u200b\u00adb":            "a⟨U+200B⟩⟨U+00AD⟩b",
		"a\u3164b\u2800":            "a⟨U+3164⟩b⟨U+2800⟩",
		"\xff":                      "⟨U+FFFD⟩",
		"a\u00a0b":                  "a⟨U+00A0⟩b",
		"e\u0301\u0301\u0301\u0301": "e\u0301\u0301\u0301⟨U+0301⟩",
		"0123456789abc":             "0123456789… (3 more characters)",
	} {
		limit := 100
		if strings.HasPrefix(in, "012") {
			limit = 10
		}
		if got := views.Visible(in, limit); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTheSecondDeciderSeesWhoWasFirst(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	ben := storetest.Member(t, h.store, h.owner, "Ben Ito", team.RoleMember)
	path := "/approvals/" + h.approval.ID
	w := h.do(t, visit{method: "POST", path: path + "/decision", as: ben, form: form("choice", "approve", "reason", "looks <fine>")})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != path {
		t.Fatalf("first: %d to %q, want 303 to the card", w.Code, w.Header().Get("Location"))
	}
	wantSays(t, "card", h.get(t, path), "Approved", "Ben Ito", "looks &lt;fine&gt;")
	for name, header := range map[string]map[string]string{"a form": nil, "a script": {"HX-Request": "true"}} {
		w := h.do(t, visit{method: "POST", path: path + "/decision", as: h.owner, form: form("choice", "deny"), header: header})
		if w.Code != http.StatusConflict {
			t.Errorf("%s: %d, want 409", name, w.Code)
		}
		wantSays(t, name, w.Body.String(), "Already approved by Ben Ito.", `data-state="approved"`)
		if isPage := strings.Contains(w.Body.String(), "<html"); isPage == (header != nil) {
			t.Errorf("%s: whole page: %v", name, isPage)
		}
	}
	w = h.do(t, visit{method: "POST", path: path + "/decision", as: h.owner, form: form("choice", "maybe")})
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no choice: %d, want 422", w.Code)
	}
	wantSays(t, "no choice", w.Body.String(), "Choose to approve the request or to deny it.")
}

func TestALateDecisionSaysThatTimeIsOver(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.desk.Now = func() time.Time { return time.Now().Add(time.Hour) }
	w := h.post(t, "/approvals/"+h.approval.ID+"/decision", "choice", "approve")
	if w.Code != http.StatusGone {
		t.Errorf("%d, want 410", w.Code)
	}
	wantSays(t, "late", w.Body.String(), "Nobody answered in time.", `data-state="expired"`)
}

func TestACardDecidedElsewhereStaysInItsPlace(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	second := h.ask(t, question('b'))
	ben := storetest.Member(t, h.store, h.owner, "Ben Ito", team.RoleMember)
	if _, err := h.Approvals.Decide(t.Context(), ben, h.approval.ID, approval.Decision{Channel: approval.Slack, Verdict: approval.Deny}); err != nil {
		t.Fatal(err)
	}
	cards := h.get(t, "/approvals/cards")
	wantSays(t, "cards", cards, "by Ben Ito, slack", `data-state="denied"`, `data-state="pending"`)
	if strings.Index(cards, h.approval.ID) > strings.Index(cards, second.ID) {
		t.Error("the decided card has moved")
	}
	wantSilent(t, "page", h.get(t, "/approvals"), "approval-"+h.approval.ID)
	wantSays(t, "history", h.get(t, "/approvals/history?status=denied"), "/approvals/"+h.approval.ID, "Ben Ito")
	wantSays(t, "history of others", h.get(t, "/approvals/history?status=expired"), "Nothing matches")
}

func TestViewersSeeAndDoNotDecide(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.pull1(t)
	v := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	for path, says := range map[string]string{
		"/approvals": "Viewers do not decide", "/kill": "Viewers do not pull the kill switch", "/vault": "github-bot", "/gateways": "deploy-bot",
	} {
		body := h.do(t, visit{path: path, as: v}).Body.String()
		wantSays(t, path, body, says)
		wantSilent(t, path, body, `name="choice"`, `data-variant="danger"`, "/rotate", "/gateways/new", "/lift")
	}
}

func TestTrafficIsFilteredByItsAddress(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	var entries []audit.Traffic
	for i := range 60 {
		entries = append(entries, audit.Traffic{
			Time: time.Now().Add(-time.Duration(i) * time.Minute), Request: "req_bulk" + string(rune('a'+i/26)) + string(rune('a'+i%26)), Step: audit.Refused, Run: "run_1", Method: "DELETE",
			Host: "api.github.com", Path: "/repos/acme/legacy", Action: action.Action{Name: "github.repo.delete"}, Decision: "deny", By: "default", Status: 403,
		})
	}
	h.record(t, entries...)
	body := h.get(t, "/traffic?decision=deny")
	wantSays(t, "denied", body, "50 requests", "github.repo.delete", `<option value="deny" selected>`, "Older")
	wantSilent(t, "denied", body, "/traffic/"+h.request)
	older := between(t, body, `href="`, `">Older`)
	wantSays(t, "older", h.get(t, older), "10 requests", "Newest")
	wantSays(t, "detail", h.get(t, "/traffic/req_bulkaa?decision=deny"), `aria-selected="true"`, "Timeline", `href="/traffic?decision=deny" aria-label="Close"`)
	wantSays(t, "nothing", h.get(t, "/traffic?q=nowhere"), "No request matches")
	wantSays(t, "chips", h.get(t, "/traffic?host=api.github.com&decision=deny"), "host: api.github.com", `href="/traffic?decision=deny" title="Take this filter away"`)
	for _, bad := range []string{"decision=x", "since=x", "after=x"} {
		if w := h.do(t, visit{path: "/traffic?" + bad, as: h.owner}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", bad, w.Code)
		}
	}
}

func between(t *testing.T, body, from, to string) string {
	t.Helper()
	before, _, ok := strings.Cut(body, to)
	i := strings.LastIndex(before, from)
	if !ok || i < 0 {
		t.Fatalf("nothing between %q and %q", from, to)
	}
	return html.UnescapeString(before[i+len(from):])
}

func TestNewTrafficIsAnnounced(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	entry := audit.Traffic{Request: "req_newsaaaa", Step: audit.Refused, Method: "GET", Host: "x.example", Path: "/", Decision: "deny", By: "default"}
	seen := entry
	seen.Request, seen.Time = "req_newsseen", time.Now().Add(-time.Second)
	h.record(t, seen)
	news := between(t, h.get(t, "/traffic?decision=deny"), `id="news" hx-get="`, `" hx-trigger="traffic`)
	wantSilent(t, "before", h.get(t, news), "new request")
	allowed := entry
	allowed.Request, allowed.Decision = "req_newsbbbb", "allow"
	h.record(t, entry, allowed)
	wantSays(t, "after", h.get(t, news), "1 new request. Show it", `href="/traffic?decision=deny"`)
}

func TestTheKillSwitchIsPulledAtOnceAndLiftedWithCare(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.post(t, "/kill", "scope", "chosen")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("nothing chosen: %d, want 422", w.Code)
	}
	wantSays(t, "nothing chosen", w.Body.String(), "Choose a gateway or a connector")
	w = h.post(t, "/kill", "scope", "chosen", "gateway", "gw_none", "reason", "why")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no such gateway: %d, want 422", w.Code)
	}
	wantSays(t, "no such gateway", w.Body.String(), `value="why"`)
	if w := h.post(t, "/kill"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no scope: %d, want 422", w.Code)
	}
	if w := h.post(t, "/kill", "scope", "team", "reason", "It loops."); w.Code != http.StatusSeeOther {
		t.Fatalf("pull: %d, want 303", w.Code)
	}
	body := h.get(t, "/kill")
	wantSays(t, "page", body, "The whole team", "It loops.", h.owner.User.Name, "0 of 1 gateway confirmed", "Not confirmed")
	wantSays(t, "banner", h.get(t, "/traffic"), "Kill switch on for the whole team.")
	wantSays(t, "status", h.get(t, "/status"), "Kill switch on for the whole team.")
	wantSays(t, "approval", h.get(t, "/approvals/"+h.approval.ID), `data-state="cancelled"`)
	tm, err := h.store.Team(t.Context(), h.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.AcknowledgeSnapshot(t.Context(), h.gateway.ID, tm.Revision); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "confirmed", h.get(t, "/kill/confirmed"), "1 of 1 gateway confirmed", "Confirmed")
	lift := between(t, body, `action="`, `/lift"`) + "/lift"
	w = h.post(t, lift, "confirm", "yes")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("without the word: %d, want 422", w.Code)
	}
	wantSays(t, "without the word", w.Body.String(), "Type the word lift.")
	if w := h.post(t, lift, "confirm", "lift"); w.Code != http.StatusSeeOther {
		t.Errorf("lift: %d, want 303", w.Code)
	}
	wantSilent(t, "lifted", h.get(t, "/traffic"), "Kill switch on")
	if w := h.post(t, lift, "confirm", "lift"); w.Code != http.StatusConflict {
		t.Errorf("lifted twice: %d, want 409", w.Code)
	}
}
