package api

import (
	"net/http"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/team"
)

// audience says who may call a route: everybody, or who has a permission. The
// zero audience is nobody.
type audience string

const (
	anyone   = audience("anyone")
	viewers  = audience(team.View)
	deciders = audience(team.Decide)
	managers = audience(team.Manage)
)

// lets reports whether v is of the audience.
func (a audience) lets(v team.Viewer) bool {
	return a == anyone || a != "" && v.May(team.Permission(a))
}

// route is one call.
type route struct {
	pattern  string // without rest.Prefix after the method
	audience audience
	serve    endpoint
}

// routes is everything that can be called.
var routes = []route{
	{"GET /version", anyone, get((*Server).version)},
	{"POST /logins", anyone, post((*Server).beginLogin)},
	{"POST /logins/token", anyone, post((*Server).finishLogin)},

	{"GET /me", viewers, get((*Server).me)},
	{"DELETE /tokens/current", viewers, get((*Server).logout)},
	{"POST /links/sign-in", viewers, post((*Server).signInLink)},
	{"GET /status", viewers, get((*Server).status)},

	{"GET /gateways", viewers, get((*Server).listGateways)},
	{"POST /gateways", managers, post((*Server).createGateway)},
	{"GET /gateways/{name}", viewers, get((*Server).showGateway)},
	{"POST /gateways/{name}/enrolments", managers, post((*Server).enrol)},

	{"GET /approvals", viewers, get((*Server).listApprovals)},
	{"GET /approvals/events", viewers, get((*Server).approvalNews)},
	{"POST /approvals/decisions", deciders, post((*Server).decideAll)},
	{"GET /approvals/{id}", viewers, get((*Server).showApproval)},
	{"GET /approvals/{id}/body", deciders, get((*Server).showBody)},
	{"POST /approvals/{id}/decision", deciders, post((*Server).decide)},
	{"POST /approvals/{id}/repeat/end", deciders, post((*Server).endRepeat)},

	{"GET /kills", viewers, get((*Server).listKills)},
	{"POST /kills", deciders, post((*Server).pull)},
	{"DELETE /kills/{id}", managers, get((*Server).lift)},

	{"GET /requests", viewers, get((*Server).listRequests)},
	{"GET /requests/stream", viewers, (*Server).streamRequests},

	{"GET /policies", viewers, get((*Server).listPolicies)},
	{"POST /policies", managers, post((*Server).savePolicy)},
	{"POST /policies/check", viewers, post((*Server).checkPolicy)},
	{"GET /policies/{name}", viewers, get((*Server).showPolicy)},
	{"DELETE /policies/{name}", managers, get((*Server).deletePolicy)},
	{"GET /policies/{name}/versions", viewers, get((*Server).policyVersions)},
	{"GET /policies/{name}/versions/{version}", viewers, get((*Server).policyVersion)},
	{"POST /policies/{name}/revert", managers, post((*Server).revertPolicy)},
	{"POST /decisions", viewers, post((*Server).judged)},

	{"GET /configuration", managers, get((*Server).export)},
	{"POST /configuration", managers, post((*Server).apply)},
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.HandleFunc(place(r.pattern), func(w http.ResponseWriter, req *http.Request) { s.serve(w, req, r) })
	}
	mux.HandleFunc(rest.Prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); method != r.Method && pattern != rest.Prefix+"/" {
				s.fail(w, r, &refusal{http.StatusMethodNotAllowed, fault.New(fault.Invalid, "This cannot be called with "+clip(r.Method)+".", nil)})
				return
			}
		}
		s.fail(w, r, fault.New(fault.NotFound, "There is nothing here. Is the command line newer than the server?", nil))
	})
	return mux
}
