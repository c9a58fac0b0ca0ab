package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestTheCatalogueListsEveryConnector(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	body := h.get(t, "/connectors")
	for _, typ := range connectors.Types() {
		wantSays(t, typ.Name, body, `href="/connectors?type=`+typ.Name+`"`, typ.Title, `href="`+typ.Docs+`"`)
	}
	wantSays(t, "uses", body, `href="/gateways/`+h.gateway.ID+`">deploy-bot`, "api.github.com", "None yet", "List all ")
	wantSays(t, "sidebar", body, `href="/connectors" aria-current="page"`)

	rivals := h.addTeam(t, "rivals")
	wantSilent(t, "another team", h.do(t, visit{path: "/connectors", as: rivals}).Body.String(), "deploy-bot")
	if err := h.Gateways.Revoke(t.Context(), h.owner, h.gateway.ID); err != nil {
		t.Fatal(err)
	}
	wantSilent(t, "revoked", h.get(t, "/connectors"), "deploy-bot")
}

func TestTheCatalogueIsSearched(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	body := h.get(t, "/connectors?q=pr+merge&class=write")
	wantSays(t, "search", body, `href="/connectors/github/github.pr.merge?class=write&amp;q=pr+merge"`, "Merge …", `value="pr merge"`, `<option value="write" selected>`)
	if first := strings.Index(body, "github.pr.merge?"); first < 0 || first > strings.Index(body, "github.deployment.create") && strings.Contains(body, "github.deployment.create") {
		t.Error("the action that was named is not the first")
	}
	wantSays(t, "a mutation's name", h.get(t, "/connectors?q=mergePullRequest"), "github.pr.merge")
	wantSays(t, "a path", h.get(t, "/connectors?q=/v1/refunds"), "stripe.refund.create")
	wantSays(t, "nothing", h.get(t, "/connectors?q=no+such+thing"), "No action matches")
	wantSilent(t, "a type", h.get(t, "/connectors?type=stripe&risk=critical"), "github.", "slack.")

	w := h.do(t, visit{path: "/connectors?q=refund&type=&class=", as: h.owner, header: map[string]string{"HX-Request": "true"}})
	if got := w.Header().Get("HX-Replace-Url"); w.Code != http.StatusOK || got != "/connectors?q=refund" {
		t.Errorf("script: %d, address %q", w.Code, got)
	}
	wantSays(t, "script", w.Body.String(), "stripe.refund.create")
	wantSilent(t, "script", w.Body.String(), "<html", "<form")

	for _, bad := range []string{"type=gitlab", "class=harmless", "risk=none", "show=some", "q=refund&page=0", "q=refund&page=x", "q=refund&page=99"} {
		if w := h.do(t, visit{path: "/connectors?" + bad, as: h.owner}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", bad, w.Code)
		}
	}
}

// Every action is on exactly one of the pages.
func TestTheCatalogueIsPaged(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	seen := map[string]int{}
	pages := 0
	cookie := h.session(t, h.owner)
	for path := "/connectors?show=all"; path != ""; pages++ {
		body := h.do(t, visit{path: path, cookie: cookie}).Body.String()
		for piece := range strings.SplitSeq(body, `class="row-link mono" href="/connectors/`) {
			if name, _, ok := strings.Cut(piece, "?"); ok && strings.Contains(name, "/") && !strings.Contains(name, "<") {
				seen[name]++
			}
		}
		path = ""
		if strings.Contains(body, ">Next<") {
			path = between(t, body, `href="`, `">Next`)
		}
	}
	want := 0
	for _, typ := range connectors.Types() {
		for _, op := range typ.Operations() {
			want++
			if n := seen[typ.Name+"/"+op.Action]; n != 1 {
				t.Errorf("%s is on %d pages", op.Action, n)
			}
		}
	}
	if len(seen) != want || pages != (want+catalogueRows-1)/catalogueRows {
		t.Errorf("%d actions on %d pages, want %d", len(seen), pages, want)
	}
}

