package api

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/rest"
)

func (s *Server) shownApproval(a approval.Approval) rest.Approval {
	out := rest.Approval{
		ID: a.ID, Status: a.Status, Seq: a.Seq, Gateway: a.GatewayName, GatewayID: a.GatewayID, Environment: a.Environment, Run: a.RunID, Principal: a.Principal,
		Connector: a.Action.Connector, Action: a.Action.Name, Class: a.Action.Class.String(), Risk: a.Action.Risk.String(), Reversible: a.Action.Reversible,
		Resource: a.Action.Resource, Params: a.Action.Params, Sentence: a.Sentence, Method: a.Method, URL: a.URL,
		BodySize: a.BodySize, Digest: a.BodyDigest, BodyType: a.BodyType, BodyCoding: a.BodyCoding, Fingerprint: a.Fingerprint,
		Rule: a.RuleID, Reason: a.Reason, CreatedAt: a.CreatedAt, ExpiresAt: a.ExpiresAt,
		NeedsRole: string(a.NeedsRole), NeedsGroup: a.NeedsGroup, NotSelf: a.NotSelf, StepUp: a.StepUp, Needs: a.Wanted(), Repeatable: a.Repeatable(),
		Decider: a.Deciders(), Channel: string(a.Channel), Auth: a.Auth, Note: a.Note, DecidedAt: a.DecidedAt, EndedAt: a.EndedAt, Upstream: a.Upstream,
		RepeatUntil: a.RepeatUntil, Repeats: a.Repeats, Page: s.page("/approvals/", a.ID),
	}
	if a.Special() {
		out.Needed = a.Needed()
	}
	if !a.DecidedAt.IsZero() {
		out.LatencyMS = max(a.DecidedAt.Sub(a.CreatedAt).Milliseconds(), 0)
	}
	for _, v := range a.Agreed {
		out.Agreed = append(out.Agreed, rest.Agreement{Name: v.Name, Channel: string(v.Channel), At: v.At})
	}
	return out
}

func (s *Server) shownApprovals(as []approval.Approval) []rest.Approval {
	out := make([]rest.Approval, 0, len(as))
	for _, a := range as {
		out = append(out, s.shownApproval(a))
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

// The words that filters take.
var (
	statuses = []approval.Status{
		approval.Pending, approval.Approved, approval.Denied, approval.Expired, approval.Cancelled, approval.Executed, approval.Unused,
	}
	channels = []approval.Channel{approval.Dashboard, approval.CLI, approval.API, approval.Slack, approval.Email, approval.Inbound}
	risks    = []string{action.Low.String(), action.Medium.String(), action.High.String(), action.Critical.String()}

	approvalFilters = []string{"status", "gateway", "connector", "action", "risk", "channel", "decider", "text"}
)

// approvalFilter reads the filters that the query has.
func (s *Server) approvalFilter(c *call) (approval.Filter, error) {
	get := c.query.Get
	f := approval.Filter{
		Connector: get("connector"), Action: get("action"), Risk: get("risk"), Channel: get("channel"), Decider: get("decider"), Text: get("text"),
	}
	for _, word := range c.query["status"] {
		if !slices.Contains(statuses, approval.Status(word)) {
			return f, fault.New(fault.Invalid, "A status is pending, approved, denied, expired, cancelled, executed or unused.", nil)
		}
		f.Status = append(f.Status, approval.Status(word))
	}
	if f.Risk != "" && !slices.Contains(risks, f.Risk) {
		return f, fault.New(fault.Invalid, "A risk is low, medium, high or critical.", nil)
	}
	if f.Channel != "" && !slices.Contains(channels, approval.Channel(f.Channel)) {
		return f, fault.New(fault.Invalid, "A channel is dashboard, cli, api, slack, email or inbound.", nil)
	}
	var err error
	f.GatewayID, err = s.gatewayID(c)
	return f, err
}

func (s *Server) listApprovals(c *call) (rest.List[rest.Approval], error) {
	none := rest.List[rest.Approval]{}
	if err := c.only(append(slices.Clone(approvalFilters), "limit", "cursor")...); err != nil {
		return none, err
	}
	f, err := s.approvalFilter(c)
	if err != nil {
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
	return rest.List[rest.Approval]{Items: s.shownApprovals(as), Next: next.String()}, nil
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

// showApproval answers with one approval, and what came of those like it.
func (s *Server) showApproval(c *call) (rest.Approval, error) {
	if err := c.only(); err != nil {
		return rest.Approval{}, err
	}
	a, err := s.Approvals.Get(c.Context(), c.viewer.Team.ID, c.PathValue("id"))
	if err != nil {
		return rest.Approval{}, err
	}
	before, err := s.Approvals.Similar(c.Context(), a)
	if err != nil {
		return rest.Approval{}, err
	}
	out := s.shownApproval(a)
	out.History = &rest.History{
		Asked: before.Asked, Approved: before.Approved, Denied: before.Denied, Expired: before.Expired,
		Last: s.shownApprovals(before.Last), Suggest: before.Suggest,
	}
	return out, nil
}

// showBody answers with what the held request would send, byte for byte. That
// somebody has read it goes on record.
func (s *Server) showBody(c *call) (rest.Body, error) {
	if err := c.only(); err != nil {
		return rest.Body{}, err
	}
	a, err := s.Approvals.Get(c.Context(), c.viewer.Team.ID, c.PathValue("id"))
	if err != nil {
		return rest.Body{}, err
	}
	b, err := s.Approvals.Viewed(c.Context(), c.viewer, a.ID)
	if err != nil {
		return rest.Body{}, err
	}
	return rest.Body{Bytes: b.Bytes, Whole: b.Whole, Type: a.BodyType, Coding: a.BodyCoding, Size: a.BodySize, Digest: a.BodyDigest}, nil
}

const maxWait = time.Minute

// approvalNews answers with what has changed since a place, as soon as
// something has. Without a place it answers at once, with the newest.
func (s *Server) approvalNews(c *call) (rest.News, error) {
	none := rest.News{}
	if err := c.only(append(slices.Clone(approvalFilters), "after", "wait")...); err != nil {
		return none, err
	}
	f, err := s.approvalFilter(c)
	if err != nil {
		return none, err
	}
	after, wait := int64(-1), time.Duration(0)
	if text := c.query.Get("after"); text != "" {
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			return none, fault.New(fault.Invalid, "The parameter after is what the last answer had as after.", nil)
		}
	}
	if text := c.query.Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil || wait < 0 || wait > maxWait {
			return none, fault.New(fault.Invalid, "The parameter wait is at most 60s.", nil)
		}
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{}) // or waiting longer than for a body would look like a caller who left
	as, through, err := s.Approvals.News(c.Context(), c.viewer.Team.ID, f, after, wait)
	if err != nil {
		return none, err
	}
	if wait > 0 { // the token may have ended meanwhile
		if err := s.stillLets(c, viewers); err != nil {
			return none, err
		}
	}
	return rest.News{Items: s.shownApprovals(as), After: through}, nil
}
