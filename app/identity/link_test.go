package identity

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// listen serves the gateways' port on loopback. It answers with the gateway
// that it sees.
func (b *bench) listen(t *testing.T) (addr string) {
	t.Helper()
	config, err := b.ServerTLS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          quietLog,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(r.TLS.PeerCertificates) == 0 {
				io.WriteString(w, "nobody over "+r.Proto)
				return
			}
			id, err := b.Check(r.Context(), *r.TLS)
			if err != nil {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			io.WriteString(w, id.GatewayID+" of "+id.TeamID+" over "+r.Proto)
		}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return l.Addr().String()
}

// pinned is a client's configuration that trusts our root alone.
func (b *bench) pinned(t *testing.T, certs ...tls.Certificate) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b.RootPEM()) {
		t.Fatal("RootPEM is no PEM")
	}
	return &tls.Config{RootCAs: roots, Certificates: certs, MinVersion: tls.VersionTLS12}
}

// forced is cert, shown whatever the server asks for: a client of Go would keep
// back a certificate that the server's roots do not vouch for.
func forced(config *tls.Config, cert tls.Certificate) *tls.Config {
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	return config
}

func get(t *testing.T, addr string, config *tls.Config, h2 bool) (string, error) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: h2}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + addr + "/")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestGatewaysPortKnowsItsGateways(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	addr := b.listen(t)
	e := b.enrol(t, "gw_1", "tm_1")
	tests := map[string]struct {
		config *tls.Config
		h2     bool
		want   string
	}{
		"a gateway over HTTP/2":                {b.pinned(t, e.client()), true, "gw_1 of tm_1 over HTTP/2.0"},
		"a gateway over HTTP/1.1":              {b.pinned(t, e.client()), false, "gw_1 of tm_1 over HTTP/1.1"},
		"somebody who comes without, to enrol": {b.pinned(t), true, "nobody over HTTP/2.0"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got, err := get(t, addr, c.config, c.h2); err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestGatewaysPortRefusesEverybodyElse(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	addr := b.listen(t)
	stranger := newBench(t)
	revoked, dismissed := b.enrol(t, "gw_revoked", "tm_1"), b.enrol(t, "gw_dismissed", "tm_1")
	if err := b.Revoke(t.Context(), "gw_revoked", "lost"); err != nil {
		t.Fatal(err)
	}
	b.bouncer.refuse("gw_dismissed")
	port, err := b.linkCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := b.pinned(t)
	old.MaxVersion = tls.VersionTLS12
	unknown := b.enrol(t, "gw_unknown", "tm_1")
	delete(b.memory.certs, unknown.Serial)

	tests := map[string]*tls.Config{
		"a revoked gateway":                           b.pinned(t, revoked.client()),
		"a gateway that is not admitted":              b.pinned(t, dismissed.client()),
		"a gateway that is not in the ledger":         b.pinned(t, unknown.client()),
		"a gateway of another system":                 forced(b.pinned(t), stranger.enrol(t, "gw_1", "tm_1").client()),
		"a client that made its own certificate":      forced(b.pinned(t), subordinate(t, b.enrol(t, "gw_1", "tm_1"))),
		"the port itself, as a client":                forced(b.pinned(t), *port),
		"a client of TLS 1.2":                         old,
		"a client that trusts another root":           stranger.pinned(t),
		"a client that looks for another by its name": otherName(b.pinned(t)),
	}
	for name, config := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			if got, err := get(t, addr, config, true); err == nil {
				t.Errorf("answered %q", got)
			}
		})
	}
}

func otherName(c *tls.Config) *tls.Config {
	c.ServerName = "other.example.org"
	return c
}

// subordinate is a certificate for another gateway, signed by e's key.
func subordinate(t *testing.T, e enrolled) tls.Certificate {
	t.Helper()
	template := *e.chain[0]
	template.SerialNumber = newSerial()
	template.AuthorityKeyId, template.SubjectKeyId = nil, nil
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &template, e.chain[0], key.Public(), e.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der, e.chain[0].Raw, e.chain[1].Raw}, PrivateKey: key}
}

