package web

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/policy/packs"
	"github.com/tameflare/tameflare/domain/team"
)

// noPushes is a policy of one rule, with a test.
const noPushes = `name: no-pushes
description: Agents push nothing.
rules:
  - name: pushes
    conditions: {field: action, operator: equals, value: github.repo.push}
    decision: deny
    reason: Agents push nothing.
tests:
  - name: a push
    action: {action: github.repo.push, resource: acme/site}
    expect: deny
`

// written is what the forms of the editor and the preview send.
func written(document string, more ...string) url.Values {
	f := form("document", strings.ReplaceAll(document, "\n", "\r\n"), "priority", "100", "enabled", "yes")
	for i := 0; i < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

// write sends a form of the editor or the preview as the owner.
func (h *house) write(t testing.TB, path string, f url.Values) (int, string) {
	t.Helper()
	w := h.do(t, visit{method: http.MethodPost, path: path, as: h.owner, form: f})
	if w.Code == http.StatusSeeOther {
		return w.Code, w.Header().Get("Location")
	}
	return w.Code, w.Body.String()
}

// textarea is the document that a page holds.
func textarea(t testing.TB, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="document"`)
	_, rest, opened := strings.Cut(rest, ">")
	text, _, closed := strings.Cut(rest, "</textarea>")
	if !ok || !opened || !closed {
		t.Fatalf("no document on the page:\n%s", page)
	}
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func TestAPolicyGoesFromTheEditorToTheList(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	if code, page := h.write(t, "/policies/check", written(noPushes)); code != http.StatusOK || textarea(t, page) != noPushes {
		t.Errorf("check without a script: %d, the text became %q", code, textarea(t, page))
	} else {
		wantSays(t, "check", page, "It says 1 rule. All 1 test pass.")
	}
	code, page := h.write(t, "/policies/preview", written(noPushes, "message", "Ana asked for it."))
	if code != http.StatusOK || textarea(t, page) != noPushes {
		t.Fatalf("preview: %d, the text became %q", code, textarea(t, page))
	}
	wantSays(t, "preview", page, "Preview of no-pushes", "a push", `value="Ana asked for it."`, "Looking for recorded requests", `hx-get="/replays/rep_`)
	code, to := h.write(t, "/policies", written(noPushes, "message", "Ana asked for it."))
	if code != http.StatusSeeOther || !strings.HasPrefix(to, "/policies/pol_") {
		t.Fatalf("save: %d to %q", code, to)
	}
	p, err := h.Policies.Find(t.Context(), h.owner.Team.ID, "no-pushes")
	if err != nil || p.Document != noPushes || !p.Enabled || p.ReportOnly || p.Priority != 100 {
		t.Errorf("saved %+v, %v", p, err)
	}
	wantSays(t, "page", h.get(t, to), "Agents push nothing.", "everything at every gateway", "action equals github.repo.push", "Deny", "deploy-bot", "Ana asked for it.", "line 4")
	wantSays(t, "list", h.get(t, "/policies"), "no-pushes", "look-at-merges", "everything at every gateway", "1 deny", "version 1, Ana acme")
}

func TestTheFirstPolicyAndEveryPackCanBeSavedAsTheyAre(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	pages := []string{"/policies/new"}
	for _, p := range packs.All() {
		pages = append(pages, "/policies/new?pack="+p.Name)
	}
	for _, page := range pages {
		body := h.get(t, page)
		wantSays(t, page, body, " pass.")
		wantSilent(t, page, body, `data-severity=`, "cannot be saved", "0 test")
		wantSound(t, page, body)
	}
	if w := h.do(t, visit{path: "/policies/new?pack=none", as: h.owner}); w.Code != http.StatusNotFound {
		t.Errorf("a pack that there is not: %d", w.Code)
	}
}

func TestWhatCannotBeReadGoesBackToTheEditorWithEveryProblem(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	broken := strings.Replace(strings.Replace(noPushes, "operator: equals", "operator: equalls", 1), "decision: deny", "decision: denied", 1)
	for _, path := range []string{"/policies/preview", "/policies"} {
		code, page := h.write(t, path, written(broken, "message", "why"))
		if code != http.StatusUnprocessableEntity || textarea(t, page) != broken {
			t.Errorf("%s: %d, the text became %q", path, code, textarea(t, page))
		}
		wantSays(t, path, page, "2 problems. It cannot be saved like this.", `data-line="5"`, `data-line="6"`, "Line 6, column ", "equals", `value="why"`)
		wantSound(t, path, page)
	}
	w := h.do(t, visit{method: http.MethodPost, path: "/policies/check", as: h.owner, form: written(broken), header: map[string]string{"HX-Request": "true"}})
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<html") {
		t.Errorf("check by a script: %d\n%s", w.Code, w.Body)
	}
	wantSays(t, "check", w.Body.String(), "2 problems.", `data-severity="error" data-line="5"`)
	if all, err := h.Policies.List(t.Context(), h.owner.Team.ID); err != nil || len(all) != 1 {
		t.Errorf("%d policies, %v: something was saved", len(all), err)
	}
}

