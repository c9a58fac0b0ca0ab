package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

func (s *Server) overview(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	f, err := s.frame(r, v, "overview", "Overview")
	if err != nil {
		return err
	}
	o, err := s.readOverview(r, v)
	if err != nil {
		return err
	}
	f.Topics = "traffic"
	return render(w, r, http.StatusOK, views.OverviewPage(f, o))
}

func (s *Server) overviewBody(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	o, err := s.readOverview(r, v)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.OverviewBody(o))
}

const overviewPending = 5

func (s *Server) readOverview(r *http.Request, v team.Viewer) (views.Overview, error) {
	ctx, now := r.Context(), s.Now()
	o := views.Overview{MayDecide: v.May(team.Decide), MayManage: v.May(team.Manage), Now: now}
	pending, err := s.pending(r, v)
	if err != nil {
		return o, err
	}
	o.Waiting, o.Pending = len(pending), pending[:min(len(pending), overviewPending)]
	sum, err := s.Trail.Summary(ctx, v.Team.ID, now.Add(-24*time.Hour))
	if err != nil {
		return o, err
	}
	o.Total, o.Buckets = sum.Tally, sum.Buckets
	alerts, err := s.Trail.Alerts(ctx, v.Team.ID, now.Add(-24*time.Hour))
	if err != nil {
		return o, err
	}
	gs, err := s.Gateways.List(ctx, v.Team.ID)
	if err != nil {
		return o, err
	}
	o.Alerts, o.AllAlerts = alertLines(alerts, gatewayNames(gs)), len(alerts)
	gs = slices.DeleteFunc(slices.Clone(gs), func(g fleet.Gateway) bool { return g.Status == fleet.Revoked })
	o.Gateways = gatewayLines(gs, v)
	o.Steps, err = s.firstSteps(r, v, gs)
	return o, err
}

const overviewAlerts = 5

// alertLines are the latest alerts, each with the way to its requests.
func alertLines(all []audit.Alert, names map[string]string) []views.AlertLine {
	var lines []views.AlertLine
	for _, a := range all[:min(len(all), overviewAlerts)] {
		kind := a.Kind
		if !slices.Contains(audit.Alerts(), kind) { // of a gateway that is newer
			kind = audit.AnyAlert
		}
		q := url.Values{"alert": {kind}, "gateway": {a.GatewayID}, "host": {a.Host}, "run": {a.RunID}}
		lines = append(lines, views.AlertLine{Alert: a, Gateway: names[a.GatewayID], URL: address("/traffic", q)})
	}
	return lines
}

// pending is what waits for a person, the longest first.
func (s *Server) pending(r *http.Request, v team.Viewer) ([]approval.Approval, error) {
	as, _, err := s.Approvals.List(r.Context(), v.Team.ID, approval.Filter{Status: []approval.Status{approval.Pending}, Oldest: true}, page.Cursor{}, maxCards)
	return as, err
}

// firstSteps is what is yet to do on a fresh server.
func (s *Server) firstSteps(r *http.Request, v team.Viewer, gs []fleet.Gateway) ([]views.Step, error) {
	steps := []views.Step{
		{Text: "Sign in", Done: true},
		{Text: "Set up a gateway", URL: "/gateways/new", Link: "Set up", Done: len(gs) > 0},
		{Text: "Add a connector and its access rules"},
		{Text: "Connect the gateway with tameflare run"},
		{Text: "See the first request", URL: "/traffic", Link: "Traffic"},
	}
	for _, g := range gs {
		steps[3].Done = steps[3].Done || !g.EnrolledAt.IsZero()
		steps[4].Done = steps[4].Done || !g.FirstSeenAt.IsZero()
	}
	steps[2].Done = steps[4].Done
	if !steps[2].Done && len(gs) > 0 {
		cs, err := s.Gateways.Configuration(r.Context(), v.Team.ID, gs[0].ID)
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			steps[2].Done = steps[2].Done || len(c.Rules) > 0
		}
		steps[2].URL, steps[2].Link = "/gateways/"+gs[0].ID+"/setup/connectors", "Add"
		steps[3].URL, steps[3].Link = "/gateways/"+gs[0].ID+"/setup/run", "Show the command"
	}
	if !v.May(team.Manage) {
		for i := range steps {
			steps[i].Link = ""
		}
	}
	return steps, nil
}
