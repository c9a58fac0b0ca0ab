package link

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/state"
)

// Enrolment is what the server hands out for a machine to become a gateway.
type Enrolment struct {
	Token     credential.Secret
	LinkURL   string
	RootPEM   string
	GatewayID string // of the gateway that is expected; "" where any will do
	Version   string // of this program
}

const enrolTimeout = 30 * time.Second

// Enrol makes the machine the gateway that the token is for, and keeps in dir
// who it is. The keys are made here and never leave. A gateway that was
// enrolled in dir before may be enrolled again; another one fails with
// fault.Conflict, since what is recorded there is not its own.
func Enrol(ctx context.Context, dir state.Dir, e Enrolment) (Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	before, err := Load(dir)
	had := err == nil
	if had && e.GatewayID != "" && e.GatewayID != before.GatewayID {
		return Identity{}, otherGateway(before)
	}
	id := Identity{LinkURL: e.LinkURL, RootPEM: e.RootPEM, GatewayID: "pending", SnapshotKey: make([]byte, 32)}
	if err := id.check(); err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	key, csr, err := newClientKey()
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	seal, err := newSealKey()
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	sealBytes, err := seal.Bytes()
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	c := newClient(id, nil, e.Version)
	defer c.close()
	answer, err := call[wire.EnrolAnswer](ctx, c, http.MethodPost, "/v1/enrol", wire.EnrolRequest{
		Token: e.Token.Reveal(), CSR: string(csr), SealKey: seal.PublicKey().Bytes(), Version: e.Version,
	})
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	if e.GatewayID != "" && answer.GatewayID != e.GatewayID {
		return Identity{}, fault.New(fault.Conflict, "The token is for another gateway than the one asked for.", nil)
	}
	if had && answer.GatewayID != before.GatewayID {
		return Identity{}, otherGateway(before)
	}
	id.GatewayID, id.TeamID, id.Name, id.SnapshotKey = answer.GatewayID, answer.TeamID, answer.Name, answer.SnapshotKey
	id.AuditThrough, id.AuditHash = answer.AuditThrough, answer.AuditHash
	if err := id.check(); err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	client, err := encodeClient(key, answer.Chain)
	if err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	if err := checkChain(client, id); err != nil {
		return Identity{}, fmt.Errorf("enrol: %w", err)
	}
	// The identity comes last: it says that the rest is there. A snapshot
	// from before is sealed to a key that is gone.
	for _, write := range []func() error{
		func() error { return dir.Remove(snapshotFile) },
		func() error { return dir.Write(sealFile, sealBytes) },
		func() error { return dir.Write(clientFile, client) },
		func() error { return dir.WriteJSON(identityFile, id) },
	} {
		if err := write(); err != nil {
			return Identity{}, fmt.Errorf("enrol: %w", err)
		}
	}
	return id, nil
}

func otherGateway(before Identity) error {
	return fault.New(fault.Conflict, "This directory belongs to the gateway "+before.Name+". Use another for another gateway.", nil)
}

// checkChain refuses a certificate that would not do, before the one from
// before is replaced.
func checkChain(client []byte, id Identity) error {
	cert, err := parseClient(client)
	if err != nil {
		return err
	}
	between := x509.NewCertPool()
	for _, der := range cert.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("read chain: %w", err)
		}
		between.AddCert(c)
	}
	if _, err := cert.Leaf.Verify(x509.VerifyOptions{
		Roots: id.tlsConfig().RootCAs, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return fmt.Errorf("verify new certificate: %w", err)
	}
	return nil
}
