package gateway_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway"
	"github.com/tameflare/tameflare/gateway/link/linktest"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/gateway/state"
)

const canary = "canary-90d2"

// upstream stands in for GitHub.
type upstream struct {
	*httptest.Server
	ca string // file

	mu   sync.Mutex
	seen []string // "METHOD path authorization"
}

func newUpstream(t testing.TB) *upstream {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "upstream"}, DNSNames: []string{"api.github.com"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{ca: filepath.Join(t.TempDir(), "upstream.pem")}
	if err := os.WriteFile(u.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.seen = append(u.seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		u.mu.Unlock()
		if r.URL.Path == "/events" {
			_, _ = io.WriteString(w, "first\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, "hello from upstream")
	}))
	u.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	u.StartTLS()
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) count(prefix string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := 0
	for _, s := range u.seen {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// world is a gateway with everything around it.
type world struct {
	t        testing.TB
	server   *linktest.Server
	upstream *upstream
	dir      state.Dir
	config   gateway.Config
	client   runs.Client
	log      *safeBuffer
	stop     func()
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, server: linktest.New(t), upstream: newUpstream(t), log: &safeBuffer{}}
	base := t.TempDir()
	var err error
	if w.dir, err = state.Open(filepath.Join(base, "state")); err != nil {
		t.Fatal(err)
	}
	w.server.Enrol(t, w.dir)
	w.config = gateway.Config{
		StateDir: w.dir.Path(""), RuntimeDir: filepath.Join(base, "run"), Version: "test",
		ConnectTo: []string{
			"api.github.com:443:127.0.0.1:" + w.upstream.Listener.Addr().String()[len("127.0.0.1:"):],
			"self.example::127.0.0.1:", // a way to whatever listens on this machine
		},
		UpstreamCA: w.upstream.ca, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	w.publish(1, nil)
	w.start()
	return w
}

func (w *world) start() {
	w.t.Helper()
	ready := make(chan string, 1)
	w.config.Ready = func(socket string) { ready <- socket }
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- gateway.Run(ctx, w.config) }()
	select {
	case socket := <-ready:
		w.client = runs.Client{Socket: socket}
	case err := <-ended:
		w.t.Fatal(err)
	}
	stopped := false
	w.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	}
	w.t.Cleanup(w.stop)
	eventually(w.t, "configured", func() bool { s, err := w.client.Status(w.t.Context()); return err == nil && s.Snapshot.Version > 0 })
}

func (w *world) publish(version int64, change func(*wire.Snapshot)) {
	w.t.Helper()
	s := wire.Snapshot{
		Version: version, GatewayID: linktest.GatewayID, GatewayName: "test", IssuedAt: time.Now().UTC(), ValidFor: 24 * time.Hour,
		BaseURL: "https://dashboard.example",
		Connectors: []wire.Connector{
			{Name: "github", Type: "github", CredentialID: "cred_1"},
			{Name: "self", Type: "http", Hosts: []string{"self.example"}},
		},
		Rules: []policy.Rule{
			{ID: "rule_0", Connector: "self", Pattern: "*", Effect: policy.Allow},
			{ID: "rule_1", Connector: "github", Pattern: "*", Effect: policy.Allow},
			{ID: "rule_2", Connector: "github", Pattern: "github.repo.delete", Effect: policy.Deny},
			{ID: "rule_3", Connector: "github", Pattern: "github.pr.merge", Effect: policy.RequireApproval},
		},
		Credentials: []wire.SealedCredential{
			w.server.Seal(w.t, wire.SealedCredential{ID: "cred_1", Name: "bot", Version: 1, Hosts: []string{"api.github.com"}}, canary),
		},
	}
	if change != nil {
		change(&s)
	}
	w.server.Publish(s)
}

// run is a run, and a client that goes through it.
type run struct {
	*runs.Session
	http   *http.Client
	events chan runs.Event
}

func (w *world) run(s runs.Start) *run {
	w.t.Helper()
	session, err := w.client.Start(w.t.Context(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(session.Close)
	pool := x509.NewCertPool()
	bundle, err := os.ReadFile(session.Door.Bundle)
	if err != nil || !pool.AppendCertsFromPEM(bundle) {
		w.t.Fatalf("bundle: %v", err)
	}
	r := &run{Session: session, events: make(chan runs.Event, 100), http: &http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: session.Door.Proxy}),
		TLSClientConfig: &tls.Config{RootCAs: pool},
	}}}
	w.t.Cleanup(r.http.CloseIdleConnections)
	go func() {
		defer close(r.events)
		for {
			e, err := session.Next()
			if err != nil {
				return
			}
			r.events <- e
		}
	}()
	return r
}

func (r *run) do(t testing.TB, method, path string) (int, string, http.Header) {
	t.Helper()
	return r.to(t, method, "https://api.github.com"+path)
}

func (r *run) to(t testing.TB, method, url string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond) // the other side of a socket has no signal for us
	}
}

// checkRecord looks at what arrived at the server.
func (w *world) checkRecord() {
	w.t.Helper()
	w.server.Lock()
	defer w.server.Unlock()
	if err := audit.Verify(0, "", w.server.Entries); err != nil {
		w.t.Error(err)
	}
	steps := map[audit.Step]int{}
	for _, e := range w.server.Entries {
		var entry audit.Traffic
		if err := json.Unmarshal(e.Entry, &entry); err != nil {
			w.t.Fatal(err)
		}
		steps[entry.Step]++
		if bytes.Contains(e.Entry, []byte(canary)) {
			w.t.Errorf("the secret is on record: %s", e.Entry)
		}
	}
	if steps[audit.Intent] != 2 || steps[audit.Outcome] != 2 || steps[audit.Refused] != 1 {
		w.t.Errorf("on record: %v", steps)
	}
}

func (w *world) checkCanary() {
	w.t.Helper()
	if strings.Contains(w.log.String(), canary) {
		w.t.Error("the secret is in the log")
	}
	err := filepath.WalkDir(w.config.StateDir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(canary)) {
			w.t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
