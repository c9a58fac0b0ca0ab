package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tameflare/tameflare/gateway/strict"
)

// h1 is the HTTP/1 side of a tunnel towards the client. One goroutine reads a
// request, takes it through its exchange, writes the answer, and begins again.
type h1 struct {
	t     *tunnel
	conn  net.Conn // TLS, or raw itself
	br    *bufio.Reader
	in    *strict.Reader
	watch watch
	out   h1Reply
}

func newH1(t *tunnel, conn net.Conn, br *bufio.Reader) *h1 {
	c := &h1{t: t, conn: conn, br: br, in: strict.NewReader(br, t.s.limits.Head)}
	c.watch.conn, c.watch.br = conn, br
	c.out.c = c
	c.out.to = pacedWriter{conn: conn, limit: t.s.limits.Stall}
	return c
}

// serve takes requests until the connection is no good any more, or is asked to
// be a tunnel: then it returns where that leads to.
func (c *h1) serve(ctx context.Context) (target string) {
	for c.await() {
		r, head, err := c.in.ReadRequest()
		if err != nil {
			if e := strict.Refused(err); e != nil {
				c.malformed(ctx, e)
			}
			return ""
		}
		if r.Method == http.MethodConnect {
			if c.t.to.host == "" {
				return r.RequestURI
			}
			c.refuse(ctx, r, head, &refusal{status: http.StatusBadRequest, code: "malformed", last: true, detail: "There is a tunnel already; another cannot be opened inside it."})
			return ""
		}
		if !c.exchange(ctx, r, head) {
			return ""
		}
	}
	return ""
}

// await waits for the first byte of a request, and then gives its head a
// limited time to come. It reports whether there is one.
func (c *h1) await() bool {
	l := &c.t.s.limits
	if c.br.Buffered() == 0 {
		if c.conn.SetReadDeadline(time.Now().Add(l.Idle)) != nil {
			return false
		}
		c.t.idle.Store(true)
		if c.t.s.draining.Load() {
			return false
		}
		_, err := c.br.Peek(1)
		c.t.idle.Store(false)
		if err != nil {
			return false
		}
	}
	return c.conn.SetReadDeadline(time.Now().Add(l.Header)) == nil
}

// exchange serves one request and reports whether the connection can carry
// another.
func (c *h1) exchange(ctx context.Context, r *http.Request, head strict.Head) (again bool) {
	x := c.newExchange(ctx, r, head)
	defer x.cancel(nil)
	x.serve()
	return c.finish(x)
}

func (c *h1) newExchange(ctx context.Context, r *http.Request, head strict.Head) *exchange {
	x := newExchange(ctx, c.t, r, "h1")
	x.upgrade = head.Upgrade
	turn := c.watch.begin(func() { x.cancel(errClientGone) })
	x.waiting = func() { c.watch.now(turn) }
	if head.ContentLength == 0 {
		c.watch.arm(turn)
	} else {
		body := &h1Body{c: c, b: r.Body, turn: turn}
		body.asked.Store(head.ExpectContinue)
		x.body, x.length = body, head.ContentLength
	}
	c.out.reset(r, x.body)
	x.reply = &c.out
	return x
}

// finish gets the connection ready for the next request, or says that it
// cannot be.
func (c *h1) finish(x *exchange) (again bool) {
	c.watch.end()
	o := &c.out
	if o.aborted {
		abort(c.t.raw)
		return false
	}
	if body, ok := x.body.(*h1Body); ok && !body.clear() {
		o.last = true
	}
	if !o.last && !c.t.s.draining.Load() {
		return true
	}
	c.linger()
	return false
}

const (
	leftover = 256 << 10 // of an unread body that is read to keep the connection
	lingers  = 500 * time.Millisecond
)

// linger lets an answer reach a client that still sends: closing at once would
// make the client's system throw the answer away.
func (c *h1) linger() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(lingers))
	_, _ = io.CopyN(io.Discard, c.conn, leftover)
}

// malformed answers a request that cannot be told from another.
func (c *h1) malformed(ctx context.Context, e *strict.Error) {
	r := &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody}
	c.refuse(ctx, r, strict.Head{}, refusedBy(e))
}

// refuse answers a request without looking further into it.
func (c *h1) refuse(ctx context.Context, r *http.Request, head strict.Head, why *refusal) {
	head.ContentLength = 0 // nobody will read it
	x := c.newExchange(ctx, r, head)
	defer x.cancel(nil)
	x.dest = c.t.to
	x.refuse(why)
	c.watch.end()
	c.linger()
}
