package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// mild is a question about something that is easily put right.
func mild(n int) wire.Ask {
	q := question('a')
	q.Fingerprint = digestOf(fmt.Sprint("mild", n))
	q.Action = action.Action{Connector: "github", Name: "github.issue.create", Class: action.Write, Risk: action.Low, Resource: fmt.Sprintf("acme/site#%d", n), Reversible: true}
	q.Sentence = fmt.Sprintf("open an issue in acme/site#%d", n)
	return q
}

func (h *house) of(t testing.TB, id string) approval.Approval {
	t.Helper()
	a, err := h.Approvals.Get(t.Context(), h.owner.Team.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) eventTypes(t testing.TB) string {
	t.Helper()
	rows, err := h.Trail.Events(t.Context(), h.owner.Team.ID, 0, 500)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, row := range rows {
		e, err := row.Event()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

func TestACardSaysWhatWouldHappen(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	body := h.get(t, "/approvals/"+h.approval.ID)
	wantSays(t, "card", body,
		"<b>deploy-bot</b> wants to merge", "<b>acme/site#12</b>", "High risk", "Cannot be undone", "ana@laptop", "Merges need a person.",
		"PUT https://api.github.com/repos/acme/site/pulls/12/merge", "squash", "Ship it", "Never in the last 30 days", h.approval.Fingerprint,
		`value="approve"`, `value="approve-15m"`, `value="approve-8h"`, `value="deny"`, "/rule?effect=allow", "/rule?effect=deny", "/bytes",
	)
	shell := h.get(t, "/approvals")
	wantSays(t, "inbox", shell, "<title>Approvals (1) · acme · TameFlare</title>", `hx-get="/approvals/`+h.approval.ID+`/facts"`, `hx-trigger="intersect once"`)
	wantSilent(t, "inbox", shell, "Ship it")
	wantSays(t, "facts", h.get(t, "/approvals/"+h.approval.ID+"/facts"), "Ship it", "squash")

	vera := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	seen := h.do(t, visit{path: "/approvals/" + h.approval.ID, as: vera}).Body.String()
	wantSays(t, "a viewer", seen, "Who decides sees what the body says.", "Viewers do not decide")
	wantSilent(t, "a viewer", seen, "Ship it", "/bytes", "/rule")
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember)
	seen = h.do(t, visit{path: "/approvals/" + h.approval.ID, as: mia}).Body.String()
	wantSays(t, "a member", seen, "Ship it", `value="approve"`)
	wantSilent(t, "a member", seen, "/rule?")
}

func TestAPolicysLineIsOneClickAway(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	p, err := h.policy.Policy()
	if err != nil {
		t.Fatal(err)
	}
	q := question('b')
	q.RuleID = p.Key(0)
	a := h.ask(t, q)
	wantSays(t, "facts", h.get(t, "/approvals/"+a.ID+"/facts"), "A policy:", `href="/policies/`+h.policy.ID+`"`, fmt.Sprintf(`href="/policies/%s#L%d"`, h.policy.ID, p.Clauses[0].Line))
	wantSays(t, "a rule that is gone", h.get(t, "/approvals/"+h.approval.ID+"/facts"), "An access rule:", "changed since")
}

func TestWhatWasAskedBeforeIsOnTheCard(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for n := range 3 {
		a := h.ask(t, question(byte('b'+n)))
		if _, err := h.Approvals.Decide(t.Context(), h.owner, a.ID, approval.Decision{Verdict: approval.Grant, Channel: approval.CLI}); err != nil {
			t.Fatal(err)
		}
	}
	body := h.get(t, "/approvals/"+h.approval.ID)
	wantSays(t, "card", body, "3 times in the last 30 days: 3 approved.", "Approved 3 times in a row, and never denied.", "See the rule")
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember)
	wantSilent(t, "who cannot add rules", h.do(t, visit{path: "/approvals/" + h.approval.ID, as: mia}).Body.String(), "See the rule")
}

func TestReadingExactBytesIsOnRecord(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	path := "/approvals/" + h.approval.ID + "/bytes"
	w := h.do(t, visit{path: path, as: h.owner, header: map[string]string{"HX-Request": "true"}})
	wantSays(t, "fragment", w.Body.String(), "&#34;merge_method&#34;:&#34;squash&#34;", "50 of 50 bytes", digestOf(mergeBody), "These bytes have that digest")
	wantSilent(t, "fragment", w.Body.String(), "<html")
	wantSays(t, "page", h.get(t, path), "<html", "That you looked is on record.")
	if got := strings.Count(h.eventTypes(t), "approval.body_viewed"); got != 2 {
		t.Errorf("%d readings on record, want 2", got)
	}

	q := question('b')
	q.Body = []byte("plain \x1b[31m\u202e\r\n\tend")
	q.BodyDigest, q.BodySize, q.BodyType = digestOf(string(q.Body)), int64(len(q.Body)), "text/plain"
	wantSays(t, "what hides", h.get(t, "/approvals/"+h.ask(t, q).ID+"/bytes"), "plain ⟨U+001B⟩[31m⟨U+202E⟩⟨U+000D⟩\n⟨U+0009⟩end")
	q = question('c')
	q.Body = []byte{0xff, 0, 0x41, 0x1b}
	q.BodyDigest, q.BodySize = digestOf(string(q.Body)), 4
	a := h.ask(t, q)
	wantSays(t, "binary", h.get(t, "/approvals/"+a.ID+"/bytes"), "00000000  ff 00 41 1b", "|..A.|")
	h.post(t, "/approvals/"+a.ID+"/decision", "choice", "deny")
	if w := h.do(t, visit{path: "/approvals/" + a.ID + "/bytes", as: h.owner}); w.Code != http.StatusNotFound {
		t.Errorf("after the end: %d, want 404", w.Code)
	}
	wantSays(t, "after the end", h.get(t, "/approvals/"+a.ID), "The body was kept until this was over, and not longer.")
}

func TestHowABodyIsSpelled(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		bytes []byte
		whole bool
		text  bool
	}{
		"text": {[]byte("é\n"), true, true}, "cut in a character": {[]byte("ab\xe2\x82"), false, true}, "half a character at the end": {[]byte("ab\xe2\x82"), true, false},
		"a zero": {[]byte("a\x00"), true, false}, "no text": {[]byte{0xff, 0xfe, 0xfd, 0xfc}, false, false}, "an escape": {[]byte("a\x1b"), true, true},
	} {
		if got := isText(c.bytes, c.whole); got != c.text {
			t.Errorf("%s: text %v, want %v", what, got, c.text)
		}
	}
}

