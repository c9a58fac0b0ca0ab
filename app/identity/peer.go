package identity

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/smallstep/certificates/authority/provisioner"

	"github.com/tameflare/tameflare/domain/fault"
)

// Identity is who is at the other end of a connection.
type Identity struct {
	GatewayID string
	TeamID    string
	Serial    string // of the certificate that it showed
}

const (
	notAGateway = "This connection does not show a gateway's certificate of this server."
	enrolAgain  = "Enrol it again: run tameflare gateway up on its machine."
)

// Peer tells which gateway holds the other end of a connection. It fails with
// fault.Unauthenticated where it is none, and with fault.Expired where its
// certificate is over, which happens to a connection that lives long enough.
//
// Peer reads the certificate only. Whether it has been revoked is for Check.
func (a *Authority) Peer(state tls.ConnectionState) (Identity, error) {
	id, _, err := a.peer(state)
	return id, err
}

func (a *Authority) peer(state tls.ConnectionState) (Identity, *x509.Certificate, error) {
	refuse := func(cause error) (Identity, *x509.Certificate, error) {
		return Identity{}, nil, fault.New(fault.Unauthenticated, notAGateway, cause)
	}
	// The peer's certificates count only as far as the handshake verified
	// them: PeerCertificates may be anything.
	if len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) < 2 {
		return refuse(errors.New("no verified chain"))
	}
	chain := state.VerifiedChains[0]
	leaf := chain[0]
	// Which roots the listener was given is not known here, and a chain that
	// another root verified would be as good as ours.
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	now := time.Now()
	over := now.After(leaf.NotAfter)
	if over {
		now = leaf.NotAfter // was it ever ours?
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots:         a.roots,
		Intermediates: between,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		CurrentTime:   now,
	}); err != nil {
		return refuse(fmt.Errorf("verify: %w", err))
	}
	if err := leafShape(leaf); err != nil {
		return refuse(err)
	}
	if ext, ok := provisioner.GetProvisionerExtension(leaf); !ok || ext.Type != provisioner.TypeJWK || ext.Name != provisionerName {
		return refuse(errors.New("not issued through enrolment"))
	}
	uri, _ := soleURI(leaf.URIs)
	n, err := parseName(uri, a.domain)
	if err != nil {
		return refuse(err)
	}
	if over {
		return Identity{}, nil, fault.New(fault.Expired, "This gateway's certificate has expired. "+enrolAgain, nil)
	}
	return Identity{GatewayID: n.gateway, TeamID: n.team, Serial: leaf.SerialNumber.String()}, leaf, nil
}

// leafShape refuses what cannot be a gateway's certificate, whoever signed it:
// an authority, one for servers, one with other names than a URI.
func leafShape(leaf *x509.Certificate) error {
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		return errors.New("not the certificate of an end")
	}
	if len(leaf.ExtKeyUsage) != 1 || leaf.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || len(leaf.UnknownExtKeyUsage) != 0 {
		return errors.New("not for clients alone")
	}
	if _, ok := soleURI(leaf.URIs); !ok || len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses) != 0 {
		return errors.New("not one name")
	}
	if !isKeyAllowed(leaf.PublicKey) {
		return errors.New("a key of another kind")
	}
	return nil
}

// Check tells which gateway holds the other end of a connection, and that it
// may still take part: its certificate is in our ledger and not revoked, and
// Admit agrees. A connection lives longer than a decision, so this belongs in
// front of every call and not only at the handshake.
//
// It fails as Peer and Admit do, and with fault.Forbidden where the
// certificate has been revoked or is not one that we gave out.
func (a *Authority) Check(ctx context.Context, state tls.ConnectionState) (Identity, error) {
	id, _, err := a.check(ctx, state)
	return id, err
}

func (a *Authority) check(ctx context.Context, state tls.ConnectionState) (Identity, *x509.Certificate, error) {
	id, leaf, err := a.peer(state)
	if err != nil {
		return Identity{}, nil, err
	}
	row, err := a.store.Certificate(ctx, id.Serial)
	if err != nil && fault.Of(err) != fault.NotFound {
		return Identity{}, nil, fmt.Errorf("look up certificate: %w", err)
	}
	// Byte for byte: a serial alone is a number that another could have, too.
	if err != nil || row.GatewayID != id.GatewayID || row.TeamID != id.TeamID || !bytes.Equal(row.DER, leaf.Raw) {
		return Identity{}, nil, fault.New(fault.Forbidden, "This gateway's certificate is not on record. "+enrolAgain, err)
	}
	if !row.RevokedAt.IsZero() {
		return Identity{}, nil, revoked()
	}
	if err := a.admit(ctx, id.GatewayID); err != nil {
		return Identity{}, nil, fmt.Errorf("admit gateway: %w", err)
	}
	return id, leaf, nil
}

func revoked() error {
	return fault.New(fault.Forbidden, "This gateway has been revoked.", nil)
}
