// Package linktest is a server for tests of gateways: it speaks package wire
// over mTLS, and does what it is told.
package linktest

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
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/link"
	"github.com/tameflare/tameflare/gateway/state"
)

// GatewayID is who gateways are that enrol here.
const GatewayID = "gw_test"

// Server is a server. Its exported fields may be changed under Lock; call Ring
// when they were.
type Server struct {
	sync.Mutex
	Snapshot  wire.Snapshot // what gateways have to act on; version 0 is none
	Refuse    *wire.Problem // the answer to everything but enrolment, where set
	Life      time.Duration // of certificates
	Approvals map[string]*wire.Approval
	Entries   []audit.Sealed // that were delivered
	Uploads   int
	Kills     []wire.KillReport
	Asked     []wire.Ask
	Used      []wire.Use
	Renewals  int
	Acked     int64 // newest version that was acknowledged
	SealKey   []byte
	NoChanges bool            // be as old as a server without the one poll for all approvals
	Polls     int             // that were made of that kind
	Shut      bool            // refuse client certificates in the handshake
	Serials   map[string]bool // of client certificates seen

	// Answer replaces the answer to an audit upload, where set.
	Answer func([]audit.Sealed) (wire.AuditAnswer, bool)

	URL     string
	RootPEM string

	http     *httptest.Server
	addr     string
	config   *tls.Config
	handler  http.Handler
	rootKey  *ecdsa.PrivateKey
	root     *x509.Certificate
	signKey  ed25519.PrivateKey
	rung     chan struct{}
	tokens   map[string]bool
	changed  []string // IDs of approvals, one for each change
	sequence int64
}

// New starts a server.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{Life: 24 * time.Hour, rung: make(chan struct{}), Approvals: map[string]*wire.Approval{}, tokens: map[string]bool{"token": true}, Serials: map[string]bool{}}
	var err error
	if _, s.signKey, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	if s.rootKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	s.root = s.sign(t, template, template, s.rootKey.Public())
	s.RootPEM = encode(s.root)
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := s.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, s.root, serverKey.Public())
	roots := x509.NewCertPool()
	roots.AddCert(s.root)
	s.config = &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: roots,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: serverKey}},
		VerifyConnection: func(state tls.ConnectionState) error {
			s.Lock()
			defer s.Unlock()
			if s.Shut && len(state.PeerCertificates) > 0 {
				return errors.New("refused")
			}
			return nil
		},
	}
	s.handler = s.routes()
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server again after Stop, at the same address.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	addr := s.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.http = &httptest.Server{Listener: ln, EnableHTTP2: true, TLS: s.config.Clone(),
		Config: &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}}
	s.http.StartTLS()
	s.URL = "https://" + s.addr
}

// Stop stops the server, as a crash would.
func (s *Server) Stop() {
	if s.http == nil {
		return
	}
	_ = s.http.Listener.Close()
	s.http.CloseClientConnections()
	s.Ring()
	s.http.Close()
	s.http = nil
}

// Ring wakes everybody who polls.
func (s *Server) Ring() {
	s.Lock()
	defer s.Unlock()
	close(s.rung)
	s.rung = make(chan struct{})
}

// Publish makes snap the newest snapshot.
func (s *Server) Publish(snap wire.Snapshot) {
	s.Lock()
	s.Snapshot = snap
	s.Unlock()
	s.Ring()
}

// Enrol makes dir that of the test's gateway.
func (s *Server) Enrol(t testing.TB, dir state.Dir) link.Identity {
	t.Helper()
	s.Lock()
	s.sequence++
	token := "token-" + strconv.FormatInt(s.sequence, 10)
	s.tokens[token] = true
	s.Unlock()
	id, err := link.Enrol(t.Context(), dir, link.Enrolment{
		Token: credential.NewSecret(token), LinkURL: s.URL, RootPEM: s.RootPEM, GatewayID: GatewayID, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Seal seals a secret to the gateway that enrolled last.
func (s *Server) Seal(t testing.TB, c wire.SealedCredential, secret string) wire.SealedCredential {
	t.Helper()
	s.Lock()
	defer s.Unlock()
	key, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(s.SealKey)
	if err != nil {
		t.Fatal(err)
	}
	enc, sender, err := hpke.NewSender(key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(wire.SealInfo))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sender.Seal(c.Binding(GatewayID), []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	c.Sealed = append(enc, sealed...)
	return c
}

// Sign signs v for a purpose.
func (s *Server) Sign(context string, v any) *wire.Signed {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return &wire.Signed{Payload: b, Signature: ed25519.Sign(s.signKey, append([]byte(context), b...))}
}

func (s *Server) sign(t testing.TB, template, parent *x509.Certificate, key any) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, s.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func encode(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func (s *Server) issue(csr string) (string, time.Time, error) {
	block, _ := pem.Decode([]byte(csr))
	if block == nil {
		return "", time.Time{}, fault.New(fault.Invalid, "No request.", nil)
	}
	req, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return "", time.Time{}, err
	}
	s.sequence++
	until := time.Now().Add(s.Life)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(100 + s.sequence), NotBefore: time.Now().Add(-time.Second), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}, s.root, req.PublicKey, s.rootKey)
	if err != nil {
		return "", time.Time{}, err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), until, nil
}
