package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// approvalFilterNames are the parameters that narrow a list of approvals; the
// last two that of decided ones.
var approvalFilterNames = []string{"q", "gateway", "connector", "risk", "action", "status", "channel"}

// outcomes are what history can be narrowed to.
var outcomes = map[string][]approval.Status{
	"":          decided,
	"approved":  {approval.Approved, approval.Executed, approval.Unused},
	"denied":    {approval.Denied},
	"expired":   {approval.Expired},
	"cancelled": {approval.Cancelled},
}

// readApprovalFilter reads a filter from an address, and returns the part of
// the address that says so. It fails with fault.Invalid.
func readApprovalFilter(q url.Values, history bool) (approval.Filter, views.ApprovalFilter, url.Values, error) {
	names := approvalFilterNames
	if !history {
		names = names[:len(names)-2]
	}
	kept := url.Values{}
	for _, name := range names {
		if v := q.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	f := approval.Filter{
		Text: kept.Get("q"), GatewayID: kept.Get("gateway"), Connector: kept.Get("connector"), Risk: kept.Get("risk"), Action: kept.Get("action"), Channel: kept.Get("channel"),
	}
	shown := views.ApprovalFilter{
		Text: f.Text, Gateway: f.GatewayID, Connector: f.Connector, Risk: f.Risk, Action: f.Action, Channel: f.Channel, Status: kept.Get("status"), History: history,
	}
	var risk action.Risk
	if f.Risk != "" && risk.UnmarshalText([]byte(f.Risk)) != nil {
		return f, shown, kept, fault.New(fault.Invalid, "There is no such risk to filter by.", nil)
	}
	if history {
		var ok bool
		if f.Status, ok = outcomes[shown.Status]; !ok {
			return f, shown, kept, fault.New(fault.Invalid, "There is no such outcome to filter by.", nil)
		}
	}
	return f, shown, kept, nil
}

// inboxFilter fills in what the inbox can be narrowed to.
func (s *Server) inboxFilter(r *http.Request, v team.Viewer, in *views.Inbox, gs []fleet.Gateway) error {
	var err error
	in.Filter.Gateways = gatewayOptions(gs)
	in.Filter.Connectors, err = s.connectorNames(r, v)
	return err
}

// connectorNames are the names of the team's connectors.
func (s *Server) connectorNames(r *http.Request, v team.Viewer) ([]views.Option, error) {
	cs, err := s.Gateways.Connectors(r.Context(), v.Team.ID)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range cs {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	var all []views.Option
	for _, name := range slices.Compact(names) {
		all = append(all, views.Option{Value: name, Text: name})
	}
	return all, nil
}
