package identity

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

const testDomain = "tameflare.test"

// memory is a Store in a few maps. Its hooks stand where a test wants to break in.
type memory struct {
	mu      sync.Mutex
	keys    map[string]Key
	tokens  map[string]UsedToken
	certs   map[string]Issued
	revoked map[string]Revocation

	fail         error        // of UseToken and Certificate, when set
	beforeInsert func() error // of a certificate
	afterInsert  func()
}

func newMemory() *memory {
	return &memory{
		keys: map[string]Key{}, tokens: map[string]UsedToken{},
		certs: map[string]Issued{}, revoked: map[string]Revocation{},
	}
}

func (m *memory) LoadKey(_ context.Context, name string) (Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[name]
	if !ok {
		return Key{}, fault.New(fault.NotFound, "There is no such key.", nil)
	}
	return k, nil
}

func (m *memory) InsertKey(_ context.Context, k Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.keys[k.Name]; !ok {
		m.keys[k.Name] = k
	}
	return nil
}

func (m *memory) UseToken(_ context.Context, u UsedToken) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return false, m.fail
	}
	if _, ok := m.tokens[u.ID]; ok {
		return false, nil
	}
	m.tokens[u.ID] = u
	return true, nil
}

func (m *memory) InsertCertificate(_ context.Context, c Issued) error {
	if m.beforeInsert != nil {
		if err := m.beforeInsert(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	m.certs[c.Serial] = c
	m.mu.Unlock()
	if m.afterInsert != nil {
		m.afterInsert()
	}
	return nil
}

func (m *memory) Certificate(_ context.Context, serial string) (Issued, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return Issued{}, m.fail
	}
	c, ok := m.certs[serial]
	if !ok {
		return Issued{}, fault.New(fault.NotFound, "There is no such certificate.", nil)
	}
	c.RevokedAt = m.revoked[serial].RevokedAt
	return c, nil
}

func (m *memory) LiveCertificates(_ context.Context, gatewayID string, now time.Time) ([]Issued, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Issued
	for c := range maps.Values(m.certs) {
		if _, revoked := m.revoked[c.Serial]; !revoked && c.GatewayID == gatewayID && c.NotAfter.After(now) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (m *memory) RevokeSerial(_ context.Context, r Revocation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.revoked[r.Serial]; !ok {
		m.revoked[r.Serial] = r
	}
	return nil
}

// usedTokens is how many tokens the store has been told of.
func (m *memory) usedTokens() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tokens)
}

// sealer seals with AES-GCM under a key of its own.
type sealer struct {
	aead cipher.AEAD
	fail error // of Open, when set
}

func newSealer(t testing.TB) *sealer {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return &sealer{aead: aead}
}

func (s *sealer) Seal(plain, aad []byte) ([]byte, error) {
	return s.aead.Seal(nil, nil, plain, aad), nil
}

func (s *sealer) Open(sealed, aad []byte) ([]byte, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	return s.aead.Open(nil, nil, sealed, aad)
}

// bouncer is an Admit that can be told whom to refuse.
type bouncer struct {
	mu      sync.Mutex
	refused map[string]bool
	away    bool // it does not know, as when the database is away
}

func (b *bouncer) refuse(gatewayID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = map[string]bool{gatewayID: true}
}

func (b *bouncer) admit(_ context.Context, gatewayID string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return errors.New("the database is away")
	}
	if b.refused[gatewayID] {
		return fault.New(fault.Forbidden, "This gateway is switched off.", nil)
	}
	return nil
}

// bench is an authority with all that it stands on.
type bench struct {
	*Authority
	memory  *memory
	sealer  *sealer
	bouncer *bouncer
	log     *lockedBuffer
	config  Config
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{memory: newMemory(), sealer: newSealer(t), bouncer: new(bouncer), log: new(lockedBuffer)}
	b.config = Config{
		TrustDomain: testDomain,
		LinkNames:   []string{"127.0.0.1", "link.example.org"},
		Store:       b.memory,
		Sealer:      b.sealer,
		Admit:       b.bouncer.admit,
		Log:         slog.New(slog.NewJSONHandler(b.log, nil)),
	}
	b.Authority = b.reopen(t)
	return b
}

// reopen is another server on the same store, or this one after a restart.
func (b *bench) reopen(t testing.TB) *Authority {
	t.Helper()
	a, err := Open(t.Context(), b.config)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) token(t testing.TB, gateway, team string) string {
	t.Helper()
	token, _, err := b.EnrolToken(t.Context(), gateway, team)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// request makes a signed request from a template; an empty one asks for nothing.
func request(t testing.TB, key crypto.Signer, template x509.CertificateRequest) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &template, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// enrolled is a gateway with its key and certificates.
type enrolled struct {
	Certificate
	key   *ecdsa.PrivateKey
	chain []*x509.Certificate // own, intermediate, root
}

func (b *bench) enrol(t testing.TB, gateway, team string) enrolled {
	t.Helper()
	key := newKey(t)
	cert, err := b.Enrol(t.Context(), b.token(t, gateway, team), request(t, key, x509.CertificateRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	return b.holds(t, cert, key)
}

func (b *bench) holds(t testing.TB, cert Certificate, key *ecdsa.PrivateKey) enrolled {
	t.Helper()
	e := enrolled{Certificate: cert, key: key}
	for rest := cert.ChainPEM; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		e.chain = append(e.chain, c)
	}
	if len(e.chain) != 2 {
		t.Fatalf("chain of %d certificates, want the gateway's and the intermediate", len(e.chain))
	}
	e.chain = append(e.chain, b.Authority.root)
	return e
}

// state is what a listener that verified the gateway's chain would report.
func (e enrolled) state() tls.ConnectionState {
	return tls.ConnectionState{PeerCertificates: e.chain[:2], VerifiedChains: [][]*x509.Certificate{e.chain}}
}

// client is what the gateway dials with.
func (e enrolled) client() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{e.chain[0].Raw, e.chain[1].Raw}, PrivateKey: e.key, Leaf: e.chain[0]}
}

func wantKind(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %v", want)
	} else if got := fault.Of(err); got != want {
		t.Errorf("kind = %v, want %v: %v", got, want, err)
	}
}

var errBroken = errors.New("the disk is gone")
