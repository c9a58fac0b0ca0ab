package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/tameflare/tameflare/gateway/mitm"
	"github.com/tameflare/tameflare/gateway/netguard"
	"github.com/tameflare/tameflare/gateway/strict"
)

// tunnel is one connection of a client, with what it was opened for.
type tunnel struct {
	s   *service
	raw net.Conn // what was accepted

	to    destination // what CONNECT named; the zero value before it
	wrong string      // the server name inside, where it is another than that of to

	idle atomic.Bool // waits for a request, and may be closed
}

// serve takes the tunnel to its end. It does not close raw.
func (t *tunnel) serve(ctx context.Context) {
	if !t.admit() {
		return
	}
	br := bufio.NewReaderSize(t.raw, buffer)
	target := newH1(t, t.raw, br).serve(ctx)
	if target == "" {
		return
	}
	// What is inside is not served from within what is outside: a request may
	// wait there for long, and all that stands below it is kept as well.
	if inside := t.open(ctx, target, br); inside != nil {
		inside.serve(ctx)
	}
}

// buffer is how much is read ahead of a connection: enough for most heads, and
// little, since every connection that waits keeps it.
const buffer = 2 << 10

// survive keeps a panic outside the stages from ending more than its own
// connection: other runs go through the same process.
func (t *tunnel) survive() {
	if p := recover(); p != nil {
		t.s.log.Error("panic in a connection", "panic", p, "stack", string(debug.Stack()))
	}
}

// admit reports whether the client may use this listener at all.
func (t *tunnel) admit() bool {
	want := t.s.run.UID
	if want < 0 {
		return true
	}
	uid, err := ownerOf(t.raw)
	switch {
	case err != nil:
		t.s.log.Warn("connection of an unknown user refused", "error", err)
	case uid >= 0 && uid != want:
		t.s.log.Warn("connection of another user refused", "uid", uid)
	default:
		return true
	}
	return false
}

const (
	opened = "HTTP/1.1 200 Connection established\r\n\r\n"
	hello  = 0x16 // the first byte of a TLS handshake
)

// open answers a CONNECT, and returns what is to be served inside; nil is
// nothing, or nothing more. It always agrees: a refusal here is one whose reason
// no client shows, so refusals wait until TLS is there.
func (t *tunnel) open(ctx context.Context, target string, br *bufio.Reader) *h1 {
	host, port, err := netguard.ParseHost(target)
	if err != nil || port == 0 {
		// Checked before by the strict parser, except for the finer points.
		_, _ = io.WriteString(t.raw, "HTTP/1.1 400 Not a host and port\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return nil
	}
	t.to = destination{"https", host, port}
	if err := t.raw.SetDeadline(time.Now().Add(t.s.limits.Idle)); err != nil {
		return nil
	}
	if _, err := io.WriteString(t.raw, opened); err != nil {
		return nil
	}
	t.idle.Store(true) // many clients connect ahead of need
	first, err := br.Peek(1)
	t.idle.Store(false)
	if err != nil || t.s.draining.Load() {
		return nil
	}
	if first[0] != hello {
		return t.plain(br)
	}
	return t.secure(ctx, br)
}

// plain is for what clients send through CONNECT without TLS, as they do for
// ws://.
func (t *tunnel) plain(br *bufio.Reader) *h1 {
	t.to.scheme = "http"
	_ = t.raw.SetDeadline(time.Time{})
	return newH1(t, t.raw, br)
}

// secure ends the client's TLS. The name inside may differ from that of the
// tunnel; then nothing is dialled, and every request hears why.
func (t *tunnel) secure(ctx context.Context, br *bufio.Reader) *h1 {
	config := t.s.MITM.ServerConfig(t.to.host, func(m *mitm.Misdirected) {
		if host, _, err := netguard.ParseHost(m.SNI); err != nil || host != t.to.host {
			t.wrong = m.SNI
		}
	})
	under := &ahead{Conn: t.raw, br: br}
	conn := tls.Server(under, config)
	deadline, cancel := context.WithTimeout(ctx, t.s.limits.Handshake)
	err := conn.HandshakeContext(deadline)
	cancel()
	if err != nil {
		if !errors.Is(err, io.EOF) && ctx.Err() == nil {
			t.s.log.Debug("no TLS with the client", "host", t.to.host, "error", err)
		}
		return nil
	}
	_ = t.raw.SetDeadline(time.Time{})
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		if under.br == nil { // nobody else reads from it any more
			br.Reset(conn)
		} else {
			br = bufio.NewReaderSize(conn, buffer)
		}
		return newH1(t, conn, br)
	}
	t.s.h2.ServeConn(conn, &http2.ServeConnOpts{
		Context:    ctx,
		BaseConfig: &t.s.h1,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t.serveH2(w, r)
		}),
	})
	return nil
}

// ahead is a connection of which some bytes were read ahead.
type ahead struct {
	net.Conn
	br *bufio.Reader
}

func (a *ahead) Read(p []byte) (int, error) {
	if a.br != nil {
		if a.br.Buffered() > 0 {
			return a.br.Read(p)
		}
		a.br = nil // which an idle tunnel need not hold
	}
	return a.Conn.Read(p)
}

// abort ends a connection so that the other side sees an error: by a reset,
// and without the goodbye of TLS, which would make half an answer look whole.
func abort(raw net.Conn) {
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// refusedBy makes a refusal of what the strict parser says.
func refusedBy(e *strict.Error) *refusal {
	code := "malformed"
	if e.Status == http.StatusMisdirectedRequest {
		code = "misdirected"
	}
	return &refusal{status: e.Status, code: code, detail: e.Reason, last: true}
}
