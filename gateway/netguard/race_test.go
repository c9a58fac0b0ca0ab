package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

func TestControlSeesTheSocketGoElsewhere(t *testing.T) {
	t.Parallel()

	self := netip.MustParseAddrPort("10.0.0.9:80")
	g := Guard{Self: func(a netip.AddrPort) bool { return a == self }}
	for name, c := range map[string]struct {
		checked, socket string
		want            error
	}{
		"the same":        {"8.8.8.8:443", "8.8.8.8:443", nil},
		"the same mapped": {"8.8.8.8:443", "[::ffff:8.8.8.8]:443", nil},
		"other address":   {"8.8.8.8:443", "127.0.0.1:443", errOtherAddress},
		"other port":      {"8.8.8.8:443", "8.8.8.8:80", errOtherAddress},
		"a zone":          {"[2600::1]:443", "[2600::1%eth0]:443", errOtherAddress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := g.control(netip.MustParseAddrPort(c.checked))("tcp", c.socket, nil)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if err := g.control(self)("tcp", self.String(), nil); fault.Of(err) != fault.Forbidden {
		t.Errorf("own listener: got %v", err)
	}
	if err := g.control(self)("tcp", "nonsense", nil); err == nil {
		t.Error("a socket without an address passed")
	}
}

// closing is a connection that says when it is closed.
type closing struct {
	net.Conn
	closed chan struct{}
}

func (c closing) Close() error { close(c.closed); return nil }

func TestSlowAddressDoesNotHoldUpTheNext(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		slow, quick := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1")
		late := closing{closed: make(chan struct{})}
		began := time.Now()
		c, err := race(t.Context(), "tcp", []netip.AddrPort{slow, quick},
			func(ctx context.Context, _ string, a netip.AddrPort) (net.Conn, error) {
				if a == quick {
					return closing{}, nil
				}
				<-ctx.Done() // it connects just as it is told to stop
				return late, nil
			})
		if err != nil || c != (closing{}) {
			t.Fatalf("got %v, %v", c, err)
		}
		if got, want := time.Since(began), headStart; got != want {
			t.Errorf("took %v, want %v", got, want)
		}
		<-late.closed // or the test stops here with a deadlock
	})
}

func TestAllAddressesFail(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		began := time.Now()
		_, err := race(t.Context(), "tcp", make([]netip.AddrPort, 5),
			func(context.Context, string, netip.AddrPort) (net.Conn, error) { return nil, refused })
		if !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v for addresses that had failed", took)
		}
	})
}
