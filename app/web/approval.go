package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// approval is one approval with all that is known of it.
func (s *Server) approval(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showApproval(w, r, v, http.StatusOK, a, "")
}

func (s *Server) showApproval(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, a approval.Approval, note string) error {
	f, err := s.frame(r, v, "approvals", "Approval")
	if err != nil {
		return err
	}
	if err := s.aboutIDs(r.Context(), &f, v, a.GatewayID); err != nil {
		return err
	}
	c, err := s.card(r.Context(), v, a)
	if err != nil {
		return err
	}
	facts, err := s.facts(r.Context(), v, a)
	if err != nil {
		return err
	}
	c.Note, c.Alone, c.Facts = note, true, &facts
	return render(w, r, status, views.ApprovalPage(f, c))
}

// approvalCard is the card again, on an open page. What was found out about
// the request is on that page already.
func (s *Server) approvalCard(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showCard(w, r, v, http.StatusOK, a, "")
}

func (s *Server) showCard(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, a approval.Approval, note string) error {
	c, err := s.card(r.Context(), v, a)
	if err != nil {
		return err
	}
	c.Note, c.Alone = note, alone(r, a.ID)
	return render(w, r, status, views.ApprovalCard(c))
}

// alone reports whether a script asks from the approval's own page.
func alone(r *http.Request, id string) bool {
	from, err := url.Parse(r.Header.Get("HX-Current-URL"))
	return err == nil && from.Path == "/approvals/"+id
}

// approvalFacts is what takes more to find out about a request than its row.
func (s *Server) approvalFacts(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	a, err := s.Approvals.Get(r.Context(), v.Team.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	f, err := s.facts(r.Context(), v, a)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ApprovalFacts(s.plainCard(v, a), f))
}

// plainCard is a as v sees it who does not decide about it here.
func (s *Server) plainCard(v team.Viewer, a approval.Approval) views.Card {
	return views.Card{Approval: a, Now: s.Now(), MayDecide: v.May(team.Decide), MayManage: v.May(team.Manage)}
}

// card is a as v sees it, with what stands in the way of their agreement.
func (s *Server) card(ctx context.Context, v team.Viewer, a approval.Approval) (views.Card, error) {
	c := s.plainCard(v, a)
	if a.Status != approval.Pending || !c.MayDecide {
		return c, nil
	}
	if a.Special() {
		err := s.Approvals.MayAgree(ctx, v, a)
		switch {
		case errors.Is(err, approval.ErrNotFresh):
			c.Confirm = true
		case fault.Of(err) == fault.Forbidden:
			c.Refused = fault.Message(err)
		case err != nil:
			return c, err
		}
		if slices.ContainsFunc(a.Agreed, func(vote approval.Vote) bool { return vote.ID == v.User.ID }) {
			c.Refused, c.Confirm = "You have agreed to this already. Others have to as well; you can still deny it.", false
		}
	}
	c.Several = c.Refused == "" && !c.Confirm && (a.Action.Risk == action.Low || a.Action.Risk == action.Medium)
	return c, nil
}

// cards are those of a list, each with how many others are like it.
func (s *Server) cards(ctx context.Context, v team.Viewer, as []approval.Approval) ([]views.Card, error) {
	all := make([]views.Card, 0, len(as))
	like := map[[2]string]int{}
	for _, a := range as {
		if a.Status == approval.Pending {
			like[[2]string{a.GatewayID, a.Action.Name}]++
		}
	}
	for _, a := range as {
		c, err := s.card(ctx, v, a)
		if err != nil {
			return nil, err
		}
		if a.Status == approval.Pending {
			c.Like = like[[2]string{a.GatewayID, a.Action.Name}] - 1
			c.LikeURL = address("/approvals", url.Values{"gateway": {a.GatewayID}, "action": {a.Action.Name}})
		}
		all = append(all, c)
	}
	return all, nil
}

// facts finds out what a would send, what asked, and what was asked before.
func (s *Server) facts(ctx context.Context, v team.Viewer, a approval.Approval) (views.Facts, error) {
	var f views.Facts
	var err error
	if f.Before, err = s.Approvals.Similar(ctx, a); err != nil {
		return f, err
	}
	if err := s.bodyFacts(ctx, v, a, &f); err != nil {
		return f, err
	}
	if f.Asked, err = s.asked(ctx, v, a); err != nil {
		return f, err
	}
	if f.Asked != nil && f.Asked.Policy == "" {
		f.RuleURL = "/gateways/" + a.GatewayID
		if v.May(team.Manage) {
			f.RuleURL += "/setup/access"
		}
	}
	if v.May(team.Manage) && a.Status == approval.Pending {
		f.RuleFor = "/approvals/" + a.ID + "/rule?effect=allow"
	}
	return f, nil
}

// bodyFacts lays out the body, for who decides: it may hold anything that the
// agent knows.
func (s *Server) bodyFacts(ctx context.Context, v team.Viewer, a approval.Approval, f *views.Facts) error {
	switch {
	case a.BodySize == 0:
		f.Body = "The request has no body."
		return nil
	case a.Status.Final():
		f.Body = "The body was kept until this was over, and not longer."
		return nil
	case !v.May(team.Decide):
		f.Body = "Who decides sees what the body says."
		return nil
	}
	b, err := s.Approvals.Body(ctx, v.Team.ID, a.ID)
	switch {
	case fault.Of(err) == fault.NotFound:
		f.Body = "The gateway did not send the body along. What an approval is bound to is below."
		return nil
	case err != nil:
		return err
	}
	f.Parts, f.Bytes = show.Of(a, b), "/approvals/"+a.ID+"/bytes"
	return nil
}

// asked is the rule that wants a person to look at a; nil where nobody knows.
func (s *Server) asked(ctx context.Context, v team.Viewer, a approval.Approval) (*views.WhyRule, error) {
	if a.RuleID == "" {
		return nil, nil //nolint:nilnil // as is said above
	}
	id, _, ofPolicy := strings.Cut(a.RuleID, "/")
	if !ofPolicy {
		rules, err := s.ruleTexts(ctx, v, a.GatewayID)
		if err != nil {
			return nil, err
		}
		w := named{rules: rules}.rule(policy.Considered{Stage: policy.ByRule, Rule: a.RuleID, Effect: policy.RequireApproval})
		return &w, nil
	}
	n, err := s.named(ctx, v, nil)
	if err != nil {
		return nil, err
	}
	w := n.rule(policy.Considered{Stage: policy.ByPolicy, Rule: a.RuleID, Policy: id, Name: n.clauses[a.RuleID], Line: n.lines[a.RuleID], Effect: policy.RequireApproval})
	return &w, nil
}
