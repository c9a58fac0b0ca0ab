package identity

import (
	"context"
	"time"
)

// Key is one of the authority's own keys, a row of ca_keys. Public is the
// certificate, or the bare public key where there is none, in DER. Sealed is
// the private half, which opens only together with the Name and the Public
// that it was sealed with.
type Key struct {
	Name      string `bun:"name,pk"`
	Sealed    []byte `bun:"sealed"`
	Public    []byte `bun:"public"`
	CreatedAt time.Time
}

// Issued is a gateway's certificate as the ledger keeps it: a row of
// ca_certificates, and the moment of its row in ca_revocations.
type Issued struct {
	Serial      string `bun:"serial,pk"` // decimal
	TeamID      string
	GatewayID   string
	DER         []byte `bun:"der"`
	NotBefore   time.Time
	NotAfter    time.Time
	RenewedFrom string `bun:",nullzero"` // serial of the one before; "" after an enrolment
	CreatedAt   time.Time
	RevokedAt   time.Time `bun:",scanonly,nullzero"` // zero while it is not revoked
}

// Revocation says that a certificate counts no longer: a row of ca_revocations.
type Revocation struct {
	Serial    string `bun:"serial,pk"`
	Reason    string
	RevokedAt time.Time
}

// UsedToken is an enrolment token that has been used: a row of ca_tokens. It
// may be forgotten a day after ExpiresAt, since by then the token is refused
// for its age.
type UsedToken struct {
	ID        string `bun:"id,pk"`
	GatewayID string
	UsedAt    time.Time
	ExpiresAt time.Time
}

// Store keeps what the authority must not forget. Several servers may share one.
type Store interface {
	Keys
	Tokens
	Ledger
}

// Keys keeps the authority's own keys.
type Keys interface {
	// LoadKey fails with fault.NotFound where there is no such key.
	LoadKey(ctx context.Context, name string) (Key, error)
	// InsertKey keeps key unless there is one of that name already. Both are
	// a success: of several servers that start at once one wins, and all of
	// them then load the winner's.
	InsertKey(ctx context.Context, key Key) error
}

// Tokens remembers which enrolment tokens have been used.
type Tokens interface {
	// UseToken reports whether this was the first use of the token. Of many
	// callers with the same ID exactly one is told so.
	UseToken(ctx context.Context, token UsedToken) (first bool, err error)
}

// Ledger keeps every certificate that a gateway was given.
type Ledger interface {
	InsertCertificate(ctx context.Context, cert Issued) error
	// Certificate fails with fault.NotFound where the serial is not ours.
	Certificate(ctx context.Context, serial string) (Issued, error)
	// LiveCertificates returns the gateway's certificates that are neither
	// revoked nor over at now.
	LiveCertificates(ctx context.Context, gatewayID string, now time.Time) ([]Issued, error)
	// RevokeSerial keeps the first revocation of a serial; a later one
	// changes nothing and is no failure.
	RevokeSerial(ctx context.Context, r Revocation) error
}

// Sealer encrypts what is kept. What was sealed with one aad does not open
// with another.
type Sealer interface {
	Seal(plain, aad []byte) ([]byte, error)
	Open(sealed, aad []byte) ([]byte, error)
}
