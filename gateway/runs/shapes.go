// Package runs lets processes on this machine talk to the gateway, and gives
// each process that is run through it a door of its own.
//
// The control socket is a Unix socket that only its owner can open; what is
// spoken on it is JSON over HTTP:
//
//	POST   /runs       Start → a stream of Event, one per line
//	DELETE /runs/{id}  ends a run; its stream then ends with the summary
//	GET    /status     → Status
//	POST   /kill       Kill → []KillStatus, those that are on afterwards
//	GET    /ca         → CA
//	POST   /shutdown   → 204, and then the gateway ends
//
// Errors are wire.Problem with the status of their kind. A run lives as long
// as the connection that its events travel on: when the caller dies, its run
// ends, its door closes and what is under way is cut.
//
// The proxy listens elsewhere and refuses to connect to any listener of ours,
// so what runs inside cannot reach this socket through it.
package runs

import (
	"time"

	"github.com/tameflare/tameflare/domain/approval"
)

// Start asks for a run.
type Start struct {
	Program string `json:"program"` // its name without arguments, for people

	// ConnectTo and UpstreamCA must be those that the gateway was started
	// with, or be left out: the answer is a conflict otherwise. Paths are
	// absolute: the gateway may have been started elsewhere.
	ConnectTo  []string `json:"connect_to,omitempty"`
	UpstreamCA string   `json:"upstream_ca,omitempty"`

	// ExtraCA is a PEM file that the caller's environment trusts already. It
	// goes into the run's bundle, so that what worked before still does.
	ExtraCA string `json:"extra_ca,omitempty"`
}

// Kind says what an event is about.
type Kind string

const (
	Started    Kind = "started" // always the first
	Held       Kind = "held"    // a request waits for a person
	Decided    Kind = "decided" // that wait is over: see Status
	Denied     Kind = "denied"  // a request was refused, for any reason
	Summarised Kind = "summary" // always the last, where the run was ended properly
)

// Event is one line of a run's stream. Which fields are set depends on Kind.
type Event struct {
	Kind Kind      `json:"event"`
	Time time.Time `json:"time"`

	*Door
	*Request
	*Counts
}

// Door is how the child gets in: what its environment is made of.
type Door struct {
	RunID     string            `json:"run_id"`
	Gateway   string            `json:"gateway"`
	Principal string            `json:"principal"`       // who the requests are made for: "ana@laptop"
	Proxy     string            `json:"proxy"`           // "127.0.0.1:41234"
	CA        string            `json:"ca"`              // file: the gateway's own root
	Bundle    string            `json:"bundle"`          // file: that root, the machine's and ExtraCA
	Env       map[string]string `json:"env,omitempty"`   // dummy keys, for clients that insist on having one
	Yield     []string          `json:"yield,omitempty"` // of Env: where a value that the process has of its own stays
	Token     string            `json:"token,omitempty"` // with which the process asks about its approvals
	BaseURL   string            `json:"base_url,omitempty"`
}

// Request is what an event says about a request.
type Request struct {
	RequestID string `json:"request_id"`
	Method    string `json:"method,omitempty"`
	URL       string `json:"url,omitempty"` // without what looks like a secret
	Action    string `json:"action,omitempty"`
	Sentence  string `json:"sentence,omitempty"` // "merge acme/site#812 into main"
	Reason    string `json:"reason,omitempty"`
	Rule      string `json:"rule,omitempty"`
	Code      string `json:"code,omitempty"` // of our own answer: "denied", "kill_switch" …

	ApprovalID  string          `json:"approval_id,omitempty"`
	ApprovalURL string          `json:"approval_url,omitempty"` // where a person can decide
	Status      approval.Status `json:"status,omitempty"`       // Pending in a Decided event: the hold ended first
	Decider     string          `json:"decider,omitempty"`
	Note        string          `json:"note,omitempty"` // what they said
	HoldUntil   time.Time       `json:"hold_until,omitzero"`
	ExpiresAt   time.Time       `json:"expires_at,omitzero"` // when asking ends
}

// Counts are a run's requests.
type Counts struct {
	Requests int64 `json:"requests"` // those that were decided about
	Allowed  int64 `json:"allowed"`  // sent on
	Denied   int64 `json:"denied"`   // refused, whatever the reason
	Held     int64 `json:"held"`     // those of both that had to wait for a person
	Killed   int64 `json:"killed"`   // those of Denied that the kill switch stopped
}

// Kill pulls or lifts the machine's own kill switch.
type Kill struct {
	On        bool   `json:"on"`
	Connector string `json:"connector,omitempty"` // type or configured name; empty for everything
	Reason    string `json:"reason,omitempty"`
}

// KillStatus is a kill switch that is on.
type KillStatus struct {
	ID        string    `json:"id,omitempty"`
	Connector string    `json:"connector,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Since     time.Time `json:"since"`
	Local     bool      `json:"local"` // pulled on this machine: can be lifted here
}

// CA is the gateway's own root, which never leaves the machine.
type CA struct {
	PEM         string `json:"pem"`
	Path        string `json:"path"`
	Bundle      string `json:"bundle"`
	Fingerprint string `json:"fingerprint"`
}

// Status is how the gateway is doing.
type Status struct {
	Version   string    `json:"version"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"started_at"`

	Gateway     string `json:"gateway"`
	GatewayID   string `json:"gateway_id"`
	TeamID      string `json:"team_id"`
	Enforcement string `json:"enforcement,omitempty"`

	Server   ServerStatus   `json:"server"`
	Snapshot SnapshotStatus `json:"snapshot"`
	Spool    SpoolStatus    `json:"spool"`
	Kills    []KillStatus   `json:"kills"`
	Runs     []RunStatus    `json:"runs"`
}

// ServerStatus is how the link to the server is doing.
type ServerStatus struct {
	URL       string    `json:"url"`
	Reachable bool      `json:"reachable"`
	Since     time.Time `json:"since,omitzero"`    // of Reachable as it is now
	Problem   string    `json:"problem,omitempty"` // why it is not, and what to do
	CertUntil time.Time `json:"cert_until,omitzero"`

	// EnrolAgain says that the server does not accept the gateway, or that its
	// certificate has expired: stop it, enrol it and start it again.
	EnrolAgain bool `json:"enrol_again,omitempty"`
}

// SnapshotStatus is what the gateway decides by.
type SnapshotStatus struct {
	Version     int64     `json:"version"`
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	AgeSeconds  int64     `json:"age_seconds"`
	ValidUntil  time.Time `json:"valid_until,omitzero"`
	Problem     string    `json:"problem,omitempty"` // why everything is denied (then Version is 0), or what of it cannot be used
}

// SpoolStatus is what has been recorded and not yet delivered.
type SpoolStatus struct {
	Unsent  int64  `json:"unsent"`
	Bytes   int64  `json:"bytes"`
	Problem string `json:"problem,omitempty"` // why it cannot be written (then everything is denied) or not be delivered
}

// RunStatus is a run that is going on.
type RunStatus struct {
	ID        string    `json:"id"`
	Program   string    `json:"program"`
	Principal string    `json:"principal"`
	Proxy     string    `json:"proxy"`
	StartedAt time.Time `json:"started_at"`
	Counts    Counts    `json:"counts"`
}