func TestRevocationReachesAConnectionThatIsOpen(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	addr := b.listen(t)
	e := b.enrol(t, "gw_1", "tm_1")
	transport := &http.Transport{TLSClientConfig: b.pinned(t, e.client()), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	call := func() int {
		resp, err := client.Get("https://" + addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		return resp.StatusCode
	}
	if got := call(); got != http.StatusOK {
		t.Fatalf("status = %d", got)
	}
	if err := b.Revoke(t.Context(), "gw_1", "lost"); err != nil {
		t.Fatal(err)
	}
	if got := call(); got != http.StatusForbidden {
		t.Errorf("status after the revocation = %d, want 403", got)
	}
}

func TestNoSessionIsResumed(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	addr := b.listen(t)
	config := b.pinned(t, b.enrol(t, "gw_1", "tm_1").client())
	config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	resumed := false
	config.VerifyConnection = func(state tls.ConnectionState) error {
		resumed = resumed || state.DidResume
		return nil
	}
	for range 2 {
		if _, err := get(t, addr, config, true); err != nil {
			t.Fatal(err)
		}
	}
	if resumed {
		t.Error("the second connection brought along what the first had verified")
	}
}

func TestLinkCertificateHasItsNamesAndOneUse(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	cert, err := b.linkCertificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	between := x509.NewCertPool()
	between.AddCert(b.issuer.Load().cert)
	for host, ok := range map[string]bool{"127.0.0.1": true, "link.example.org": true, "LINK.example.org": true, "127.0.0.2": false, "example.org": false} {
		_, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: b.roots, Intermediates: between, DNSName: host})
		if (err == nil) != ok {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(cert.Leaf.ExtKeyUsage) != 1 || cert.Leaf.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth || cert.Leaf.IsCA {
		t.Errorf("use = %v, authority %v", cert.Leaf.ExtKeyUsage, cert.Leaf.IsCA)
	}
}

func TestGatewayCannotPassForTheServer(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	e := b.enrol(t, "gw_1", "tm_1")
	between := x509.NewCertPool()
	between.AddCert(e.chain[1])
	if _, err := e.chain[0].Verify(x509.VerifyOptions{Roots: b.roots, Intermediates: between}); err == nil { // for servers, by default
		t.Error("its certificate is good for a server")
	}
}

func TestLinkCertificateRenewsItself(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		config, err := b.ServerTLS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		shown := func() *x509.Certificate {
			t.Helper()
			cert, err := config.GetCertificate(new(tls.ClientHelloInfo))
			if err != nil {
				t.Fatal(err)
			}
			return cert.Leaf
		}
		first := shown()
		time.Sleep(linkLife*2/3 - time.Minute)
		if !shown().Equal(first) {
			t.Error("renewed before it was time")
		}
		time.Sleep(2 * time.Minute)
		second := shown()
		if second.Equal(first) {
			t.Error("not renewed when it was time")
		}
	})
}

func TestExpiredGatewayIsTurnedAwayAtTheHandshake(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e := b.enrol(t, "gw_1", "tm_1")
		config, err := b.ServerTLS(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		handshake := func() error {
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			go func() {
				pin := b.pinned(t)
				pin.ServerName = "link.example.org"
				client := tls.Client(near, forced(pin, e.client()))
				client.Handshake()
				io.Copy(io.Discard, client)
			}()
			return tls.Server(far, config).HandshakeContext(t.Context())
		}
		if err := handshake(); err != nil {
			t.Errorf("while it is good: %v", err)
		}
		time.Sleep(gatewayLife + time.Second)
		if err := handshake(); err == nil || !strings.Contains(err.Error(), "expired") {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// A gateway that is turned away at the handshake takes itself for revoked and
// wipes what it knows. A database that is away for a moment must not do that.
func TestAnOutageIsNotARevocation(t *testing.T) {
	t.Parallel()

	b := newBench(t)
	addr := b.listen(t)
	e := b.enrol(t, "gw_1", "tm_1")
	b.bouncer.mu.Lock()
	b.bouncer.away = true
	b.bouncer.mu.Unlock()

	conn, err := tls.Dial("tcp", addr, b.pinned(t, e.client()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the handshake was refused: %v", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden { // the test's handler refuses whatever Check does not vouch for
		t.Errorf("status %d, want 403", answer.StatusCode)
	}
}
