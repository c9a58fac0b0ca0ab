package identity

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/smallstep/certificates/db"

	"github.com/tameflare/tameflare/domain/fault"
)

// authDB is the store as smallstep wants to see it. Tokens are used up, and
// certificates entered, by Enrol and Renew, which know the gateway and the
// caller's context; smallstep hands on neither. What is left to it refuses
// when in doubt.
type authDB struct{ store Store }

// patience bounds the store, since smallstep gives no context to bound it with.
const patience = 10 * time.Second

// storeError marks an error as our own store's, see quiet.
type storeError struct{ error }

// IsRevoked is asked before a renewal. A serial that is not in the ledger
// counts as revoked.
func (d authDB) IsRevoked(serial string) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	row, err := d.store.Certificate(ctx, serial)
	if fault.Of(err) == fault.NotFound {
		return true, nil
	}
	if err != nil {
		return true, storeError{err}
	}
	return !row.RevokedAt.IsZero(), nil
}

// Revoke keeps the first revocation of a serial; that there is one already is
// what the caller wanted.
func (d authDB) Revoke(r *db.RevokedCertificateInfo) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.store.RevokeSerial(ctx, Revocation{Serial: r.Serial, Reason: r.Reason, RevokedAt: r.RevokedAt}); err != nil {
		return storeError{err}
	}
	return nil
}

// UseToken is not asked, since Enrol has used the token up and says so. If it
// is asked after all, the token counts as used.
func (authDB) UseToken(string, string) (bool, error) {
	return false, errors.New("a token reached smallstep that had not been used up")
}

func (authDB) GetCertificate(string) (*x509.Certificate, error) { return nil, db.ErrNotImplemented }
func (authDB) IsSSHRevoked(string) (bool, error)                { return true, db.ErrNotImplemented }
func (authDB) RevokeSSH(*db.RevokedCertificateInfo) error       { return db.ErrNotImplemented }
func (authDB) IsSSHHost(string) (bool, error)                   { return false, db.ErrNotImplemented }
func (authDB) GetSSHHostPrincipals() ([]string, error)          { return nil, db.ErrNotImplemented }
func (authDB) Shutdown() error                                  { return nil }
