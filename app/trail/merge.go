package trail

import (
	"encoding/json"
	"math"
	"regexp"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// merger works out from a gateway's entries what pages see of them. An entry
// that it cannot read, from a gateway that is newer or hostile, has its place
// in the chain all the same, and nothing follows from it.
type merger struct {
	gw      fleet.Gateway
	now     time.Time
	rows    []audit.TrafficRow
	read    []numbered
	intents map[string]bool // requests whose beginning is in this batch
	unread  int
}

type numbered struct {
	seq int64
	audit.Traffic
}

var requestID = regexp.MustCompile(`^req_[a-z0-9]{4,60}$`)

func (m *merger) add(e audit.Sealed) {
	t := numbered{seq: e.Seq}
	err := json.Unmarshal(e.Entry, &t.Traffic)
	at := m.plausible(t.Time)
	m.rows = append(m.rows, audit.TrafficRow{
		GatewayID: m.gw.ID, Seq: e.Seq, TeamID: m.gw.TeamID, Time: at, Entry: e.Entry, Hash: e.Hash,
	})
	switch {
	case err != nil:
		m.unread++
		return
	case t.Step == audit.Local:
		return
	case !requestID.MatchString(t.Request) || t.Step != audit.Refused && t.Step != audit.Intent && t.Step != audit.Outcome:
		m.unread++
		return
	}
	t.Time = at
	m.read = append(m.read, t)
	if t.Step != audit.Outcome {
		if m.intents == nil {
			m.intents = map[string]bool{}
		}
		m.intents[t.Request] = true
	}
}

// plausible returns t as far as a time can be believed: pages are sorted by it.
func (m *merger) plausible(t time.Time) time.Time {
	if t.Before(earliest) || t.After(m.now.Add(ahead)) {
		return m.now
	}
	return audit.Time(t)
}

// missing are the requests that are continued here, and began in an earlier
// batch.
func (m *merger) missing() []string {
	var ids []string
	for _, t := range m.read {
		if t.Step == audit.Outcome && !m.intents[t.Request] {
			ids = append(ids, t.Request)
		}
	}
	return ids
}

// upload is what the entries change, given the rows of what is missing.
func (m *merger) upload(after audit.Sealed, before []audit.Request) store.Upload {
	u := store.Upload{
		TeamID: m.gw.TeamID, GatewayID: m.gw.ID, After: after, Entries: m.rows,
		Credentials: map[string]time.Time{}, Upstream: map[string]int{}, Now: m.now, Alerts: m.alerts(),
	}
	rows := make(map[string]*audit.Request, len(m.read))
	for i := range before {
		rows[before[i].ID] = &before[i]
	}
	changed := make(map[string]bool, len(m.read))
	var order []string
	for _, t := range m.read {
		if u.First.IsZero() || t.Time.Before(u.First) {
			u.First = t.Time
		}
		r := rows[t.Request]
		if r == nil {
			r = &audit.Request{ID: t.Request, TeamID: m.gw.TeamID, GatewayID: m.gw.ID, Time: t.Time}
			rows[t.Request] = r
		}
		if !changed[t.Request] {
			changed[t.Request] = true
			order = append(order, t.Request)
		}
		if t.Step == audit.Outcome {
			finish(r, t)
		} else {
			begin(r, t)
		}
		if t.Step != audit.Refused && r.Credential != "" && r.Credential != audit.ClientsOwn && u.Credentials[r.Credential].Before(t.Time) {
			u.Credentials[r.Credential] = t.Time
		}
		if t.Step == audit.Outcome && r.ApprovalID != "" && r.Status > 0 {
			u.Upstream[r.ApprovalID] = r.Status
		}
	}
	u.Requests = make([]audit.Request, len(order))
	for i, id := range order {
		u.Requests[i] = *rows[id]
	}
	return u
}

const (
	maxWord = 300
	maxLong = 4000
	maxSays = 1000
)

// begin fills r with what is known of a request before it is sent, or refused.
func begin(r *audit.Request, t numbered) {
	word := func(s string) string { return audit.Plain(s, maxWord) }
	r.Seq, r.Time, r.Step = t.seq, t.Time, t.Step
	r.RunID, r.Method, r.Scheme, r.Host = word(t.Run), word(t.Method), word(t.Scheme), word(t.Host)
	r.Path, r.Query = audit.Plain(t.Path, maxLong), audit.Plain(t.Query, maxLong)
	r.Connector, r.Action, r.Resource = word(t.Action.Connector), word(t.Action.Name), audit.Plain(t.Action.Resource, maxSays)
	if t.Action.Name != "" {
		r.Class, r.Risk = t.Action.Class.String(), t.Action.Risk.String()
	}
	r.Decision, r.Would, r.DecidedBy, r.RuleID = decision(t.Decision), decision(t.Would), word(t.By), word(t.Rule)
	r.Reason, r.Code = audit.Plain(t.Reason, maxSays), word(t.Code)
	r.ApprovalID, r.Credential, r.Snapshot = word(t.Approval), word(t.Credential), t.Snapshot
	r.Alert = audit.Plain(t.Alert, maxKind)
	judged(r, t)
	measure(r, t)
}

// decision lets only the words through that searches know; what says nothing
// says nothing.
func decision(s string) string {
	switch s {
	case policy.Allow.String(), policy.RequireApproval.String(), policy.Deny.String(), "":
		return s
	}
	return policy.Deny.String()
}

// finish adds what came of a request to what was known of it.
func finish(r *audit.Request, t numbered) {
	r.Seq, r.Step = t.seq, audit.Outcome
	for to, said := range map[*string]string{&r.Code: t.Code, &r.Reason: t.Reason} {
		if said != "" {
			*to = audit.Plain(said, maxSays)
		}
	}
	if t.Approval != "" {
		r.ApprovalID = audit.Plain(t.Approval, maxWord)
	}
	measure(r, t)
}

// measure takes over the numbers that t has.
func measure(r *audit.Request, t numbered) {
	if t.Status > 0 {
		r.Status = min(t.Status, 999)
	}
	if t.Error != "" {
		r.Error = audit.Plain(t.Error, maxSays)
	}
	for to, n := range map[*int64]int64{
		&r.Sent: t.Sent, &r.Received: t.Received, &r.DecideUS: t.DecideUS, &r.HeldMS: t.HeldMS, &r.UpstreamMS: t.UpstreamMS, &r.TotalMS: t.TotalMS,
	} {
		if n > 0 {
			*to = min(n, math.MaxInt64/4) // sums of it stay in range
		}
	}
}
