package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/rest"
)

func shownRequest(r audit.Request) rest.Request {
	url := r.Scheme + "://" + r.Host + r.Path
	if r.Query != "" {
		url += "?" + r.Query
	}
	return rest.Request{
		ID: r.ID, Time: r.Time, GatewayID: r.GatewayID, Run: r.RunID, Method: r.Method, URL: url, Host: r.Host,
		Connector: r.Connector, Action: r.Action, Class: r.Class, Risk: r.Risk, Resource: r.Resource,
		Decision: r.Decision, Would: r.Would, DecidedBy: r.DecidedBy, Rule: r.RuleID, Reason: r.Reason, Code: r.Code,
		Policy: r.PolicyID, PolicyV: r.PolicyV, Score: r.Score, Reported: r.Reported, ReportedAs: r.ReportedAs, Why: why(r.Why),
		ApprovalID: r.ApprovalID, Alert: r.Alert, Snapshot: r.Snapshot, Step: string(r.Step), Status: r.Status, Sent: r.Sent, Received: r.Received,
		Error: r.Error, DecideUS: r.DecideUS, HeldMS: r.HeldMS, UpstreamMS: r.UpstreamMS, TotalMS: r.TotalMS,
	}
}

// why is an explanation as it was recorded, or nil where it is none.
func why(text string) json.RawMessage {
	if !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
}

var requestFilters = []string{"decision", "gateway", "host", "action", "method", "run", "text", "since", "until", "killed", "alert"}

// requestFilter reads the filters that the query has.
func (s *Server) requestFilter(c *call) (audit.Filter, error) {
	get := c.query.Get
	f := audit.Filter{
		Decision: get("decision"), Host: strings.ToLower(get("host")), Action: get("action"),
		Method: strings.ToUpper(get("method")), Run: get("run"), Text: get("text"), Alert: get("alert"),
	}
	switch f.Decision {
	case "", "allow", "deny", "require_approval":
	default:
		return f, fault.New(fault.Invalid, "A decision is allow, deny or require_approval.", nil)
	}
	if f.Alert != "" && f.Alert != audit.AnyAlert && !slices.Contains(audit.Alerts(), f.Alert) {
		return f, fault.New(fault.Invalid, "An alert is any, "+strings.Join(audit.Alerts(), ", ")+".", nil)
	}
	var err error
	if text := get("killed"); text != "" {
		if f.Killed, err = strconv.ParseBool(text); err != nil {
			return f, fault.New(fault.Invalid, "The parameter killed is true or false.", nil)
		}
	}
	if f.Since, err = since(get("since"), s.Now()); err != nil {
		return f, err
	}
	if f.Until, err = since(get("until"), s.Now()); err != nil {
		return f, err
	}
	f.GatewayID, err = s.gatewayID(c)
	return f, err
}

func (s *Server) listRequests(c *call) (rest.List[rest.Request], error) {
	none := rest.List[rest.Request]{}
	if err := c.only(append(requestFilters, "limit", "cursor")...); err != nil {
		return none, err
	}
	f, err := s.requestFilter(c)
	if err != nil {
		return none, err
	}
	after, limit, err := c.paged()
	if err != nil {
		return none, err
	}
	rs, next, err := s.Trail.Requests(c.Context(), c.viewer.Team.ID, f, after, limit)
	if err != nil {
		return none, err
	}
	out := rest.List[rest.Request]{Items: make([]rest.Request, 0, len(rs)), Next: next.String()}
	for _, r := range rs {
		out.Items = append(out.Items, shownRequest(r))
	}
	return out, nil
}

const (
	breath      = 100 * time.Millisecond // between two looks, however often it rings
	maxStreamed = 1000                   // requests that may change at once
)

// streamRequests sends requests as they come, and again when more is known of
// them, as server-sent events. It ends when the caller goes, the server stops
// or the token is not good any more.
func (s *Server) streamRequests(c *call) (any, error) {
	if err := c.only(requestFilters...); err != nil {
		return nil, err
	}
	f, err := s.requestFilter(c)
	if err != nil {
		return nil, err
	}
	if f.Since.IsZero() {
		f.Since = s.Now()
	}
	rung, stop := s.Bus.Subscribe(bus.Traffic(c.viewer.Team.ID))
	defer stop()

	s.stamp(c.w)
	c.w.Header().Set("Content-Type", "text/event-stream")
	flow := http.NewResponseController(c.w)
	_ = flow.SetReadDeadline(time.Time{})
	_ = flow.SetWriteDeadline(time.Time{})
	tick := time.NewTicker(bus.Interval)
	defer tick.Stop()
	sent := map[string]int64{} // the Seq that was sent last, by request
	for {
		if err := s.sendNew(c, f, sent); err != nil {
			return nil, errAnswered
		}
		if err := flow.Flush(); err != nil {
			return nil, errAnswered
		}
		select {
		case <-c.Context().Done():
			return nil, errAnswered
		case <-rung:
			select {
			case <-c.Context().Done():
				return nil, errAnswered
			case <-time.After(breath):
			}
		case <-tick.C:
			if s.stillLets(c, viewers) != nil {
				return nil, errAnswered
			}
			if _, err := fmt.Fprint(c.w, ": still here\n\n"); err != nil {
				return nil, errAnswered
			}
		}
	}
}

// sendNew sends what is new or has changed, the oldest first.
func (s *Server) sendNew(c *call, f audit.Filter, sent map[string]int64) error {
	rs, _, err := s.Trail.Requests(c.Context(), c.viewer.Team.ID, f, page.Cursor{}, maxStreamed)
	if err != nil {
		s.Log.ErrorContext(c.Context(), "a stream of requests ended", "error", err)
		return err
	}
	there := make(map[string]bool, len(rs))
	for i := len(rs) - 1; i >= 0; i-- {
		r := rs[i]
		there[r.ID] = true
		if seq, before := sent[r.ID]; before && seq == r.Seq {
			continue
		}
		sent[r.ID] = r.Seq
		b, err := json.Marshal(shownRequest(r))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(c.w, "event: request\ndata: %s\n\n", b); err != nil {
			return err
		}
	}
	for id := range sent {
		if !there[id] { // older than what is looked at
			delete(sent, id)
		}
	}
	return nil
}
