package netguard

import (
	"net"
	"net/netip"
	"sync"
)

// Listeners is the set of addresses that the gateway listens at; its Has is a
// Guard's Self. The zero Listeners is empty. It is safe for use by several
// goroutines.
type Listeners struct {
	mu  sync.RWMutex
	set map[netip.AddrPort]int
}

// Add puts a listener's address into the set. Addresses that are not TCP's are
// of no interest, since nothing else is dialled.
func (l *Listeners) Add(a net.Addr) { l.count(a, 1) }

// Remove takes out what Add put in.
func (l *Listeners) Remove(a net.Addr) { l.count(a, -1) }

func (l *Listeners) count(a net.Addr, n int) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return
	}
	ap := tcp.AddrPort()
	ap = netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set == nil {
		l.set = map[netip.AddrPort]int{}
	}
	if l.set[ap] += n; l.set[ap] <= 0 {
		delete(l.set, ap)
	}
}

// Has reports whether a connection to a would reach a listener in the set. One
// that listens everywhere is reached by every address of this machine.
func (l *Listeners) Has(a netip.AddrPort) bool {
	ip := a.Addr().Unmap().WithZone("")
	l.mu.RLock()
	exact := l.set[netip.AddrPortFrom(ip, a.Port())] > 0
	everywhere := l.set[netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())] > 0 ||
		l.set[netip.AddrPortFrom(netip.IPv6Unspecified(), a.Port())] > 0
	l.mu.RUnlock()
	return exact || everywhere && local(ip)
}

// local reports whether ip is this machine. If that cannot be known, it is.
func local(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if own, ok := netip.AddrFromSlice(n.IP); ok && own.Unmap() == ip {
				return true
			}
		}
	}
	return false
}
