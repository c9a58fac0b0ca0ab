package proxy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// h1Body is the body of a request. It sends 100 Continue when somebody reads
// it, and not before: a client that is refused need not send it at all.
//
// It is read by one goroutine, which is not always the one that closes it.
type h1Body struct {
	c      *h1
	b      io.ReadCloser
	turn   int
	asked  atomic.Bool // the client waits for 100 Continue
	closed atomic.Bool

	mu   sync.Mutex // held while reading
	set  time.Time
	done bool  // read to its end
	err  error // what it ended with otherwise
}

func (b *h1Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked.Load() && !b.closed.Load() {
		if err := b.c.out.proceed(); err != nil {
			return 0, err
		}
		b.asked.Store(false)
	}
	if now := time.Now(); now.Sub(b.set) > coarse {
		if err := b.c.conn.SetReadDeadline(now.Add(b.c.t.s.limits.Stall)); err != nil {
			return 0, err
		}
		b.set = now
	}
	// After the deadline is set, or it would undo that of Close.
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.b.Read(p)
	switch {
	case err == io.EOF:
		b.done = true
		b.c.watch.arm(b.turn)
	case err != nil:
		b.err = err
	}
	return n, err
}

// Close makes reads fail, also one that waits for the client now.
func (b *h1Body) Close() error {
	b.closed.Store(true)
	if !b.mu.TryLock() {
		return b.c.conn.SetReadDeadline(time.Unix(1, 0))
	}
	b.mu.Unlock()
	return nil
}

// clear reads what is left, if that is little, and reports whether the next
// request follows.
func (b *h1Body) clear() bool {
	_ = b.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return true
	}
	if b.asked.Load() || b.err != nil {
		return false
	}
	if b.c.conn.SetReadDeadline(time.Now().Add(lingers)) != nil {
		return false
	}
	return b.c.in.Drain(leftover)
}
