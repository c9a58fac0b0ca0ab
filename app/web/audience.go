package web

import (
	"net"
	"net/http"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// audience is who a route is for. It returns who is asking, and an error where
// the route is not for them.
type audience func(s *Server, r *http.Request) (team.Viewer, error)

func everyone(*Server, *http.Request) (team.Viewer, error) { return team.Viewer{}, nil }

// signedIn is who is signed in and may do p.
func signedIn(p team.Permission) audience {
	return func(s *Server, r *http.Request) (team.Viewer, error) {
		v, err := s.viewer(r)
		if err == nil && !v.May(p) {
			err = fault.New(fault.Forbidden, mayNot[p], nil)
		}
		return v, err
	}
}

var mayNot = map[team.Permission]string{
	team.View:    "You are not in this team.",
	team.Decide:  "Viewers look, and do not decide. Ask an owner or admin to make you a member.",
	team.Manage:  "Only owners and admins change this. Ask one of them.",
	team.Command: "Only an owner does this. Ask one of them.",
}

// viewer is who is asking, as they are now and not as they were at sign-in.
func (s *Server) viewer(r *http.Request) (team.Viewer, error) {
	id := s.Cookies.Read(r)
	if id == "" {
		return team.Viewer{}, fault.New(fault.Unauthenticated, "Sign in to go on.", nil)
	}
	return s.Accounts.Viewer(r.Context(), id, s.ip(r))
}

func (s *Server) ip(r *http.Request) string {
	if s.IP != nil {
		return s.IP(r)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