func TestAFailingTestRefusesTheSave(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	failing := strings.Replace(noPushes, "expect: deny", "expect: allow", 1)
	code, page := h.write(t, "/policies/preview", written(failing))
	if code != http.StatusOK {
		t.Errorf("preview: %d", code)
	}
	wantSays(t, "preview", page, "The test fails.")
	code, page = h.write(t, "/policies", written(failing, "message", "why", "report_only", "yes"))
	if code != http.StatusUnprocessableEntity || textarea(t, page) != failing {
		t.Errorf("save: %d, the text became %q", code, textarea(t, page))
	}
	wantSays(t, "save", page, "The test “a push” fails", "(<a class=\"link\" href=\"#L9\"", `value="why"`, `name="report_only" value="yes" checked`)
	if _, err := h.Policies.Find(t.Context(), h.owner.Team.ID, "no-pushes"); fault.Of(err) != fault.NotFound {
		t.Errorf("it was saved: %v", err)
	}
}

// save is a change by somebody else, of the first policy.
func (h *house) save(t *testing.T, doc, message string) {
	t.Helper()
	_, err := h.Policies.Save(t.Context(), h.owner, policies.Draft{ID: h.policy.ID, Base: 2, Document: doc, Enabled: true, Priority: 20, Message: message})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAConflictShowsWhatSomebodyElseHasSaved(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.save(t, firstPolicy+"# theirs\n", "theirs <b>was</b> first")
	mine := written(firstPolicy+"# mine\n", "id", h.policy.ID, "base", "2")
	for path, want := range map[string]int{"/policies/preview": http.StatusOK, "/policies": http.StatusConflict} {
		code, page := h.write(t, path, mine)
		if code != want || textarea(t, page) != firstPolicy+"# mine\n" {
			t.Errorf("%s: %d, want %d; the text became %q", path, code, want, textarea(t, page))
		}
		wantSays(t, path, page, "Ana acme has saved version 3 meanwhile.", "theirs &lt;b&gt;was&lt;/b&gt; first", "# theirs", "# mine", `name="base" value="3"`, "Save mine over it")
		wantSilent(t, path, page, `data-kind="bad"`) // it is said once
		wantSound(t, path, page)
	}
	code, to := h.write(t, "/policies", written(firstPolicy+"# mine\n", "id", h.policy.ID, "base", "3"))
	if code != http.StatusSeeOther {
		t.Fatalf("save over it: %d %s", code, to)
	}
	if p, err := h.Policies.Find(t.Context(), h.owner.Team.ID, h.policy.ID); err != nil || p.Version != 4 || !strings.HasSuffix(p.Document, "# mine\n") {
		t.Errorf("saved version %d, %v", p.Version, err)
	}
}

func TestANameThatIsTakenIsSaid(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	code, page := h.write(t, "/policies", written(firstPolicy))
	if code != http.StatusConflict || textarea(t, page) != firstPolicy {
		t.Errorf("save: %d", code)
	}
	wantSays(t, "save", page, "There is a policy look-at-merges already.")
}

func TestADraftOutlivesItsPolicy(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	if err := h.Policies.Delete(t.Context(), h.owner, h.policy.ID, 2); err != nil {
		t.Fatal(err)
	}
	mine := written(firstPolicy, "id", h.policy.ID, "base", "2")
	code, page := h.write(t, "/policies", mine)
	if code != http.StatusConflict || textarea(t, page) != firstPolicy {
		t.Errorf("save: %d", code)
	}
	wantSays(t, "save", page, "Somebody has deleted the policy meanwhile. Saving makes it anew.", `name="id" value=""`, `name="base" value="0"`)
}

func TestSettingsChangeHowAPolicyCounts(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	path := "/policies/" + h.policy.ID + "/settings"
	if code, page := h.write(t, path, form("base", "2", "priority", "0", "message", strings.Repeat("x", 501))); code != http.StatusUnprocessableEntity {
		t.Errorf("a wrong priority: %d", code)
	} else {
		wantSays(t, "settings", page, "A priority is a number from 1 to 1000", "at most 500 characters")
	}
	if code, page := h.write(t, path, form("base", "1", "priority", "5")); code != http.StatusConflict {
		t.Errorf("an old version: %d", code)
	} else {
		wantSays(t, "settings", page, "at version 2 now", `name="base" value="2"`, `name="priority" type="text" value="5"`)
	}
	if code, to := h.write(t, path, form("base", "2", "priority", "5", "report_only", "yes", "message", "too loud")); code != http.StatusSeeOther {
		t.Fatalf("settings: %d %s", code, to)
	}
	p, err := h.Policies.Find(t.Context(), h.owner.Team.ID, h.policy.ID)
	if err != nil || p.Enabled || !p.ReportOnly || p.Priority != 5 || p.Version != 3 {
		t.Errorf("it counts as %+v, %v", p, err)
	}
	page := h.get(t, "/policies/"+h.policy.ID)
	wantSays(t, "page", page, "Gateways do not ask it.", "too loud", "Version 3")
	wantSays(t, "version", h.get(t, "/policies/"+h.policy.ID+"/versions/3"), "becomes", "Priority 20", "It is the version that counts.", "Nothing in the document.")
}

func TestAVersionShowsItsDiffAndTheWayBack(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.save(t, strings.Replace(firstPolicy, "reason: Agents", "reason: Programs", 1)+"# more\n", "a try")
	page := h.get(t, "/policies/"+h.policy.ID+"/versions/2")
	wantSays(t, "version", page, "Revert to version 2", "which counts today", "# more", `class="del"`)
	wantSays(t, "the newest version", h.get(t, "/policies/"+h.policy.ID+"/versions/3"), `class="add"`, "a try")
	for _, n := range []string{"0", "-1", "9", "x", "99999999999999999999"} {
		if w := h.do(t, visit{path: "/policies/" + h.policy.ID + "/versions/" + n, as: h.owner}); w.Code != http.StatusNotFound {
			t.Errorf("version %s: %d, want 404", n, w.Code)
		}
	}
	path := "/policies/" + h.policy.ID + "/revert"
	if code, body := h.write(t, path, form("base", "2", "to", "1")); code != http.StatusConflict {
		t.Errorf("an old version: %d\n%s", code, body)
	}
	if code, to := h.write(t, path, form("base", "3", "to", "2", "message", "It was better.")); code != http.StatusSeeOther {
		t.Fatalf("revert: %d %s", code, to)
	}
	p, err := h.Policies.Find(t.Context(), h.owner.Team.ID, h.policy.ID)
	if err != nil || p.Version != 4 || p.Document != firstPolicy {
		t.Errorf("it became version %d: %q, %v", p.Version, p.Document, err)
	}
	wantSays(t, "page", h.get(t, "/policies/"+h.policy.ID), "Back to version 2. It was better.")
}

func TestDeletingAsksAndThenForgets(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	path := "/policies/" + h.policy.ID + "/delete"
	wantSays(t, "delete", h.get(t, path), "Delete look-at-merges?", `name="base" value="2"`)
	if code, body := h.write(t, path, form("base", "1")); code != http.StatusConflict {
		t.Errorf("an old version: %d\n%s", code, body)
	}
	if code, to := h.write(t, path, form("base", "2")); code != http.StatusSeeOther || to != "/policies" {
		t.Errorf("delete: %d %s", code, to)
	}
	wantSays(t, "list", h.get(t, "/policies"), "No policy yet", `href="/policies/packs"`)
}

func TestViewersReadPoliciesAndAreOfferedNoChange(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	v := storetest.Member(t, h.store, h.owner, "Vic", team.RoleViewer)
	for _, path := range []string{"/policies", "/policies/" + h.policy.ID, "/policies/" + h.policy.ID + "/versions/1"} {
		w := h.do(t, visit{path: path, as: v})
		wantSays(t, path, w.Body.String(), "look-at-merges")
		wantSilent(t, path, w.Body.String(), "/edit", "/policies/new", h.policy.ID+"/settings", "/revert", "/delete", "#revert")
	}
}

func TestAPolicyNamesTheGatewaysInItsScope(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for _, g := range []gateways.Settings{{Name: "deploy-two", Environment: "staging"}, {Name: "research", Environment: "production"}} {
		if _, err := h.Gateways.Create(t.Context(), h.owner, g); err != nil {
			t.Fatal(err)
		}
	}
	scoped := strings.Replace(noPushes, "rules:", "scope: {gateways: [deploy-*], environments: [production]}\nrules:", 1)
	_, to := h.write(t, "/policies", written(scoped))
	page := h.get(t, to+"/reach")
	wantSays(t, "reach", page, "deploy-bot", "Not confirmed yet")
	wantSilent(t, "reach", page, "deploy-two", "research", "It is off")
	wantSays(t, "page", h.get(t, to), "everything at deploy-* in production", `hx-get="`+to+`/reach"`)
	if err := h.store.AcknowledgeSnapshot(t.Context(), h.gateway.ID, 1000); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "reach, confirmed", h.get(t, to+"/reach"), "Up to date")
}