func TestAnActionHasItsOwnPage(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	wantSays(t, "merge", h.get(t, "/connectors/github/github.pr.merge?q=merge&page=2"), "GraphQL", "mutation mergePullRequest", "PUT api.github.com/repos/{owner}/{repo}/pulls/{pull_number}/merge",
		"{action: github.pr.merge, decision: require_approval}", `href="/connectors?page=2&amp;q=merge"`, "https://docs.github.com/", "Can be undone")
	wantSays(t, "push", h.get(t, "/connectors/github/github.repo.push"), ">git<", "git-receive-pack", "ref")
	wantSays(t, "unknown", h.get(t, "/connectors/github/github.unknown"), "No request is known", "Critical")
	for _, path := range []string{"/connectors/github/github.no.such", "/connectors/stripe/github.pr.merge", "/connectors/gitlab/gitlab.pr.merge"} {
		if w := h.do(t, visit{path: path, as: h.owner}); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

const merge = `curl -X PUT https://api.github.com/repos/acme/site/pulls/12/merge -d '{"merge_method":"squash"}'`

func TestACommandIsExplained(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	try := func(fields ...string) string {
		t.Helper()
		w := h.post(t, "/connectors/try", fields...)
		if w.Code != http.StatusOK {
			t.Fatalf("%d\n%s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	alone := try("command", merge)
	wantSays(t, "no gateway", alone, "It would merge acme/site#12", `href="/connectors/github/github.pr.merge"`, "Write", "merge_method", "squash", "PUT api.github.com/repos/acme/site/pulls/12/merge")
	wantSilent(t, "no gateway", alone, "Decided by", "The client gets")

	wantSays(t, "held", try("command", merge, "gateway", h.gateway.ID), "At deploy-bot", `state-held`, "Somebody looks at every merge.", "A policy", "look-at-merges", "access rule", "github.pr.merge", "for at most 55s")
	wantSays(t, "allowed", try("command", "curl https://api.github.com/user", "gateway", h.gateway.ID), "state-allowed", "The answer of the service.")
	wantSays(t, "denied", try("command", "curl -X DELETE https://api.github.com/repos/acme/site", "gateway", h.gateway.ID), "state-denied", "No rule matched", "403 and this sentence", "No rule of gateway deploy-bot allows github.repo.delete.")
	wantSays(t, "no connector", try("command", "curl https://elsewhere.example/x", "gateway", h.gateway.ID), "None answers for this host.", "state-denied")
	wantSays(t, "a file", try("command", "curl https://api.github.com/repos/a/b/issues/3 -X PATCH -d @body.json"), "Files are not read", "Unknown", "Not here")
	wantSays(t, "malformed", try("command", "curl --path-as-is 'https://api.github.com/repos/a/../b'", "gateway", h.gateway.ID), "with status 400")

	if _, err := h.Kills.Pull(t.Context(), h.owner, kills.Scope{Connector: "github"}, "It loops."); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "killed", try("command", merge, "gateway", h.gateway.ID), "state-killed", "The kill switch", "It loops.")
	if err := h.Gateways.Update(t.Context(), h.owner, h.gateway.ID, gateways.Settings{Name: "deploy-bot", Enforcement: policy.Monitor}); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "monitored", try("command", "curl https://elsewhere.example/x", "gateway", h.gateway.ID), "state-monitored", "At full enforcement", "deny")
	if err := h.Gateways.Revoke(t.Context(), h.owner, h.gateway.ID); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "revoked", try("command", "curl https://api.github.com/user", "gateway", h.gateway.ID), "state-denied", "has been revoked")
}

func TestACommandThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for command, says := range map[string]string{"": "Paste a curl command", "wget x": "not a curl command", "curl $(id)": "Nothing is run here", "curl 'x": "not closed"} {
		for _, header := range []map[string]string{nil, {"HX-Request": "true"}} {
			w := h.do(t, visit{method: "POST", path: "/connectors/try", as: h.owner, form: form("command", command), header: header})
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), says) {
				t.Errorf("%q: %d\n%s", command, w.Code, w.Body)
			}
			if isPage := strings.Contains(w.Body.String(), "<html"); isPage == (header != nil) {
				t.Errorf("%q: whole page: %v", command, isPage)
			}
		}
	}
	rivals := h.addTeam(t, "rivals")
	w := h.do(t, visit{method: "POST", path: "/connectors/try", as: rivals, form: form("command", merge, "gateway", h.gateway.ID)})
	if w.Code != http.StatusNotFound {
		t.Errorf("another team's gateway: %d, want 404", w.Code)
	}
	wantSilent(t, "another team's gateway", w.Body.String(), "deploy-bot", "Merges need a person")
}

