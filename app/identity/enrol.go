package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Enrol gives a gateway its first certificate, in exchange for a token from
// EnrolToken. Who the gateway is stands in the token; of the request only the
// key counts.
//
// It fails with fault.Unauthenticated where the token is not ours,
// fault.Expired where it is too old, fault.Invalid where the request is not
// acceptable, and as Admit does. All these leave the token as it was. It fails
// with fault.Conflict where the token has been used, and with
// fault.Unavailable where we could not do our part: then the token is used up,
// because nobody can say how far it came.
func (a *Authority) Enrol(ctx context.Context, token string, csrPEM []byte) (Certificate, error) {
	t, err := a.mint.verify(token, time.Now())
	if err != nil {
		return Certificate{}, err
	}
	req, err := parseRequest(csrPEM, t.name, a.domain)
	if err != nil {
		return Certificate{}, err
	}
	if err := a.admit(ctx, t.name.gateway); err != nil {
		return Certificate{}, fmt.Errorf("enrol: %w", err)
	}
	if _, err := a.currentIssuer(ctx); err != nil {
		return Certificate{}, fmt.Errorf("enrol: %w", err)
	}
	first, err := a.store.UseToken(ctx, UsedToken{
		ID: t.id, GatewayID: t.name.gateway, UsedAt: time.Now().UTC(), ExpiresAt: t.expires,
	})
	if err != nil {
		return Certificate{}, usedUp(fmt.Errorf("use token: %w", err))
	}
	if !first {
		return Certificate{}, fault.New(fault.Conflict, "This enrolment token has been used. "+askAgain, nil)
	}

	chain, err := a.step.sign(ctx, token, t.name, req)
	if err != nil {
		return Certificate{}, usedUp(err)
	}
	cert, err := a.enter(ctx, chain, t.name, "")
	if err != nil {
		return Certificate{}, usedUp(err)
	}
	a.log.InfoContext(ctx, "gateway enrolled", "team", cert.TeamID, "gateway", cert.GatewayID, "serial", cert.Serial)
	return cert, nil
}

func usedUp(cause error) error {
	return fault.New(fault.Unavailable, "The certificate could not be issued, and the enrolment token is used up. "+askAgain, cause)
}

// rehearse enrols a gateway that does not exist, without a trace: smallstep
// starts happily with a provisioner that it could not initialise, and says so
// to the first gateway only.
func (a *Authority) rehearse(ctx context.Context) error {
	n := name{team: "rehearsal", gateway: "rehearsal"}
	token, _, err := a.mint.token(n, a.RootFingerprint(), time.Now())
	if err != nil {
		return fmt.Errorf("rehearse enrolment: %w", err)
	}
	if _, err := a.mint.verify(token, time.Now()); err != nil {
		return fmt.Errorf("rehearse enrolment: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("rehearse enrolment: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return fmt.Errorf("rehearse enrolment: %w", err)
	}
	req, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return fmt.Errorf("rehearse enrolment: %w", err)
	}
	chain, err := a.step.sign(ctx, token, n, req)
	if err != nil {
		return fmt.Errorf("rehearse enrolment: %w", err)
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	if _, err := chain[0].Verify(x509.VerifyOptions{
		Roots: a.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return fmt.Errorf("rehearse enrolment: the certificate does not verify: %w", err)
	}
	return nil
}
