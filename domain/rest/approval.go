package rest

import (
	"time"

	"github.com/tameflare/tameflare/domain/approval"
)

// Approval is a request that waits, or waited, for a person.
type Approval struct {
	ID          string          `json:"id"`
	Status      approval.Status `json:"status"`
	Seq         int64           `json:"seq"` // rises with every change
	Gateway     string          `json:"gateway"`
	GatewayID   string          `json:"gateway_id"`
	Environment string          `json:"environment,omitempty"`
	Run         string          `json:"run"`
	Principal   string          `json:"principal"`
	Connector   string          `json:"connector,omitempty"`
	Action      string          `json:"action"`
	Class       string          `json:"class"`
	Risk        string          `json:"risk"`
	Reversible  bool            `json:"reversible"`
	Resource    string          `json:"resource,omitempty"`
	Params      map[string]any  `json:"params,omitempty"`
	Sentence    string          `json:"sentence"`
	Method      string          `json:"method"`
	URL         string          `json:"url"`
	BodySize    int64           `json:"body_size"`
	Digest      string          `json:"body_digest,omitempty"`
	BodyType    string          `json:"body_type,omitempty"`
	BodyCoding  string          `json:"body_coding,omitempty"`
	Fingerprint string          `json:"fingerprint"`
	Rule        string          `json:"rule"`
	Reason      string          `json:"reason,omitempty"`
	CreatedAt   time.Time       `json:"created_at"`
	ExpiresAt   time.Time       `json:"expires_at"`

	// Who has to agree, and how.
	Needed     string      `json:"needed,omitempty"`     // all of it in sentences, where it is anything special
	NeedsRole  string      `json:"needs_role,omitempty"` // at least: member, admin or owner
	NeedsGroup string      `json:"needs_group,omitempty"`
	NotSelf    bool        `json:"prevent_self_approval,omitempty"`
	StepUp     bool        `json:"step_up,omitempty"` // in the dashboard only: a token proves nothing anew
	Needs      int         `json:"needs"`             // how many different people
	Agreed     []Agreement `json:"agreed,omitempty"`  // where several have to
	Repeatable bool        `json:"repeatable"`        // a decision can count for the same request for a while

	Decider     string    `json:"decider,omitempty"` // all who agreed, where several had to
	Channel     string    `json:"channel,omitempty"`
	Auth        string    `json:"auth,omitempty"` // how the decider had shown who they are
	Note        string    `json:"note,omitempty"`
	DecidedAt   time.Time `json:"decided_at,omitzero"`
	LatencyMS   int64     `json:"latency_ms,omitempty"` // from the question to the decision
	EndedAt     time.Time `json:"ended_at,omitzero"`
	Upstream    int       `json:"upstream_status,omitempty"`
	RepeatUntil time.Time `json:"repeat_until,omitzero"` // until then the same request is approved again
	Repeats     string    `json:"repeats,omitempty"`     // the approval because of which this one was approved
	Page        string    `json:"page"`                  // where a person can decide
	History     *History  `json:"history,omitempty"`     // where one approval was asked for
}

// Agreement is somebody who has agreed to an approval that needs several.
type Agreement struct {
	Name    string    `json:"name"`
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
}

// History is what the same gateway asked before and how it ended: the same
// action on the same resource within 30 days, and the newest of the same action.
type History struct {
	Asked    int        `json:"asked"`
	Approved int        `json:"approved"`
	Denied   int        `json:"denied"`
	Expired  int        `json:"expired"`
	Last     []Approval `json:"last"`
	Suggest  int        `json:"suggest,omitempty"` // so many approvals in a row that a rule is worth more
}

// Body is the beginning of a held request's body, exactly as it is sent.
type Body struct {
	Bytes  []byte `json:"bytes"` // base64 in JSON
	Whole  bool   `json:"whole"` // there is no more of it
	Type   string `json:"type,omitempty"`
	Coding string `json:"coding,omitempty"`
	Size   int64  `json:"size"`
	Digest string `json:"digest,omitempty"` // SHA-256 of all of it, hex
}

// What a Decision can say.
const (
	Approve = "approve"
	Deny    = "deny"
)

// Decision settles an approval.
type Decision struct {
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	For     string `json:"for,omitempty"` // "15m": for so long the same request is approved again
}

// Decisions settles several approvals that are alike.
type Decisions struct {
	IDs []string `json:"ids"`
	Decision
}

// Outcome is what became of one approval of several: the approval as it is
// now, or why nothing became of it, or both where somebody was faster.
type Outcome struct {
	ID       string    `json:"id"`
	Approval *Approval `json:"approval,omitempty"`
	Problem  *Problem  `json:"problem,omitempty"`
}

// News is what has changed of approvals since a place: each as it is now.
type News struct {
	Items []Approval `json:"items"`
	After int64      `json:"after"` // the place to go on from
}
