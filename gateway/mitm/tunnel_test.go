package mitm_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/gateway/mitm"
)

func authority(t *testing.T) *mitm.Authority {
	t.Helper()
	return load(t, t.TempDir(), mitm.Config{Now: time.Now})
}

// shake shakes hands over a pipe and returns what both sides say.
func shake(t *testing.T, server, client *tls.Config) (state tls.ConnectionState, serverErr, clientErr error) {
	t.Helper()
	a, b := net.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, c := tls.Server(a, server), tls.Client(b, client)
	done := make(chan error, 1)
	go func() {
		err := s.HandshakeContext(ctx)
		if err == nil {
			_, err = s.Write([]byte("x")) // tickets go out before it
		}
		_ = a.Close()
		done <- err
	}()
	clientErr = c.HandshakeContext(ctx)
	if clientErr == nil {
		_, clientErr = c.Read(make([]byte, 1))
	}
	state = c.ConnectionState()
	_ = b.Close()
	return state, <-done, clientErr
}

func TestTunnelSpeaksTLSForItsHost(t *testing.T) {
	t.Parallel()

	a := authority(t)
	pool, _ := roots(t, a.CertPEM())
	for name, c := range map[string]struct {
		host   string
		client *tls.Config
		proto  string
	}{
		"h2":       {"api.example", &tls.Config{ServerName: "api.example", NextProtos: []string{"h2", "http/1.1"}}, "h2"},
		"http/1.1": {"api.example", &tls.Config{ServerName: "api.example", NextProtos: []string{"http/1.1"}}, "http/1.1"},
		"no ALPN":  {"api.example", &tls.Config{ServerName: "api.example"}, ""},
		"TLS 1.2":  {"api.example", &tls.Config{ServerName: "api.example", MaxVersion: tls.VersionTLS12}, ""},
		"capitals": {"api.example", &tls.Config{ServerName: "API.example"}, ""},
		"IPv4":     {"127.0.0.1", &tls.Config{ServerName: "127.0.0.1"}, ""},
		"IPv6":     {"::1", &tls.Config{ServerName: "::1"}, ""},
		"P-256":    {"api.example", &tls.Config{ServerName: "api.example", CurvePreferences: []tls.CurveID{tls.CurveP256}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c.client.RootCAs = pool
			state, serverErr, clientErr := shake(t, a.ServerConfig(c.host, nil), c.client)
			if serverErr != nil || clientErr != nil {
				t.Fatalf("server: %v, client: %v", serverErr, clientErr)
			}
			if got, want := state.NegotiatedProtocol, c.proto; got != want {
				t.Errorf("protocol %q, want %q", got, want)
			}
		})
	}
	_, serverErr, _ := shake(t, a.ServerConfig("api.example", nil),
		&tls.Config{ServerName: "api.example", RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if serverErr == nil {
		t.Error("the tunnel speaks TLS 1.1")
	}
}

func TestServerNameOtherThanTheTunnelsIsMisdirected(t *testing.T) {
	t.Parallel()

	a := authority(t)
	pool, _ := roots(t, a.CertPEM())
	client := &tls.Config{ServerName: "other.example", RootCAs: pool}
	_, err, _ := shake(t, a.ServerConfig("api.example", nil), client)
	m, ok := errors.AsType[*mitm.Misdirected](err)
	if !ok || !errors.Is(err, mitm.ErrMisdirected) || m.Host != "api.example" || m.SNI != "other.example" {
		t.Fatalf("got %v", err)
	}

	var told []string
	_, _, err = shake(t, a.ServerConfig("api.example", func(m *mitm.Misdirected) { told = append(told, m.SNI) }), client)
	if len(told) != 1 || told[0] != "other.example" {
		t.Errorf("told %v", told)
	}
	// The certificate is the tunnel's, so that a client that checks goes away.
	if err == nil || !strings.Contains(err.Error(), "api.example") {
		t.Errorf("client: %v", err)
	}
	if got, want := a.Stats().Minted, uint64(1); got != want {
		t.Errorf("minted %d certificates, want only the tunnel's", got)
	}
}

func TestSessionsResumeInTheNextTunnel(t *testing.T) {
	t.Parallel()

	a := authority(t)
	pool, _ := roots(t, a.CertPEM())
	client := &tls.Config{ServerName: "api.example", RootCAs: pool, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	for i, want := range []bool{false, true} {
		state, serverErr, clientErr := shake(t, a.ServerConfig("api.example", nil), client)
		if serverErr != nil || clientErr != nil {
			t.Fatalf("server: %v, client: %v", serverErr, clientErr)
		}
		if state.DidResume != want {
			t.Errorf("tunnel %d: resumed is %v, want %v", i, state.DidResume, want)
		}
	}
	// A session does not let a client in under another name.
	told := false
	other := client.Clone()
	_, _, _ = shake(t, a.ServerConfig("evil.example", func(*mitm.Misdirected) { told = true }), other)
	if !told {
		t.Error("a resumed session hid the server name")
	}
	if err := a.Rotate(time.Now()); err != nil {
		t.Fatal(err)
	}
	if state, _, _ := shake(t, a.ServerConfig("api.example", nil), client); state.DidResume {
		t.Error("a session outlived the root")
	}
}

// Python 3.13 checks chains as strictly as this by default.
const strictClient = `
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as s:
    with context.wrap_socket(s, server_hostname=sys.argv[3]) as c:
        print(c.version())
`

func TestStrictClientsAcceptTheChain(t *testing.T) {
	t.Parallel()

	a := authority(t)
	bundle, err := a.WriteBundle(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"api.example", "127.0.0.1", strings.Repeat("abcdefg.", 20) + "example"} {
		l, err := tls.Listen("tcp", "127.0.0.1:0", a.ServerConfig(host, nil))
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() {
			c, err := l.Accept()
			if err == nil {
				err = c.(*tls.Conn).HandshakeContext(t.Context())
				_ = c.Close()
			}
			served <- err
		}()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		out, err := exec.CommandContext(t.Context(), "python3", "-c", strictClient, bundle, port, host).CombinedOutput()
		_ = l.Close()
		if err != nil {
			t.Errorf("%s: %v\n%s", host, err, out)
		}
		if err := <-served; err != nil {
			t.Errorf("%s: served: %v", host, err)
		}
	}
}

func TestBundleHoldsAllThatIsTrusted(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	ours, host, company := load(t, dir, mitm.Config{}), authority(t), authority(t)
	key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	extra := append([]byte("# company\n"), company.CertPEM()...)
	extra = append(append(extra, host.CertPEM()...), key...)
	path, err := ours.WriteBundle(host.CertPEM(), extra)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(data), string(ours.CertPEM())+string(host.CertPEM())+string(company.CertPEM()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
