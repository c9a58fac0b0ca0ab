package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/team"
)

// calls has a call that works for each route.
var calls = map[string]struct{ path, body string }{
	"GET /version":                            {"/version", ""},
	"POST /logins":                            {"/logins", `{"kind":"device","client":"x"}`},
	"POST /logins/token":                      {"/logins/token", `{"code":"good","verifier":"v","redirect_uri":"r"}`},
	"GET /me":                                 {"/me", ""},
	"DELETE /tokens/current":                  {"/tokens/current", ""},
	"POST /links/sign-in":                     {"/links/sign-in", `{}`},
	"GET /status":                             {"/status", ""},
	"GET /gateways":                           {"/gateways", ""},
	"POST /gateways":                          {"/gateways", `{"name":"two"}`},
	"GET /gateways/{name}":                    {"/gateways/one", ""},
	"POST /gateways/{name}/enrolments":        {"/gateways/one/enrolments", `{}`},
	"GET /approvals":                          {"/approvals?status=pending&status=approved&limit=5", ""},
	"GET /approvals/{id}":                     {"/approvals/apr_1", ""},
	"POST /approvals/{id}/decision":           {"/approvals/apr_1/decision", `{"verdict":"approve"}`},
	"POST /approvals/decisions":               {"/approvals/decisions", `{"ids":["apr_1"],"verdict":"deny"}`},
	"POST /approvals/{id}/repeat/end":         {"/approvals/apr_1/repeat/end", `{}`},
	"GET /approvals/{id}/body":                {"/approvals/apr_1/body", ""},
	"GET /approvals/events":                   {"/approvals/events?after=1&wait=1s&risk=low", ""},
	"GET /kills":                              {"/kills", ""},
	"POST /kills":                             {"/kills", `{"gateway":"one","reason":"leak"}`},
	"DELETE /kills/{id}":                      {"/kills/kill_1", ""},
	"GET /requests":                           {"/requests?decision=deny&since=15m", ""},
	"GET /requests/stream":                    {"/requests/stream?bad=1", ""}, // 422 is enough to know that it was let in
	"GET /policies":                           {"/policies", ""},
	"POST /policies":                          {"/policies", `{"document":"name: new"}`},
	"POST /policies/check":                    {"/policies/check", `{"document":"name: new"}`},
	"GET /policies/{name}":                    {"/policies/protect-main", ""},
	"DELETE /policies/{name}":                 {"/policies/protect-main?base=3", ""},
	"GET /policies/{name}/versions":           {"/policies/protect-main/versions", ""},
	"GET /policies/{name}/versions/{version}": {"/policies/pol_1/versions/2", ""},
	"POST /policies/{name}/revert":            {"/policies/pol_1/revert", `{"base":3,"to":2}`},
	"POST /decisions":                         {"/decisions", `{"gateway":"one","request":{"method":"GET","url":"https://api.github.com/user"}}`},
	"GET /configuration":                      {"/configuration", ""},
	"POST /configuration":                     {"/configuration?dry_run=true", `{"document":"version: 1\n"}`},
}

func TestEveryRouteIsForItsAudienceAndNobodyElse(t *testing.T) {
	t.Parallel()

	if len(calls) != len(routes) {
		t.Errorf("%d calls for %d routes", len(calls), len(routes))
	}
	for _, r := range routes {
		call, ok := calls[r.pattern]
		if !ok {
			t.Errorf("%s: no call in the table of this test", r.pattern)
			continue
		}
		method, _, _ := strings.Cut(r.pattern, " ")
		for _, token := range []string{"", "rubbish", "nobody", "viewer", "member", "admin", "owner"} {
			_, server := open(t)
			status, body, _ := say(t, server, token, method, call.path, call.body)
			var refused int
			switch {
			case r.audience == anyone:
			case token == "" || token == "rubbish":
				refused = http.StatusUnauthorized
			case !team.Role(token).May(team.Permission(r.audience)):
				refused = http.StatusForbidden
			}
			let := status != http.StatusUnauthorized && status != http.StatusForbidden && status < 500 && status != http.StatusNotFound
			if refused != 0 && status != refused || refused == 0 && !let {
				t.Errorf("%s as %q: status %d, want refused with %d (0 for let in): %s", r.pattern, token, status, refused, body)
			}
		}
	}
}

func TestAnotherTeamsThingsAreNotThere(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/gateways/one", ""},
		{"POST", "/gateways/one/enrolments", `{}`},
		{"GET", "/approvals/apr_1", ""},
		{"POST", "/approvals/apr_1/decision", `{"verdict":"approve"}`},
		{"POST", "/approvals/apr_1/repeat/end", `{}`},
		{"GET", "/approvals/apr_1/body", ""},
		{"GET", "/approvals/events?gateway=gw_1", ""},
		{"POST", "/kills", `{"gateway":"one"}`},
		{"DELETE", "/kills/kill_1", ""},
		{"GET", "/requests?gateway=one", ""},
		{"GET", "/approvals?gateway=gw_1", ""},
		{"GET", "/policies/protect-main", ""},
		{"GET", "/policies/pol_1/versions", ""},
		{"GET", "/policies/pol_1/versions/2", ""},
		{"POST", "/policies", `{"policy":"pol_1","base":3,"document":"name: new"}`},
		{"POST", "/policies/pol_1/revert", `{"base":3,"to":2}`},
		{"DELETE", "/policies/pol_1?base=3", ""},
		{"POST", "/decisions", `{"gateway":"one","request":{"method":"GET","url":"https://api.github.com/user"}}`},
	} {
		if status, body, _ := say(t, server, "stranger", c.method, c.path, c.body); status != http.StatusNotFound {
			t.Errorf("%s %s: status %d, want 404: %s", c.method, c.path, status, body)
		}
	}
}

func TestTheZeroAudienceIsNobody(t *testing.T) {
	t.Parallel()

	for _, role := range append(team.Roles(), team.Nobody) {
		if audience("").lets(team.Viewer{Role: role}) {
			t.Errorf("lets %q", role)
		}
	}
}

func TestACookieIsNoToken(t *testing.T) {
	t.Parallel()

	_, server := open(t)
	status, _, _ := say(t, server, "", "POST", "/kills", `{}`, func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "session", Value: "owner"})
		r.Header.Set("Cookie", r.Header.Get("Cookie")+"; token=owner")
	})
	if status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", status)
	}
}
