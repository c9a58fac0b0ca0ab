// Package wire is what gateways and the server say to each other.
//
// The gateway always dials: HTTP/2 over mTLS, JSON bodies. Types here only
// grow: a gateway in the field may be older than the server, and the other way
// round. Unknown fields are ignored on both sides; unknown values of what
// decides (an effect, a status) deny.
//
//	POST /v1/enrol                    EnrolRequest → EnrolAnswer       (the one call without a client certificate)
//	POST /v1/renew                    RenewRequest → RenewAnswer
//	GET  /v1/whoami                   → Whoami
//	GET  /v1/snapshot?after=&wait=    → SnapshotAnswer                 (long poll; after is also the acknowledgement)
//	POST /v1/approvals                Ask → Approval                   (joins a pending or approved one with the same fingerprint)
//	GET  /v1/approvals/{id}?wait=&seq= → Approval                      (long poll until seq is exceeded)
//	GET  /v1/approvals/changes?after=&wait= → Changes                  (long poll for all of the gateway's approvals at once)
//	POST /v1/approvals/{id}/use       Use → Approval                   (409 where the grant is not there any more)
//	POST /v1/audit                    zstd NDJSON of Entry → AuditAnswer (Content-Type: application/x-ndjson, Content-Encoding: zstd)
//	POST /v1/kills                    KillReport → 204                 (a kill switch pulled or lifted on the machine)
//
// Errors are Problem with the status of their kind.
package wire

import (
	"encoding/json"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/policy"
)

// Problem is an error as it goes over the wire (RFC 9457). Code is that of
// domain/fault.
type Problem struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

// EnrolRequest asks for a gateway's first certificate.
type EnrolRequest struct {
	Token   string `json:"token"`
	CSR     string `json:"csr"`      // PEM; only its key counts
	SealKey []byte `json:"seal_key"` // HPKE public key: DHKEM(X25519, HKDF-SHA256)
	Version string `json:"version"`
}

// EnrolAnswer makes a gateway what it is.
type EnrolAnswer struct {
	Chain       string    `json:"chain"` // PEM: its certificate, then the intermediate
	NotAfter    time.Time `json:"not_after"`
	GatewayID   string    `json:"gateway_id"`
	TeamID      string    `json:"team_id"`
	Name        string    `json:"name"`
	SnapshotKey []byte    `json:"snapshot_key"` // Ed25519 public key that snapshots are signed with

	// Where the gateway's audit chain ends at the server: a spool that begins
	// empty goes on from there. Both are zero for a gateway without entries.
	AuditThrough int64  `json:"audit_through,omitempty"`
	AuditHash    string `json:"audit_hash,omitempty"`
}

// VersionHeader is the version of the program that sends a message, on
// requests and answers.
const VersionHeader = "TameFlare-Version"

// CodeKilled is the Code of a Problem that a kill switch is the reason for.
// Its status is 403, and it says nothing about the gateway itself: only the
// code "forbidden" means that the gateway is revoked.
const CodeKilled = "kill_switch"

// RenewRequest asks for the next certificate. Without a CSR the key stays.
type RenewRequest struct {
	CSR string `json:"csr,omitempty"`
}

// RenewAnswer is the next certificate.
type RenewAnswer struct {
	Chain    string    `json:"chain"`
	NotAfter time.Time `json:"not_after"`
}

// Whoami is who the server takes the caller for.
type Whoami struct {
	GatewayID    string    `json:"gateway_id"`
	TeamID       string    `json:"team_id"`
	Name         string    `json:"name"`
	CertNotAfter time.Time `json:"cert_not_after"`
}

// Signed is JSON with an Ed25519 signature over its bytes, prefixed with
// Context, so that no signed thing can be taken for another.
type Signed struct {
	Payload   []byte `json:"payload"`
	Signature []byte `json:"signature"`
}

// What signatures are made for.
const (
	SnapshotContext     = "tameflare snapshot v1\n"
	ConfirmationContext = "tameflare confirmation v1\n"
)

// SnapshotAnswer holds a Snapshot where there is a newer one than the caller
// has, and otherwise a Confirmation that the caller's is still right.
type SnapshotAnswer struct {
	Snapshot     *Signed `json:"snapshot,omitempty"`
	Confirmation *Signed `json:"confirmation,omitempty"`
}

// Confirmation says that a snapshot was the newest at a time: its age counts
// from there.
type Confirmation struct {
	GatewayID string    `json:"gateway_id"`
	Version   int64     `json:"version"`
	At        time.Time `json:"at"`
}

// Snapshot is everything a gateway needs to do its work. It is always whole:
// there are no deltas, and a gateway acts on one snapshot at a time.
type Snapshot struct {
	Version     int64              `json:"version"`
	GatewayID   string             `json:"gateway_id"`
	TeamID      string             `json:"team_id"`
	GatewayName string             `json:"gateway_name"`
	Environment string             `json:"environment,omitempty"`
	Enforcement policy.Enforcement `json:"enforcement"`
	IssuedAt    time.Time          `json:"issued_at"`
	ValidFor    time.Duration      `json:"valid_for"` // after IssuedAt or the last Confirmation; then everything is denied
	BaseURL     string             `json:"base_url"`  // of the dashboard, for links in answers
	Connectors  []Connector        `json:"connectors"`
	Rules       []policy.Rule      `json:"rules"`
	Kills       []policy.Kill      `json:"kills,omitempty"`
	Credentials []SealedCredential `json:"credentials,omitempty"`

	// Policies are those that are enabled, with their conditions as trees.
	Policies []policy.Policy `json:"policies,omitempty"`

	// Requires names what a gateway must know of to act on the snapshot, since
	// it would let more pass if it ignored it: KnowsLimits, KnowsPolicies …
	// One that does not know a word of it refuses the snapshot.
	Requires []string `json:"requires,omitempty"`

	// Types are the connector types that a team has defined and Connectors
	// use. A gateway that cannot use one of them refuses the snapshot.
	Types []definition.Definition `json:"connector_types,omitempty"`
}

