package outbound_test

import (
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/domain/address"
)

func in(host, cidr string) []outbound.Allowed {
	return []outbound.Allowed{{Host: host, Range: netip.MustParsePrefix(cidr)}}
}

func TestOnlyWhatIsAllowedMayBeCalled(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		scheme, host, addr string
		guard              outbound.Guard
		class              address.Class // of the refusal; Invalid where it is allowed
		plain              bool
	}{
		"public":                               {scheme: "https", host: "hooks.example.com", addr: "93.184.216.34"},
		"public, without TLS":                  {scheme: "http", host: "hooks.example.com", addr: "93.184.216.34", class: address.Public, plain: true},
		"public, without TLS, listed":          {scheme: "http", host: "h.example", addr: "93.184.216.34", guard: outbound.Guard{Allow: in("h.example", "0.0.0.0/0"), Plain: true}, class: address.Public, plain: true},
		"private":                              {scheme: "https", host: "h.example", addr: "10.0.0.1", class: address.Private},
		"private, listed":                      {scheme: "https", host: "H.example.", addr: "10.0.0.1", guard: outbound.Guard{Allow: in("h.example", "10.0.0.0/8")}},
		"private, in another form":             {scheme: "https", host: "h.example", addr: "::ffff:10.0.0.1", guard: outbound.Guard{Allow: in("h.example", "10.0.0.0/8")}},
		"private, another host is listed":      {scheme: "https", host: "i.example", addr: "10.0.0.1", guard: outbound.Guard{Allow: in("h.example", "10.0.0.0/8")}, class: address.Private},
		"private, another range is listed":     {scheme: "https", host: "h.example", addr: "10.1.0.1", guard: outbound.Guard{Allow: in("h.example", "10.0.0.0/16")}, class: address.Private},
		"private, listed, without TLS":         {scheme: "http", host: "h.example", addr: "10.0.0.1", guard: outbound.Guard{Allow: in("h.example", "10.0.0.0/8")}, class: address.Private, plain: true},
		"private, listed, plain":               {scheme: "http", host: "h.example", addr: "10.0.0.1", guard: outbound.Guard{Allow: in("h.example", "10.0.0.0/8"), Plain: true}},
		"loopback, listed, without TLS":        {scheme: "http", host: "localhost", addr: "127.0.0.1", guard: outbound.Guard{Allow: in("localhost", "127.0.0.0/8")}},
		"loopback":                             {scheme: "https", host: "localhost", addr: "::1", class: address.Loopback},
		"metadata, though listed":              {scheme: "https", host: "h.example", addr: "169.254.169.254", guard: outbound.Guard{Allow: in("h.example", "0.0.0.0/0"), Plain: true}, class: address.Metadata},
		"unspecified, though listed":           {scheme: "https", host: "h.example", addr: "0.0.0.0", guard: outbound.Guard{Allow: in("h.example", "0.0.0.0/0")}, class: address.Unspecified},
		"metadata by the network's translator": {scheme: "https", host: "h.example", addr: "64:ff9b::a9fe:a9fe", class: address.Metadata},
	} {
		err := tt.guard.Check(tt.scheme, tt.host, netip.MustParseAddr(tt.addr))
		r, refused := errors.AsType[*outbound.Refused](err)
		if refused != (tt.class != address.Invalid) || refused && (r.Class != tt.class || r.Plain != tt.plain) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The check is made where the socket is, whatever a name resolves to.
func TestClientDialsNothingElse(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	call := func(g outbound.Guard, url string) error {
		g.Roots = roots
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := g.Client().Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, url := range []string{server.URL, "https://localhost" + port, "https://[::ffff:127.0.0.1]" + port, "https://2130706433" + port, "http://127.0.0.1" + port} {
		if err := call(outbound.Guard{}, url); err == nil {
			t.Errorf("%s was called", url)
		}
	}
	if _, refused := errors.AsType[*outbound.Refused](call(outbound.Guard{}, server.URL)); !refused {
		t.Error("the refusal does not say what it is")
	}
	if asked != 0 {
		t.Errorf("%d requests came through", asked)
	}
	if err := call(outbound.Guard{Allow: in("127.0.0.1", "127.0.0.0/8")}, server.URL); err != nil || asked != 1 {
		t.Errorf("listed: %v", err)
	}
	if err := call(outbound.Guard{}, "ftp://127.0.0.1"+port); err == nil {
		t.Error("another scheme")
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := outbound.Guard{Allow: in("127.0.0.1", "127.0.0.0/8")}.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusTemporaryRedirect || asked != 1 {
		t.Errorf("%d after %d requests, %v", resp.StatusCode, asked, err)
	}
}

func TestAllowedHostsAreRead(t *testing.T) {
	t.Parallel()
	got, err := outbound.ParseAllowed(" Login.Internal.=10.1.2.3/8, localhost=127.0.0.0/8,[::1]=::1/128, ")
	if err != nil || len(got) != 3 || got[0].Host != "login.internal" || got[0].Range.String() != "10.0.0.0/8" || got[2].Host != "::1" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := outbound.ParseAllowed(""); err != nil || got != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for _, text := range []string{"login.internal", "=10.0.0.0/8", "a=b", "https://a=10.0.0.0/8", "*.internal=10.0.0.0/8", "a=10.0.0.1"} {
		if got, err := outbound.ParseAllowed(text); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
	g := outbound.Guard{Allow: in("login.internal", "10.0.0.0/8")}
	if (outbound.Guard{}).Lists("login.internal") {
		t.Error("an empty guard lists a host")
	}
	if !g.Lists("LOGIN.internal.") || g.Lists("internal") {
		t.Error("the host that is listed is not the one that is asked about")
	}
}
