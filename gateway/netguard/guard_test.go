package netguard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/netguard"
)

// answers is a resolver that gives its answers in turn, and the last for ever.
type answers struct {
	lists [][]string
	asked atomic.Int32
}

func (a *answers) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	n := int(a.asked.Add(1)) - 1
	var list []netip.Addr
	for _, s := range a.lists[min(n, len(a.lists)-1)] {
		list = append(list, netip.MustParseAddr(s))
	}
	return list, nil
}

func always(list ...string) *answers { return &answers{lists: [][]string{list}} }

func permit(host, prefix string) func(string) []netip.Prefix {
	return func(h string) []netip.Prefix {
		if h != host {
			return nil
		}
		return []netip.Prefix{netip.MustParsePrefix(prefix)}
	}
}

func TestResolveRefusesWhatIsNotPermitted(t *testing.T) {
	t.Parallel()

	const host = "api.example"
	for name, c := range map[string]struct {
		guard netguard.Guard
		host  string
		want  string // addresses, or the sentence of the refusal
	}{
		"public":            {netguard.Guard{Resolver: always("8.8.8.8", "2606:4700::1")}, host, "8.8.8.8:443 [2606:4700::1]:443"},
		"metadata":          {netguard.Guard{Resolver: always("169.254.169.254")}, host, "api.example resolves to 169.254.169.254, which is a cloud metadata address."},
		"mapped":            {netguard.Guard{Resolver: always("::ffff:127.0.0.1")}, host, "api.example resolves to ::ffff:127.0.0.1, which is a loopback address."},
		"mixed":             {netguard.Guard{Resolver: always("8.8.8.8", "10.0.0.1")}, host, "api.example resolves to 10.0.0.1, which is a private address."},
		"zone":              {netguard.Guard{Resolver: always("fe80::1%eth0")}, host, "api.example resolves to fe80::1%eth0, which is not a usable address."},
		"literal":           {netguard.Guard{}, "127.0.0.1", "127.0.0.1 is a loopback address."},
		"literal IPv6":      {netguard.Guard{}, "::1", "::1 is a loopback address."},
		"literal mapped":    {netguard.Guard{}, "::ffff:10.0.0.1", "10.0.0.1 is a private address."},
		"permitted":         {netguard.Guard{Resolver: always("10.0.0.1"), Permit: permit(host, "10.0.0.0/8")}, host, "10.0.0.1:443"},
		"permitted mapped":  {netguard.Guard{Resolver: always("::ffff:10.0.0.1"), Permit: permit(host, "10.0.0.0/8")}, host, "10.0.0.1:443"},
		"permitted and not": {netguard.Guard{Resolver: always("10.0.0.1", "127.0.0.1"), Permit: permit(host, "10.0.0.0/8")}, host, "api.example resolves to 127.0.0.1, which is a loopback address."},
		"permitted for another host": {
			netguard.Guard{Resolver: always("10.0.0.1"), Permit: permit("other.example", "10.0.0.0/8")}, host,
			"api.example resolves to 10.0.0.1, which is a private address.",
		},
		"permitted range is IPv4, address only carries one": {
			netguard.Guard{Resolver: always("64:ff9b::10.0.0.1"), Permit: permit(host, "10.0.0.0/8")}, host,
			"api.example resolves to 64:ff9b::a00:1, which is a private address.",
		},
		"metadata is never permitted": {
			netguard.Guard{Resolver: always("169.254.169.254"), Permit: permit(host, "0.0.0.0/0")}, host,
			"api.example resolves to 169.254.169.254, which is a cloud metadata address.",
		},
		"unspecified is never permitted": {
			netguard.Guard{Resolver: always("0.0.0.0"), Permit: permit(host, "0.0.0.0/0")}, host,
			"api.example resolves to 0.0.0.0, which is an unspecified address.",
		},
		"multicast is never permitted": {
			netguard.Guard{Resolver: always("224.0.0.1"), Permit: permit(host, "0.0.0.0/0")}, host,
			"api.example resolves to 224.0.0.1, which is a multicast address.",
		},
		"own listener, though permitted": {
			netguard.Guard{Resolver: always("::ffff:127.0.0.1"), Permit: permit(host, "127.0.0.0/8"), Self: only("127.0.0.1:443")}, host,
			"api.example resolves to ::ffff:127.0.0.1, which is the gateway itself.",
		},
		"own listener, though pinned": {
			netguard.Guard{Self: only("127.0.0.1:8443"), ConnectTo: pins("api.example:443:127.0.0.1:8443")}, host,
			"api.example resolves to 127.0.0.1, which is the gateway itself.",
		},
		"pinned":             {netguard.Guard{ConnectTo: pins("api.example:443:127.0.0.1:8443")}, host, "127.0.0.1:8443"},
		"pinned to metadata": {netguard.Guard{ConnectTo: pins("api.example:443:169.254.169.254:80")}, host, "169.254.169.254:80"},
		"pinned to a name":   {netguard.Guard{Resolver: always("10.0.0.1"), ConnectTo: pins("api.example:443:b.example:")}, host, "10.0.0.1:443"},
		"pinned to a name of theirs": {
			netguard.Guard{Resolver: always("169.254.169.254"), ConnectTo: pins("api.example:443:b.example:")}, host,
			"api.example resolves to 169.254.169.254, which is a cloud metadata address.",
		},
		"pinned for another port": {
			netguard.Guard{Resolver: always("127.0.0.1"), ConnectTo: pins("api.example:444:127.0.0.1:8443")}, host,
			"api.example resolves to 127.0.0.1, which is a loopback address.",
		},
		"pinned for another host": {
			netguard.Guard{Resolver: always("127.0.0.1"), ConnectTo: pins("b.example:443:127.0.0.1:8443")}, host,
			"api.example resolves to 127.0.0.1, which is a loopback address.",
		},
		"pinned to a port only": {
			netguard.Guard{Resolver: always("127.0.0.1"), ConnectTo: pins("api.example:443::8443")}, host,
			"api.example resolves to 127.0.0.1, which is a loopback address.",
		},
		"first pin wins":     {netguard.Guard{ConnectTo: pins("::127.0.0.1:1,api.example:443:127.0.0.1:2")}, host, "127.0.0.1:1"},
		"nothing":            {netguard.Guard{Resolver: always()}, host, "api.example cannot be resolved."},
		"too many":           {netguard.Guard{Resolver: always(strings.Fields(strings.Repeat("8.8.8.8 ", 65))...)}, host, "api.example cannot be resolved."},
		"octal":              {netguard.Guard{Resolver: always("8.8.8.8")}, "0177.0.0.1", `"0177.0.0.1" is not an IPv4 address in its usual form.`},
		"spelt another way":  {netguard.Guard{Resolver: always("10.0.0.1"), Permit: permit(host, "10.0.0.0/8")}, "API.example.", "10.0.0.1:443"},
		"zone in a literal":  {netguard.Guard{}, "fe80::1%eth0", `"[fe80::1%eth0]" is not an IPv6 address.`},
		"brackets in a host": {netguard.Guard{}, "[::1]", "::1 is a loopback address."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			addrs, err := c.guard.Resolve(t.Context(), c.host, 443)
			var got []string
			for _, a := range addrs {
				got = append(got, a.String())
			}
			if err != nil {
				got = []string{fault.Message(err)}
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			if refused, ok := errors.AsType[*netguard.Refused](err); ok && (refused.Class == netguard.Public || fault.Of(err) != fault.Forbidden) {
				t.Errorf("refusal is %+v of kind %v", refused, fault.Of(err))
			}
		})
	}
}

