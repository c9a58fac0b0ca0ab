package web

import (
	"net/http"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// The wizard keeps nothing of its own: each step changes the gateway, which
// denies everything until it has rules. So every step can be reloaded, gone
// back to, and left for tomorrow.

func (s *Server) newGatewayForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showGatewayForm(w, r, v, http.StatusOK, views.GatewayForm{Enforcement: policy.FullEnforce.String()})
}

func (s *Server) showGatewayForm(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, g views.GatewayForm) error {
	f, err := s.frame(r, v, "gateways", "Set up a gateway")
	if err != nil {
		return err
	}
	if err := s.aboutIDs(r.Context(), &f, v, g.ID); err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.GatewayFormPage(f, g))
}

func (s *Server) newGateway(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	form, set, err := readSettings(r)
	if err != nil {
		return err
	}
	if form.Errors.Any() {
		return s.showGatewayForm(w, r, v, http.StatusUnprocessableEntity, form)
	}
	g, err := s.Gateways.Create(r.Context(), v, set)
	if k := fault.Of(err); k == fault.Conflict || k == fault.Invalid {
		form.Errors = views.Errors{"name": fault.Message(err)}
		return s.showGatewayForm(w, r, v, k.Status(), form)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID+"/setup/connectors")
}

// readSettings reads the form of the first step, with a sentence beside each
// field that is wrong.
func readSettings(r *http.Request) (views.GatewayForm, gateways.Settings, error) {
	if err := parse(r); err != nil {
		return views.GatewayForm{}, gateways.Settings{}, err
	}
	form := views.GatewayForm{Name: text(r, "name"), Environment: text(r, "environment"), Enforcement: text(r, "enforcement"), Errors: views.Errors{}}
	set := gateways.Settings{Name: form.Name, Environment: form.Environment}
	if err := fleet.CheckName(form.Name); err != nil {
		form.Errors["name"] = fault.Message(err)
	}
	if err := set.Enforcement.UnmarshalText([]byte(form.Enforcement)); err != nil {
		form.Errors["enforcement"] = fault.Message(err)
	}
	if err := (gateways.Settings{Name: "name", Environment: form.Environment}).Check(); err != nil {
		form.Errors["environment"] = fault.Message(err)
	}
	return form, set, nil
}

func (s *Server) gatewayForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	return s.showGatewayForm(w, r, v, http.StatusOK, views.GatewayForm{ID: g.ID, Name: g.Name, Environment: g.Environment, Enforcement: g.Enforcement.String()})
}

func (s *Server) updateGateway(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	form, set, err := readSettings(r)
	if err != nil {
		return err
	}
	form.ID = g.ID
	if form.Errors.Any() {
		return s.showGatewayForm(w, r, v, http.StatusUnprocessableEntity, form)
	}
	err = s.Gateways.Update(r.Context(), v, g.ID, set)
	if k := fault.Of(err); k == fault.Conflict || k == fault.Invalid {
		form.Errors = views.Errors{"name": fault.Message(err)}
		return s.showGatewayForm(w, r, v, k.Status(), form)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID+"/setup/connectors")
}

func (s *Server) runCommand(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "gateways", "Set up a gateway")
	if err != nil {
		return err
	}
	about(&f, v, g)
	f.Narrow, f.Topics = true, "traffic"
	return render(w, r, http.StatusOK, views.RunPage(f, views.Progress{Gateway: g, Now: s.Now()}, s.BaseURL))
}

func (s *Server) progress(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ProgressList(views.Progress{Gateway: g, Now: s.Now()}))
}
