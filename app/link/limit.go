package link

import (
	"net/netip"
	"sync"
	"time"
)

const (
	burst     = 20
	refill    = 3 * time.Second // for one more
	addresses = 10_000
)

// limiter lets each address do something a few times at once, and then once
// every refill. The zero limiter is ready for use.
type limiter struct {
	mu   sync.Mutex
	full map[netip.Prefix]time.Time // when the address has its whole burst again
}

// allow reports whether the address may, and counts it.
func (l *limiter) allow(remote string, now time.Time) bool {
	from := network(remote)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full == nil {
		l.full = map[netip.Prefix]time.Time{}
	}
	at := l.full[from]
	if at.Before(now) {
		at = now
	}
	if at = at.Add(refill); at.Sub(now) > burst*refill {
		return false
	}
	if len(l.full) >= addresses {
		for from, at := range l.full {
			if !at.After(now) {
				delete(l.full, from)
			}
		}
		if len(l.full) >= addresses { // whoever can send from so many addresses has to wait with everybody
			return false
		}
	}
	l.full[from] = at
	return true
}

// network is what counts as one address: of IPv6 everybody has plenty.
func network(remote string) netip.Prefix {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := ap.Addr().Unmap(), 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
