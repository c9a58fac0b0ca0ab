package web

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

const typeText = `name: tickets
hosts: [api.tickets.example.com]
auth: {style: header, name: X-Key}
operations:
  - {method: GET, path: "/tickets", action: tickets.ticket.list}
  - {method: POST, path: "/tickets/{id}", action: tickets.ticket.update, resource: "{id}"}
  - {method: PUT, path: "/tickets/{id}", action: tickets.ticket.update, resource: "{id}"}
`

func typeOf(name string) definition.Definition {
	t, err := config.ParseType("type", []byte(strings.ReplaceAll(typeText, "tickets", name)))
	if err != nil {
		panic(err)
	}
	return t.Definition
}

// define saves the type billing.
func (h *house) define(t testing.TB) {
	t.Helper()
	if err := h.Gateways.SaveType(t.Context(), h.owner, typeOf("billing"), 0); err != nil {
		t.Fatal(err)
	}
}

// typeFields are the fields of the form in which a type is looked over.
func typeFields(name, do string, changes ...string) []string {
	d := typeOf(name)
	text, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	all := []string{"do", do, "version", "0", "definition", string(text), "guesses", "[]", "name", name, "title", "Tickets", "hosts", strings.Join(d.Hosts, " "), "style", "header", "auth", "X-Key"}
	for i := 0; i < len(changes); i += 2 {
		if j := slices.Index(all, changes[i]); j >= 0 {
			all[j+1] = changes[i+1]
		}
	}
	for _, o := range d.Operations {
		all = append(all, "a", o.Action, "c", o.Class.String(), "r", o.Risk.String())
	}
	return all
}

// upload sends a description as a file.
func (h *house) upload(t *testing.T, text string) *httptest.ResponseRecorder {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "openapi.json")
	if err == nil {
		_, err = part.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/connector-types/preview", &b)
	r.Host = host
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "tameflare", Value: h.session(t, h.owner)})
	out := httptest.NewRecorder()
	h.Handler().ServeHTTP(out, r)
	return out
}

func TestADescriptionIsLookedOverBeforeItCounts(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	wantSays(t, "nothing yet", h.get(t, "/connector-types"), "No types of your own yet", `href="/connector-types/new"`)
	w := h.upload(t, `{"openapi": "3.0.0", "info": {"title": "Tickets <b>"}, "servers": [{"url": "https://api.tickets.example.com/v1"}],
		"paths": {"/tickets": {"get": {}}, "/tickets/search": {"post": {}}, "/tickets/{id}": {"delete": {}}, "/members": {"post": {"operationId": "<script>"}}}}`)
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wantSays(t, "preview", w.Body.String(), "Look over Tickets &lt;b&gt;", `name="a" value="tickets-b.ticket.delete"`, "POST /tickets/search", "It has “search” in its name and may change nothing.",
		"It has “member” in its name: admin", `value="api.tickets.example.com"`, "4 operations", `value="/v1"`)
	wantSilent(t, "preview", w.Body.String(), "<b>\"", "<script>")
	if types, err := h.Gateways.Types(t.Context(), h.owner.Team.ID); err != nil || len(types) != 0 {
		t.Errorf("it counts already: %v, %v", types, err)
	}
	if w := h.upload(t, `{"openapi": "3.0.0"`); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "not valid JSON") {
		t.Errorf("broken: %d\n%s", w.Code, w.Body)
	}
	if w := h.post(t, "/connector-types/preview", "text", "name: x\noperations: 7\n"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "definition:2:13: operations: a list belongs here") || !strings.Contains(w.Body.String(), "operations: 7\n</textarea>") {
		t.Errorf("a definition: %d\n%s", w.Code, w.Body)
	}
	if w := h.upload(t, strings.Repeat(" ", maxTypeBody)); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", w.Code)
	}
}

