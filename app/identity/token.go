package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"time"

	"go.step.sm/crypto/jose"

	"github.com/tameflare/tameflare/domain/fault"
)

const (
	tokenLife = 15 * time.Minute
	// tokenSkew is what another server's clock may be ahead of ours.
	tokenSkew = time.Minute
	maxToken  = 4 << 10

	askAgain = "Ask for a new one: run tameflare gateway up again, or tameflare gateway enrolment for another machine."
)

// tokenPattern admits the compact form only. The other form of a signed
// object may carry several signatures and unprotected headers.
var tokenPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// minter signs enrolment tokens and knows its own again. The tokens are those
// of a smallstep JWK provisioner, which checks them a second time.
type minter struct {
	domain   string
	audience string
	public   *jose.JSONWebKey
	signer   jose.Signer
}

// claims are what an enrolment token says.
type claims struct {
	jose.Claims
	SANs []string `json:"sans"` // the SPIFFE name, alone
	Root string   `json:"sha"`  // fingerprint of our root, for the gateway to pin
}

// ticket is a token that is ours and in time. It may have been used.
type ticket struct {
	name    name
	id      string
	expires time.Time
}

// minter loads the key that signs tokens, or makes it.
func (k keyring) minter(ctx context.Context, domain string) (minter, error) {
	_, key, err := k.loadOrCreate(ctx, "provisioner", func(key *ecdsa.PrivateKey) ([]byte, error) {
		return x509.MarshalPKIXPublicKey(key.Public())
	})
	if err != nil {
		return minter{}, err
	}
	public := &jose.JSONWebKey{Key: key.Public(), Algorithm: jose.ES256, Use: "sig"}
	if public.KeyID, err = jose.Thumbprint(public); err != nil {
		return minter{}, fmt.Errorf("name the provisioner's key: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: key},
		new(jose.SignerOptions).WithType("JWT").WithHeader("kid", public.KeyID))
	if err != nil {
		return minter{}, fmt.Errorf("make the signer of tokens: %w", err)
	}
	return minter{domain: domain, audience: "https://" + authorityName(domain) + "/1.0/sign", public: public, signer: signer}, nil
}

// authorityName is what smallstep is told it is called. It is part of the
// audience of tokens and is never resolved.
func authorityName(domain string) string { return "ca." + domain }

func (m minter) token(n name, root string, now time.Time) (string, time.Time, error) {
	expires := now.Add(tokenLife).Truncate(time.Second) // a token knows seconds only
	c := claims{
		Claims: jose.Claims{
			ID:        rand.Text(),
			Issuer:    provisionerName,
			Subject:   n.gateway,
			Audience:  jose.Audience{m.audience},
			IssuedAt:  jose.NewNumericDate(now),
			NotBefore: jose.NewNumericDate(now),
			Expiry:    jose.NewNumericDate(expires),
		},
		SANs: []string{n.uri(m.domain)},
		Root: root,
	}
	token, err := jose.Signed(m.signer).Claims(c).CompactSerialize()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign token: %w", err)
	}
	return token, expires.UTC(), nil
}

// verify reads a token. It fails with fault.Expired where the token was ours
// once, and with fault.Unauthenticated where it never was.
//
// Smallstep would note a token as used before it looks at the signature, so
// that anybody could use up, or make up, as many as they like. Hence it is
// shown none that has not passed here.
func (m minter) verify(token string, now time.Time) (ticket, error) {
	refuse := func(why string) (ticket, error) {
		return ticket{}, fault.New(fault.Unauthenticated, "This enrolment token is not one of this server's. "+askAgain, errors.New(why))
	}
	if len(token) > maxToken || !tokenPattern.MatchString(token) {
		return refuse("not a compact token")
	}
	parsed, err := jose.ParseSigned(token)
	if err != nil {
		return refuse("not a signed token") // err quotes the token
	}
	if len(parsed.Headers) != 1 || parsed.Headers[0].Algorithm != jose.ES256 || parsed.Headers[0].KeyID != m.public.KeyID {
		return refuse("signed with another algorithm or key")
	}
	var c claims
	if err := parsed.Claims(m.public.Key, &c); err != nil {
		return refuse("signature or claims do not hold")
	}
	if c.ID == "" || c.Expiry == nil || c.IssuedAt == nil || c.NotBefore == nil || len(c.SANs) != 1 {
		return refuse("a claim is missing")
	}
	if c.Issuer != provisionerName || len(c.Audience) != 1 || c.Audience[0] != m.audience {
		return refuse("issued by another, or for another use")
	}
	n, err := parseName(c.SANs[0], m.domain)
	if err != nil || c.Subject != n.gateway {
		return refuse("not for one gateway")
	}
	if now.Add(tokenSkew).Before(c.NotBefore.Time()) || now.Add(tokenSkew).Before(c.IssuedAt.Time()) {
		return refuse("from the future")
	}
	expires := c.Expiry.Time().UTC()
	if !now.Before(expires) {
		return ticket{}, fault.New(fault.Expired, "This enrolment token has expired: it is good for 15 minutes. "+askAgain, nil)
	}
	return ticket{name: n, id: c.ID, expires: expires}, nil
}

// EnrolToken returns a token with which a gateway can be enrolled once, within
// 15 minutes. It is a secret: whoever has it becomes that gateway. It fails
// with fault.Invalid where an argument is no identifier, and as Admit does
// where the gateway may not take part.
func (a *Authority) EnrolToken(ctx context.Context, gatewayID, teamID string) (token string, expires time.Time, err error) {
	n, err := newName(teamID, gatewayID)
	if err != nil {
		return "", time.Time{}, fault.New(fault.Invalid, "There is no such gateway.", err)
	}
	if err := a.admit(ctx, gatewayID); err != nil {
		return "", time.Time{}, fmt.Errorf("issue enrolment token: %w", err)
	}
	return a.mint.token(n, a.RootFingerprint(), time.Now())
}
