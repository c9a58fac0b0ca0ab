package link_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hpke"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/app/identity"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/link"
	"github.com/tameflare/tameflare/app/rollout"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// host is a server as the program wires it, on a loopback port.
type host struct {
	store     *store.Store
	bus       *ears
	vault     *vault.Service
	authority *identity.Authority
	gateways  *gateways.Service
	rollout   *rollout.Service
	approvals *approvals.Service
	trail     *trail.Service
	kills     *kills.Service
	owner     team.Viewer
	url       string
	stop      context.CancelFunc // begins to stop, as a signal would
}

// ears is a bus that tells when somebody has begun to listen.
type ears struct {
	bus.Local
	on chan struct{}
}

func (e *ears) Subscribe(topic string) (<-chan struct{}, func()) {
	rung, stop := e.Local.Subscribe(topic)
	e.on <- struct{}{}
	return rung, stop
}

// listening returns when n subscriptions have been made during begin.
func (e *ears) listening(t testing.TB, n int, begin func()) {
	t.Helper()
	for len(e.on) > 0 {
		<-e.on
	}
	begin()
	for range n {
		select {
		case <-e.on:
		case <-time.After(10 * time.Second):
			t.Fatal("the polls do not begin")
		}
	}
}

func serve(t testing.TB, s *store.Store) *host {
	t.Helper()
	master, _, err := vault.OpenMaster(t.TempDir(), credential.Secret{})
	check(t, err)
	log := slog.New(slog.DiscardHandler)
	h := &host{store: s, bus: &ears{on: make(chan struct{}, 1000)}, owner: owner(t, s, master)}
	h.vault = &vault.Service{Store: s, Master: master, Now: time.Now}
	signer, err := rollout.OpenSigner(t.Context(), s, master)
	check(t, err)
	h.rollout = &rollout.Service{Store: s, Vault: h.vault, Signer: signer, Bus: h.bus, BaseURL: "https://dash.example", Now: time.Now, Log: log}
	h.gateways = &gateways.Service{Store: s, Bus: h.bus, Snapshots: h.rollout.PublicKey, Now: time.Now, Log: log}
	h.authority, err = identity.Open(t.Context(), identity.Config{
		TrustDomain: "tameflare.test", LinkNames: []string{"127.0.0.1"}, Store: s, Sealer: master, Admit: h.gateways.Admit, Log: log,
	})
	check(t, err)
	h.gateways.Authority = h.authority
	h.approvals = &approvals.Service{Store: s, Bus: h.bus, Now: time.Now, Log: log}
	h.trail = &trail.Service{Store: s, Bus: h.bus, Now: time.Now, Log: log}
	h.kills = &kills.Service{Store: s, Bus: h.bus, Now: time.Now}

	server := &link.Server{
		Fleet: h.gateways, Rollout: h.rollout, Approvals: h.approvals, Trail: h.trail, Kills: h.kills,
		BaseURL: "https://dash.example", Version: "1.2.3", Log: log,
	}
	lifetime, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	h.stop = stop
	conf, err := h.authority.ServerTLS(lifetime)
	check(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	h.url = "https://" + ln.Addr().String()
	h.gateways.LinkURL = h.url
	web := &http.Server{
		Handler: server.Handler(), TLSConfig: conf, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError),
		BaseContext: func(net.Listener) context.Context { return lifetime },
	}
	done := make(chan error, 1)
	go func() { done <- web.ServeTLS(ln, "", "") }()
	t.Cleanup(func() {
		stop()
		check(t, web.Close())
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return h
}

func owner(t testing.TB, s *store.Store, master vault.Master) team.Viewer {
	t.Helper()
	now := audit.Time(time.Now())
	id := strings.ToLower(rand.Text())
	key, err := master.NewTeamKey("team_" + id)
	check(t, err)
	v := team.Viewer{
		User: team.User{ID: "usr_" + id, Email: id + "@example.org", Name: "Ana", PasswordHash: "none", CreatedAt: now},
		Team: team.Team{ID: "team_" + id, Name: "Acme", Revision: 1, DataKey: key, CreatedAt: now},
		Role: team.RoleOwner, Auth: "session",
	}
	check(t, s.InsertTeam(t.Context(), v.Team, v.User, audit.Event{Time: now, Type: "team.created", Actor: v.Actor(), Target: v.Team.ID}))
	return v
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// machine is a gateway's end of the link.
type machine struct {
	t      testing.TB
	url    string
	root   *x509.CertPool
	key    *ecdsa.PrivateKey
	seal   hpke.PrivateKey
	client *http.Client
	gw     fleet.Gateway
	answer wire.EnrolAnswer
}

// stranger is a machine that has not been enrolled.
func (h *host) stranger(t testing.TB) *machine {
	t.Helper()
	m := &machine{t: t, url: h.url, root: x509.NewCertPool()}
	m.root.AppendCertsFromPEM(h.authority.RootPEM())
	var err error
	m.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	m.seal, err = hpke.DHKEM(ecdh.X25519()).GenerateKey()
	check(t, err)
	m.dial(nil)
	return m
}

func (m *machine) dial(cert *tls.Certificate) {
	conf := &tls.Config{RootCAs: m.root, MinVersion: tls.VersionTLS13}
	if cert != nil {
		conf.Certificates = []tls.Certificate{*cert}
	}
	transport := &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}
	m.t.Cleanup(transport.CloseIdleConnections)
	m.client = &http.Client{Transport: transport}
}

// enrol makes a gateway, and a machine that is it.
func (h *host) enrol(t testing.TB, name string) *machine {
	t.Helper()
	g, err := h.gateways.Create(t.Context(), h.owner, gateways.Settings{Name: name})
	check(t, err)
	m := h.stranger(t)
	m.enrol(h, g)
	return m
}

func (m *machine) enrol(h *host, g fleet.Gateway) {
	m.t.Helper()
	e, err := h.gateways.Enrolment(m.t.Context(), h.owner, g.ID)
	check(m.t, err)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, m.key)
	check(m.t, err)
	status := m.call("POST", "/v1/enrol", wire.EnrolRequest{
		Token: e.Token, CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})),
		SealKey: m.seal.PublicKey().Bytes(), Version: "0.9.0",
	}, &m.answer)
	if status != http.StatusOK {
		m.t.Fatalf("enrol: status %d", status)
	}
	m.use(m.answer.Chain)
	m.gw = g
}

