package accounts

import (
	"net/netip"
	"sync"
	"time"
)

// throttle counts what went wrong, by key, and forgets after a while. The zero
// throttle is ready for use. Each server counts for itself.
type throttle struct {
	mu    sync.Mutex
	count map[string]window
	swept time.Time
}

type window struct {
	n    int
	ends time.Time
}

const throttleWindow = 15 * time.Minute

// blocked reports for how long key has to wait, 0 where it may go on.
func (t *throttle) blocked(key string, limit int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.count[key]; w.n >= limit && now.Before(w.ends) {
		return w.ends.Sub(now)
	}
	return 0
}

// add counts one for each key.
func (t *throttle) add(now time.Time, keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[string]window{}
	}
	if now.Sub(t.swept) > time.Minute {
		t.swept = now
		for k, w := range t.count {
			if !now.Before(w.ends) {
				delete(t.count, k)
			}
		}
	}
	for _, key := range keys {
		w := t.count[key]
		if !now.Before(w.ends) {
			w = window{ends: now.Add(throttleWindow)}
		}
		w.n++
		t.count[key] = w
	}
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

// clear forgets key.
func (t *throttle) clear(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.count, key)
}

// takeBack counts one less for each key: it was no failure after all.
func (t *throttle) takeBack(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if w, ok := t.count[key]; ok && w.n > 0 {
			w.n--
			t.count[key] = w
		}
	}
}
