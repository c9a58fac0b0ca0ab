package team

import "github.com/tameflare/tameflare/domain/audit"

// Viewer is who is asking: a person, in one of their teams, and how they have
// shown who they are. The zero Viewer may do nothing.
type Viewer struct {
	User User
	Team Team
	Role Role
	Auth string // "session", "token" or "console"
	By   string // ID of the session or token
	IP   string
}

// May reports whether v may do p.
func (v Viewer) May(p Permission) bool { return v.Role.May(p) }

// Actor is v as the audit trail names it.
func (v Viewer) Actor() audit.Actor {
	return audit.Actor{Kind: audit.ByUser, ID: v.User.ID, Name: v.User.Name, Auth: v.Auth, IP: v.IP}
}
