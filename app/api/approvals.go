package api

import (
	"slices"
	"strconv"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/rest"
)

func (s *Server) shownApproval(a approval.Approval) rest.Approval {
	out := rest.Approval{
		ID: a.ID, Status: a.Status, Gateway: a.GatewayName, GatewayID: a.GatewayID, Run: a.RunID, Principal: a.Principal,
		Action: a.Action.Name, Class: a.Action.Class.String(), Risk: a.Action.Risk.String(), Resource: a.Action.Resource, Params: a.Action.Params,
		Sentence: a.Sentence, Method: a.Method, URL: a.URL, BodySize: a.BodySize, Digest: a.BodyDigest, Rule: a.RuleID, Reason: a.Reason,
		CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt, Decider: a.Deciders(), NeedsRole: string(a.NeedsRole), Needs: a.Wanted(), Channel: string(a.Channel), Note: a.Note,
		DecidedAt: a.DecidedAt, EndedAt: a.EndedAt, Upstream: a.Upstream, Page: s.page("/approvals/", a.ID),
	}
	for _, v := range a.Agreed {
		out.Agreed = append(out.Agreed, rest.Agreement{Name: v.Name, Channel: string(v.Channel), At: v.At})
	}
	return out
}

const maxPage = 500

// paged reads which page of a list is asked for.
func (c *call) paged() (after page.Cursor, limit int, err error) {
	if text := c.query.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return after, 0, fault.New(fault.Invalid, "A limit is a number from 1 to "+strconv.Itoa(maxPage)+".", nil)
		}
	}
	after, err = page.Parse(c.query.Get("cursor"))
	return after, limit, err
}

// statuses are the words that a filter by status takes.
var statuses = []approval.Status{
	approval.Pending, approval.Approved, approval.Denied, approval.Expired, approval.Cancelled, approval.Executed, approval.Unused,
}

func (s *Server) listApprovals(c *call) (rest.List[rest.Approval], error) {
	none := rest.List[rest.Approval]{}
	if err := c.only("status", "gateway", "limit", "cursor"); err != nil {
		return none, err
	}
	var f approval.Filter
	for _, word := range c.query["status"] {
		if !slices.Contains(statuses, approval.Status(word)) {
			return none, fault.New(fault.Invalid, "A status is pending, approved, denied, expired, cancelled, executed or unused.", nil)
		}
		f.Status = append(f.Status, approval.Status(word))
	}
	var err error
	if f.GatewayID, err = s.gatewayID(c); err != nil {
		return none, err
	}
	after, limit, err := c.paged()
	if err != nil {
		return none, err
	}
	as, next, err := s.Approvals.List(c.Context(), c.viewer.Team.ID, f, after, limit)
	if err != nil {
		return none, err
	}
	out := rest.List[rest.Approval]{Items: make([]rest.Approval, 0, len(as)), Next: next.String()}
	for _, a := range as {
		out.Items = append(out.Items, s.shownApproval(a))
	}
	return out, nil
}

// gatewayID returns the ID of the gateway that the query names, "" for none.
func (s *Server) gatewayID(c *call) (string, error) {
	name := c.query.Get("gateway")
	if name == "" {
		return "", nil
	}
	g, err := s.Gateways.Find(c.Context(), c.viewer.Team.ID, name)
	return g.ID, err
}

func (s *Server) showApproval(c *call) (rest.Approval, error) {
	if err := c.only(); err != nil {
		return rest.Approval{}, err
	}
	a, err := s.Approvals.Get(c.Context(), c.viewer.Team.ID, c.PathValue("id"))
	if err != nil {
		return rest.Approval{}, err
	}
	return s.shownApproval(a), nil
}

func (s *Server) decide(c *call, in rest.Decision) (rest.Approval, error) {
	verdict := approval.Deny
	switch in.Verdict {
	case rest.Approve:
		verdict = approval.Grant
	case rest.Deny:
	default:
		return rest.Approval{}, fault.New(fault.Invalid, "A verdict is approve or deny.", nil)
	}
	a, err := s.Approvals.Decide(c.Context(), c.viewer, c.PathValue("id"), approval.Decision{Channel: c.channel(), Verdict: verdict, Note: in.Reason})
	if err != nil && a.ID != "" { // it shows how it now is
		return rest.Approval{}, &decided{s.shownApproval(a), err}
	}
	return s.shownApproval(a), err
}
