package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/proposals"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// proposal shows the rules that would cover what a gateway's requests have done.
func (s *Server) proposal(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	return s.showProposal(w, r, v, http.StatusOK, nil)
}

func (s *Server) showProposal(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, errs views.Errors) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	f, err := s.frame(r, v, "gateways", "Proposed rules")
	if err != nil {
		return err
	}
	about(&f, v, g)
	found, err := s.Proposals.Propose(r.Context(), v.Team.ID, g.ID, s.Now().UTC().Truncate(time.Second))
	if err != nil {
		return err
	}
	p := views.Proposal{
		Gateway: g, Since: found.Since, Until: found.Until, Requests: found.Requests, More: found.More,
		Stamp: found.Until.Format(time.RFC3339), Digest: found.Digest,
		MayManage: v.May(team.Manage), Adopted: r.Method == http.MethodGet && r.URL.Query().Get("adopted") == "yes", Errors: errs,
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	today, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
	if err != nil {
		return err
	}
	for _, c := range found.Connectors {
		title := c.Type
		if t := own.Named(c.Type); t != nil {
			title = t.Title
		}
		p.Connectors = append(p.Connectors, proposed(c, title, today))
	}
	for _, u := range found.Uncovered {
		p.Uncovered = append(p.Uncovered, views.UncoveredRequests{Host: u.Host, Action: u.Action, Why: u.Why, N: u.N, Example: u.Example})
	}
	return render(w, r, status, views.ProposalPage(f, p))
}

func proposed(c proposals.Connector, title string, today []gateways.Connector) views.ProposedConnector {
	return views.ProposedConnector{
		Name: c.Name, Title: title, Seen: c.Seen, Rules: c.Rules,
		Allowed: c.Allowed, Asked: c.Asked, Denied: c.Denied, Drops: dropped(c, today), Leaves: c.Leaves, Refused: c.Refused, Kept: c.Kept,
	}
}

// dropped are the rules that allow something today and would be gone.
func dropped(c proposals.Connector, today []gateways.Connector) []string {
	var gone []string
	for _, is := range today {
		if is.Name != c.Name || !c.Seen {
			continue
		}
		for _, r := range is.Rules {
			stays := slices.ContainsFunc(c.Rules, func(p fleet.Rule) bool { return ruleText(p) == ruleText(r) })
			if r.Effect == policy.Allow && !stays {
				text, _, _ := strings.Cut(ruleText(r), " → ")
				gone = append(gone, text)
			}
		}
	}
	return gone
}

// adoptProposal configures what was proposed, if it is still what is proposed;
// or else shows what is now.
func (s *Server) adoptProposal(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	until, err := time.Parse(time.RFC3339, text(r, "until"))
	if err != nil || until.After(s.Now()) {
		return fault.New(fault.Invalid, "The form could not be read. Go back and send it again.", err)
	}
	err = s.Proposals.Adopt(r.Context(), v, g.ID, until, text(r, "digest"))
	if k := fault.Of(err); k == fault.Conflict || k == fault.Invalid {
		return s.showProposal(w, r, v, k.Status(), views.Errors{"": fault.Message(err)})
	}
	if err != nil {
		return err
	}
	return see(w, r, "/gateways/"+g.ID+"/proposal?adopted=yes")
}
