package identity

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/smallstep/certificates/authority"
	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/authority/provisioner"
	_ "github.com/smallstep/certificates/cas/softcas" // registers the signer that NewEmbedded needs
)

const (
	provisionerName = "gateway-enrolment"
	gatewayLife     = 24 * time.Hour
	gatewayBackdate = time.Minute
)

// leafTemplate is the whole certificate, but for its dates and its key. It
// refers to the token only, never to the request (.Insecure).
const leafTemplate = `{
	"subject": {{ toJson .Subject }},
	"sans": {{ toJson .SANs }},
	"keyUsage": ["digitalSignature"],
	"extKeyUsage": ["clientAuth"],
	"basicConstraints": {"isCA": false}
}`

// engine is smallstep's authority, with the doors shut that we do not use. Its
// methods check nothing about who asks: their callers have.
type engine struct {
	step   *authority.Authority
	domain string
}

// newEngine starts smallstep with one provisioner and our own store under it.
func newEngine(a *Authority) (engine, error) {
	return startEngine(a, &provisioner.JWK{
		Type:    "JWK",
		Name:    provisionerName,
		Key:     a.mint.public,
		Options: &provisioner.Options{X509: &provisioner.X509Options{Template: leafTemplate}},
	})
}

func startEngine(a *Authority, p *provisioner.JWK) (engine, error) {
	no := false
	first := a.issuer.Load()
	step, err := authority.NewEmbedded(
		authority.WithConfig(&config.Config{
			DNSNames: []string{authorityName(a.domain)},
			AuthorityConfig: &config.AuthConfig{
				Provisioners: provisioner.List{p},
				Backdate:     &provisioner.Duration{Duration: gatewayBackdate},
				// Smallstep would otherwise refuse tokens from before its
				// start, which is every token of another server and every
				// one that is still out when this one restarts. They are
				// refused by their ID once they have been used.
				DisableIssuedAtCheck: true,
				// All that apply are named: what is not would be taken from
				// a global.
				Claims: &provisioner.Claims{
					MinTLSDur:               &provisioner.Duration{Duration: 5 * time.Minute},
					DefaultTLSDur:           &provisioner.Duration{Duration: gatewayLife},
					MaxTLSDur:               &provisioner.Duration{Duration: gatewayLife},
					EnableSSHCA:             &no,
					DisableRenewal:          &no,
					AllowRenewalAfterExpiry: &no,
					// Renewals are recognised by the extension.
					DisableSmallstepExtensions: &no,
				},
			},
		}),
		authority.WithX509RootCerts(a.root),
		// Asked at every signature, so that a new intermediate needs no restart.
		authority.WithX509SignerFunc(func() ([]*x509.Certificate, crypto.Signer, error) {
			i := a.issuer.Load()
			return []*x509.Certificate{i.cert}, i.key, nil
		}),
		// The name constraints that smallstep checks before it signs; they
		// are the same in every generation.
		authority.WithX509IntermediateCerts(first.cert),
		authority.WithDatabase(authDB{a.store}),
		authority.WithQuietInit(),
	)
	if err != nil {
		return engine{}, quiet("start smallstep", err)
	}
	return engine{step, a.domain}, nil
}

// sign issues the certificate that token, which has been verified and used
// up, speaks of. The order matters elsewhere: see minter.verify.
func (e engine) sign(ctx context.Context, token string, n name, req *x509.CertificateRequest) ([]*x509.Certificate, error) {
	ctx = provisioner.NewContextWithMethod(ctx, provisioner.SignMethod)
	ctx = authority.NewContextWithSkipTokenReuse(ctx) // Enrol has done it
	opts, err := e.step.Authorize(ctx, token)
	if err != nil {
		return nil, quiet("authorize token", err)
	}
	// Without a provisioner's options smallstep copies every name out of the
	// request, for any use and no time at all. So what it is about to sign is
	// looked at once more.
	opts = append(opts, provisioner.CertificateEnforcerFunc(func(leaf *x509.Certificate) error {
		return e.profile(leaf, n)
	}))
	chain, err := e.step.SignWithContext(ctx, req, provisioner.SignOptions{}, opts...)
	if err != nil {
		return nil, quiet("sign certificate", err)
	}
	return chain, nil
}

// profile refuses to sign anything but the certificate of gateway n.
func (e engine) profile(leaf *x509.Certificate, n name) error {
	if err := leafShape(leaf); err != nil {
		return err
	}
	if uri, _ := soleURI(leaf.URIs); uri != n.uri(e.domain) || leaf.Subject.CommonName != n.gateway {
		return errors.New("the certificate would name another")
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life <= 0 || life > gatewayLife+gatewayBackdate {
		return fmt.Errorf("the certificate would be good for %v", life)
	}
	for _, ext := range leaf.ExtraExtensions {
		if !ext.Id.Equal(provisioner.StepOIDProvisioner) {
			return fmt.Errorf("the certificate would have extension %v", ext.Id)
		}
	}
	return nil
}

// renew issues old again, for the key pub, or for the old one where pub is
// nil. Smallstep looks at neither the chain nor the kind of old: given a
// certificate authority under a stranger's root, it makes one under ours.
func (e engine) renew(ctx context.Context, old *x509.Certificate, pub crypto.PublicKey) ([]*x509.Certificate, error) {
	chain, err := e.step.RenewContext(ctx, old, pub)
	if err != nil {
		return nil, quiet("renew certificate", err)
	}
	return chain, nil
}

// revoke ends the renewals of cert.
func (e engine) revoke(ctx context.Context, cert *x509.Certificate, reason string) error {
	ctx = provisioner.NewContextWithMethod(ctx, provisioner.RevokeMethod)
	err := e.step.Revoke(ctx, &authority.RevokeOptions{
		Serial:      cert.SerialNumber.String(),
		Crt:         cert,
		Reason:      reason,
		MTLS:        true, // by a caller that needs no token
		PassiveOnly: true,
	})
	return quiet("revoke certificate", err)
}

// quiet says what smallstep was doing and what came of it, and leaves out the
// rest: its errors carry tokens, requests and certificates. An error of our
// own store that is inside is kept.
func quiet(doing string, err error) error {
	if err == nil {
		return nil
	}
	if ours, ok := errors.AsType[storeError](err); ok {
		return fmt.Errorf("%s: %w", doing, ours.error)
	}
	if coded, ok := errors.AsType[interface {
		error
		StatusCode() int
	}](err); ok {
		return fmt.Errorf("%s: smallstep answers %d", doing, coded.StatusCode())
	}
	return fmt.Errorf("%s: smallstep refuses (%T)", doing, err)
}
