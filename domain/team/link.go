package team

import "time"

// What a one-time link is good for.
const (
	SetUpLink  = "setup"   // become the owner of a fresh server
	SignInLink = "sign_in" // sign in as one user, without a password
)

// Link is a one-time link. The link holds a random token; the row holds its
// hash.
type Link struct {
	Hash      string `bun:",pk"` // SHA-256 of the token, hex
	Kind      string
	UserID    string `bun:",nullzero"` // whose it is; "" for SetUpLink
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time `bun:",nullzero"`
}

// Values of Login.Status.
const (
	LoginPending  = "pending"
	LoginApproved = "approved"
	LoginDenied   = "denied"
	LoginUsed     = "used"
)

// Kinds of Login.
const (
	LoopbackLogin = "loopback"
	DeviceLogin   = "device"
)