func TestApprovingForAWhile(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	path := "/approvals/" + h.approval.ID
	if w := h.post(t, path+"/decision", "choice", "approve-1h"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	a := h.of(t, h.approval.ID)
	if left := time.Until(a.RepeatUntil); left < 59*time.Minute || left > time.Hour {
		t.Fatalf("it counts for %v", left)
	}
	wantSays(t, "inbox", h.get(t, "/approvals"), "The same request is approved until", `action="`+path+`/repeat/end"`)
	vera := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	wantSilent(t, "a viewer", h.do(t, visit{path: "/approvals", as: vera}).Body.String(), "/repeat/end")
	if w := h.post(t, path+"/repeat/end"); w.Code != http.StatusSeeOther {
		t.Errorf("end: %d", w.Code)
	}
	wantSilent(t, "inbox after", h.get(t, "/approvals"), "The same request is approved until")
	if w := h.post(t, path+"/repeat/end"); w.Code != http.StatusConflict {
		t.Errorf("ended again: %d, want 409", w.Code)
	}

	critical := question('b')
	critical.Action.Risk = action.Critical
	c := h.ask(t, critical)
	wantSilent(t, "critical", h.get(t, "/approvals/"+c.ID), `value="approve-15m"`)
	w := h.post(t, "/approvals/"+c.ID+"/decision", "choice", "approve-15m")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("critical for a while: %d, want 422", w.Code)
	}
	wantSays(t, "critical", w.Body.String(), "Approve it once.", `data-state="pending"`)
}

