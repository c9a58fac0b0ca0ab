package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/team"
)

// least is the least role that each route is for, written down a second time
// on purpose: what is handed out here has to be handed out twice.
var least = map[string]team.Role{
	"GET /livez": "", "GET /readyz": "",
	"GET /register": "", "POST /register": "",
	"GET /sign-in": "", "POST /sign-in": "", "GET /sign-in/link": "", "POST /sign-in/link": "",

	"POST /sign-out":       team.RoleViewer,
	"GET /cli/login/{id}":  team.RoleViewer,
	"POST /cli/login/{id}": team.RoleViewer,
	"GET /device":          team.RoleViewer,
	"POST /device":         team.RoleViewer,
	"GET /{$}":             team.RoleViewer,
	"GET /overview":        team.RoleViewer,
	"GET /status":          team.RoleViewer,
	"GET /events":          team.RoleViewer,

	"GET /approvals":                  team.RoleViewer,
	"GET /approvals/cards":            team.RoleViewer,
	"GET /approvals/history":          team.RoleViewer,
	"GET /approvals/{id}":             team.RoleViewer,
	"GET /approvals/{id}/card":        team.RoleViewer,
	"GET /approvals/{id}/facts":       team.RoleViewer,
	"GET /approvals/{id}/bytes":       team.RoleMember,
	"GET /approvals/{id}/rule":        team.RoleAdmin,
	"POST /approvals/{id}/rule":       team.RoleAdmin,
	"POST /approvals/{id}/decision":   team.RoleMember,
	"POST /approvals/{id}/repeat/end": team.RoleMember,
	"POST /approvals/decisions":       team.RoleMember,

	"GET /traffic":      team.RoleViewer,
	"GET /traffic/news": team.RoleViewer,
	"GET /traffic/{id}": team.RoleViewer,

	"GET /gateways":                               team.RoleViewer,
	"GET /gateways/list":                          team.RoleViewer,
	"GET /gateways/new":                           team.RoleAdmin,
	"POST /gateways":                              team.RoleAdmin,
	"GET /gateways/{id}":                          team.RoleViewer,
	"GET /gateways/{id}/state":                    team.RoleViewer,
	"POST /gateways/{id}/revoke":                  team.RoleAdmin,
	"GET /gateways/{id}/proposal":                 team.RoleViewer,
	"POST /gateways/{id}/proposal":                team.RoleAdmin,
	"GET /gateways/{id}/setup":                    team.RoleAdmin,
	"POST /gateways/{id}/setup":                   team.RoleAdmin,
	"GET /gateways/{id}/setup/connectors":         team.RoleAdmin,
	"POST /gateways/{id}/setup/connectors":        team.RoleAdmin,
	"POST /gateways/{id}/setup/connectors/remove": team.RoleAdmin,
	"GET /gateways/{id}/setup/connectors/key":     team.RoleAdmin,
	"POST /gateways/{id}/setup/connectors/key":    team.RoleAdmin,
	"GET /gateways/{id}/setup/access":             team.RoleAdmin,
	"POST /gateways/{id}/setup/access":            team.RoleAdmin,
	"GET /gateways/{id}/setup/run":                team.RoleAdmin,
	"GET /gateways/{id}/setup/progress":           team.RoleAdmin,

	"GET /connectors":                 team.RoleViewer,
	"GET /connectors/{type}/{action}": team.RoleViewer,
	"GET /connectors/try":             team.RoleViewer,
	"POST /connectors/try":            team.RoleViewer,

	"GET /connector-types":              team.RoleViewer,
	"GET /connector-types/new":          team.RoleAdmin,
	"POST /connector-types/preview":     team.RoleAdmin,
	"POST /connector-types":             team.RoleAdmin,
	"GET /connector-types/{id}":         team.RoleViewer,
	"GET /connector-types/{id}/delete":  team.RoleAdmin,
	"POST /connector-types/{id}/delete": team.RoleAdmin,

	"GET /policies":                   team.RoleViewer,
	"GET /policies/new":               team.RoleAdmin,
	"POST /policies/check":            team.RoleAdmin,
	"POST /policies/preview":          team.RoleAdmin,
	"POST /policies":                  team.RoleAdmin,
	"GET /policies/packs":             team.RoleViewer,
	"GET /policies/sandbox":           team.RoleViewer,
	"POST /policies/sandbox":          team.RoleViewer,
	"POST /policies/builder":          team.RoleAdmin,
	"GET /policies/{id}":              team.RoleViewer,
	"GET /policies/{id}/edit":         team.RoleAdmin,
	"GET /policies/{id}/reach":        team.RoleViewer,
	"POST /policies/{id}/settings":    team.RoleAdmin,
	"GET /policies/{id}/versions/{n}": team.RoleViewer,
	"POST /policies/{id}/revert":      team.RoleAdmin,
	"GET /policies/{id}/delete":       team.RoleAdmin,
	"POST /policies/{id}/delete":      team.RoleAdmin,
	"GET /replays/{id}":               team.RoleAdmin,
	"POST /replays/{id}/cancel":       team.RoleAdmin,

	"GET /vault":               team.RoleViewer,
	"GET /vault/new":           team.RoleAdmin,
	"POST /vault":              team.RoleAdmin,
	"GET /vault/{id}/rotate":   team.RoleAdmin,
	"POST /vault/{id}/rotate":  team.RoleAdmin,
	"POST /vault/{id}/refresh": team.RoleAdmin,
	"GET /vault/{id}/delete":   team.RoleAdmin,
	"POST /vault/{id}/delete":  team.RoleAdmin,

	"GET /kill":            team.RoleViewer,
	"GET /kill/confirmed":  team.RoleViewer,
	"POST /kill":           team.RoleMember,
	"POST /kill/{id}/lift": team.RoleAdmin,

	"GET /audit":                        team.RoleViewer,
	"GET /settings":                     team.RoleViewer,
	"GET /settings/groups":              team.RoleViewer,
	"GET /settings/groups/new":          team.RoleAdmin,
	"POST /settings/groups":             team.RoleAdmin,
	"GET /settings/groups/{id}":         team.RoleAdmin,
	"POST /settings/groups/{id}":        team.RoleAdmin,
	"GET /settings/groups/{id}/delete":  team.RoleAdmin,
	"POST /settings/groups/{id}/delete": team.RoleAdmin,
	"POST /settings/tokens/{id}/revoke": team.RoleViewer,

	"GET /settings/slack":         team.RoleAdmin,
	"POST /settings/slack":        team.RoleAdmin,
	"POST /settings/slack/begin":  team.RoleAdmin,
	"POST /settings/slack/test":   team.RoleAdmin,
	"POST /settings/slack/delete": team.RoleAdmin,
	"GET /settings/slack/link":    team.RoleMember,
	"POST /settings/slack/link":   team.RoleMember,
	"POST /settings/slack/unlink": team.RoleMember,
}