// A pasted command is full of keys. None of them is in an answer or the log.
func TestNoKeyOfACommandIsShown(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	const key = "SECRET0123456789"
	cookie := h.session(t, h.owner)
	for _, command := range []string{
		"curl -H 'Authorization: Bearer " + key + "' https://api.github.com/user",
		"curl -H 'X-Odd-Key: " + key + "' https://api.github.com/user",
		"curl -H 'Cookie: session=" + key + "' -b 'a=" + key + "' https://api.github.com/user",
		"curl -u " + key + ":" + key + " https://api.stripe.com/v1/charges",
		"curl https://" + key + ":" + key + "@api.stripe.com/v1/charges",
		"curl 'https://api.github.com/user?access_token=" + key + "&odd=" + key + "'",
		"curl https://slack.com/api/chat.postMessage -d token=" + key + " -d channel=C1 -d text=hi",
		"curl https://elsewhere.example/x -d client_secret=" + key,
		"curl --oauth2-bearer " + key + " --odd-option https://api.github.com/user",
		"curl --" + key + " https://api.github.com/user",
		"curl -H " + key + " https://api.github.com/user",
		key,
	} {
		for _, gateway := range []string{"", h.gateway.ID} {
			w := h.do(t, visit{method: "POST", path: "/connectors/try", cookie: cookie, form: form("command", command, "gateway", gateway)})
			wantSilent(t, command, w.Body.String(), key)
			wantSound(t, command, w.Body.String())
		}
	}
	wantSays(t, "left out", h.post(t, "/connectors/try", "command", "curl -H 'Authorization: Bearer x' -H 'Accept: a/b' https://api.github.com/user").Body.String(), "is left out here", "Accept")
	wantSilent(t, "log", h.log.String(), key)
	before, err := h.store.EventChain(t.Context(), h.owner.Team.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range before {
		if strings.Contains(string(e.Entry), key) {
			t.Errorf("the ledger has a key: %s", e.Entry)
		}
	}
}

func TestHostileCommandsStayText(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	cookie := h.session(t, h.owner)
	for _, text := range hostile {
		text = strings.NewReplacer("'", "’", "\x00", "").Replace(text)
		for _, command := range []string{
			text, "curl 'https://a.example/" + url.PathEscape(text) + "?" + url.QueryEscape(text) + "=1' -H '" + text + ": " + text + "'",
			"curl 'https://a.example/" + url.PathEscape(text) + "?" + url.QueryEscape(text) + "=1' -H 'X-A: " + text + "'",
			`curl https://api.github.com/repos/a/b/pulls/1/merge -X PUT --json '{"merge_method":"` + strings.NewReplacer(`"`, "", "\n", "", "\r", "", "\x1b", "").Replace(text) + `"}'`,
		} {
			w := h.do(t, visit{method: "POST", path: "/connectors/try", cookie: cookie, form: form("command", command, "gateway", h.gateway.ID), header: map[string]string{"HX-Request": "true"}})
			wantSound(t, command, w.Body.String())
			wantSilent(t, command, w.Body.String(), "\u202e", "\x1b", "\u2066")
		}
		path := "/connectors?" + url.Values{"q": {text}}.Encode()
		wantSound(t, path, h.do(t, visit{path: path, cookie: cookie}).Body.String())
	}
}

func TestATeamsOwnTypesAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	own := definition.Definition{
		Name: "billing", Title: "Billing", Hosts: []string{"billing.example"},
		Operations: []definition.Operation{{Method: "POST", Path: "/invoices/{id}/void", Action: "billing.invoice.void", Class: action.Delete, Risk: action.High, Title: "void invoice {resource}", Resource: "{id}"}},
	}
	if err := h.Gateways.SaveType(t.Context(), h.owner, own, 0); err != nil {
		t.Fatal(err)
	}
	if err := h.Gateways.Configure(t.Context(), h.owner, h.gateway.ID, []gateways.Connector{{
		Connector: fleet.Connector{Type: "billing"}, Rules: []fleet.Rule{{Pattern: "billing.*", Effect: policy.Deny, HoldMS: -1, Reason: "Nobody voids."}},
	}}); err != nil {
		t.Fatal(err)
	}
	wantSays(t, "types", h.get(t, "/connectors"), `href="/connectors?type=billing"`, "billing.example")
	wantSays(t, "search", h.get(t, "/connectors?q=void+invoice&type=billing"), "/connectors/billing/billing.invoice.void")
	wantSays(t, "action", h.get(t, "/connectors/billing/billing.invoice.void"), "Void invoice …", "- type: billing")
	const command = "curl -X POST https://billing.example/invoices/in_7/void"
	for gateway, says := range map[string]string{"": "It would void invoice in_7", h.gateway.ID: "Nobody voids."} {
		wantSays(t, "command", h.post(t, "/connectors/try", "command", command, "gateway", gateway).Body.String(), says, "billing.invoice.void")
	}
	rivals := h.addTeam(t, "rivals")
	wantSilent(t, "another team", h.do(t, visit{path: "/connectors", as: rivals}).Body.String(), "billing.example")
	if w := h.do(t, visit{path: "/connectors/billing/billing.invoice.void", as: rivals}); w.Code != http.StatusNotFound {
		t.Errorf("another team: %d, want 404", w.Code)
	}
}

// The index is made once for all requests: making it takes longer than
// everything else about a page.
func TestTheIndexIsMadeOnce(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	h.get(t, "/connectors?q=merge")
	first := h.known.index
	h.get(t, "/connectors/github/github.pr.merge")
	h.post(t, "/connectors/try", "command", merge)
	if first == nil || h.known.get() != first {
		t.Error("the index has been made again")
	}
}

// BenchmarkCatalogue asks for the pages as a team with twenty gateways does.
// The report says what one in twenty takes longer than.
func BenchmarkCatalogue(b *testing.B) {
	h := furnished(b)
	for i := range 20 {
		g, err := h.Gateways.Create(b.Context(), h.owner, gateways.Settings{Name: "bot-" + string(rune('a'+i))})
		if err != nil {
			b.Fatal(err)
		}
		if err := h.Gateways.Configure(b.Context(), h.owner, g.ID, []gateways.Connector{{Connector: fleet.Connector{Type: "stripe"}}}); err != nil {
			b.Fatal(err)
		}
	}
	cookie := h.session(b, h.owner)
	h.do(b, visit{path: "/connectors?q=x", cookie: cookie})
	for name, path := range map[string]string{
		"types": "/connectors", "all": "/connectors?show=all", "search": "/connectors?q=pull+request", "action": "/connectors/github/github.pr.merge",
	} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				h.do(b, visit{path: path, cookie: cookie})
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}
