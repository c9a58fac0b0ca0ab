package link

import (
	"bytes"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Whatever is sent as audit, reading it ends in entries or in a sentence.
func FuzzEntries(f *testing.F) {
	f.Add([]byte(`{"seq":1,"hash":"x","entry":{"a":1}}` + "\n"))
	f.Add([]byte("\n\n{}\n"))
	f.Add([]byte("{\"seq\":99999999999999999999}\n"))
	f.Add([]byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := entries(&bounded{r: bytes.NewReader(b), left: 1 << 16})
		if err != nil && fault.Of(err) != fault.Invalid {
			t.Errorf("%q: %v", b, err)
		}
		if len(got) > bytes.Count(b, []byte("\n"))+1 {
			t.Errorf("%q: %d entries", b, len(got))
		}
	})
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	var l limiter
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	allowed := func(from string, times int) (n int) {
		for range times {
			if l.allow(from, now) {
				n++
			}
		}
		return n
	}
	if n := allowed("192.0.2.1:1000", 100); n != burst {
		t.Errorf("%d at once, want %d", n, burst)
	}
	if n := allowed("192.0.2.2:1000", 1); n != 1 {
		t.Error("another address has to wait, too")
	}
	now = now.Add(2 * refill)
	if n := allowed("192.0.2.1:2000", 100); n != 2 {
		t.Errorf("%d after two refills, want 2", n)
	}
	if n := allowed("[2001:db8::1]:1", 15) + allowed("[2001:db8::2]:1", 15); n != burst {
		t.Errorf("%d from one IPv6 network, want %d", n, burst)
	}
	if allowed("no address", 100) != burst {
		t.Error("what has no address is not limited")
	}
}