func (m *machine) use(chain string) {
	cert := tls.Certificate{PrivateKey: m.key}
	for rest := []byte(chain); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert.Certificate = append(cert.Certificate, block.Bytes)
	}
	m.dial(&cert)
}

func (m *machine) call(method, path string, in, out any) int {
	m.t.Helper()
	var body []byte
	if in != nil {
		var err error
		body, err = json.Marshal(in)
		check(m.t, err)
	}
	res, answer := m.send(method, path, body, http.Header{"Content-Type": {"application/json"}})
	if out != nil && len(answer) > 0 {
		check(m.t, json.Unmarshal(answer, out))
	}
	return res.StatusCode
}

func (m *machine) send(method, path string, body []byte, header http.Header) (*http.Response, []byte) {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, bytes.NewReader(body))
	check(m.t, err)
	req.Header = header
	res, err := m.client.Do(req)
	check(m.t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	check(m.t, err)
	if res.ProtoMajor != 2 {
		m.t.Errorf("%s %s: over %s, want HTTP/2", method, path, res.Proto)
	}
	return res, answer
}

func (m *machine) upload(lines []byte) (int, wire.AuditAnswer) {
	m.t.Helper()
	z, err := zstd.NewWriter(nil)
	check(m.t, err)
	res, body := m.send("POST", "/v1/audit", z.EncodeAll(lines, nil), http.Header{"Content-Type": {"application/x-ndjson"}, "Content-Encoding": {"zstd"}})
	var answer wire.AuditAnswer
	check(m.t, json.Unmarshal(body, &answer))
	return res.StatusCode, answer
}

// snapshot polls, and opens what it gets. It returns nil for a confirmation.
func (m *machine) snapshot(query string) (*wire.Snapshot, *wire.Confirmation) {
	m.t.Helper()
	var a wire.SnapshotAnswer
	if status := m.call("GET", "/v1/snapshot?"+query, nil, &a); status != http.StatusOK {
		m.t.Fatalf("snapshot: status %d", status)
	}
	if a.Snapshot != nil {
		return open[wire.Snapshot](m, wire.SnapshotContext, a.Snapshot), nil
	}
	return nil, open[wire.Confirmation](m, wire.ConfirmationContext, a.Confirmation)
}

func open[T any](m *machine, purpose string, s *wire.Signed) *T {
	m.t.Helper()
	if !ed25519.Verify(m.answer.SnapshotKey, append([]byte(purpose), s.Payload...), s.Signature) {
		m.t.Fatal("the signature does not hold")
	}
	v := new(T)
	check(m.t, json.Unmarshal(s.Payload, v))
	return v
}

func (m *machine) unseal(c wire.SealedCredential, gatewayID string) (string, error) {
	r, err := hpke.NewRecipient(c.Sealed[:32], m.seal, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(wire.SealInfo))
	if err != nil {
		return "", err
	}
	plain, err := r.Open(c.Binding(gatewayID), c.Sealed[32:])
	return string(plain), err
}
