package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/mitm"
	"github.com/tameflare/tameflare/gateway/netguard"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	canary = "c4n4ry-s3cr3t-of-the-vault"
	host   = "api.example.com"
)

// rig is a proxy with one run, between real sockets: a client on one side, an
// upstream on the other that answers for host.
type rig struct {
	t        testing.TB
	proxy    *proxy.Proxy
	current  *decide.Current
	desk     *desk
	spool    *spool
	ca       *x509.CertPool // that the client trusts
	addr     string
	upstream *upstream
	end      func() // ends the run and waits
	log      *lockedBuffer
}

// settings changes a rig before it starts.
type settings func(*rig, *wire.Snapshot, *proxy.Run)

func newRig(t testing.TB, handler http.Handler, change ...settings) *rig {
	t.Helper()
	up := newUpstream(t, handler)
	gatewayCA, err := mitm.Load(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, desk: &desk{asked: make(chan wire.Ask, 64)}, spool: &spool{}, upstream: up, current: &decide.Current{}, log: &lockedBuffer{}}
	g.ca = x509.NewCertPool()
	g.ca.AppendCertsFromPEM(gatewayCA.CertPEM())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.addr = ln.Addr().String()
	own := netip.MustParseAddrPort(g.addr)
	pin := func(name string, port uint16, to net.Addr) netguard.ConnectTo {
		return netguard.ConnectTo{Host: name, Port: port, Addr: "127.0.0.1", To: to.(*net.TCPAddr).AddrPort().Port()}
	}
	g.proxy = &proxy.Proxy{
		MITM:    gatewayCA,
		Current: g.current,
		Desk:    g.desk,
		Spool:   g.spool,
		Roots:   up.roots,
		Log:     slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Guard: &netguard.Guard{
			ConnectTo: []netguard.ConnectTo{
				pin(host, 443, up.secure.Listener.Addr()), pin(host, 80, up.plain.Listener.Addr()),
				pin("api.github.com", 443, up.secure.Listener.Addr()),
			},
			Self: func(a netip.AddrPort) bool { return a == own },
		},
	}
	run := proxy.Run{ID: "run_1", Principal: "ana@laptop", UID: os.Getuid()}
	snapshot := testSnapshot()
	for _, c := range change {
		c(g, &snapshot, &run)
	}
	g.use(snapshot)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.proxy.ServeRun(ctx, ln, run) }()
	g.end = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ServeRun: %v", err)
		}
	})
	t.Cleanup(g.end)
	return g
}

func testSnapshot() wire.Snapshot {
	rule := func(id, connector, pattern string, e policy.Effect) policy.Rule {
		return policy.Rule{ID: "rule_" + id, Connector: connector, Pattern: action.Pattern(pattern), Effect: e}
	}
	return wire.Snapshot{
		Version: 7, GatewayID: "gw_1", GatewayName: "deploy-bot", IssuedAt: time.Now(), ValidFor: time.Hour,
		Connectors: []wire.Connector{
			{Name: "api", Type: "http", Hosts: []string{host, "loop.example.com", "*.wild.example.com"}, Style: credential.Style{Kind: credential.Bearer}, CredentialID: "cred_1"},
			{Name: "github", Type: "github", CredentialID: "cred_2"},
		},
		Rules: []policy.Rule{
			rule("get", "api", "http.get", policy.Allow), rule("head", "api", "http.head", policy.Allow),
			rule("put", "api", "http.put", policy.Allow), rule("options", "api", "http.options", policy.Allow),
			rule("patch", "api", "http.patch", policy.Allow), rule("ws", "api", "http.websocket", policy.Allow),
			rule("post", "api", "http.post", policy.RequireApproval), rule("delete", "api", "http.delete", policy.Deny),
			rule("close", "github", "github.pr.close", policy.Deny), rule("update", "github", "github.pr.update", policy.Allow),
			rule("reads", "github", "github.repo.get", policy.Allow),
		},
		Credentials: []wire.SealedCredential{
			{ID: "cred_1", Name: "api", Version: 1, Hosts: []string{host, "loop.example.com", "*.wild.example.com"}},
			{ID: "cred_2", Name: "github", Version: 1, Hosts: []string{"api.github.com", "github.com"}},
		},
	}
}

