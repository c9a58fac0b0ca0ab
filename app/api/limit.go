package api

import (
	"net/netip"
	"sync"
	"time"
)

const (
	burst     = 60
	refill    = time.Second // for one more
	addresses = 10_000
)

// limiter lets each address do something a number of times at once, and then
// once every refill. The zero limiter is ready for use.
type limiter struct {
	mu   sync.Mutex
	full map[string]time.Time // when the address has its whole burst again
}

// allow reports whether the address may, and counts it.
func (l *limiter) allow(ip string, now time.Time) bool {
	from := network(ip)
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.full[from]
	if at.Before(now) {
		at = now
	}
	if at = at.Add(refill); at.Sub(now) > burst*refill {
		return false
	}
	if _, known := l.full[from]; !known && len(l.full) >= addresses {
		for other, at := range l.full {
			if !at.After(now) {
				delete(l.full, other)
			}
		}
		if len(l.full) >= addresses { // whoever can send from so many addresses has to wait with everybody
			return false
		}
	}
	if l.full == nil {
		l.full = map[string]time.Time{}
	}
	l.full[from] = at
	return true
}

// network is what counts as one address: of IPv6 everybody has plenty.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return ""
	}
	return prefix.String()
}