func TestTheLargestDocumentFitsIntoTheForm(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	full := noPushes + strings.Repeat("# ü ü ü ü ü\n", (document.MaxSize-len(noPushes))/17)
	if code, page := h.write(t, "/policies/preview", written(full)); code != http.StatusOK || textarea(t, page) != full {
		t.Errorf("preview of %d bytes: %d", len(full), code)
	}
	if code, page := h.write(t, "/policies/preview", written(strings.Repeat("ü", maxPolicyBody))); code != http.StatusUnprocessableEntity || !strings.Contains(page, "more than fits") {
		t.Errorf("preview of far more: %d", code)
	}
}

// Whoever may write policies writes them for others to read.
func TestWhatAuthorsWriteStaysText(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for i, text := range hostile {
		if i == len(hostile)-1 { // longer than a name may be
			text = text[:100]
		}
		plain := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, text)
		quoted := "'" + strings.ReplaceAll(strings.TrimSpace(plain), "'", "''") + "'"
		name := "policy-" + string(rune('a'+i))
		doc := "name: " + name + "\ndescription: " + quoted + "\nrules:\n  - name: one\n    conditions: {field: resource, operator: contains, value: " + quoted +
			"}\n    decision: deny\n    reason: " + quoted + "\ntests:\n  - {name: " + quoted + ", action: {action: github.repo.push, resource: " + quoted + "}, expect: deny}\n"
		for _, path := range []string{"/policies/check", "/policies/preview"} {
			_, page := h.write(t, path, written(doc, "message", text))
			wantSound(t, path+" "+text, page)
		}
		p, err := h.Policies.Save(t.Context(), h.owner, policies.Draft{Document: doc, Enabled: true, Message: text})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, path := range []string{"/policies/" + p.ID, "/policies/" + p.ID + "/versions/1", "/policies/" + p.ID + "/edit", "/policies/" + p.ID + "/delete"} {
			page := h.get(t, path)
			wantSound(t, path+" "+text, page)
			_, beside, _ := strings.Cut(page, "</textarea>") // where it is to be edited it stands as it is
			wantSilent(t, path, cmp.Or(beside, page), "\u202e", "\u2066", "\u200b")
		}
	}
	wantSound(t, "list", h.get(t, "/policies"))
}
