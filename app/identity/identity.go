// Package identity is the smallstep authority in process, which gives each
// gateway its 24 h client certificate.
//
// The certificate says who a gateway is; whether it may still do anything is
// asked of our own rows, at every handshake, renewal and call. Revocation in
// smallstep is passive: it ends renewals and nothing else.
//
// What a certificate says comes from a token that we signed ourselves. From
// the request that comes with it we take the public key and nothing else.
//
// Smallstep's errors quote tokens and requests, so they end here: callers see
// a sentence, and the log sees the step and a status. Smallstep also writes to
// the standard library's log, from places that this package does not reach:
// the program's main calls slog.SetDefault, which takes those lines over. It
// keeps global registries, too; a program opens one Authority.
//
// Smallstep reads the clock of the process, and so does this package: an
// authority with two clocks would have a gap between them.
package identity

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what an Authority needs. All of it is needed, except Log.
type Config struct {
	// TrustDomain is the host part of every gateway's SPIFFE name. It cannot
	// be changed once the store has an authority.
	TrustDomain string
	// LinkNames are the host names and addresses under which gateways reach
	// their port.
	LinkNames []string
	Store     Store
	Sealer    Sealer
	// Admit says whether a gateway may take part: nil if so, and a fault with
	// a sentence if not. It is asked at every enrolment, handshake, renewal
	// and check, and is what makes a revocation immediate.
	Admit func(ctx context.Context, gatewayID string) error
	Log   *slog.Logger // nil logs nothing
}

// Authority issues, renews and revokes the certificates of gateways. It is
// safe for use by many goroutines. It starts none, and has nothing to close.
type Authority struct {
	domain    string
	linkNames linkNames
	store     Store
	keys      keyring
	admit     func(ctx context.Context, gatewayID string) error
	log       *slog.Logger

	root  *x509.Certificate
	roots *x509.CertPool
	mint  minter
	step  engine

	issuer  atomic.Pointer[issuer]
	issuing sync.Mutex // held while issuer is being replaced

	link    atomic.Pointer[tls.Certificate]
	linking sync.Mutex // held while link is being replaced
}

// Open loads the authority from its store, or makes one there: a root, an
// intermediate under it, and the key that signs enrolment tokens. It fails
// unless a trial enrolment works from end to end.
func Open(ctx context.Context, c Config) (*Authority, error) {
	names, err := parseConfig(c)
	if err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	a := &Authority{
		domain:    c.TrustDomain,
		linkNames: names,
		store:     c.Store,
		keys:      keyring{c.Store, c.Sealer},
		admit:     c.Admit,
		log:       c.Log,
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if err := a.open(ctx); err != nil {
		return nil, fmt.Errorf("open authority: %w", err)
	}
	return a, nil
}

func parseConfig(c Config) (linkNames, error) {
	switch {
	case !isTrustDomain(c.TrustDomain):
		return linkNames{}, fmt.Errorf("trust domain %q is not a host name in lower case", c.TrustDomain)
	case c.Store == nil:
		return linkNames{}, errors.New("no store")
	case c.Sealer == nil:
		return linkNames{}, errors.New("no sealer")
	case c.Admit == nil:
		return linkNames{}, errors.New("nobody to ask whether a gateway may take part")
	}
	return parseLinkNames(c.LinkNames)
}

func (a *Authority) open(ctx context.Context) error {
	var err error
	if a.root, err = a.keys.root(ctx, a.domain); err != nil {
		return err
	}
	a.roots = x509.NewCertPool()
	a.roots.AddCert(a.root)
	if time.Until(a.root.NotAfter) < rootWarning {
		a.log.WarnContext(ctx, "the gateways' root ends; with a new one every gateway has to be enrolled again", "ends", a.root.NotAfter)
	}

	newest, err := a.keys.newestIntermediate(ctx, a.root, a.domain)
	if err != nil {
		return err
	}
	a.issuer.Store(newest)
	if _, err := a.currentIssuer(ctx); err != nil { // also replaces one that is near its end
		return err
	}
	if a.mint, err = a.keys.minter(ctx, a.domain); err != nil {
		return err
	}
	if a.step, err = newEngine(a); err != nil {
		return err
	}
	return a.rehearse(ctx)
}

// RootPEM returns the root that gateways verify their server with, and
// nothing else.
func (a *Authority) RootPEM() []byte { return encodeChain(a.root) }

// RootFingerprint returns the SHA-256 of the root in hex, which an enrolling
// gateway is told to pin. Enrolment tokens carry it as "sha".
func (a *Authority) RootFingerprint() string { return fingerprint(a.root) }

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Certificate is what a gateway is given.
type Certificate struct {
	ChainPEM  []byte // the gateway's own first, then the intermediate
	Serial    string
	NotAfter  time.Time
	GatewayID string
	TeamID    string
}

func encodeChain(chain ...*x509.Certificate) []byte {
	var out []byte
	for _, cert := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return out
}
