package netguard_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/netguard"
)

func TestListenersKnowWhoReachesThem(t *testing.T) {
	t.Parallel()

	tcp := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	var l netguard.Listeners
	l.Add(tcp("127.0.0.1:80"))
	l.Add(tcp("0.0.0.0:81"))
	l.Add(tcp("[::]:82"))
	l.Add(tcp("127.0.0.1:83"))
	l.Remove(tcp("127.0.0.1:83"))
	l.Add(tcp("127.0.0.1:84"))
	l.Add(tcp("[::ffff:127.0.0.1]:84"))
	l.Remove(tcp("127.0.0.1:84"))
	l.Add(&net.UnixAddr{Name: "/run/x", Net: "unix"})

	want := map[string]bool{
		"127.0.0.1:80": true, "[::ffff:127.0.0.1]:80": true, "127.0.0.2:80": false, "127.0.0.1:8": false, "[::1]:80": false,
		"127.0.0.1:81": true, "127.0.0.9:81": true, "0.0.0.0:81": true, "[::1]:82": true, "127.0.0.1:82": true, "192.0.2.1:81": false,
		"127.0.0.1:83": false, "127.0.0.1:84": true,
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		want[net.JoinHostPort(a.(*net.IPNet).IP.String(), "81")] = true
	}
	for s, want := range want {
		if got := l.Has(netip.MustParseAddrPort(s)); got != want {
			t.Errorf("%s: got %v, want %v", s, got, want)
		}
	}
}

func TestDialNeverReachesAListenerOfOurs(t *testing.T) {
	t.Parallel()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var own netguard.Listeners
	own.Add(l.Addr())
	g := netguard.Guard{Self: own.Has, Permit: permit("127.0.0.1", "127.0.0.0/8")}
	c, err := g.DialContext(t.Context(), "tcp", l.Addr().String())
	if fault.Of(err) != fault.Forbidden {
		t.Errorf("got %v, %v", c, err)
	}
	own.Remove(l.Addr())
	if c, err = g.DialContext(t.Context(), "tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}
