package team

import (
	"time"

	"github.com/tameflare/tameflare/domain/audit"
)

// Viewer is who is asking: a person, in one of their teams, and how they have
// shown who they are. The zero Viewer may do nothing.
type Viewer struct {
	User User
	Team Team
	Role Role
	Auth string // "session", "token" or "console"
	By   string // ID of the session or token
	IP   string
	// ConfirmedAt is when they last proved who they are, beyond a cookie or a
	// token; zero where they cannot have. See Fresh.
	ConfirmedAt time.Time
}

// StepUpWindow is for how long a proof of who one is counts as fresh.
const StepUpWindow = 5 * time.Minute

// Fresh reports whether v has just proved who they are.
func (v Viewer) Fresh(now time.Time) bool {
	return !v.ConfirmedAt.IsZero() && now.Sub(v.ConfirmedAt) < StepUpWindow
}

// May reports whether v may do p.
func (v Viewer) May(p Permission) bool { return v.Role.May(p) }

// Actor is v as the audit trail names it.
func (v Viewer) Actor() audit.Actor {
	return audit.Actor{Kind: audit.ByUser, ID: v.User.ID, Name: v.User.Name, Auth: v.Auth, IP: v.IP}
}
