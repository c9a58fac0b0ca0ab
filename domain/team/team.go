// Package team says who belongs together and what each of them may do. It does
// no I/O. The structs are also the rows that app/store keeps.
package team

import (
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Role is what somebody is in a team. The zero Role may do nothing.
type Role string

const (
	Nobody     Role = ""
	RoleViewer Role = "viewer"
	RoleMember Role = "member"
	RoleAdmin  Role = "admin"
	RoleOwner  Role = "owner"
)

// Permission is something that a role may or may not do.
type Permission string

const (
	View    Permission = "view"    // dashboard, traffic, audit
	Decide  Permission = "decide"  // approve and deny; pull the kill switch
	Manage  Permission = "manage"  // gateways, connectors, credentials, rules, policies, invites, settings; lift the kill switch
	Command Permission = "command" // members' roles, billing, import, delete the team
)

// Permissions lists every permission, from the least to the most.
func Permissions() []Permission { return []Permission{View, Decide, Manage, Command} }

// Roles lists every role, from the most to the least.
func Roles() []Role { return []Role{RoleOwner, RoleAdmin, RoleMember, RoleViewer} }

var may = map[Role]map[Permission]bool{
	RoleOwner:  {View: true, Decide: true, Manage: true, Command: true},
	RoleAdmin:  {View: true, Decide: true, Manage: true},
	RoleMember: {View: true, Decide: true},
	RoleViewer: {View: true},
}

// May reports whether r may do p.
func (r Role) May(p Permission) bool { return may[r][p] }

// ParseRole reads a role. It fails with fault.Invalid where there is no such role.
func ParseRole(s string) (Role, error) {
	if _, ok := may[Role(s)]; !ok {
		return Nobody, fault.New(fault.Invalid, "A role is owner, admin, member or viewer.", nil)
	}
	return Role(s), nil
}

// User is a person with an account.
type User struct {
	ID           string `bun:",pk"` // "usr_…"
	Email        string // lower case, unique
	Name         string
	PasswordHash string // argon2id, in PHC form
	CreatedAt    time.Time
	DisabledAt   time.Time `bun:",nullzero"`
}

// Team is what gateways, credentials and people belong to.
type Team struct {
	ID        string `bun:",pk"` // "team_…"
	Name      string
	Revision  int64  // rises with every change that gateways have to hear of
	DataKey   []byte // the team's data key, wrapped by the master key
	CreatedAt time.Time
}

// Membership is what a user is in a team.
type Membership struct {
	TeamID    string `bun:",pk"`
	UserID    string `bun:",pk"`
	Role      Role
	CreatedAt time.Time
}

// Session is a signed-in browser. The cookie holds a random ID; the row holds
// its hash.
type Session struct {
	ID         string `bun:",pk"` // SHA-256 of the cookie's ID, hex
	UserID     string
	TeamID     string
	UserAgent  string
	IP         string
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
	// ConfirmedAt is when they last proved who they are, beyond the cookie: at
	// sign-in, or in between.
	ConfirmedAt time.Time `bun:",nullzero"`
}

// Token is a revocable secret that the CLI or automation signs in with.
type Token struct {
	ID         string `bun:",pk"` // "tok_…"
	UserID     string
	TeamID     string
	Name       string // "ana's laptop"
	Hash       string // SHA-256 of the token, hex
	Hint       string // its last four characters
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time `bun:",nullzero"`
	RevokedAt  time.Time `bun:",nullzero"`
}

// Login is a CLI that asks to be signed in, by loopback redirect with PKCE
// (RFC 8252, RFC 7636) or by device code (RFC 8628).
type Login struct {
	ID           string `bun:",pk"` // "login_…"
	Kind         string // "loopback" or "device"
	Client       string // "tameflare 0.1.0 on laptop-ana (linux)"
	ClientIP     string
	Words        string // pairing words, shown on both sides
	RedirectURI  string // loopback only
	State        string // loopback only; echoed
	Challenge    string // loopback only; S256
	UserCode     string `bun:",nullzero"` // device only; XXXX-XXXX
	DeviceHash   string `bun:",nullzero"` // device only; SHA-256 of the device code
	CodeHash     string `bun:",nullzero"` // loopback only; SHA-256 of the authorization code
	Status       string // "pending", "approved", "denied", "used"
	UserID       string `bun:",nullzero"` // who approved
	TeamID       string `bun:",nullzero"`
	Attempts     int
	PollSeconds  int
	LastPolledAt time.Time `bun:",nullzero"`
	CreatedAt    time.Time
	ExpiresAt    time.Time
}
