package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

const linkLife = 24 * time.Hour

// ServerTLS returns the configuration of the gateways' port. Its certificate
// renews itself. A client may come without one, to enrol; a client that shows
// one must be a gateway that Check accepts, or the handshake fails.
//
// With TLS 1.3 the client believes the handshake to be over before we have
// looked at its certificate: it hears of a refusal when it first reads. A
// gateway whose certificate is over must come without it to enrol again.
//
// Ctx ends the checks that the configuration makes; it should live as long as
// the listener.
func (a *Authority) ServerTLS(ctx context.Context) (*tls.Config, error) {
	if _, err := a.linkCertificate(ctx); err != nil { // rather now than at the first handshake
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.linkCertificate(hello.Context())
		},
		ClientAuth: tls.VerifyClientCertIfGiven,
		ClientCAs:  a.roots,
		// A resumed session would bring along what was verified once. There
		// are few connections and they last long, so nothing is saved by it.
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			_, err := a.Check(ctx, state)
			if kind := fault.Of(err); err == nil || kind == fault.Internal || kind == fault.Unavailable {
				// A database that does not answer is no verdict. The gateway
				// would take the alert for its revocation and wipe what it
				// knows; every call is checked anew and says what is wrong.
				return nil
			}
			return fmt.Errorf("refuse gateway: %w", err)
		},
	}, nil
}

// linkCertificate returns the port's own certificate. Its key lives in this
// process only: gateways pin the root, so every server, and every start, may
// have another, and there is nothing to store or to steal.
func (a *Authority) linkCertificate(ctx context.Context) (*tls.Certificate, error) {
	current := a.link.Load()
	if fresh(current, linkLife/3) {
		return current, nil
	}
	a.linking.Lock()
	defer a.linking.Unlock()
	if current = a.link.Load(); fresh(current, linkLife/3) {
		return current, nil
	}
	next, err := a.newLinkCertificate(ctx)
	if err == nil {
		a.link.Store(next)
		return next, nil
	}
	if fresh(current, 0) {
		a.log.ErrorContext(ctx, "the gateways' port could not renew its certificate", "ends", current.Leaf.NotAfter, "error", err)
		return current, nil
	}
	return nil, fmt.Errorf("certificate of the gateways' port: %w", err)
}

// fresh reports whether there is more than margin left of cert.
func fresh(cert *tls.Certificate, margin time.Duration) bool {
	return cert != nil && time.Until(cert.Leaf.NotAfter) > margin
}

// newLinkCertificate signs a certificate for servers alone. Smallstep's own
// would be for clients, too, and this port would pass for a gateway with it.
func (a *Authority) newLinkCertificate(ctx context.Context) (*tls.Certificate, error) {
	by, err := a.currentIssuer(ctx)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "TameFlare gateways' port"},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(linkLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              a.linkNames.hosts,
		IPAddresses:           a.linkNames.addrs,
	}, by.cert, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, by.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