func TestWhoCannotApproveReadsWhy(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	q := question('b')
	q.Approvers = policy.Approvers{Role: "owner"}
	a := h.ask(t, q)
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleMember)
	for _, path := range []string{"/approvals", "/approvals/" + a.ID} {
		body := h.do(t, visit{path: path, as: mia}).Body.String()
		_, card, _ := strings.Cut(body, `id="approval-`+a.ID)
		card, _, _ = strings.Cut(card, "</article>")
		wantSays(t, path, card, "This request needs an owner. You can deny it, and not approve it.", `value="deny"`)
		wantSilent(t, path, card, `value="approve"`, "approve-15m")
	}
	w := h.do(t, visit{method: "POST", path: "/approvals/" + a.ID + "/decision", as: mia, form: form("choice", "approve"), header: map[string]string{"HX-Request": "true"}})
	if w.Code != http.StatusForbidden {
		t.Errorf("approved all the same: %d, want 403", w.Code)
	}
	wantSays(t, "approved all the same", w.Body.String(), `data-state="pending"`, "This request needs an owner.")
	if w := h.do(t, visit{method: "POST", path: "/approvals/" + a.ID + "/decision", as: mia, form: form("choice", "deny")}); w.Code != http.StatusSeeOther {
		t.Errorf("a denial: %d, want 303", w.Code)
	}
}

