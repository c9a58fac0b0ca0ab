// Package netguard dials only where the gateway may go.
//
// A name is resolved once, every address it resolves to is judged, and the
// connection is made to an address that was judged: never to a name again.
// One bad address among good ones refuses them all, because no honest name
// has both. What is not the public internet is reachable only where the
// settings name the host and the range together.
package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/tameflare/tameflare/domain/address"
	"github.com/tameflare/tameflare/domain/fault"
)

// Resolver turns a name into addresses. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Guard decides where connections may go, and makes them. The zero Guard lets
// them go to the public internet only.
type Guard struct {
	// Permit returns the ranges beyond the public internet that host may be
	// in. Host has the spelling of ParseHost. It cannot permit metadata,
	// multicast and unspecified addresses.
	Permit func(host string) []netip.Prefix

	// ConnectTo sends destinations to other addresses. Naming an address here
	// permits it, whatever its class, for that destination alone. Naming a
	// host permits what Permit could.
	ConnectTo []ConnectTo

	// Self reports whether the gateway itself listens at an address. Such an
	// address is refused, however it was permitted.
	Self func(netip.AddrPort) bool

	// Resolver resolves names; nil for the system's.
	Resolver Resolver
}

const (
	resolveTimeout = 2 * time.Second
	connectTimeout = 10 * time.Second
	headStart      = 250 * time.Millisecond // of one address before the next is tried (RFC 8305)
	maxAddrs       = 64
)

// Refused is why a connection was not made. It is a fault.Forbidden.
type Refused struct {
	Host  string
	Addr  netip.Addr
	Class Class
}

func (r *Refused) Error() string {
	if r.Host == r.Addr.String() {
		return r.Host + " is " + r.Class.String() + "."
	}
	if !r.Addr.IsValid() {
		return r.Host + " does not resolve to a usable address."
	}
	return r.Host + " resolves to " + r.Addr.String() + ", which is " + r.Class.String() + "."
}

func refuse(host string, a netip.Addr, c Class) error {
	r := &Refused{host, a, c}
	return fault.New(fault.Forbidden, r.Error(), r)
}

// Resolve returns the addresses that a connection to host and port may use, in
// order of preference. It fails with a *Refused when one of them is forbidden,
// and with fault.Unavailable when the name cannot be resolved.
func (g *Guard) Resolve(ctx context.Context, host string, port uint16) ([]netip.AddrPort, error) {
	host, err := spelling(host)
	if err != nil {
		return nil, err
	}
	if port == 0 {
		return nil, invalid(host, "has no port")
	}
	name, grant := host, byPermit
	for _, c := range g.ConnectTo {
		if c.matches(host, port) {
			if c.Addr != "" {
				name, grant = c.Addr, byName
				if _, ok := literal(c.Addr); ok {
					grant = byAddr
				}
			}
			if c.To != 0 {
				port = c.To
			}
			break
		}
	}
	found, err := g.lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	var permitted []netip.Prefix
	if g.Permit != nil {
		permitted = g.Permit(host)
	}
	checked := make([]netip.AddrPort, 0, len(found))
	for _, a := range found {
		if class := g.judge(a, port, permitted, grant); class != Public {
			return nil, refuse(host, a, class)
		}
		checked = append(checked, netip.AddrPortFrom(a.Unmap(), port))
	}
	return checked, nil
}

// A grant is how much was said about a destination.
type grant uint8

const (
	byPermit grant = iota // only what Permit says
	byName                // connect-to names a host: whatever settings may open
	byAddr                // connect-to names this very address
)

// judge returns Public for an address that may be used, and what it is for one
// that may not.
func (g *Guard) judge(a netip.Addr, port uint16, permitted []netip.Prefix, given grant) Class {
	class := address.Classify(a)
	if class == Invalid {
		return Invalid
	}
	a = a.Unmap()
	if g.Self != nil && g.Self(netip.AddrPortFrom(a, port)) {
		return Own
	}
	if class == Public || given == byAddr || given == byName && class.Permissible() {
		return Public
	}
	if class.Permissible() {
		for _, p := range permitted {
			if p.Contains(a) {
				return Public
			}
		}
	}
	return class
}

// spelling takes hosts as ParseHost returns them, where IPv6 has no brackets.
func spelling(host string) (string, error) {
	if a, ok := literal(host); ok && a.Is6() {
		host = "[" + host + "]"
	}
	return address.Host(host)
}

func (g *Guard) lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	if a, ok := literal(name); ok {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	var r Resolver = net.DefaultResolver
	if g.Resolver != nil {
		r = g.Resolver
	}
	found, err := r.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, fault.New(fault.Unavailable, name+" cannot be resolved.", fmt.Errorf("resolve %s: %w", name, err))
	}
	if len(found) == 0 || len(found) > maxAddrs {
		return nil, fault.New(fault.Unavailable, name+" cannot be resolved.", fmt.Errorf("resolve %s: %d addresses", name, len(found)))
	}
	return found, nil
}

// Dial connects to host and port. The network is "tcp", "tcp4" or "tcp6". It
// fails as Resolve does, and with fault.Unavailable when nobody answers.
func (g *Guard) Dial(ctx context.Context, network, host string, port uint16) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("dial %s: only tcp is guarded", network)
	}
	checked, err := g.Resolve(ctx, host, port)
	if err != nil {
		return nil, err
	}
	conn, err := race(ctx, network, checked, g.connect)
	if err != nil {
		return nil, fault.New(fault.Unavailable, host+" does not answer.", fmt.Errorf("dial %s: %w", JoinHost(host, port), err))
	}
	return conn, nil
}

// DialContext is Dial for those who hold an address as one string.
func (g *Guard) DialContext(ctx context.Context, network, hostPort string) (net.Conn, error) {
	host, port, err := ParseHost(hostPort)
	if err != nil {
		return nil, err
	}
	return g.Dial(ctx, network, host, port)
}

// connect dials one checked address.
func (g *Guard) connect(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout, Control: g.control(to)}
	return d.DialContext(ctx, network, to.String())
}

var errOtherAddress = errors.New("the socket goes to another address than the one checked")

// control looks at the address that the socket is about to connect to, after
// everything that could have changed it.
func (g *Guard) control(want netip.AddrPort) func(network, addrPort string, _ syscall.RawConn) error {
	return func(_, addrPort string, _ syscall.RawConn) error {
		got, err := netip.ParseAddrPort(addrPort)
		if err != nil {
			return fmt.Errorf("read socket address: %w", err)
		}
		if netip.AddrPortFrom(got.Addr().Unmap(), got.Port()) != want {
			return errOtherAddress
		}
		if g.Self != nil && g.Self(want) {
			return refuse(want.Addr().String(), want.Addr(), Own)
		}
		return nil
	}
}
