package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) policyVersion(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return notHere()
	}
	return s.showPolicyVersion(w, r, v, http.StatusOK, p, n, "", nil)
}

// showPolicyVersion shows what a version changed, and what going back to it
// would change.
func (s *Server) showPolicyVersion(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, p fleet.Policy, n int64, message string, errs views.Errors) error {
	f, err := s.frame(r, v, "policies", views.Visible(p.Name, 80))
	if err != nil {
		return err
	}
	d := views.PolicyVersionDetail{Policy: p, MayManage: v.May(team.Manage), Message: message, Errors: errs}
	if d.Version, err = s.Policies.Version(r.Context(), v.Team.ID, p.ID, n); err != nil {
		return err
	}
	if n > 1 {
		before, err := s.Policies.Version(r.Context(), v.Team.ID, p.ID, n-1)
		if err != nil {
			return err
		}
		d.Before = &before
	}
	if err := s.aboutPolicy(r.Context(), &f, v, p); err != nil {
		return err
	}
	return render(w, r, status, views.PolicyVersionPage(f, d))
}

func (s *Server) revertPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	base, badBase := readVersion(r, "base")
	to, badTo := readVersion(r, "to")
	if err := errors.Join(badBase, badTo); err != nil {
		return err
	}
	_, err = s.Policies.Revert(r.Context(), v, p.ID, base, to, text(r, "message"))
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict {
		return s.showPolicyVersion(w, r, v, k.Status(), p, to, text(r, "message"), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/policies/"+p.ID)
}
