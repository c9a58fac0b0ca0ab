package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// frame collects what stands around every page.
func (s *Server) frame(r *http.Request, v team.Viewer, section, title string) (views.Frame, error) {
	f := views.Frame{Title: title, Section: section, Viewer: v, Theme: theme(r)}
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return f, err
	}
	f.Waiting, f.Kills, err = s.around(r.Context(), v, gs)
	f.Fleet = s.online(gs)
	return f, err
}

// around is what waits and what is stopped.
func (s *Server) around(ctx context.Context, v team.Viewer, gs []fleet.Gateway) (int, []views.KillLine, error) {
	waiting, err := s.Approvals.PendingCount(ctx, v.Team.ID)
	if err != nil {
		return 0, nil, err
	}
	active, err := s.Kills.Active(ctx, v.Team.ID)
	if err != nil || len(active) == 0 {
		return waiting, nil, err
	}
	lines, err := s.killLines(ctx, v, active, gs)
	return waiting, lines, err
}

func (s *Server) online(gs []fleet.Gateway) views.Fleet {
	var f views.Fleet
	for _, g := range gs {
		if g.Status != fleet.Active || g.EnrolledAt.IsZero() {
			continue
		}
		f.Total++
		if s.Now().Sub(g.LastSeenAt) <= views.Online {
			f.Online++
		}
	}
	return f
}

// newestCards is of how many requests an open page can say that they are new.
const newestCards = 5

// status brings the frame of an open page up to date.
func (s *Server) status(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	gs, err := s.Gateways.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	waiting, lines, err := s.around(r.Context(), v, gs)
	if err != nil {
		return err
	}
	var newest []views.Card
	if waiting > 0 {
		as, _, err := s.Approvals.List(r.Context(), v.Team.ID, approval.Filter{Status: []approval.Status{approval.Pending}}, page.Cursor{}, newestCards)
		if err != nil {
			return err
		}
		for _, a := range as {
			newest = append(newest, s.plainCard(v, a))
		}
	}
	return render(w, r, http.StatusOK, views.Status(waiting, s.online(gs), lines, newest))
}

// killLines says of kill switches what they stop, and who pulled them.
func (s *Server) killLines(ctx context.Context, v team.Viewer, ks []fleet.Kill, gs []fleet.Gateway) ([]views.KillLine, error) {
	members, err := s.People.Members(ctx, v.Team.ID)
	if err != nil {
		return nil, fmt.Errorf("name who pulled: %w", err)
	}
	people := map[string]string{}
	for _, m := range members {
		people[m.User.ID] = m.User.Name
	}
	names := gatewayNames(gs)
	lines := make([]views.KillLine, len(ks))
	for i, k := range ks {
		by := people[k.PulledBy]
		if id, ok := strings.CutPrefix(k.PulledBy, "gateway:"); ok {
			by = "somebody at the machine of " + names[id]
		} else if by == "" {
			by = "somebody who has left the team"
		}
		lines[i] = views.KillLine{ID: k.ID, Scope: scopeText(k, names), Reason: k.Reason, By: by, Since: k.PulledAt}
	}
	return lines, nil
}

func scopeText(k fleet.Kill, names map[string]string) string {
	switch {
	case k.GatewayID == "" && k.Connector == "":
		return "the whole team"
	case k.GatewayID == "":
		return "the connector " + k.Connector
	case k.Connector == "":
		return "the gateway " + names[k.GatewayID]
	}
	return "the connector " + k.Connector + " of " + names[k.GatewayID]
}

func gatewayNames(gs []fleet.Gateway) map[string]string {
	names := make(map[string]string, len(gs))
	for _, g := range gs {
		names[g.ID] = g.Name
	}
	return names
}
