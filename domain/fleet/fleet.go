// Package fleet describes gateways and what is configured for each. It does no
// I/O. The structs are also the rows that app/store keeps.
package fleet

import (
	"net/netip"
	"regexp"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// Status says whether a gateway may talk to the server.
type Status string

const (
	Active  Status = "active"
	Revoked Status = "revoked"
)

// Gateway is one data plane and its settings. A gateway that has never been
// enrolled has a zero EnrolledAt.
type Gateway struct {
	ID          string `bun:",pk"` // "gw_…"
	TeamID      string
	Name        string             // unique in the team
	Environment string             // "production", "staging" …; "" where nobody said
	Enforcement policy.Enforcement `bun:"type:text"`
	Status      Status
	SealKey     []byte    // HPKE public key that credentials are sealed to
	Version     string    // of the program, as it said last
	SnapshotAck int64     // the newest snapshot that it acts on
	CertExpires time.Time `bun:",nullzero"`
	EnrolledAt  time.Time `bun:",nullzero"`
	LastSeenAt  time.Time `bun:",nullzero"`
	FirstSeenAt time.Time `bun:",nullzero"` // of the first recorded request
	EnrolledBy  string    `bun:",nullzero"` // user ID of whoever had its last enrolment made
	CreatedAt   time.Time
}

// Connector is a connector as configured for one gateway.
type Connector struct {
	ID           string `bun:",pk"` // "con_…"
	GatewayID    string
	Type         string   // "github", "http", "webhook"
	Name         string   // unique at the gateway; the type unless somebody chose another
	Hosts        []string `bun:"type:text"` // what it answers for; the type's own hosts where empty
	Private      []string `bun:"type:text"` // CIDRs that these hosts may resolve to although they are not public
	AuthKind     credential.Kind
	AuthName     string
	CredentialID string               `bun:",nullzero"`
	ClientKey    credential.ClientKey `bun:"type:text"`
	Position     int
}

// Style returns how c shows its credential.
func (c Connector) Style() credential.Style {
	return credential.Style{Kind: c.AuthKind, Name: c.AuthName}
}

// Rule is an access rule as stored.
type Rule struct {
	ID          string `bun:",pk"` // "rule_…"
	GatewayID   string
	ConnectorID string
	Pattern     action.Pattern
	Class       string        // "" is any class
	When        policy.Limits `bun:"limits,type:text"`
	Effect      policy.Effect `bun:"type:text"`
	HoldMS      int64         `bun:"hold_ms"` // -1 where the default applies
	TTLMS       int64         `bun:"ttl_ms"`  // 0 where the default applies
	Reason      string
	Approvers   policy.Approvers `bun:"type:text"` // for RequireApproval
	Preset      policy.Preset    // the preset that made it, "" where written by hand
	Position    int
}

// Kill is a pulled kill switch as stored. Without gateway and connector it
// stops the whole team; with both, one connector of one gateway.
type Kill struct {
	ID        string `bun:",pk"` // "kill_…"
	TeamID    string
	GatewayID string `bun:",nullzero"`
	Connector string `bun:",nullzero"` // type or configured name
	Reason    string
	PulledBy  string // user ID, or "gateway:<id>" for one pulled on the machine
	PulledAt  time.Time
	LiftedBy  string    `bun:",nullzero"`
	LiftedAt  time.Time `bun:",nullzero"`
}

// Credential is a secret in the vault, without the secret: that is Sealed.
type Credential struct {
	ID          string `bun:",pk"` // "cred_…"
	TeamID      string
	Name        string   // unique in the team
	Type        string   // the connector type that it is for
	Hosts       []string `bun:"type:text"` // where it may go; bound into Sealed
	Version     int64    // rises with each rotation
	Sealed      []byte   // AES-256-GCM under the team's data key
	Fingerprint string   // tells two secrets apart without telling either
	CreatedAt   time.Time
	RotatedAt   time.Time
	LastUsedAt  time.Time `bun:",nullzero"`

	OAuth   credential.OAuth `bun:"embed:oauth_"` // zero for a static one; bound into Sealed
	Refresh Refresh          `bun:"embed:refresh_"`
}

// RefreshState is how an OAuth credential's access token stands.
type RefreshState string

const (
	RefreshStatic    RefreshState = ""                // there is none
	RefreshActive    RefreshState = "active"          // there is one, and it is renewed in time
	RefreshRetrying  RefreshState = "retrying"        // renewing failed; there is one for now
	RefreshExpired   RefreshState = "expired"         // renewing still fails, and there is none any more
	RefreshAttention RefreshState = "needs_attention" // the endpoint said no; somebody has to do something
)

// Refresh is the part of an OAuth credential that the server changes by
// itself. The zero Refresh is a static one's.
type Refresh struct {
	State     RefreshState
	Problem   string    // a sentence for people; "" where all is well
	Failures  int64     // in a row
	ExpiresAt time.Time `bun:",nullzero"` // of the access token; bound into Sealed
	NextAt    time.Time `bun:",nullzero"` // when to look at it again; zero: not by itself
	Holder    string    // who is at it now: one refresher over all servers
	HeldUntil time.Time `bun:",nullzero"` // when Holder counts as gone
}

// Live reports whether there is an access token that may still be used.
func (r Refresh) Live(now time.Time) bool { return now.Before(r.ExpiresAt) }

var names = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)

// CheckName fails with fault.Invalid where name cannot be that of a gateway,
// connector or credential.
func CheckName(name string) error {
	if !names.MatchString(name) {
		return fault.New(fault.Invalid, "A name is 1 to 63 of a-z, 0-9, dot, dash and underscore, and begins and ends with a letter or digit.", nil)
	}
	return nil
}

const maxEnvironment = 40

// CheckEnvironment fails with fault.Invalid where name cannot be that of an
// environment. No name is none.
func CheckEnvironment(name string) error {
	if name != "" && (len(name) > maxEnvironment || !names.MatchString(name)) {
		return fault.New(fault.Invalid, "An environment is a word such as production: at most 40 of a-z, 0-9, dot, dash and underscore.", nil)
	}
	return nil
}

// CheckPrivate fails with fault.Invalid where cidr is not a network in CIDR
// form, such as 10.0.0.0/8.
func CheckPrivate(cidr string) error {
	p, err := netip.ParsePrefix(cidr)
	if err != nil || p != p.Masked() {
		return fault.New(fault.Invalid, "Write a network as 10.0.0.0/8: an address without host bits, a slash and its length.", err)
	}
	return nil
}
