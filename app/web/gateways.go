package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const latestRequests = 8

func (s *Server) gateways(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "gateways", "Gateways")
	if err != nil {
		return err
	}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	about(&f, v, gs...)
	return render(w, r, http.StatusOK, views.GatewaysPage(f, gatewayLines(gs, v), v.May(team.Manage), s.Now()))
}

func (s *Server) gatewayList(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.GatewayList(gatewayLines(gs, v), v.May(team.Manage), s.Now()))
}

// gatewayLines puts those that may take part first.
func gatewayLines(gs []fleet.Gateway, v team.Viewer) []views.GatewayLine {
	lines := make([]views.GatewayLine, len(gs))
	for i, g := range gs {
		lines[i] = gatewayLine(g, v)
	}
	slices.SortStableFunc(lines, func(a, b views.GatewayLine) int {
		return revokedLast(a) - revokedLast(b)
	})
	return lines
}

func revokedLast(l views.GatewayLine) int {
	if l.Status == fleet.Revoked {
		return 1
	}
	return 0
}

// gatewayLine knows whether a gateway acts on the team's newest revision: the
// snapshot that it has confirmed has the same number.
func gatewayLine(g fleet.Gateway, v team.Viewer) views.GatewayLine {
	return views.GatewayLine{Gateway: g, InSync: !g.EnrolledAt.IsZero() && g.SnapshotAck >= v.Team.Revision}
}

func (s *Server) gateway(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showGateway(w, r, v, http.StatusOK, nil)
}

func (s *Server) showGateway(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	ctx := r.Context()
	g, err := s.Gateways.Find(ctx, v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "gateways", g.Name)
	if err != nil {
		return err
	}
	about(&f, v, g)
	d := views.GatewayDetail{GatewayLine: gatewayLine(g, v), MayManage: v.May(team.Manage), Now: s.Now(), Errors: errs}
	if d.Connectors, err = s.connectorLines(ctx, v, g.ID); err != nil {
		return err
	}
	if d.Recent, _, err = s.Trail.Requests(ctx, v.Team.ID, audit.Filter{GatewayID: g.ID}, page.Cursor{}, latestRequests); err != nil {
		return err
	}
	return render(w, r, status, views.GatewayPage(f, d))
}

func (s *Server) gatewayState(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.Gateways.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.GatewayFacts(views.GatewayDetail{GatewayLine: gatewayLine(g, v), Now: s.Now()}))
}

// connectorLines is what is configured for a gateway, in words.
func (s *Server) connectorLines(ctx context.Context, v team.Viewer, gatewayID string) ([]views.ConnectorLine, error) {
	cs, err := s.Gateways.Configuration(ctx, v.Team.ID, gatewayID)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	vault, err := s.Vault.List(ctx, v.Team.ID)
	if err != nil {
		return nil, err
	}
	own, err := s.Gateways.Own(ctx, v.Team.ID)
	if err != nil {
		return nil, err
	}
	lines := make([]views.ConnectorLine, len(cs))
	for i, c := range cs {
		l := views.ConnectorLine{Connector: c.Connector, Title: c.Type, Answers: c.Hosts, Rules: c.Rules}
		if t := own.Named(c.Type); t != nil {
			l.Title = t.Title
			if len(l.Answers) == 0 {
				l.Answers = t.Hosts
			}
		}
		for _, cred := range vault {
			if cred.ID == c.CredentialID {
				l.Credential = cred.Name
			}
		}
		lines[i] = l
	}
	return lines, nil
}

func (s *Server) revokeGateway(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	if err := parse(r); err != nil {
		return err
	}
	g, err := s.Gateways.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	if text(r, "confirm") != g.Name {
		return s.showGateway(w, r, v, http.StatusUnprocessableEntity, views.Errors{"confirm": "Type the gateway's name, " + g.Name + "."})
	}
	if err := s.Gateways.Revoke(r.Context(), v, g.ID); err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID)
}

// open is a gateway that can still be changed. It fails with fault.Conflict
// for one that is revoked.
func (s *Server) open(r *http.Request, v team.Viewer) (fleet.Gateway, error) {
	g, err := s.Gateways.Find(r.Context(), v.Team.ID, r.PathValue("id"))
	if err == nil && g.Status != fleet.Active {
		err = fault.New(fault.Conflict, "This gateway has been revoked and cannot be changed. Set up a new one.", nil)
	}
	return g, err
}
