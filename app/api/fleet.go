package api

import (
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/rest"
)

func shown(g fleet.Gateway) rest.Gateway {
	return rest.Gateway{
		ID: g.ID, Name: g.Name, Environment: g.Environment, Enforcement: g.Enforcement.String(), Status: string(g.Status),
		Version: g.Version, Snapshot: g.SnapshotAck, EnrolledAt: g.EnrolledAt, LastSeenAt: g.LastSeenAt, CertExpires: g.CertExpires, CreatedAt: g.CreatedAt,
	}
}

func shownGateways(gs []fleet.Gateway) []rest.Gateway {
	out := make([]rest.Gateway, 0, len(gs))
	for _, g := range gs {
		out = append(out, shown(g))
	}
	return out
}

func (s *Server) listGateways(c *call) (rest.List[rest.Gateway], error) {
	if err := c.only(); err != nil {
		return rest.List[rest.Gateway]{}, err
	}
	gs, err := s.Gateways.List(c.Context(), c.viewer.Team.ID)
	return rest.List[rest.Gateway]{Items: shownGateways(gs)}, err
}

func (s *Server) showGateway(c *call) (rest.Gateway, error) {
	if err := c.only(); err != nil {
		return rest.Gateway{}, err
	}
	g, err := s.Gateways.Find(c.Context(), c.viewer.Team.ID, c.PathValue("name"))
	return shown(g), err
}

func (s *Server) createGateway(c *call, in rest.NewGateway) (rest.Gateway, error) {
	set := gateways.Settings{Name: in.Name, Environment: in.Environment}
	if in.Enforcement != "" {
		if err := set.Enforcement.UnmarshalText([]byte(in.Enforcement)); err != nil {
			return rest.Gateway{}, err
		}
	}
	g, err := s.Gateways.Create(c.Context(), c.viewer, set)
	return shown(g), err
}

// enrol hands out what makes a machine the gateway, once.
func (s *Server) enrol(c *call, _ struct{}) (rest.Enrolment, error) {
	g, err := s.Gateways.Find(c.Context(), c.viewer.Team.ID, c.PathValue("name"))
	if err != nil {
		return rest.Enrolment{}, err
	}
	e, err := s.Gateways.Enrolment(c.Context(), c.viewer, g.ID)
	return rest.Enrolment{Token: e.Token, ExpiresAt: e.Expires, LinkURL: e.LinkURL, RootPEM: e.RootPEM, GatewayID: e.GatewayID, Name: e.Name}, err
}

func (s *Server) listKills(c *call) (rest.List[rest.Kill], error) {
	if err := c.only(); err != nil {
		return rest.List[rest.Kill]{}, err
	}
	on, err := s.activeKills(c)
	return rest.List[rest.Kill]{Items: on}, err
}

func (s *Server) activeKills(c *call) ([]rest.Kill, error) {
	on, err := s.Kills.Active(c.Context(), c.viewer.Team.ID)
	if err != nil || len(on) == 0 {
		return []rest.Kill{}, err
	}
	gs, err := s.Gateways.List(c.Context(), c.viewer.Team.ID)
	if err != nil {
		return nil, err
	}
	out := make([]rest.Kill, 0, len(on))
	for _, k := range on {
		out = append(out, shownKill(k, gs))
	}
	return out, nil
}

func shownKill(k fleet.Kill, gs []fleet.Gateway) rest.Kill {
	out := rest.Kill{ID: k.ID, GatewayID: k.GatewayID, Connector: k.Connector, Reason: k.Reason, PulledBy: k.PulledBy, PulledAt: k.PulledAt}
	for _, g := range gs {
		if g.ID == k.GatewayID {
			out.Gateway = g.Name
		}
	}
	return out
}

func (s *Server) pull(c *call, in rest.NewKill) (rest.Kill, error) {
	scope := kills.Scope{Connector: in.Connector}
	var gs []fleet.Gateway
	if in.Gateway != "" {
		g, err := s.Gateways.Find(c.Context(), c.viewer.Team.ID, in.Gateway)
		if fault.Of(err) == fault.NotFound {
			return rest.Kill{}, fault.New(fault.NotFound, "There is no gateway "+clip(in.Gateway)+". Nothing was stopped.", err)
		}
		if err != nil {
			return rest.Kill{}, err
		}
		scope.GatewayID, gs = g.ID, []fleet.Gateway{g}
	}
	k, err := s.Kills.Pull(c.Context(), c.viewer, scope, in.Reason)
	return shownKill(k, gs), err
}

func (s *Server) lift(c *call) (nothing, error) {
	if err := c.only(); err != nil {
		return nothing{}, err
	}
	return nothing{}, s.Kills.Lift(c.Context(), c.viewer, c.PathValue("id"))
}
