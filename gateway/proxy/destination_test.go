package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

func TestRequestsGoWhereTheTunnelGoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tunnel, request string
		status          int
	}{
		"the same host":                     {host + ":443", "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 200},
		"in capitals":                       {"API.Example.COM:443", "GET / HTTP/1.1\r\nHost: api.EXAMPLE.com\r\n\r\n", 200},
		"with the dot at the end":           {host + ".:443", "GET / HTTP/1.1\r\nHost: " + host + ".\r\n\r\n", 200},
		"with the usual port":               {host + ":443", "GET / HTTP/1.1\r\nHost: " + host + ":443\r\n\r\n", 200},
		"the whole URL, the same":           {host + ":443", "GET https://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 200},
		"another host":                      {host + ":443", "GET / HTTP/1.1\r\nHost: api.github.com\r\n\r\n", 421},
		"another port":                      {host + ":443", "GET / HTTP/1.1\r\nHost: " + host + ":8443\r\n\r\n", 421},
		"the port of plain http":            {host + ":443", "GET / HTTP/1.1\r\nHost: " + host + ":80\r\n\r\n", 421},
		"an unusual port left out":          {host + ":8443", "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 421},
		"a subdomain":                       {host + ":443", "GET / HTTP/1.1\r\nHost: x." + host + "\r\n\r\n", 421},
		"an address for the name":           {host + ":443", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 421},
		"the whole URL, another host":       {host + ":443", "GET https://api.github.com/ HTTP/1.1\r\nHost: api.github.com\r\n\r\n", 421},
		"the whole URL, another scheme":     {host + ":443", "GET http://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 421},
		"the URL says one, Host another":    {host + ":443", "GET https://" + host + "/ HTTP/1.1\r\nHost: api.github.com\r\n\r\n", 421},
		"a tunnel inside the tunnel":        {host + ":443", "CONNECT api.github.com:443 HTTP/1.1\r\nHost: api.github.com:443\r\n\r\n", 400},
		"a user in the host":                {host + ":443", "GET / HTTP/1.1\r\nHost: " + host + "@evil.example\r\n\r\n", 400},
		"HTTP/1.0 without Host":             {host + ":443", "GET / HTTP/1.0\r\n\r\n", 200},
		"HTTP/1.0 with another Host":        {host + ":443", "GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421},
		"a host in letters of another kind": {host + ":443", "GET / HTTP/1.1\r\nHost: ap\xd1\x96.example.com\r\n\r\n", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo))
			sni, _, _ := strings.Cut(strings.ToLower(test.tunnel), ":")
			conn, br := g.secure(test.tunnel, strings.TrimSuffix(sni, "."))
			fmt.Fprint(conn, test.request)
			res, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != test.status {
				t.Errorf("%s, want %d: %s", res.Status, test.status, body)
			}
			got, conns := g.upstream.seen()
			if want := test.status == 200; (len(got) == 1) != want || (conns == 1) != want {
				t.Errorf("upstream got %v on %d connections", got, conns)
			}
			if test.status == 421 && !strings.Contains(string(body), `"misdirected"`) {
				t.Errorf("answer %s", body)
			}
			if test.status == 421 {
				g.spool.settled(t, 1)
				if steps := g.spool.steps(); len(steps) != 1 || steps[0] != "refused misdirected" {
					t.Errorf("steps %v", steps)
				}
			}
		})
	}
}

func TestServerNameInsideMustBeTheTunnels(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"--http1.1", "--http2"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo))
			// curl opens the tunnel to one host and asks for another inside. It
			// need not like the certificate to hear the answer.
			out, err := exec.CommandContext(t.Context(), "curl", "-sk", proto, "-x", "http://"+g.addr,
				"--connect-to", "api.github.com:443:"+host+":443", "-w", "\n%{http_code}", "https://api.github.com/repos/a/b").CombinedOutput()
			if err != nil {
				t.Fatalf("curl: %v: %s", err, out)
			}
			if !strings.HasSuffix(string(out), "\n421") || !strings.Contains(string(out), "TLS server name") {
				t.Errorf("curl got %s", out)
			}
			if got, conns := g.upstream.seen(); len(got) > 0 || conns > 0 {
				t.Errorf("upstream got %v on %d connections", got, conns)
			}
		})
	}
}

func TestPlainProxyRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request string
		status  int
		want    string
	}{
		"a credential in the clear": {"GET http://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 403, "plain HTTP"},
		"not a proxy request":       {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, "This is a proxy"},
		"https without a tunnel":    {"GET https://" + host + "/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 400, "CONNECT"},
		"two hosts":                 {"GET http://" + host + "/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "Host header"},
		"CONNECT without port":      {"CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 400, ""},
		"CONNECT to a short IPv4":   {"CONNECT 127.1:443 HTTP/1.1\r\nHost: 127.1:443\r\n\r\n", 400, ""},
		"TLS without CONNECT":       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo))
			status, body := g.plain(test.request)
			if status != test.status || !strings.Contains(body, test.want) {
				t.Errorf("%d %s, want %d with %q", status, body, test.status, test.want)
			}
			if got, conns := g.upstream.seen(); len(got) > 0 || conns > 0 {
				t.Errorf("upstream got %v on %d connections", got, conns)
			}
		})
	}
}

func (g *rig) plain(request string) (int, string) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, request)
	return readAnswer(g.t, conn)
}

// noCredential leaves the connector without one, and lets it go in the clear.
func noCredential(_ *rig, s *wire.Snapshot, _ *proxy.Run) { s.Connectors[0].CredentialID = "" }

func TestPlainHTTPWithoutCredential(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), noCredential)
	status, body := g.plain("GET http://" + host + "/a?b HTTP/1.1\r\nHost: " + host + "\r\nAuthorization: Bearer mine\r\nProxy-Authorization: Basic eA==\r\nConnection: close, Keep-Alive\r\nKeep-Alive: timeout=5\r\n\r\n")
	if status != 200 || body != "GET /a?b " {
		t.Errorf("%d %q", status, body)
	}
	h := g.upstream.lastHeader(t)
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Keep-Alive", "Connection", "Via", "X-Forwarded-For", "Forwarded", "User-Agent"} {
		if got, ok := h[name]; ok {
			t.Errorf("upstream got %s: %v", name, got)
		}
	}
	// ws:// comes through CONNECT without TLS.
	conn, br := g.tunnel(host + ":80")
	fmt.Fprintf(conn, "GET /c HTTP/1.1\r\nHost: %s\r\n\r\n", host)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != 200 {
		t.Errorf("inside a tunnel: %v %v", res, err)
	}
}

type resolver map[string]string

func (r resolver) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr(r[strings.TrimSuffix(name, ".")])}, nil
}

func TestNamesThatLeadInsideAreRefused(t *testing.T) {
	t.Parallel()
	for name, addr := range map[string]string{
		"loopback": "127.0.0.1", "metadata": "169.254.169.254", "mapped": "::ffff:127.0.0.1", "private": "10.0.0.1",
		"NAT64 of loopback": "64:ff9b::7f00:1", "unspecified": "0.0.0.0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) {
				g.proxy.Guard.Resolver = resolver{"loop.example.com": addr}
			})
			res, body := g.do(g.client(false), "GET", "https://loop.example.com/", "")
			if res.StatusCode != 403 || !strings.Contains(body, "loop.example.com resolves to") {
				t.Errorf("%s %s", res.Status, body)
			}
			g.spool.settled(t, 2)
			if steps := g.spool.steps(); len(steps) != 2 || steps[0] != "intent" || steps[1] != "outcome denied" {
				t.Errorf("steps %v", steps)
			}
		})
	}
}

func TestUpstreamMustProveItsName(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.proxy.Roots = g.ca })
	res, body := g.do(g.client(false), "GET", "https://"+host+"/", "")
	if res.StatusCode != 502 || !strings.Contains(body, "does not prove") {
		t.Errorf("%s %s", res.Status, body)
	}
	if got, _ := g.upstream.seen(); len(got) > 0 {
		t.Errorf("upstream got %v", got)
	}
}

func TestOtherUsersAreTurnedAway(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo), func(_ *rig, _ *wire.Snapshot, r *proxy.Run) { r.UID++ })
	conn, err := net.Dial("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if b, err := io.ReadAll(conn); len(b) > 0 {
		t.Errorf("another user got %q, %v", b, err)
	}
	if !strings.Contains(g.log.String(), "another user") {
		t.Errorf("the log says %s", g.log)
	}
}

func TestRedirectsAreForTheClient(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
	}))
	res, _ := g.do(g.client(false), "GET", "https://"+host+"/", "")
	if res.StatusCode != 307 || res.Header.Get("Location") != "https://evil.example/" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
	if got, _ := g.upstream.seen(); len(got) != 1 {
		t.Errorf("upstream got %v", got)
	}
}
