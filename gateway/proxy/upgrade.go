package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// switchProtocols passes a 101 on and then every byte, both ways, until one
// side ends or a kill switch does. The client speaks HTTP/1 here: HTTP/2 has no
// upgrades.
func (x *exchange) switchProtocols(in *inbound) error {
	defer in.release(false)
	c, ok := x.reply.(*h1Reply)
	if !ok {
		return unreachable(x.dest.host+" switched protocols, which it was not asked to.", nil)
	}
	h := in.Header
	protocol := h["Upgrade"]
	answerHeader(h)
	x.conceal(h)
	h["Connection"], h["Upgrade"], h[requestID] = []string{"Upgrade"}, protocol, []string{x.id}
	x.status = http.StatusSwitchingProtocols
	c.finish()
	if err := c.begin(http.StatusSwitchingProtocols, "", h, -1, true); err != nil {
		return fmt.Errorf("begin answer: %w", err)
	}
	if err := c.flush(); err != nil {
		return gone(err)
	}
	c.c.watch.end() // from here the client is read for what it says
	var up, down side
	stopped := func() { c.cut(); abort(in.line.raw) }
	stop := context.AfterFunc(x.ctx, stopped)
	defer stop()
	var both sync.WaitGroup
	quiet := &silence{conns: [2]net.Conn{c.c.conn, in.line.conn}}
	quiet.limit.Store(int64(x.s.limits.Stream))
	both.Go(func() { up.copy(in.line.conn, c.c.br, quiet) })
	down.copy(c.c.conn, in.line.br, quiet)
	both.Wait()
	x.sent.Add(up.n)
	x.received = down.n
	if over := x.over(); over != nil {
		return over
	}
	x.recordEnd(nil, errors.Join(up.err, down.err))
	c.aborted = up.err != nil || down.err != nil
	return nil
}

// side is one direction of an upgraded connection.
type side struct {
	n   int64
	err error
}

func (s *side) copy(dst net.Conn, src io.Reader, quiet *silence) {
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	for {
		if s.err = quiet.push(); s.err != nil {
			break
		}
		n, err := src.Read(b[:])
		if n > 0 {
			if _, s.err = dst.Write(b[:n]); s.err != nil {
				break
			}
			s.n += int64(n)
		}
		if err != nil {
			if err != io.EOF {
				s.err = err
			}
			break
		}
	}
	if s.err != nil {
		quiet.end() // the other direction has nobody to talk to
		return
	}
	if half, ok := dst.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	quiet.closing()
}

// silence ends an upgraded connection on which nothing was said for long, in
// either direction.
type silence struct {
	limit atomic.Int64 // a time.Duration
	conns [2]net.Conn
	set   atomic.Int64
}

// push puts the end off, since something was said.
func (s *silence) push() error {
	now := time.Now()
	if last := s.set.Load(); now.UnixNano()-last < int64(coarse) || !s.set.CompareAndSwap(last, now.UnixNano()) {
		return nil
	}
	for _, c := range s.conns {
		if err := c.SetDeadline(now.Add(time.Duration(s.limit.Load()))); err != nil {
			return fmt.Errorf("limit silence: %w", err)
		}
	}
	return nil
}

// closing is for when one side has said its last: few protocols let the other
// talk on.
func (s *silence) closing() {
	const last = 30 * time.Second
	s.limit.Store(min(s.limit.Load(), int64(last)))
	s.set.Store(0)
	_ = s.push() // a connection that is gone ends by itself
}

func (s *silence) end() {
	for _, c := range s.conns {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
}
