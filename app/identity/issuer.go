package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

const (
	rootLife         = 10 * 365 * 24 * time.Hour
	rootWarning      = 365 * 24 * time.Hour
	intermediateLife = 5 * 365 * 24 * time.Hour
	// reissueBefore is how long before its end an intermediate is replaced.
	// It is far more than the life of what it signs, so that nothing outlives
	// its issuer, and leaves people half a year to see that it did not work.
	reissueBefore = 180 * 24 * time.Hour
	// backdate allows for gateways whose clock is behind.
	backdate = time.Hour
)

// issuer is an intermediate with its key.
type issuer struct {
	generation int
	cert       *x509.Certificate
	key        *ecdsa.PrivateKey
}

// root loads the root, or makes it. Its key stays sealed in the store and is
// opened only to sign an intermediate: thrown away it could not sign the next
// one, and every gateway would have to be enrolled again when the first ends.
// The same master key seals the intermediate, so nothing would be won.
func (k keyring) root(ctx context.Context, domain string) (*x509.Certificate, error) {
	der, _, err := k.loadOrCreate(ctx, "root", func(key *ecdsa.PrivateKey) ([]byte, error) {
		now := time.Now()
		template := &x509.Certificate{
			SerialNumber:          newSerial(),
			Subject:               pkix.Name{CommonName: "TameFlare gateways, root (" + domain + ")"},
			NotBefore:             now.Add(-backdate),
			NotAfter:              now.Add(rootLife),
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			BasicConstraintsValid: true,
			IsCA:                  true,
			MaxPathLen:            1,
		}
		return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	})
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse root: %w", err)
	}
	return cert, nil
}

// newestIntermediate loads the last generation, or makes the first.
func (k keyring) newestIntermediate(ctx context.Context, root *x509.Certificate, domain string) (*issuer, error) {
	newest, err := k.intermediate(ctx, root, domain, 1)
	if err != nil {
		return nil, err
	}
	for {
		public, key, err := k.load(ctx, intermediateName(newest.generation+1))
		switch {
		case fault.Of(err) == fault.NotFound:
			return newest, nil
		case err != nil:
			return nil, err
		}
		if newest, err = parseIntermediate(newest.generation+1, public, key, root, domain); err != nil {
			return nil, err
		}
	}
}

func intermediateName(generation int) string { return "intermediate." + strconv.Itoa(generation) }

// intermediate loads one generation, or makes it.
func (k keyring) intermediate(ctx context.Context, root *x509.Certificate, domain string, generation int) (*issuer, error) {
	public, key, err := k.loadOrCreate(ctx, intermediateName(generation), func(key *ecdsa.PrivateKey) ([]byte, error) {
		_, rootKey, err := k.load(ctx, "root")
		if err != nil {
			return nil, err
		}
		now := time.Now()
		end := now.Add(intermediateLife)
		if end.After(root.NotAfter) {
			end = root.NotAfter
		}
		return x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber:          newSerial(),
			Subject:               pkix.Name{CommonName: fmt.Sprintf("TameFlare gateways, intermediate %d (%s)", generation, domain)},
			NotBefore:             now.Add(-backdate),
			NotAfter:              end,
			KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
			ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
			BasicConstraintsValid: true,
			IsCA:                  true,
			MaxPathLenZero:        true,
			// URIs alone are constrained. Permitting DNS domains here would
			// also bind the server's own certificate, whose names are
			// whatever this host is called today, until the next generation.
			PermittedURIDomains:         []string{domain},
			PermittedDNSDomainsCritical: true, // this makes the constraints critical as a whole
		}, root, key.Public(), rootKey)
	})
	if err != nil {
		return nil, err
	}
	return parseIntermediate(generation, public, key, root, domain)
}

func parseIntermediate(generation int, der []byte, key *ecdsa.PrivateKey, root *x509.Certificate, domain string) (*issuer, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse intermediate %d: %w", generation, err)
	}
	if err := cert.CheckSignatureFrom(root); err != nil {
		return nil, fmt.Errorf("intermediate %d is not under our root: %w", generation, err)
	}
	if got := cert.PermittedURIDomains; len(got) != 1 || got[0] != domain {
		return nil, fmt.Errorf("this store's authority is for the trust domain %q, not for %q: it cannot be changed", got, domain)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("the key of intermediate %d is another's", generation)
	}
	return &issuer{generation, cert, key}, nil
}

// currentIssuer returns the intermediate to sign with. It replaces one that
// nears its end; while that does not work, the old one signs on until it ends.
// It fails with fault.Unavailable once it has.
func (a *Authority) currentIssuer(ctx context.Context) (*issuer, error) {
	current := a.issuer.Load()
	if !a.due(current) {
		return current, nil
	}
	a.issuing.Lock()
	defer a.issuing.Unlock()
	if current = a.issuer.Load(); !a.due(current) {
		return current, nil // somebody else did it while we waited
	}
	next, err := a.keys.intermediate(ctx, a.root, a.domain, current.generation+1)
	if err == nil {
		a.issuer.Store(next)
		a.log.InfoContext(ctx, "the authority has a new intermediate", "generation", next.generation, "ends", next.cert.NotAfter)
		return next, nil
	}
	if left := time.Until(current.cert.NotAfter); left > gatewayLife {
		a.log.ErrorContext(ctx, "the authority's intermediate could not be replaced", "ends", current.cert.NotAfter, "error", err)
		return current, nil
	}
	return nil, fault.New(fault.Unavailable, "The certificate authority has expired and could not renew itself. Its operator finds the reason in the server's log.", err)
}

// due reports whether it is time for another intermediate, and whether one
// would last longer: none outlives the root.
func (a *Authority) due(i *issuer) bool {
	return time.Until(i.cert.NotAfter) < reissueBefore && i.cert.NotAfter.Before(a.root.NotAfter)
}

func newSerial() *big.Int {
	var b [16]byte
	rand.Read(b[:]) // never fails: it crashes the program instead
	b[0] &= 0x7f    // positive, within the 20 octets of RFC 5280
	b[15] |= 1      // and never zero
	return new(big.Int).SetBytes(b[:])
}