// filled are forms that would go through, so that nothing but the audience is
// in their way.
var filled = map[string]url.Values{
	"POST /approvals/{id}/decision":               form("choice", "approve"),
	"POST /approvals/{id}/rule":                   form("effect", "deny"),
	"POST /approvals/decisions":                   form("choice", "deny", "id", "apr_none"),
	"POST /cli/login/{id}":                        form("choice", "approve"),
	"POST /gateways":                              form("name", "another", "enforcement", "monitor"),
	"POST /gateways/{id}/revoke":                  form("confirm", "deploy-bot"),
	"POST /gateways/{id}/setup":                   form("name", "deploy-bot", "enforcement", "full_enforce"),
	"POST /gateways/{id}/setup/connectors":        form("type", "http", "hosts", "api.example.com", "source", "none"),
	"POST /gateways/{id}/setup/connectors/remove": form("name", "github"),
	"POST /gateways/{id}/setup/connectors/key":    form("name", "github", "client_key", "require_dummy"),
	"POST /gateways/{id}/setup/access":            form("github.preset", "read_only"),
	"POST /connectors/try":                        form("command", "curl https://api.github.com/user"),
	"POST /connector-types/preview":               form("text", typeText),
	"POST /connector-types":                       form(typeFields("tickets", "save")...),
	"POST /gateways/{id}/proposal":                form("until", "2026-01-02T03:04:05Z", "digest", "none"),
	"POST /policies/sandbox":                      form("way", "curl", "command", "curl https://api.github.com/user"),
	"POST /policies/builder":                      form("document", firstPolicy, "priority", "100", "enabled", "yes", "do", "add-rule"),
	"POST /policies/check":                        form("document", firstPolicy),
	"POST /policies/preview":                      form("document", firstPolicy, "priority", "100", "enabled", "yes"),
	"POST /policies":                              form("document", "name: another\nrules: [{name: none, decision: deny}]\n", "priority", "100", "enabled", "yes"),
	"POST /policies/{id}/settings":                form("base", "2", "priority", "50"),
	"POST /policies/{id}/revert":                  form("base", "2", "to", "1"),
	"POST /policies/{id}/delete":                  form("base", "2"),
	"POST /vault":                                 form("name", "another", "type", "http", "secret", "s"),
	"POST /vault/{id}/rotate":                     form("secret", "s"),
	"POST /kill":                                  form("scope", "chosen", "connector", "http"),
	"POST /kill/{id}/lift":                        form("confirm", "lift"),
}

