// Package link is the gateway's side of what gateways and the server say to
// each other.
//
// The gateway always dials, over mTLS, and trusts exactly the root that it was
// enrolled with. Nothing that happens here holds up a request: the snapshot
// is followed, the certificate renewed and the audit delivered beside the data
// plane, which goes on by what it has.
package link

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/state"
)

// What is kept in the state directory.
const (
	identityFile = "identity.json"
	clientFile   = "client.pem" // key and chain together, so that they always fit
	sealFile     = "seal.key"
	snapshotFile = "snapshot.json"
	killsFile    = "kills.json"
)

// Identity is who a gateway is. Its secrets are in files of their own.
type Identity struct {
	GatewayID   string `json:"gateway_id"`
	TeamID      string `json:"team_id"`
	Name        string `json:"name"`
	LinkURL     string `json:"link_url"`
	RootPEM     string `json:"root_pem"`
	SnapshotKey []byte `json:"snapshot_key"`

	// Where the server's record of this gateway ended when it was enrolled.
	AuditThrough int64  `json:"audit_through,omitempty"`
	AuditHash    string `json:"audit_hash,omitempty"`
}

// Load returns who the gateway in dir is. It fails with fault.NotFound where it
// has not been enrolled.
func Load(dir state.Dir) (Identity, error) {
	var id Identity
	err := dir.ReadJSON(identityFile, &id)
	if fault.Of(err) == fault.NotFound {
		return id, fault.New(fault.NotFound, "This gateway has not been enrolled. Run: tameflare gateway up", err)
	}
	if err != nil {
		return id, fmt.Errorf("load identity: %w", err)
	}
	if err := id.check(); err != nil {
		return id, fmt.Errorf("load identity: %w", err)
	}
	return id, nil
}

func (id Identity) check() error {
	u, err := url.Parse(id.LinkURL)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return fault.New(fault.Invalid, "The server's address for gateways must be an https URL.", err)
	}
	if id.GatewayID == "" || len(id.SnapshotKey) != ed25519.PublicKeySize {
		return fault.New(fault.Invalid, "The gateway's identity is not complete. Enrol it again: run tameflare gateway up", nil)
	}
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(id.RootPEM)) {
		return fault.New(fault.Invalid, "The server's root certificate cannot be read. Enrol the gateway again: run tameflare gateway up", nil)
	}
	return nil
}

// tlsConfig trusts the enrolled root for the server's name, and nothing else.
func (id Identity) tlsConfig() *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(id.RootPEM)) // checked by check
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots, NextProtos: []string{"h2"}}
}

// newClientKey makes a key for the gateway's certificate, and the request for
// one. Of the request only the key counts.
func newClientKey() (key *ecdsa.PrivateKey, csr []byte, err error) {
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, nil, fmt.Errorf("make key: %w", err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{}}, key)
	if err != nil {
		return nil, nil, fmt.Errorf("make certificate request: %w", err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// encodeClient is what clientFile holds.
func encodeClient(key *ecdsa.PrivateKey, chain string) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return append(b, chain...), nil
}

func parseClient(b []byte) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, fmt.Errorf("read client certificate: %w", err)
	}
	return &cert, nil
}

func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.X25519()), hpke.HKDFSHA256(), hpke.AES256GCM()
}

// SealKey opens what is sealed to the gateway.
type SealKey struct {
	key       hpke.PrivateKey
	gatewayID string
}

func newSealKey() (hpke.PrivateKey, error) {
	kem, _, _ := suite()
	key, err := kem.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make seal key: %w", err)
	}
	return key, nil
}

// LoadSealKey reads the key of the gateway called gatewayID.
func LoadSealKey(dir state.Dir, gatewayID string) (SealKey, error) {
	b, err := dir.Read(sealFile)
	if err != nil {
		return SealKey{}, fmt.Errorf("load seal key: %w", err)
	}
	kem, _, _ := suite()
	key, err := kem.NewPrivateKey(b)
	if err != nil {
		return SealKey{}, fmt.Errorf("load seal key: %w", err)
	}
	return SealKey{key, gatewayID}, nil
}

// Open opens a credential. It fails where it was sealed to another gateway,
// or for other hosts than it says.
func (k SealKey) Open(c wire.SealedCredential) (credential.Secret, error) {
	_, kdf, aead := suite()
	const encapsulated = 32
	if k.key == nil || len(c.Sealed) < encapsulated {
		return credential.Secret{}, errors.New("open credential: nothing sealed")
	}
	recipient, err := hpke.NewRecipient(c.Sealed[:encapsulated], k.key, kdf, aead, []byte(wire.SealInfo))
	if err != nil {
		return credential.Secret{}, fmt.Errorf("open credential: %w", err)
	}
	plain, err := recipient.Open(c.Binding(k.gatewayID), c.Sealed[encapsulated:])
	if err != nil {
		return credential.Secret{}, fmt.Errorf("open credential: %w", err)
	}
	return credential.NewSecret(string(plain)), nil
}
