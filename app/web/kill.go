package web

import (
	"net/http"
	"slices"

	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) kill(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showKill(w, r, v, http.StatusOK, views.Kill{})
}

func (s *Server) showKill(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, k views.Kill) error {
	f, err := s.frame(r, v, "kill", "Kill switch")
	if err != nil {
		return err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	k.Active, k.MayPull, k.MayLift, k.Now = f.Kills, v.May(team.Decide), v.May(team.Manage), s.Now()
	k.Gateways = enrolled(gs, v)
	if k.Connectors, err = s.connectorOptions(r, v, gs); err != nil {
		return err
	}
	f.Narrow = true
	return render(w, r, status, views.KillPage(f, k))
}

// enrolled are the gateways that a kill switch has to reach.
func enrolled(gs []fleet.Gateway, v team.Viewer) []views.GatewayLine {
	return gatewayLines(slices.DeleteFunc(slices.Clone(gs), func(g fleet.Gateway) bool {
		return g.Status == fleet.Revoked || g.EnrolledAt.IsZero()
	}), v)
}

// connectorOptions is what can be stopped: each kind, and each name that is in use.
func (s *Server) connectorOptions(r *http.Request, v team.Viewer, gs []fleet.Gateway) ([]views.Option, error) {
	var all []views.Option
	add := func(value, text string) {
		if !slices.ContainsFunc(all, func(o views.Option) bool { return o.Value == value }) {
			all = append(all, views.Option{Value: value, Text: text})
		}
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range own.All() {
		add(t.Name, "Every "+t.Title)
	}
	for _, g := range gs {
		cs, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			add(c.Name, c.Name)
		}
	}
	return all, nil
}

func (s *Server) killConfirmed(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.KillConfirmed(enrolled(gs, v), s.Now()))
}

func (s *Server) pull(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	k := views.Kill{Reason: text(r, "reason"), Gateway: text(r, "gateway"), Connector: text(r, "connector"), Errors: views.Errors{}}
	scope := kills.Scope{GatewayID: k.Gateway, Connector: k.Connector}
	switch r.PostForm.Get("scope") {
	case "team":
		scope = kills.Scope{}
	case "chosen":
		if scope == (kills.Scope{}) {
			k.Errors["scope"] = "Choose a gateway or a connector, or stop everything."
		}
	default:
		k.Errors[""] = "Say what to stop."
	}
	if k.Errors.Any() {
		return s.showKill(w, r, v, http.StatusUnprocessableEntity, k)
	}
	_, err := s.Kills.Pull(r.Context(), v, scope, k.Reason)
	if kind := fault.Of(err); kind == fault.Invalid || kind == fault.NotFound {
		k.Errors["scope"] = fault.Message(err)
		return s.showKill(w, r, v, http.StatusUnprocessableEntity, k)
	}
	if err != nil {
		return err
	}
	return see(w, r, "/kill")
}

// lift wants a word typed: pulling must be quick, letting go must not.
func (s *Server) lift(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	id := r.PathValue("id")
	if text(r, "confirm") != "lift" {
		return s.showKill(w, r, v, http.StatusUnprocessableEntity, views.Kill{Errors: views.Errors{"confirm:" + id: "Type the word lift."}})
	}
	if err := s.Kills.Lift(r.Context(), v, id); err != nil {
		return err
	}
	return see(w, r, "/kill")
}