// What Snapshot.Requires may name.
const (
	KnowsLimits    = "limits"    // Rule.When
	KnowsPolicies  = "policies"  // Snapshot.Policies
	KnowsApprovers = "approvers" // a clause that asks for a role, or for several people
	// KnowsTerms is for rules with Approvers, and for clauses whose Approvers
	// are a group, or not oneself, or have to prove who they are.
	KnowsTerms = "approval terms"

	// Unreadable says that the server cannot read one of its policies. No
	// gateway knows of it: all refuse the snapshot, and take only its kills.
	Unreadable = "unreadable policy"
)

// Connector is a connector as configured for the gateway.
type Connector struct {
	Name         string           `json:"name"`
	Type         string           `json:"type"`
	Hosts        []string         `json:"hosts,omitempty"` // the type's own where empty
	Private      []string         `json:"private,omitempty"`
	Style        credential.Style `json:"auth"`
	CredentialID string           `json:"credential_id,omitempty"`

	// ClientKey is left out where it is credential.Replace. A word that a
	// gateway does not know makes it refuse the snapshot.
	ClientKey credential.ClientKey `json:"client_key,omitzero"`
}

// SealedCredential is a credential that only the gateway can open: HPKE with
// SealInfo, and Binding as associated data.
type SealedCredential struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Version int64    `json:"version"`
	Hosts   []string `json:"hosts"`  // where it may go
	Sealed  []byte   `json:"sealed"` // the encapsulated key (32 bytes), then the ciphertext
}

// SealInfo is the HPKE info of sealed credentials. The suite is
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180).
const SealInfo = "tameflare credential v1"

// Binding is what a sealed credential is bound to: opening it with anything
// else fails, so rows, gateways and hosts cannot be swapped.
func (c SealedCredential) Binding(gatewayID string) []byte {
	b, err := json.Marshal([]any{gatewayID, c.ID, c.Name, c.Version, c.Hosts})
	if err != nil {
		panic("wire: " + err.Error()) // strings and a number
	}
	return b
}

// Ask asks a person about a request.
type Ask struct {
	Fingerprint string        `json:"fingerprint"`
	RequestID   string        `json:"request_id"`
	RunID       string        `json:"run_id"`
	Principal   string        `json:"principal"`
	RuleID      string        `json:"rule_id"`
	Reason      string        `json:"reason"`
	TTL         time.Duration `json:"ttl"`

	// Approvers are who has to agree. Left out, it is one person who may decide.
	Approvers policy.Approvers `json:"approvers,omitzero"`

	Action     action.Action `json:"action"`
	Sentence   string        `json:"sentence"`
	Method     string        `json:"method"`
	URL        string        `json:"url"`
	BodyDigest string        `json:"body_digest"`
	BodySize   int64         `json:"body_size"`
	// Body is the beginning of the body as it is sent, at most MaxBody bytes,
	// for the person to read.
	Body       []byte `json:"body,omitempty"`
	BodyType   string `json:"body_type,omitempty"`   // Content-Type
	BodyCoding string `json:"body_coding,omitempty"` // Content-Encoding
}

// MaxBody is how much of a body goes along with an Ask.
const MaxBody = 64 << 10

// Approval is what became of an Ask.
type Approval struct {
	ID        string          `json:"id"`
	Status    approval.Status `json:"status"`
	Seq       int64           `json:"seq"`
	ExpiresAt time.Time       `json:"expires_at"`
	Decider   string          `json:"decider,omitempty"`
	Note      string          `json:"note,omitempty"`
	URL       string          `json:"url"` // where a person can decide

	// What was asked, for whoever asks about it later. An older server leaves
	// it out.
	Principal string `json:"principal,omitempty"`
	Action    string `json:"action,omitempty"` // its name
	Sentence  string `json:"sentence,omitempty"`
}

// Changes are a gateway's approvals that have changed after a place in the
// team's record, as they are now. After is the place to go on from: it never
// passes a change that is not told. Asked without a place, or with 0, the
// answer comes at once and has only the place as it is now.
type Changes struct {
	After     int64      `json:"after"`
	Approvals []Approval `json:"approvals,omitempty"`
}

// Use redeems a grant.
type Use struct {
	Fingerprint string `json:"fingerprint"`
	RequestID   string `json:"request_id"`
}

// Entry is one line of an audit upload.
type Entry struct {
	Seq   int64           `json:"seq"`
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"` // exactly the bytes that Hash covers
}

// AuditAnswer says up to which entry the server has everything. Expected is
// set where the batch did not continue what is there: send again from it.
type AuditAnswer struct {
	Through  int64 `json:"through"`
	Expected int64 `json:"expected,omitempty"`
}

// KillReport tells the server of a kill switch on the machine.
type KillReport struct {
	On        bool      `json:"on"`
	Connector string    `json:"connector,omitempty"`
	Reason    string    `json:"reason"`
	At        time.Time `json:"at"`
}
