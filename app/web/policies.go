package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/tameflare/tameflare/app/policies"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) policies(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "policies", "Policies")
	if err != nil {
		return err
	}
	all, err := s.Policies.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	lines, scopes := make([]views.PolicyLine, len(all)), make([]policy.Scope, len(all))
	for i, p := range all {
		lines[i].Policy = p
		if lines[i].Said, err = p.Policy(); err != nil {
			return err
		}
		scopes[i] = lines[i].Said.Scope
		if lines[i].Changed, err = s.Policies.Version(r.Context(), v.Team.ID, p.ID, p.Version); err != nil {
			return err
		}
	}
	if err := s.aboutScope(r.Context(), &f, v, scopes...); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.PoliciesPage(f, lines, v.May(team.Manage)))
}

func (s *Server) policy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showPolicy(w, r, v, http.StatusOK, p, settingsOf(p))
}

func settingsOf(p fleet.Policy) views.PolicySettings {
	return views.PolicySettings{Base: p.Version, Enabled: p.Enabled, ReportOnly: p.ReportOnly, Priority: strconv.Itoa(p.Priority)}
}

func (s *Server) showPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, p fleet.Policy, set views.PolicySettings) error {
	f, err := s.frame(r, v, "policies", views.Visible(p.Name, 80))
	if err != nil {
		return err
	}
	d := views.PolicyDetail{Policy: p, Settings: set, MayManage: v.May(team.Manage), Now: s.Now()}
	if d.Said, err = p.Policy(); err != nil {
		return err
	}
	if d.Gateways, err = s.reach(r.Context(), v, d.Said.Scope); err != nil {
		return err
	}
	for _, g := range d.Gateways {
		about(&f, v, g.Gateway)
	}
	if d.Versions, err = s.Policies.Versions(r.Context(), v.Team.ID, p.ID); err != nil {
		return err
	}
	c, err := s.Policies.Check(r.Context(), v.Team.ID, p.Document)
	switch {
	case fault.Of(err) == fault.Invalid: // what is known of services has changed since
		for _, problem := range problems(err) {
			d.Problems = append(d.Problems, "The document could not be saved like this any more. "+problem.Message)
		}
	case err != nil:
		return err
	default:
		d.Description, d.Results = c.Document.Description, c.Results
	}
	return render(w, r, status, views.PolicyPage(f, d))
}

// policyReach brings the list of a policy's gateways up to date.
func (s *Server) policyReach(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	said, err := p.Policy()
	if err != nil {
		return err
	}
	lines, err := s.reach(r.Context(), v, said.Scope)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.PolicyReach(lines, p.Enabled, s.Now()))
}

// reach is the gateways that a scope includes, without those that are revoked.
func (s *Server) reach(ctx context.Context, v team.Viewer, scope policy.Scope) ([]views.GatewayLine, error) {
	gs, err := s.Gateways.List(ctx, v.Team.ID)
	if err != nil {
		return nil, err
	}
	var lines []views.GatewayLine
	for _, g := range gs {
		if g.Status == fleet.Active && scope.Includes(g.Name, g.Environment) {
			lines = append(lines, gatewayLine(g, v))
		}
	}
	return lines, nil
}

// setPolicy changes how a policy counts.
func (s *Server) setPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	set, counts, err := readCounts(r)
	if err != nil {
		return err
	}
	if set.Errors.Any() {
		return s.showPolicy(w, r, v, http.StatusUnprocessableEntity, p, set)
	}
	_, err = s.Policies.Set(r.Context(), v, p.ID, set.Base, counts, set.Message)
	if k := fault.Of(err); k == fault.Invalid || k == fault.Conflict {
		set.Base, set.Errors = p.Version, views.Errors{"": fault.Message(err)}
		return s.showPolicy(w, r, v, k.Status(), p, set)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/policies/"+p.ID)
}

// readCounts reads how a policy is to count, with a sentence beside each field
// that is wrong.
func readCounts(r *http.Request) (views.PolicySettings, policies.Counts, error) {
	if err := parse(r); err != nil {
		return views.PolicySettings{}, policies.Counts{}, err
	}
	set := views.PolicySettings{
		Enabled: text(r, "enabled") == "yes", ReportOnly: text(r, "report_only") == "yes",
		Priority: text(r, "priority"), Message: text(r, "message"), Errors: views.Errors{},
	}
	counts := policies.Counts{Enabled: set.Enabled, ReportOnly: set.ReportOnly}
	var err error
	if set.Base, err = readVersion(r, "base"); err != nil {
		return set, counts, err
	}
	counts.Priority, err = strconv.Atoi(set.Priority)
	if err != nil {
		counts.Priority = 0 // which is none
	}
	if err := fleet.CheckPriority(counts.Priority); err != nil {
		set.Errors["priority"] = fault.Message(err)
	}
	if err := policies.CheckMessage(set.Message); err != nil {
		set.Errors["message"] = fault.Message(err)
	}
	return set, counts, nil
}

// readVersion reads the number of a version from a parsed form; nothing is 0.
func readVersion(r *http.Request, name string) (int64, error) {
	if text(r, name) == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text(r, name), 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "The form could not be read. Go back and send it again.", err)
	}
	return n, nil
}

func (s *Server) deletePolicyForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showDeletePolicy(w, r, v, http.StatusOK, nil)
}

func (s *Server) showDeletePolicy(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "policies", views.Visible(p.Name, 80))
	if err != nil {
		return err
	}
	f.Narrow = true
	if err := s.aboutPolicy(r.Context(), &f, v, p); err != nil {
		return err
	}
	return render(w, r, status, views.PolicyDeletePage(f, p, errs))
}

func (s *Server) deletePolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	p, err := s.Policies.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	base, err := readVersion(r, "base")
	if err != nil {
		return err
	}
	err = s.Policies.Delete(r.Context(), v, p.ID, base)
	if k := fault.Of(err); k == fault.Conflict {
		return s.showDeletePolicy(w, r, v, k.Status(), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/policies")
}
