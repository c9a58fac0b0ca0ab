package audit

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/tameflare/tameflare/domain/action"
)

// Step is how far a request had come when its entry was written.
type Step string

const (
	Refused Step = "refused" // decided, and nothing was sent
	Intent  Step = "intent"  // about to be sent: durable before the first byte goes upstream
	Outcome Step = "outcome" // what came of an intent
	Local   Step = "local"   // something at the gateway itself: a kill switch pulled on the machine, a start
)

// Traffic is what a gateway records of a request. A request that was forwarded
// has two entries with the same Request: its Intent, and later its Outcome,
// which holds only what the intent could not know. An intent whose outcome
// never comes (a crash) stays an outcome that nobody knows.
type Traffic struct {
	Time    time.Time `json:"time"`
	Step    Step      `json:"step"`
	Request string    `json:"request"` // "req_…"
	Run     string    `json:"run,omitempty"`

	Method    string        `json:"method,omitempty"`
	Scheme    string        `json:"scheme,omitempty"`
	Host      string        `json:"host,omitempty"` // with the port where it is not the scheme's own
	Path      string        `json:"path,omitempty"` // escaped; values of queries that look like secrets are cut out
	Query     string        `json:"query,omitempty"`
	Proto     string        `json:"proto,omitempty"` // of the client: "h1" or "h2"
	UserAgent string        `json:"user_agent,omitempty"`
	Action    action.Action `json:"action,omitzero"`

	Decision   string `json:"decision,omitempty"` // "allow", "deny", "require_approval"
	Would      string `json:"would,omitempty"`    // what full enforcement would have said, where that differs
	By         string `json:"by,omitempty"`       // "rule", "default", "kill_switch" …
	Rule       string `json:"rule,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Policy     string `json:"policy,omitempty"`         // ID of the policy that decided
	PolicyV    int64  `json:"policy_version,omitempty"` // and its version
	Score      int    `json:"score,omitempty"`          // the risk score that policies gave it
	Reported   string `json:"reported,omitempty"`       // the rule of a report-only policy that would have been stricter
	ReportedAs string `json:"reported_as,omitempty"`    // and what it would have said
	Code       string `json:"code,omitempty"`           // of our own answer: "denied", "approval_pending" …
	Approval   string `json:"approval,omitempty"`
	Credential string `json:"credential,omitempty"` // ID of the one that was injected, or ClientsOwn
	Alert      string `json:"alert,omitempty"`      // ForeignKey …; left out where there is none, as it was before there were any
	Snapshot   int64  `json:"snapshot,omitempty"`   // version that decided

	// Why is a policy.Explanation, where there is more to say than Rule and
	// Reason do.
	Why json.RawMessage `json:"why,omitempty"`

	Status   int    `json:"status,omitempty"` // that the client got
	Sent     int64  `json:"sent,omitempty"`   // bytes of body towards the upstream
	Received int64  `json:"received,omitempty"`
	Error    string `json:"error,omitempty"` // why it ended otherwise than with an answer

	DecideUS   int64 `json:"decide_us,omitempty"`   // microseconds from the request's head to the decision
	HeldMS     int64 `json:"held_ms,omitempty"`     // milliseconds that it waited for a person
	UpstreamMS int64 `json:"upstream_ms,omitempty"` // milliseconds from sending to the answer's head
	TotalMS    int64 `json:"total_ms,omitempty"`
}

const maxWhy = 16 << 10

// Bytes returns what the chain hashes: t as JSON, with its fields in order,
// after everything in it was made storable.
func (t Traffic) Bytes() []byte {
	t.Time = Time(t.Time)
	for _, s := range []*string{
		&t.Request, &t.Run, &t.Method, &t.Scheme, &t.Host, &t.Proto, &t.UserAgent, &t.Action.Connector, &t.Action.Name,
		&t.Action.Resource, &t.By, &t.Rule, &t.Reason, &t.Code, &t.Approval, &t.Credential, &t.Alert, &t.Error,
		&t.Policy, &t.Reported, &t.ReportedAs,
	} {
		*s = Plain(*s, maxText)
	}
	t.Path, t.Query = Plain(t.Path, 4*maxText), Plain(t.Query, 4*maxText)
	t.Action.Params = plainParams(t.Action.Params)
	if len(t.Why) > maxWhy || !json.Valid(t.Why) {
		t.Why = nil
	}
	b, err := json.Marshal(t)
	if err != nil {
		panic(fmt.Sprintf("audit: %v", err)) // plainParams lets only what marshals through
	}
	return b
}

func plainParams(params map[string]any) map[string]any {
	if params == nil {
		return nil
	}
	plain := make(map[string]any, len(params))
	for k, v := range params {
		if len(plain) == maxDetail {
			break
		}
		switch v := v.(type) {
		case bool, int64, int:
			plain[Plain(k, maxText)] = v
		case float64:
			if !math.IsNaN(v) && !math.IsInf(v, 0) { // JSON has no word for them
				plain[Plain(k, maxText)] = v
			}
		case []string:
			plain[Plain(k, maxText)] = plainList(v)
		case []any: // what a list is when it comes back
			texts := make([]string, 0, len(v))
			for _, one := range v {
				texts = append(texts, fmt.Sprint(one))
			}
			plain[Plain(k, maxText)] = plainList(texts)
		default:
			plain[Plain(k, maxText)] = Plain(fmt.Sprint(v), maxText)
		}
	}
	return plain
}

func plainList(texts []string) []string {
	plain := make([]string, 0, min(len(texts), maxDetail))
	for _, text := range texts[:min(len(texts), maxDetail)] {
		plain = append(plain, Plain(text, maxText))
	}
	return plain
}

// TrafficRow is an entry of a gateway's chain as stored.
type TrafficRow struct {
	GatewayID string `bun:",pk"`
	Seq       int64  `bun:",pk"`
	TeamID    string
	Time      time.Time
	Entry     []byte // Traffic.Bytes; what Hash covers
	Hash      string
}

// Request is a request as pages and searches see it: its intent and its
// outcome in one row.
type Request struct {
	ID         string `bun:",pk"` // "req_…"
	TeamID     string
	GatewayID  string
	Seq        int64 // of the entry that changed the row last
	Time       time.Time
	RunID      string
	Method     string
	Scheme     string
	Host       string
	Path       string
	Query      string
	Connector  string
	Action     string
	Class      string
	Risk       string
	Resource   string
	Decision   string
	Would      string
	DecidedBy  string
	RuleID     string
	Reason     string
	Code       string
	ApprovalID string `bun:",nullzero"`
	Credential string `bun:",nullzero"`
	Alert      string
	PolicyID   string `bun:"policy_id,nullzero"`
	PolicyV    int64  `bun:"policy_version"`
	Score      int
	Reported   string
	ReportedAs string
	Facts      string // JSON: what else is known of the action, as Facts writes it
	Why        string // JSON: a policy.Explanation; "" for none
	Snapshot   int64
	Step       Step // Intent where the outcome has not come
	Status     int
	Sent       int64
	Received   int64
	Error      string
	DecideUS   int64
	HeldMS     int64
	UpstreamMS int64
	TotalMS    int64
}
