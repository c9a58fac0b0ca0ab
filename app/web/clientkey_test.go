package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
)

func TestAConnectorSaysWhatBecomesOfAnAgentsOwnKey(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	base := "/gateways/" + h.gateway.ID + "/setup/connectors"
	wantSays(t, "the list", h.get(t, base), base+"/key?name=github")
	wantSays(t, "the form", h.get(t, base+"/key?name=github"), `<option value="replace" selected>`, "Replaced:", "Let through:", "Refused:")

	w := h.post(t, base+"/key", "name", "github", "client_key", "require_dummy")
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil || cs[0].ClientKey != credential.RequireDummy || len(cs[0].Rules) == 0 || cs[0].CredentialID != h.cred.ID {
		t.Errorf("configured as %+v, %v", cs, err)
	}
	wantSays(t, "the list afterwards", h.get(t, base), "own key is refused")
	wantSays(t, "the gateway's page", h.get(t, "/gateways/"+h.gateway.ID), "own key is refused")
	wantSays(t, "the form afterwards", h.get(t, base+"/key?name=github"), `<option value="require_dummy" selected>`)

	if w := h.post(t, base+"/key", "name", "github", "client_key", "keep"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "one of replace, pass and require_dummy") {
		t.Errorf("a word nobody knows: %d", w.Code)
	}
	if w := h.post(t, base+"/key", "name", "nothing", "client_key", "pass"); w.Code != http.StatusNotFound {
		t.Errorf("a connector that is not there: %d", w.Code)
	}
}

func TestANewConnectorMaySayItAtOnce(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	base := "/gateways/" + h.gateway.ID + "/setup/connectors"
	if w := h.post(t, base, "type", "http", "hosts", "x.example", "source", "none", "client_key", "pass"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil || len(cs) != 2 || cs[0].ClientKey != credential.Replace || cs[1].ClientKey != credential.Pass {
		t.Errorf("configured as %+v, %v", cs, err)
	}
	w := h.post(t, base, "type", "http", "name", "other", "hosts", "y.example", "source", "none", "client_key", "keep")
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "one of replace, pass and require_dummy") {
		t.Errorf("a word nobody knows: %d", w.Code)
	}
}

func TestAlertsAreOnTheOverviewAndLeadToTheirRequests(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	wantSilent(t, "the overview before", h.get(t, "/"), "Alerts of the last 24 hours")
	h.record(t, audit.Traffic{
		Request: "req_stranger", Run: "run_1", Method: "POST", Scheme: "https", Host: "api.github.com", Path: "/gists", Step: audit.Refused,
		Decision: "deny", By: "client_key", Reason: "This connector takes only the key that this run was given.", Code: "denied", Status: 403, Alert: audit.ForeignKey,
	})
	const found = "/traffic?alert=foreign_key&gateway="
	body := h.get(t, "/")
	wantSays(t, "the overview", body, "Alerts of the last 24 hours", "deploy-bot", "a key that it had not given", strings.ReplaceAll(found, "&", "&amp;")+h.gateway.ID)

	list := h.get(t, found+h.gateway.ID+"&host=api.github.com&run=run_1")
	wantSays(t, "its requests", list, "/gists", "Foreign key", `<option value="foreign_key" selected>`)
	wantSilent(t, "its requests", list, "/zen")
	wantSays(t, "all alerts", h.get(t, "/traffic?alert=any&since=24h"), "/gists")
	wantSilent(t, "alerts of another kind", h.get(t, "/traffic?alert=dummy_elsewhere"), "/gists")
	wantSays(t, "the request", h.get(t, "/traffic/req_stranger"), "Foreign key", "The key that the client brought")
	wantSays(t, "the audit trail", h.get(t, "/audit"), audit.SecurityAlert, "alert: foreign_key")
	if w := h.do(t, visit{method: "GET", path: "/traffic?alert=perhaps", as: h.owner}); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("an alert nobody knows: %d", w.Code)
	}
}

func TestAnAgentsOwnKeyIsNamedAsOne(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.record(t, audit.Traffic{
		Request: "req_ownkey", Method: "GET", Scheme: "https", Host: "api.github.com", Path: "/zen", Step: audit.Intent,
		Decision: "allow", By: "rule", Credential: audit.ClientsOwn,
	})
	wantSays(t, "the request", h.get(t, "/traffic/req_ownkey"), "client&#39;s own")
}