func TestATypeIsSavedAsItWasLookedOver(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	fields := form(typeFields("tickets", "save")...)
	fields["c"][1] = "delete" // and the other row of the same action with it
	if w := h.do(t, visit{method: http.MethodPost, path: "/connector-types", as: h.owner, form: fields}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/connector-types/tickets" {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	saved, err := h.Gateways.Type(t.Context(), h.owner.Team.ID, "tickets")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range saved.Definition.Operations[1:] {
		if o.Class != action.Delete || o.Risk != action.High {
			t.Errorf("%+v", o)
		}
	}
	page := h.get(t, "/connector-types/tickets")
	wantSays(t, "saved", page, "Nothing is of this type yet.", `name="version" value="1"`, "X-Key", "As YAML", "tickets.ticket.update")
	viewer := storetest.Member(t, h.store, h.owner, "Vera", team.RoleViewer)
	read := h.do(t, visit{path: "/connector-types/tickets", as: viewer}).Body.String()
	wantSays(t, "a viewer", read, "tickets.ticket.update", "delete", "api.tickets.example.com")
	wantSilent(t, "a viewer", read, `name="a"`, "/delete")
	wantSays(t, "the list", h.get(t, "/connector-types"), "Tickets", "nothing")

	if w := h.post(t, "/connector-types", typeFields("tickets", "save")...); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "already") {
		t.Errorf("again: %d\n%s", w.Code, w.Body)
	}
	if w := h.post(t, "/connector-types", typeFields("tickets", "save", "name", "github")...); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "There is a built-in connector type github.") {
		t.Errorf("a built-in name: %d\n%s", w.Code, w.Body)
	}
	fields = form(typeFields("tickets", "save", "name", "others")...)
	fields["a"][0] = "others.list"
	if w := h.do(t, visit{method: http.MethodPost, path: "/connector-types", as: h.owner, form: fields}); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "“others.list” is not an action.") || !strings.Contains(w.Body.String(), `value="others.list"`) {
		t.Errorf("a bad action: %d\n%s", w.Code, w.Body)
	}
	if w := h.post(t, "/connector-types", typeFields("others", "check")...); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Look over") {
		t.Errorf("checked: %d", w.Code)
	}
	if w := h.post(t, "/connector-types", "do", "save"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a form of nothing: %d", w.Code)
	}
}

func TestATypeOfTheTeamIsOfferedAndItsRulesAreChecked(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.define(t)
	base := "/gateways/" + h.gateway.ID + "/setup"
	wantSays(t, "wizard", h.get(t, base+"/connectors?type=billing"), "?type=billing", "api.billing.example.com")
	wantSays(t, "vault", h.get(t, "/vault/new"), `value="billing"`)
	wantSays(t, "kill", h.get(t, "/kill"), "Every billing")
	if w := h.post(t, base+"/connectors", "type", "billing", "source", "paste", "credential_name", "bill", "secret", "s", "style", "header"); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	cs, err := h.Gateways.Configuration(t.Context(), h.owner.Team.ID, h.gateway.ID)
	if err != nil || len(cs) != 2 || cs[1].Type != "billing" || cs[1].AuthName != "X-Key" {
		t.Fatalf("%+v, %v", cs, err)
	}
	access := func(pattern string) int {
		return h.post(t, base+"/access", "github.preset", "read_only", "billing.preset", "read_only", "billing.pattern", pattern, "billing.when", "", "billing.class", "", "billing.effect", "deny",
			"billing.role", "", "billing.count", "", "billing.group", "", "billing.self", "", "billing.proof", "").Code
	}
	if code := access("billing.ticket.purge"); code != http.StatusUnprocessableEntity {
		t.Errorf("a rule about nothing: %d", code)
	}
	if code := access("billing.billing.update"); code != http.StatusUnprocessableEntity {
		t.Errorf("a rule about nothing: %d", code)
	}
	if code := access("billing.ticket.update"); code != http.StatusSeeOther {
		t.Errorf("a rule about an action: %d", code)
	}

	wantSays(t, "in use", h.get(t, "/connector-types/billing/delete"), "It is in use: deploy-bot/billing, bill.")
	if w := h.post(t, "/connector-types/billing/delete"); w.Code != http.StatusConflict {
		t.Errorf("deleted while in use: %d", w.Code)
	}
	d := typeOf("billing")
	d.Operations = d.Operations[:1]
	text := string(config.MarshalType(d))
	wantSays(t, "lost", h.post(t, "/connector-types/preview", "text", text, "version", "1").Body.String(), "The rule billing.ticket.update (deny) of deploy-bot/billing is about no action of it.")

	if err := h.Gateways.Configure(t.Context(), h.owner, h.gateway.ID, []gateways.Connector{{Connector: fleet.Connector{Type: "github"}, Rules: []fleet.Rule{{Pattern: "*", Effect: policy.Deny, HoldMS: -1}}}}); err != nil {
		t.Fatal(err)
	}
	if err := h.Vault.Delete(t.Context(), h.owner, cs[1].CredentialID); err != nil {
		t.Fatal(err)
	}
	if w := h.post(t, "/connector-types/billing/delete"); w.Code != http.StatusSeeOther {
		t.Errorf("not deleted: %d\n%s", w.Code, w.Body)
	}
}
