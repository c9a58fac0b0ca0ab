package web

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// worked lets the agent of the house read an issue, delete a label, and talk
// to a host that nobody answers for.
func (h *house) worked(t *testing.T) {
	t.Helper()
	at := time.Now().Add(-time.Hour)
	h.record(t,
		audit.Traffic{Time: at, Request: "req_proposal1", Method: "GET", Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/issues/1", Decision: "allow", By: "rule", Status: 200, Step: audit.Refused,
			Action: action.Action{Connector: "github", Name: "github.issue.get", Class: action.Read, Risk: action.Low, Resource: "acme/site#1"}},
		audit.Traffic{Time: at, Request: "req_proposal2", Method: "DELETE", Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/labels/x", Decision: "allow", Would: "deny", By: "default", Status: 200, Step: audit.Refused,
			Action: action.Action{Connector: "github", Name: "github.label.delete", Class: action.Delete, Risk: action.High, Resource: "acme/site"}},
		audit.Traffic{Time: at, Request: "req_proposal3", Method: "GET", Scheme: "https", Host: "evil.example", Path: "/", Decision: "allow", Would: "deny", By: "default", Status: 200, Step: audit.Refused,
			Action: action.Action{Name: "http.get", Class: action.Read, Risk: action.Low}},
	)
}

var hidden = regexp.MustCompile(`name="(until|digest)" value="([^"]*)"`)

func adopting(t *testing.T, body string) []string {
	t.Helper()
	var fields []string
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		fields = append(fields, m[1], m[2])
	}
	if len(fields) != 4 {
		t.Fatalf("%v: there is nothing to adopt\n%s", fields, body)
	}
	return fields
}

func TestWhatWasSeenBecomesRules(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.level(t, policy.Monitor)
	h.worked(t)
	page := "/gateways/" + h.gateway.ID + "/proposal"
	wantSays(t, "the gateway", h.get(t, "/gateways/"+h.gateway.ID), "Propose rules", page)
	body := h.get(t, page)
	wantSound(t, "the proposal", body)
	wantSays(t, "the proposal", body, "3 requests", "github.issue.get", "github.label.delete", "Require approval", "acme/site",
		"Of the requests seen,", "left out", "Gone would be", "* (read)", "1 pass and 1 wait", "evil.example", "/traffic/req_proposal3", "What no rule can cover")
	w := h.post(t, page, adopting(t, body)...)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	after := h.get(t, w.Header().Get("Location"))
	wantSays(t, "afterwards", after, "The rules have been adopted.", "Set it to full enforce", "/gateways/"+h.gateway.ID+"/setup")
	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]policy.Effect{}
	for _, r := range cs[0].Rules {
		got[string(r.Pattern)] = r.Effect
	}
	if e, ok := got["github.label.delete"]; !ok || e != policy.RequireApproval {
		t.Errorf("deleting: %v %v", e, ok)
	}
	if e := got["github.issue.get"]; e != policy.Allow {
		t.Errorf("reading: %v", e)
	}
}

func TestOnlyTheProposalThatSomebodySawIsAdopted(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.worked(t)
	page := "/gateways/" + h.gateway.ID + "/proposal"
	fields := adopting(t, h.get(t, page))
	h.record(t, audit.Traffic{Time: time.Now().Add(-time.Minute), Request: "req_proposal4", Method: "POST", Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/issues", Decision: "allow", By: "rule", Status: 201, Step: audit.Refused,
		Action: action.Action{Connector: "github", Name: "github.issue.create", Class: action.Write, Risk: action.Medium, Resource: "acme/site"}})
	w := h.post(t, page, fields...)
	if w.Code != http.StatusConflict {
		t.Fatalf("%d, want 409", w.Code)
	}
	wantSays(t, "the new one", w.Body.String(), "have changed since this was proposed", "github.issue.create")
	if again := h.post(t, page, adopting(t, w.Body.String())...); again.Code != http.StatusSeeOther {
		t.Errorf("the new one: %d", again.Code)
	}
	if odd := h.post(t, page, "until", "tomorrow", "digest", "x"); odd.Code != http.StatusUnprocessableEntity && odd.Code != http.StatusBadRequest {
		t.Errorf("a time that is none: %d", odd.Code)
	}
}

func TestViewersSeeProposalsAndDoNotAdoptThem(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.worked(t)
	viewer := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	w := h.do(t, visit{path: "/gateways/" + h.gateway.ID + "/proposal", as: viewer})
	wantSays(t, "the proposal", w.Body.String(), "github.issue.get", "Owners and admins adopt rules.")
	wantSilent(t, "the proposal", w.Body.String(), "Adopt these rules", `name="digest"`)
}
