package web

import (
	"net/http"

	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/static"
)

// route is a page, and who it is for.
type route struct {
	pattern string
	who     audience
	handle  func(*Server, http.ResponseWriter, *http.Request, team.Viewer) error
}

// routes is every page there is. A page cannot be added without saying who it
// is for, and the test that walks this table covers it from then on.
var routes = []route{
	{"GET /livez", everyone, (*Server).live},
	{"GET /readyz", everyone, (*Server).ready},

	{"GET /register", everyone, (*Server).registerForm},
	{"POST /register", everyone, (*Server).register},
	{"GET /sign-in", everyone, (*Server).signInForm},
	{"POST /sign-in", everyone, (*Server).signIn},
	{"GET /sign-in/link", everyone, (*Server).signInLinkForm},
	{"POST /sign-in/link", everyone, (*Server).signInLink},
	{"POST /sign-out", signedIn(team.View), (*Server).signOut},
	{"GET /cli/login/{id}", signedIn(team.View), (*Server).cliLogin},
	{"POST /cli/login/{id}", signedIn(team.View), (*Server).confirmCLILogin},
	{"GET /device", signedIn(team.View), (*Server).deviceForm},
	{"POST /device", signedIn(team.View), (*Server).device},

	{"GET /{$}", signedIn(team.View), (*Server).overview},
	{"GET /overview", signedIn(team.View), (*Server).overviewBody},
	{"GET /status", signedIn(team.View), (*Server).status},
	{"GET /events", signedIn(team.View), (*Server).events},

	{"GET /approvals", signedIn(team.View), (*Server).approvals},
	{"GET /approvals/cards", signedIn(team.View), (*Server).approvalCards},
	{"GET /approvals/history", signedIn(team.View), (*Server).history},
	{"GET /approvals/{id}", signedIn(team.View), (*Server).approval},
	{"GET /approvals/{id}/card", signedIn(team.View), (*Server).approvalCard},
	{"GET /approvals/{id}/facts", signedIn(team.View), (*Server).approvalFacts},
	{"GET /approvals/{id}/bytes", signedIn(team.Decide), (*Server).approvalBytes},
	{"GET /approvals/{id}/rule", signedIn(team.Manage), (*Server).approvalRuleForm},
	{"POST /approvals/{id}/rule", signedIn(team.Manage), (*Server).addApprovalRule},
	{"POST /approvals/{id}/decision", signedIn(team.Decide), (*Server).decide},
	{"POST /approvals/{id}/repeat/end", signedIn(team.Decide), (*Server).endRepeat},
	{"POST /approvals/decisions", signedIn(team.Decide), (*Server).decideSeveral},

	{"GET /traffic", signedIn(team.View), (*Server).traffic},
	{"GET /traffic/news", signedIn(team.View), (*Server).trafficNews},
	{"GET /traffic/{id}", signedIn(team.View), (*Server).trafficDetail},

	{"GET /gateways", signedIn(team.View), (*Server).gateways},
	{"GET /gateways/list", signedIn(team.View), (*Server).gatewayList},
	{"GET /gateways/new", signedIn(team.Manage), (*Server).newGatewayForm},
	{"POST /gateways", signedIn(team.Manage), (*Server).newGateway},
	{"GET /gateways/{id}", signedIn(team.View), (*Server).gateway},
	{"GET /gateways/{id}/state", signedIn(team.View), (*Server).gatewayState},
	{"POST /gateways/{id}/revoke", signedIn(team.Manage), (*Server).revokeGateway},
	{"GET /gateways/{id}/proposal", signedIn(team.View), (*Server).proposal},
	{"POST /gateways/{id}/proposal", signedIn(team.Manage), (*Server).adoptProposal},
	{"GET /gateways/{id}/setup", signedIn(team.Manage), (*Server).gatewayForm},
	{"POST /gateways/{id}/setup", signedIn(team.Manage), (*Server).updateGateway},
	{"GET /gateways/{id}/setup/connectors", signedIn(team.Manage), (*Server).connectorForm},
	{"POST /gateways/{id}/setup/connectors", signedIn(team.Manage), (*Server).addConnector},
	{"POST /gateways/{id}/setup/connectors/remove", signedIn(team.Manage), (*Server).removeConnector},
	{"GET /gateways/{id}/setup/connectors/key", signedIn(team.Manage), (*Server).clientKeyForm},
	{"POST /gateways/{id}/setup/connectors/key", signedIn(team.Manage), (*Server).setClientKey},
	{"GET /gateways/{id}/setup/access", signedIn(team.Manage), (*Server).accessForm},
	{"POST /gateways/{id}/setup/access", signedIn(team.Manage), (*Server).setAccess},
	{"GET /gateways/{id}/setup/run", signedIn(team.Manage), (*Server).runCommand},
	{"GET /gateways/{id}/setup/progress", signedIn(team.Manage), (*Server).progress},

	{"GET /connectors", signedIn(team.View), (*Server).catalogue},
	{"GET /connectors/{type}/{action}", signedIn(team.View), (*Server).catalogueAction},
	{"GET /connectors/try", signedIn(team.View), (*Server).trialForm},
	{"POST /connectors/try", signedIn(team.View), (*Server).trial},

	{"GET /connector-types", signedIn(team.View), (*Server).connectorTypes},
	{"GET /connector-types/new", signedIn(team.Manage), (*Server).newTypeForm},
	{"POST /connector-types/preview", signedIn(team.Manage), (*Server).previewType},
	{"POST /connector-types", signedIn(team.Manage), (*Server).saveType},
	{"GET /connector-types/{id}", signedIn(team.View), (*Server).connectorType},
	{"GET /connector-types/{id}/delete", signedIn(team.Manage), (*Server).deleteTypeForm},
	{"POST /connector-types/{id}/delete", signedIn(team.Manage), (*Server).deleteType},

	{"GET /policies", signedIn(team.View), (*Server).policies},
	{"GET /policies/new", signedIn(team.Manage), (*Server).newPolicy},
	{"POST /policies/check", signedIn(team.Manage), (*Server).checkPolicy},
	{"POST /policies/preview", signedIn(team.Manage), (*Server).previewPolicy},
	{"POST /policies", signedIn(team.Manage), (*Server).savePolicy},
	{"GET /policies/packs", signedIn(team.View), (*Server).packs},
	{"GET /policies/sandbox", signedIn(team.View), (*Server).sandboxForm},
	{"POST /policies/sandbox", signedIn(team.View), (*Server).sandbox},
	{"POST /policies/builder", signedIn(team.Manage), (*Server).buildPolicy},
	{"GET /policies/{id}", signedIn(team.View), (*Server).policy},
	{"GET /policies/{id}/edit", signedIn(team.Manage), (*Server).editPolicy},
	{"GET /policies/{id}/reach", signedIn(team.View), (*Server).policyReach},
	{"POST /policies/{id}/settings", signedIn(team.Manage), (*Server).setPolicy},
	{"GET /policies/{id}/versions/{n}", signedIn(team.View), (*Server).policyVersion},
	{"POST /policies/{id}/revert", signedIn(team.Manage), (*Server).revertPolicy},
	{"GET /policies/{id}/delete", signedIn(team.Manage), (*Server).deletePolicyForm},
	{"POST /policies/{id}/delete", signedIn(team.Manage), (*Server).deletePolicy},
	{"GET /replays/{id}", signedIn(team.Manage), (*Server).replay},
	{"POST /replays/{id}/cancel", signedIn(team.Manage), (*Server).cancelReplay},

	{"GET /vault", signedIn(team.View), (*Server).vault},
	{"GET /vault/new", signedIn(team.Manage), (*Server).newCredentialForm},
	{"POST /vault", signedIn(team.Manage), (*Server).newCredential},
	{"GET /vault/{id}/rotate", signedIn(team.Manage), (*Server).rotateForm},
	{"POST /vault/{id}/rotate", signedIn(team.Manage), (*Server).rotate},
	{"POST /vault/{id}/refresh", signedIn(team.Manage), (*Server).refreshCredential},
	{"GET /vault/{id}/delete", signedIn(team.Manage), (*Server).deleteCredentialForm},
	{"POST /vault/{id}/delete", signedIn(team.Manage), (*Server).deleteCredential},

	{"GET /kill", signedIn(team.View), (*Server).kill},
	{"GET /kill/confirmed", signedIn(team.View), (*Server).killConfirmed},
	{"POST /kill", signedIn(team.Decide), (*Server).pull},
	{"POST /kill/{id}/lift", signedIn(team.Manage), (*Server).lift},

	{"GET /audit", signedIn(team.View), (*Server).audit},
	{"GET /settings", signedIn(team.View), (*Server).settings},
	{"GET /settings/groups", signedIn(team.View), (*Server).groups},
	{"GET /settings/groups/new", signedIn(team.Manage), (*Server).newGroupForm},
	{"POST /settings/groups", signedIn(team.Manage), (*Server).saveGroup},
	{"GET /settings/groups/{id}", signedIn(team.Manage), (*Server).groupForm},
	{"POST /settings/groups/{id}", signedIn(team.Manage), (*Server).saveGroup},
	{"GET /settings/groups/{id}/delete", signedIn(team.Manage), (*Server).deleteGroupForm},
	{"POST /settings/groups/{id}/delete", signedIn(team.Manage), (*Server).deleteGroup},
	{"POST /settings/tokens/{id}/revoke", signedIn(team.View), (*Server).revokeToken},
	{"GET /settings/slack", signedIn(team.Manage), (*Server).slack},
	{"POST /settings/slack", signedIn(team.Manage), (*Server).saveSlack},
	{"POST /settings/slack/begin", signedIn(team.Manage), (*Server).beginSlack},
	{"POST /settings/slack/test", signedIn(team.Manage), (*Server).testSlack},
	{"POST /settings/slack/delete", signedIn(team.Manage), (*Server).removeSlack},
	{"GET /settings/slack/link", signedIn(team.Decide), (*Server).slackLink},
	{"POST /settings/slack/link", signedIn(team.Decide), (*Server).newSlackCode},
	{"POST /settings/slack/unlink", signedIn(team.Decide), (*Server).unlinkSlack},
}

// Handler returns the dashboard, with what every request needs around it.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.HandleFunc(rt.pattern, s.answer(rt))
	}
	mux.Handle("GET "+static.Prefix, static.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, team.Viewer{}, notHere()) })
	return s.protect(mux)
}

func (s *Server) answer(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := rt.who(s, r)
		if err == nil {
			err = rt.handle(s, w, r, v)
		}
		if err != nil {
			s.fail(w, r, v, err)
		}
	}
}
