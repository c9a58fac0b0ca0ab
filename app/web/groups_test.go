package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestAGroupIsMadeChangedAndDeleted(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	if err := h.Groups.Delete(t.Context(), h.owner, h.group); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "settings", h.get(t, "/settings"), `href="/settings/groups"`)
	wantSays(t, "no group", h.get(t, "/settings/groups"), "No groups yet", "/settings/groups/new")
	wantSays(t, "new", h.get(t, "/settings/groups/new"), `name="member"`, h.owner.User.Email)
	if w := h.post(t, "/settings/groups", "name", " release ", "member", h.owner.User.ID); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/settings/groups" {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	all, err := h.Groups.List(t.Context(), h.owner.Team.ID)
	if err != nil || len(all) != 1 || len(all[0].Members) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	to := "/settings/groups/" + all[0].ID
	wantSays(t, "list", h.get(t, "/settings/groups"), "release", h.owner.User.Name, "nothing yet", to)
	wantSays(t, "edit", h.get(t, to), `value="release"`, `value="`+h.owner.User.ID+`" checked`)
	w := h.post(t, "/settings/groups", "name", "release")
	if w.Code != http.StatusConflict {
		t.Errorf("a second of the name: %d", w.Code)
	}
	wantSays(t, "a second of the name", w.Body.String(), "There is a group of that name already.", `value="release"`)
	if w := h.post(t, to, "name", "ops"); w.Code != http.StatusSeeOther {
		t.Errorf("renamed: %d", w.Code)
	}
	wantSays(t, "list", h.get(t, "/settings/groups"), "ops", "nobody, so nobody can approve")

	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil {
		t.Fatal(err)
	}
	cs[0].Rules = append(cs[0].Rules, ruleAsking(policy.Approvers{Group: "ops"}))
	if err := h.Gateways.Configure(t.Context(), h.owner, h.gateway.ID, cs); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "the gateway's page", h.get(t, "/gateways/"+h.gateway.ID), "takes the approval of a person of ops")
	use := "the rule github.pr.merge of " + h.gateway.Name + "/github"
	wantSays(t, "list, in use", h.get(t, "/settings/groups"), use)
	page := h.get(t, to+"/delete")
	wantSays(t, "delete, in use", page, "It is asked for. Change that first.", strings.TrimPrefix(use, "t"))
	wantSilent(t, "delete, in use", page, `data-variant="destructive"`)
	if w := h.post(t, to+"/delete"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "cannot be deleted") {
		t.Errorf("deleted in use: %d", w.Code)
	}
	if w := h.post(t, to, "name", "other"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "cannot be renamed: "+use) {
		t.Errorf("renamed in use: %d\n%s", w.Code, w.Body)
	}
	if err := h.Gateways.Configure(t.Context(), h.owner, h.gateway.ID, nil); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "delete", h.get(t, to+"/delete"), "Delete ops", `method="post"`)
	if w := h.post(t, to+"/delete"); w.Code != http.StatusSeeOther {
		t.Errorf("deleted: %d", w.Code)
	}
	wantSays(t, "no group", h.get(t, "/settings/groups"), "No groups yet")
}

func ruleAsking(who policy.Approvers) fleet.Rule {
	return fleet.Rule{Pattern: "github.pr.merge", Effect: policy.RequireApproval, HoldMS: -1, Approvers: who}
}