func only(s string) func(netip.AddrPort) bool {
	own := netip.MustParseAddrPort(s)
	return func(a netip.AddrPort) bool { return a == own }
}

func pins(s string) []netguard.ConnectTo {
	list, err := netguard.ParseConnectToList(s)
	if err != nil {
		panic(err)
	}
	return list
}

// listener counts who reaches it.
func listener(t *testing.T) (port uint16, reached *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reached = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().(*net.TCPAddr).AddrPort().Port(), reached
}

func TestDialReachesWhatIsPermitted(t *testing.T) {
	t.Parallel()

	port, _ := listener(t)
	g := netguard.Guard{Resolver: always("127.0.0.1"), Permit: permit("api.example", "127.0.0.0/8")}
	c, err := g.DialContext(t.Context(), "tcp", netguard.JoinHost("API.example.", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, want := c.RemoteAddr().(*net.TCPAddr).AddrPort().Port(), port; got != want {
		t.Errorf("connected to port %d, want %d", got, want)
	}
}

func TestDialTriesTheNextAddress(t *testing.T) {
	t.Parallel()

	port, _ := listener(t)
	// Nothing listens at the first: the listener is bound to 127.0.0.1 alone.
	g := netguard.Guard{Resolver: always("127.0.0.9", "127.0.0.1"), Permit: permit("api.example", "127.0.0.0/8")}
	c, err := g.Dial(t.Context(), "tcp", "api.example", port)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

func TestNobodyAnswers(t *testing.T) {
	t.Parallel()

	port, _ := listener(t)
	g := netguard.Guard{Resolver: always("127.0.0.9"), Permit: permit("api.example", "127.0.0.0/8")}
	_, err := g.Dial(t.Context(), "tcp", "api.example", port)
	if got, want := fault.Of(err), fault.Unavailable; got != want {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

func TestRebindingNeverConnects(t *testing.T) {
	t.Parallel()

	// Each question has another answer. A guard that asks twice, once to check
	// and once to dial, connects at the second.
	port, reached := listener(t)
	for range 100 {
		r := &answers{lists: [][]string{{"192.0.2.1"}, {"127.0.0.1"}}}
		g := netguard.Guard{Resolver: r, Permit: permit("api.example", "192.0.2.0/24")}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // nobody answers at 192.0.2.1; there is no need to wait for that
		if c, err := g.Dial(ctx, "tcp", "api.example", port); err == nil {
			_ = c.Close()
			t.Fatal("connected")
		}
		if got := r.asked.Load(); got != 1 {
			t.Fatalf("asked %d times, want once", got)
		}
	}
	if got := reached.Load(); got != 0 {
		t.Errorf("%d connections reached the private address", got)
	}
}

func TestOnlyTCPIsGuarded(t *testing.T) {
	t.Parallel()

	var g netguard.Guard
	for _, network := range []string{"udp", "unix", "ip", ""} {
		if c, err := g.Dial(t.Context(), network, "8.8.8.8", 53); err == nil {
			_ = c.Close()
			t.Errorf("dialled %q", network)
		}
	}
	if _, err := g.Dial(t.Context(), "tcp", "8.8.8.8", 0); fault.Of(err) != fault.Invalid {
		t.Errorf("port 0: got %v", err)
	}
}

// silent is a resolver that never answers.
type silent struct{}

func (silent) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestResolvingHasAnEnd(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := netguard.Guard{Resolver: silent{}}
		_, err := g.Resolve(t.Context(), "api.example", 443)
		if !errors.Is(err, context.DeadlineExceeded) || fault.Of(err) != fault.Unavailable {
			t.Errorf("got %v", err)
		}
	})
}
