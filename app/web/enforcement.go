package web

import (
	"context"
	"slices"

	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// about says of the page in f that it is about these gateways: of each that
// does not enforce all that it is told, the page then says so. A gateway that
// has been revoked refuses everything, and one may be named twice.
func about(f *views.Frame, v team.Viewer, gs ...fleet.Gateway) {
	for _, g := range gs {
		named := slices.ContainsFunc(f.Lenient, func(l views.LenientGateway) bool { return l.ID == g.ID })
		if named || g.Status != fleet.Active || g.Enforcement == policy.FullEnforce {
			continue
		}
		f.Lenient = append(f.Lenient, views.LenientGateway{ID: g.ID, Name: g.Name, Level: g.Enforcement, MayManage: v.May(team.Manage)})
	}
}

// aboutIDs is about for gateways of which only the IDs are known. Those that
// are not there are left out.
func (s *Server) aboutIDs(ctx context.Context, f *views.Frame, v team.Viewer, ids ...string) error {
	gs, err := s.Gateways.List(ctx, v.Team.ID)
	if err != nil {
		return err
	}
	about(f, v, chosen(gs, ids...)...)
	return nil
}

// aboutScope is about for the gateways that any of these scopes includes.
func (s *Server) aboutScope(ctx context.Context, f *views.Frame, v team.Viewer, scopes ...policy.Scope) error {
	gs, err := s.Gateways.List(ctx, v.Team.ID)
	if err != nil {
		return err
	}
	for _, g := range gs {
		if slices.ContainsFunc(scopes, func(in policy.Scope) bool { return in.Includes(g.Name, g.Environment) }) {
			about(f, v, g)
		}
	}
	return nil
}

// aboutPolicy is about for the gateways that a policy is about.
func (s *Server) aboutPolicy(ctx context.Context, f *views.Frame, v team.Viewer, p fleet.Policy) error {
	said, err := p.Policy()
	if err != nil {
		return err
	}
	return s.aboutScope(ctx, f, v, said.Scope)
}

// chosen are the gateways that have one of these IDs.
func chosen(gs []fleet.Gateway, ids ...string) []fleet.Gateway {
	var some []fleet.Gateway
	for _, g := range gs {
		if slices.Contains(ids, g.ID) {
			some = append(some, g)
		}
	}
	return some
}