// confirmable is an owner with a password.
func (h *house) confirmable(t testing.TB) team.Viewer {
	t.Helper()
	u, err := empty(t).accounts.Register(t.Context(), accounts.Registration{Email: "ida@example.org", Name: "Ida", Password: "correct horse battery", Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.InsertUser(t.Context(), u, h.owner.Team.ID, team.RoleOwner, u.CreatedAt, audit.Event{Time: u.CreatedAt, Type: "user.added"}); err != nil {
		t.Fatal(err)
	}
	return team.Viewer{User: u, Team: h.owner.Team, Role: team.RoleOwner}
}

func TestAnApprovalMayWantAPassword(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	ida := h.confirmable(t)
	q := question('b')
	q.Approvers = policy.Approvers{StepUp: true}
	a := h.ask(t, q)
	id, err := h.accounts.StartLinkedSession(t.Context(), ida.User.ID, "test", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cookie := id.Reveal()
	path := "/approvals/" + a.ID
	send := func(fields ...string) (int, string) {
		w := h.do(t, visit{method: "POST", path: path + "/decision", cookie: cookie, form: form(fields...)})
		return w.Code, w.Body.String()
	}
	wantSays(t, "card", h.do(t, visit{path: path, cookie: cookie}).Body.String(), "Confirm that it is you", `name="password"`, `value="approve"`)
	if code, body := send("choice", ""); code != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose to approve") {
		t.Errorf("the Enter key: %d", code)
	}
	if code, body := send("choice", "approve"); code != http.StatusForbidden || !strings.Contains(body, "Confirm that it is you") {
		t.Errorf("without it: %d\n%s", code, body)
	}
	if code, body := send("choice", "approve", "password", "wrong"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "The password is not right.") {
		t.Errorf("a wrong one: %d\n%s", code, body)
	}
	if got := h.of(t, a.ID); got.Status != approval.Pending {
		t.Fatalf("it is %s", got.Status)
	}
	if code, body := send("choice", "approve", "password", "correct horse battery"); code != http.StatusSeeOther {
		t.Fatalf("the right one: %d\n%s", code, body)
	}
	if got := h.of(t, a.ID); got.Status != approval.Approved || got.DeciderName != "Ida" {
		t.Errorf("%s by %s", got.Status, got.DeciderName)
	}
	q.Fingerprint = digestOf("another")
	wantSilent(t, "the next one", h.do(t, visit{path: "/approvals/" + h.ask(t, q).ID, cookie: cookie}).Body.String(), `name="password"`)
}

func TestARuleIsAddedWithItsApproval(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	a := h.ask(t, mild(1))
	path := "/approvals/" + a.ID + "/rule"
	wantSays(t, "allow", h.get(t, path+"?effect=allow"), "Add the rule and approve", "github.issue.create where resource=acme/site#1 → allow", "this resource alone")
	if w := h.post(t, path, "effect", "allow", "reason", "each week"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if a := h.of(t, a.ID); a.Status != approval.Approved || a.Note != "each week" {
		t.Errorf("%s, %q", a.Status, a.Note)
	}
	if rules := h.rules(t); !strings.Contains(rules, "github.issue.create where resource=acme/site#1 → allow") || !strings.Contains(rules, "github.pr.merge → require_approval") {
		t.Errorf("rules: %s", rules)
	}
	types := h.eventTypes(t) // the newest first
	if configured, approved := strings.Index(types, "gateway.configured"), strings.Index(types, "approval.approved"); approved > configured {
		t.Errorf("approved before the rule was there: %s", types)
	}
}

func TestNoRuleForWhoCannotApprove(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	q := question('b')
	q.Approvers = policy.Approvers{Role: "owner"}
	a := h.ask(t, q)
	mia := storetest.Member(t, h.store, h.owner, "Mia", team.RoleAdmin)
	before := h.rules(t)
	w := h.do(t, visit{method: "POST", path: "/approvals/" + a.ID + "/rule", as: mia, form: form("effect", "allow")})
	if w.Code != http.StatusForbidden {
		t.Errorf("%d, want 403", w.Code)
	}
	wantSays(t, "refusal", w.Body.String(), "This request needs an owner.")
	if after := h.rules(t); after != before {
		t.Errorf("rules became %s", after)
	}
}

func TestARuleThatWouldNotHelpLeadsToThePolicy(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	path := "/approvals/" + h.approval.ID + "/rule"
	body := h.get(t, path+"?effect=allow")
	wantSays(t, "page", body, "This rule would not end the asking.", "/policies/"+h.policy.ID+"#L", "look-at-merges")
	wantSilent(t, "page", body, "Add the rule and approve")
	if w := h.post(t, path, "effect", "allow"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("added all the same: %d", w.Code)
	}
	if a := h.of(t, h.approval.ID); a.Status != approval.Pending {
		t.Errorf("it is %s", a.Status)
	}
}

func TestDenyAndBlock(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	path := "/approvals/" + h.approval.ID + "/rule"
	wantSays(t, "deny", h.get(t, path+"?effect=deny"), "Deny and add the rule", "github.pr.merge where resource=acme/site#12 → deny", "this resource alone", "no other request of the last 30 days", "decision: deny")
	if w := h.post(t, path, "effect", "deny", "reason", "never"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if a := h.of(t, h.approval.ID); a.Status != approval.Denied || a.Note != "never" {
		t.Errorf("%s, %q", a.Status, a.Note)
	}
	if rules := h.rules(t); !strings.Contains(rules, "github.pr.merge where resource=acme/site#12 → deny") {
		t.Errorf("rules: %s", rules)
	}
	w := h.post(t, path, "effect", "deny")
	if w.Code != http.StatusConflict {
		t.Errorf("again: %d, want 409", w.Code)
	}
	wantSays(t, "again", w.Body.String(), "Already denied by", "It is there already.")
	for _, bad := range []string{"?effect=require_approval", ""} {
		if w := h.do(t, visit{path: path + bad, as: h.owner}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d, want 422", bad, w.Code)
		}
	}
}

func (h *house) rules(t testing.TB) string {
	t.Helper()
	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, c := range cs {
		for _, r := range c.Rules {
			all = append(all, ruleText(r))
		}
	}
	return strings.Join(all, "; ")
}

func TestSeveralAreDecidedTogether(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	var ids []string
	fields := []string{"choice", "approve", "reason", "a batch"}
	for n := range 3 {
		id := h.ask(t, mild(n)).ID
		ids, fields = append(ids, id), append(fields, "id", id)
	}
	inbox := h.get(t, "/approvals")
	wantSays(t, "inbox", inbox, "2 more like this", `value="`+ids[0]+`" form="several"`, "Approve each once")
	wantSilent(t, "what is of high risk", inbox, `value="`+h.approval.ID+`" form="several"`)
	ben := storetest.Member(t, h.store, h.owner, "Ben Ito", team.RoleMember)
	if _, err := h.Approvals.Decide(t.Context(), ben, ids[1], approval.Decision{Channel: approval.Slack}); err != nil {
		t.Fatal(err)
	}
	w := h.post(t, "/approvals/decisions", fields...)
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantSays(t, "outcome", w.Body.String(), "Already denied by Ben Ito.", "Not decided", "Approved", "/approvals/"+ids[2])
	for i, want := range []approval.Status{approval.Approved, approval.Denied, approval.Approved} {
		if got := h.of(t, ids[i]); got.Status != want {
			t.Errorf("%d is %s, want %s", i, got.Status, want)
		}
	}
	for what, fields := range map[string][]string{
		"none": {"choice", "deny"}, "no choice": {"id", h.approval.ID}, "for a while": {"choice", "approve-1h", "id", h.approval.ID}, "of high risk": {"choice", "approve", "id", h.approval.ID},
	} {
		if w := h.post(t, "/approvals/decisions", fields...); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", what, w.Code)
		}
	}
}

func TestTheInboxIsNarrowedAndPaged(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for n := range cardsPage + 5 {
		h.ask(t, mild(n))
	}
	body := h.get(t, "/approvals")
	wantSays(t, "first page", body, "acme/site#12", "50 shown of 56 that wait", "Next")
	wantSilent(t, "first page", body, "Oldest</a>", "acme/site#54")
	next := between(t, body, `href="`, `">Next`)
	second := h.get(t, next)
	wantSays(t, "second page", second, "6 shown of 56", "acme/site#54", "Oldest")
	wantSilent(t, "second page", second, ">Next<")
	again := between(t, second, `id="approvals" hx-get="`, `" hx-trigger="approvals`)
	wantSays(t, "second page, read again", h.get(t, again), "acme/site#54")
	wantSilent(t, "second page, read again", h.get(t, again), "approval-"+h.approval.ID)

	for query, want := range map[string]int{"risk=high": 1, "risk=low": 50, "connector=github": 50, "connector=stripe": 0, "q=%2353": 1, "gateway=" + h.gateway.ID + "&action=github.pr.merge": 1, "gateway=gw_none": 0} {
		if got := strings.Count(h.get(t, "/approvals/cards?"+query), "<article"); got != want {
			t.Errorf("%s: %d cards, want %d", query, got, want)
		}
	}
	wantSays(t, "nothing", h.get(t, "/approvals?connector=stripe"), "Nothing here waits for you", "Show all")
	for _, bad := range []string{"risk=x", "after=x"} {
		if w := h.do(t, visit{path: "/approvals?" + bad, as: h.owner}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", bad, w.Code)
		}
	}
}

func TestHistoryIsNarrowed(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for n, ch := range []approval.Channel{approval.Slack, approval.CLI} {
		a := h.ask(t, mild(n))
		if _, err := h.Approvals.Decide(t.Context(), h.owner, a.ID, approval.Decision{Verdict: approval.Grant, Channel: ch}); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int{"": 2, "?channel=slack": 1, "?q=%231": 1, "?risk=high": 0, "?status=denied": 0, "?action=github.issue.*": 2} {
		if got := strings.Count(h.get(t, "/approvals/history"+query), `class="row-link"`); got != want {
			t.Errorf("%q: %d rows, want %d", query, got, want)
		}
	}
	if w := h.do(t, visit{path: "/approvals/history?status=x", as: h.owner}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an outcome that is none: %d", w.Code)
	}
}

func TestAnOpenPageHearsWhatIsNew(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	wantSays(t, "status", h.get(t, "/status"), `data-page="/approvals/`+h.approval.ID+`"`, "deploy-bot, merge acme/site#12")
}

func TestAPermalinkWaitsForTheSignIn(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	ida := h.confirmable(t)
	path := "/approvals/" + h.approval.ID
	w := h.do(t, visit{path: path})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in?next=%2Fapprovals%2F"+h.approval.ID {
		t.Fatalf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	wantSays(t, "sign-in", h.do(t, visit{path: w.Header().Get("Location")}).Body.String(), `value="`+path+`"`)
	for next, want := range map[string]string{path: path, "https://evil.example" + path: "/", "//evil.example" + path: "/", "/\\evil.example": "/"} {
		w := h.do(t, visit{method: "POST", path: "/sign-in", form: form("email", ida.User.Email, "password", "correct horse battery", "next", next)})
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("%s: %d to %q, want %q", next, w.Code, w.Header().Get("Location"), want)
		}
	}
}
