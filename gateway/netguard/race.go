package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

type attempt struct {
	conn net.Conn
	err  error
}

// race connects to the first address that answers. Each address has a head
// start over the next, which an address that fails gives up at once.
func race(ctx context.Context, network string, to []netip.AddrPort,
	connect func(context.Context, string, netip.AddrPort) (net.Conn, error),
) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// As long as the list, so that nobody is stuck when one has won.
	done := make(chan attempt, len(to))
	var failed []error
	running := 0
	for len(to) > 0 || running > 0 {
		var next <-chan time.Time
		if len(to) > 0 {
			a := to[0]
			to = to[1:]
			running++
			go func() {
				conn, err := connect(ctx, network, a)
				done <- attempt{conn, err}
			}()
			if len(to) > 0 {
				next = time.After(headStart)
			}
		}
		select {
		case <-next:
		case a := <-done:
			running--
			if a.err == nil {
				cancel()
				go discard(done, running)
				return a.conn, nil
			}
			failed = append(failed, a.err)
		}
	}
	return nil, errors.Join(failed...)
}

// discard closes the connections of those who came too late.
func discard(done <-chan attempt, running int) {
	for range running {
		if a := <-done; a.conn != nil {
			_ = a.conn.Close()
		}
	}
}