func (g *rig) use(s wire.Snapshot) {
	g.t.Helper()
	g.useSecret(s, canary)
}

// useSecret makes s the configuration, with one secret for all credentials.
func (g *rig) useSecret(s wire.Snapshot, secret string) {
	g.t.Helper()
	st, err := decide.Compile(s, func(wire.SealedCredential) (credential.Secret, error) { return credential.NewSecret(secret), nil })
	if err != nil {
		g.t.Fatal(err)
	}
	g.current.Use(st)
}

// client is one that goes through the proxy.
func (g *rig) client(h2 bool) *http.Client {
	u := &url.URL{Scheme: "http", Host: g.addr}
	tr := &http.Transport{
		Proxy:             http.ProxyURL(u),
		TLSClientConfig:   &tls.Config{RootCAs: g.ca},
		ForceAttemptHTTP2: h2, DisableCompression: true,
		ExpectContinueTimeout: 5 * time.Second,
	}
	if !h2 {
		tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	g.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// do sends a request and reads the whole answer.
func (g *rig) do(c *http.Client, method, url, body string) (*http.Response, string) {
	g.t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if body == "" {
		r.Body, r.GetBody = nil, nil
	}
	res, err := c.Do(r)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatalf("%s %s: read: %v", method, url, err)
	}
	return res, string(b)
}

// tunnel opens CONNECT to target and returns what is left to read.
func (g *rig) tunnel(target string) (net.Conn, *bufio.Reader) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	br := bufio.NewReader(conn)
	res, err := http.ReadResponse(br, &http.Request{Method: "CONNECT"})
	if err != nil {
		g.t.Fatalf("CONNECT %s: %v", target, err)
	}
	if res.StatusCode != 200 {
		g.t.Fatalf("CONNECT %s: %s", target, res.Status)
	}
	return conn, br
}

// secure opens a tunnel to host and speaks TLS and HTTP/1.1 inside.
func (g *rig) secure(target, sni string) (*tls.Conn, *bufio.Reader) {
	g.t.Helper()
	conn, _ := g.tunnel(target)
	tc := tls.Client(conn, &tls.Config{ServerName: sni, RootCAs: g.ca, NextProtos: []string{"http/1.1"}})
	if err := tc.Handshake(); err != nil {
		g.t.Fatalf("handshake with %s as %s: %v", target, sni, err)
	}
	return tc, bufio.NewReader(tc)
}

// raw sends bytes on a fresh TLS tunnel to host and returns the answers until
// the connection ends or want of them are there.
func (g *rig) raw(request string, want int) (answers []*http.Response, err error) {
	g.t.Helper()
	conn, br := g.secure(host+":443", host)
	if _, err := io.WriteString(conn, request); err != nil {
		g.t.Fatal(err)
	}
	for len(answers) < want {
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			return answers, err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return answers, err
		}
		answers = append(answers, res)
	}
	return answers, nil
}

// upstream is the service behind.
type upstream struct {
	secure, plain *httptest.Server
	roots         *x509.CertPool

	mu       sync.Mutex
	signal   chan struct{} // between a test and its handler: see signalOf
	requests []string      // "GET /path"
	headers  []http.Header
	conns    int
}

type signalKey struct{}

// signalOf is the channel that a handler shares with its own rig's test.
func signalOf(r *http.Request) chan struct{} { return r.Context().Value(signalKey{}).(chan struct{}) }