func query(pattern string) string {
	switch pattern {
	case "GET /events":
		return "?topics=approvals"
	case "GET /approvals/{id}/rule":
		return "?effect=allow"
	case "GET /gateways/{id}/setup/connectors/key":
		return "?name=github"
	}
	return ""
}

// walk calls check for every route, each with a house of its own where things
// would be changed.
func walk(t *testing.T, check func(t *testing.T, h *house, rt route, q visit)) {
	t.Helper()
	for _, rt := range routes {
		t.Run(rt.pattern, func(t *testing.T) {
			t.Parallel()
			h := furnished(t)
			h.pull1(t)
			h.define(t)
			stopped := make(chan struct{})
			close(stopped)
			h.Stopping = stopped // or the walk would stay on a stream
			method, path, _ := strings.Cut(rt.pattern, " ")
			check(t, h, rt, visit{method: method, path: h.fill(path) + query(rt.pattern), form: filled[rt.pattern]})
		})
	}
}

func TestEveryRouteIsForWhomItSays(t *testing.T) {
	t.Parallel()
	for _, rt := range routes {
		if _, ok := least[rt.pattern]; !ok {
			t.Errorf("%s: nobody has said here whom it is for", rt.pattern)
		}
	}
	order := []team.Role{team.RoleViewer, team.RoleMember, team.RoleAdmin, team.RoleOwner}
	walk(t, func(t *testing.T, h *house, rt route, q visit) {
		for i, role := range order {
			q.as = storetest.Member(t, h.store, h.owner, "Mia", role)
			w := h.do(t, q)
			if i < slices.Index(order, least[rt.pattern]) {
				if w.Code != http.StatusForbidden {
					t.Errorf("%s: %d, want 403", role, w.Code)
				}
				continue
			}
			if w.Code == http.StatusForbidden && !strings.Contains(rt.pattern, "register") || w.Code == http.StatusUnauthorized && !strings.Contains(rt.pattern, "sign-in") || w.Code >= 500 {
				t.Errorf("%s: %d\n%s", role, w.Code, w.Body)
			}
			if q.method == http.MethodGet && w.Code != http.StatusOK && w.Code != http.StatusNoContent && w.Code != http.StatusSeeOther {
				t.Errorf("%s: %d, want the page\n%s", role, w.Code, w.Body)
			}
		}
	})
}

func TestStrangersAreSentToSignIn(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, h *house, rt route, q visit) {
		over := h.session(t, h.owner)
		v, err := h.accounts.Viewer(t.Context(), over, "127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.accounts.EndSession(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		for name, cookie := range map[string]string{"no session": "", "a session that has ended": over, "a made-up session": strings.Repeat("a", 52)} {
			q.cookie = cookie
			w := h.do(t, q)
			switch {
			case least[rt.pattern] == "":
				if w.Code >= 500 {
					t.Errorf("%s: %d", name, w.Code)
				}
			case q.method == http.MethodGet:
				if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-in") {
					t.Errorf("%s: %d to %q, want 303 to /sign-in", name, w.Code, to)
				}
			case w.Code != http.StatusUnauthorized:
				t.Errorf("%s: %d, want 401", name, w.Code)
			}
		}
	})
}

func TestAnotherTeamsThingsAreNotThere(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, h *house, rt route, q visit) {
		if !strings.Contains(rt.pattern, "{id}") || strings.Contains(rt.pattern, "/cli/login/") { // a login is nobody's yet
			return
		}
		q.as = h.addTeam(t, "rivals")
		if w := h.do(t, q); w.Code != http.StatusNotFound {
			t.Errorf("%d, want 404\n%s", w.Code, w.Body)
		} else {
			wantSilent(t, "not found", w.Body.String(), "deploy-bot", "github-bot", "acme/site")
		}
	})
}

func TestOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	walk(t, func(t *testing.T, h *house, rt route, q visit) {
		if q.method == http.MethodGet {
			return
		}
		before, err := h.store.EventChain(t.Context(), h.owner.Team.ID, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		q.cookie = h.session(t, h.owner) // which is one event
		for _, header := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"},
			{"Sec-Fetch-Site": "same-site"},
			{"Origin": "https://evil.example"},
			{"Origin": "null"},
			{"Origin": "http://127.0.0.1:9999"},
		} {
			q.header = header
			if w := h.do(t, q); w.Code != http.StatusForbidden {
				t.Errorf("%v: %d, want 403", header, w.Code)
			}
		}
		after, err := h.store.EventChain(t.Context(), h.owner.Team.ID, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(after) != len(before)+1 {
			t.Errorf("%d events, want %d: something was done", len(after), len(before)+1)
		}
	})
}
