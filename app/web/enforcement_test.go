package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

func (h *house) level(t *testing.T, e policy.Enforcement) {
	t.Helper()
	err := h.Gateways.Update(t.Context(), h.owner, h.gateway.ID, gateways.Settings{Name: "deploy-bot", Environment: "production", Enforcement: e})
	if err != nil {
		t.Fatal(err)
	}
}

// aboutGateway are the pages that are about the one gateway of the house.
func (h *house) aboutGateway() []string {
	g, p := "/gateways/"+h.gateway.ID, "/policies/"+h.policy.ID
	return []string{
		"/gateways", g, g + "/proposal", g + "/setup", g + "/setup/connectors", g + "/setup/connectors/key?name=github", g + "/setup/access", g + "/setup/run",
		"/traffic?gateway=" + h.gateway.ID, "/traffic/" + h.request, "/approvals", "/approvals/" + h.approval.ID, "/approvals/history?gateway=" + h.gateway.ID,
		"/policies", p, p + "/edit", p + "/versions/1", p + "/delete", "/policies/new",
		"/policies/sandbox?gateway=" + h.gateway.ID, "/connectors/try?gateway=" + h.gateway.ID,
	}
}

const banner = "data-enforcement"

func TestEveryPageAboutALenientGatewaySaysSo(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		level policy.Enforcement
		says  []string
	}{
		"monitor":      {policy.Monitor, []string{`data-kind="info"`, "deploy-bot is in monitor mode", "passes, and is marked"}},
		"soft enforce": {policy.SoftEnforce, []string{`data-kind="warning"`, "deploy-bot is at soft enforcement", "only what a rule or a policy denies is stopped"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := furnished(t)
			h.level(t, tt.level)
			for _, path := range h.aboutGateway() {
				body := h.get(t, path)
				wantSays(t, path, body, append(tt.says, banner, "/gateways/"+h.gateway.ID+"/setup")...)
				if n := strings.Count(body, banner); n != 1 {
					t.Errorf("%s: says it %d times", path, n)
				}
			}
			for _, path := range []string{"/vault", "/traffic", "/policies/packs"} {
				wantSilent(t, path, h.get(t, path), banner)
			}
		})
	}
}

func TestAGatewayThatEnforcesNeedsNoBanner(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for _, path := range h.aboutGateway() {
		wantSilent(t, path, h.get(t, path), banner)
	}
	h.level(t, policy.Monitor)
	if err := h.Gateways.Revoke(t.Context(), h.owner, h.gateway.ID); err != nil {
		t.Fatal(err)
	}
	wantSilent(t, "a revoked gateway", h.get(t, "/gateways/"+h.gateway.ID), banner)
}

const elsewhere = `name: elsewhere
scope:
  gateways: [other-*]
rules:
  - {name: nothing, decision: deny}
`

func TestAPolicyForOtherGatewaysSaysNothingOfThisOne(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.level(t, policy.Monitor)
	w := h.post(t, "/policies", "document", elsewhere, "priority", "100", "enabled", "yes")
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantSilent(t, "the policy", h.get(t, w.Header().Get("Location")), banner)
}

func TestOnlyWhoMayChangeTheLevelIsLedThere(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.level(t, policy.Monitor)
	w := h.do(t, visit{path: "/gateways/" + h.gateway.ID, as: storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)})
	wantSays(t, "a viewer", w.Body.String(), banner, "/gateways/"+h.gateway.ID+"/proposal")
	wantSilent(t, "a viewer", w.Body.String(), "/gateways/"+h.gateway.ID+"/setup")
}