func newUpstream(t testing.TB, handler http.Handler) *upstream {
	u := &upstream{roots: x509.NewCertPool(), signal: make(chan struct{})}
	ca, err := mitm.Load(t.TempDir(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	u.roots.AppendCertsFromPEM(ca.CertPEM())
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.requests = append(u.requests, r.Method+" "+r.RequestURI)
		u.headers = append(u.headers, r.Header.Clone())
		u.mu.Unlock()
		handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), signalKey{}, u.signal)))
	})
	count := func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			u.mu.Lock()
			u.conns++
			u.mu.Unlock()
		}
	}
	u.secure, u.plain = httptest.NewUnstartedServer(counted), httptest.NewUnstartedServer(counted)
	_, one := handler.(only1)
	u.secure.EnableHTTP2 = !one
	u.secure.TLS = &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return ca.Leaf(h.ServerName) }}
	u.secure.Config.ConnState, u.plain.Config.ConnState = count, count
	quiet := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	u.secure.Config.ErrorLog, u.plain.Config.ErrorLog = quiet, quiet
	u.secure.StartTLS()
	u.plain.Start()
	t.Cleanup(u.secure.Close)
	t.Cleanup(u.plain.Close)
	return u
}

// only1 is a handler whose upstream speaks HTTP/1.1 alone.
type only1 struct{ http.Handler }

func (u *upstream) seen() (requests []string, connections int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.requests), u.conns
}

func (u *upstream) lastHeader(t testing.TB) http.Header {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.headers) == 0 {
		t.Fatal("nothing arrived upstream")
	}
	return u.headers[len(u.headers)-1]
}

// desk answers as it is told.
type desk struct {
	asked chan wire.Ask

	mu     sync.Mutex
	answer func(ctx context.Context, ask wire.Ask) (wire.Approval, error) // nil approves
	used   []wire.Use
	onAsk  func() // called before Hold returns
	useErr error
	using  func(context.Context) // called before Use returns
	look   func(ctx context.Context, id string, wait time.Duration) (wire.Approval, error)
}

func (d *desk) Hold(ctx context.Context, q *wire.Ask, _ time.Duration) (wire.Approval, error) {
	ask := *q
	d.asked <- ask
	d.mu.Lock()
	answer := d.answer
	d.mu.Unlock()
	if d.onAsk != nil {
		d.onAsk()
	}
	if answer == nil {
		return wire.Approval{ID: "apr_1", Status: approval.Approved, URL: "https://dash.example/approvals/apr_1"}, nil
	}
	return answer(ctx, ask)
}

func (d *desk) Use(ctx context.Context, _ string, use wire.Use) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.using != nil {
		d.using(ctx)
	}
	if d.useErr != nil {
		return d.useErr
	}
	d.used = append(d.used, use)
	return nil
}

func (d *desk) Look(ctx context.Context, id string, wait time.Duration) (wire.Approval, error) {
	if d.look == nil {
		return wire.Approval{}, fault.New(fault.NotFound, "There is no such approval.", nil)
	}
	return d.look(ctx, id, wait)
}

func (d *desk) uses() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.used)
}

// settle makes the desk answer with status.
func settle(status approval.Status) settings {
	return func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
		g.desk.answer = func(context.Context, wire.Ask) (wire.Approval, error) {
			return wire.Approval{ID: "apr_1", Status: status, Decider: "Ana", Note: "Not on a Friday.", URL: "https://dash.example/approvals/apr_1"}, nil
		}
	}
}

var errDisk = errors.New("no space left on device")

type spool struct {
	mu      sync.Mutex
	entries []audit.Traffic
	broken  bool
	before  func(audit.Traffic) // called before Record returns
}

func (s *spool) Record(t audit.Traffic) error {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before(t)
	}
	return s.Note(t)
}

func (s *spool) Note(t audit.Traffic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errDisk
	}
	s.entries = append(s.entries, t)
	return nil
}

func (s *spool) steps() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var steps []string
	for _, e := range s.entries {
		step := string(e.Step)
		if e.Code != "" {
			step += " " + e.Code
		}
		steps = append(steps, step)
	}
	return steps
}

// settled waits until n entries are there.
func (s *spool) settled(t testing.TB, n int) []audit.Traffic {
	t.Helper()
	for range 2000 {
		s.mu.Lock()
		got := slices.Clone(s.entries)
		s.mu.Unlock()
		if len(got) >= n {
			return got
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatalf("%d entries did not come; there are %v", n, s.steps())
	return nil
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
