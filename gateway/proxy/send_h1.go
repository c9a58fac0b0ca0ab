package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

const (
	inline   = 32 << 10 // of a body that is here already, to be sent together with the head
	awaited  = 8 << 10  // of a body still to come, to be waited for and sent with the head
	maxExtra = 16       // 1xx answers before the real one
)

// impatience is how long a client that waits to be asked for its body waits
// for an upstream that does not ask (RFC 9110 §10.1.1).
const impatience = time.Second

var heads = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// sendH1 sends o on l, which is given back or closed by release.
func (p *pool) sendH1(ctx context.Context, l *line, o *outbound) (*inbound, error) {
	unwatch := context.AfterFunc(ctx, func() { abort(l.raw) })
	up, err := l.write(ctx, o)
	var res *http.Response
	if err == nil {
		res, err = l.answer(o, up)
	}
	if err != nil {
		unwatch()
		abort(l.raw)
		if failed := up.end(o); failed != nil {
			err = failed // it is why the upstream did not answer
		}
		return nil, upstreamFault(o, err)
	}
	in := &inbound{Response: res, pending: func() bool { return l.br.Buffered() > 0 }}
	if res.StatusCode == http.StatusSwitchingProtocols {
		in.line = l
	}
	in.release = func(whole bool) {
		cut := !unwatch()
		sent := up.done()
		if !sent {
			abort(l.raw)
		}
		failed := up.end(o)
		if whole && sent && failed == nil && !cut && !res.Close && in.line == nil && l.br.Buffered() == 0 {
			p.put(o.key(), l)
			return
		}
		abort(l.raw)
	}
	return in, nil
}

// clientError is a failure to read the body from the client.
type clientError struct{ err error }

func (e *clientError) Error() string { return "read from client: " + e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

func upstreamFault(o *outbound, err error) error {
	if _, ok := errors.AsType[*clientError](err); ok {
		return err
	}
	return fault.New(fault.Unavailable, o.dest.host+" did not answer as it should.", fmt.Errorf("ask %s: %w", o.dest.authority(), err))
}

// write sends the head, and the body with it where that is small and here. A
// larger one is sent by an upload beside.
func (l *line) write(ctx context.Context, o *outbound) (*upload, error) {
	b := heads.Get().(*bytes.Buffer)
	defer func() {
		if b.Cap() <= 64<<10 {
			clear(b.Bytes()) // there is a credential in it
			b.Reset()
			heads.Put(b)
		}
	}()
	writeHead(b, o)
	beside := false
	switch {
	case o.length == 0:
	case o.body == nil && o.length == int64(len(o.kept)) && len(o.kept) <= inline:
		b.Write(o.kept)
		o.sent.Add(int64(len(o.kept)))
	case !o.expect && o.length > 0 && o.length <= awaited:
		n, err := io.CopyN(b, o.stream(), o.length)
		if err != nil {
			return nil, &clientError{err}
		}
		o.sent.Add(n)
	default:
		beside = true
	}
	l.out.set = time.Time{}
	if _, err := l.out.Write(b.Bytes()); err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	if !beside {
		return nil, nil
	}
	u := &upload{proceed: make(chan struct{}), stop: make(chan struct{}), ended: make(chan struct{})}
	go u.run(ctx, l, o)
	return u, nil
}

func writeHead(b *bytes.Buffer, o *outbound) {
	b.WriteString(o.method)
	b.WriteByte(' ')
	b.WriteString(o.target())
	b.WriteString(" HTTP/1.1\r\nHost: ")
	b.WriteString(o.dest.authority())
	b.WriteString("\r\n")
	_ = o.header.Write(b) // buffers do not fail
	switch {
	case o.length > 0:
		b.WriteString("Content-Length: ")
		b.Write(strconv.AppendInt(b.AvailableBuffer(), o.length, 10))
		b.WriteString("\r\n")
	case o.length < 0:
		b.WriteString("Transfer-Encoding: chunked\r\n")
		for name := range o.trailer {
			b.WriteString("Trailer: ")
			b.WriteString(name)
			b.WriteString("\r\n")
		}
	case o.saysEmpty() && !o.upgrade:
		b.WriteString("Content-Length: 0\r\n")
	}
	if o.expect && o.length != 0 && o.body != nil && len(o.kept) == 0 {
		b.WriteString("Expect: 100-continue\r\n")
	}
	b.WriteString("\r\n")
}

// answer reads the head of the answer, and passes on what comes before it.
func (l *line) answer(o *outbound, up *upload) (*http.Response, error) {
	req := &http.Request{Method: o.method}
	for range maxExtra {
		l.budget, l.set = maxHead, time.Time{}
		res, err := http.ReadResponse(l.br, req)
		if err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		l.budget = -1
		switch {
		case res.StatusCode == http.StatusSwitchingProtocols && !o.upgrade:
			return nil, errors.New("read answer: an upgrade that nobody asked for")
		case res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols:
			return res, nil
		case res.StatusCode == http.StatusContinue:
			up.goOn()
		default:
			o.interim(res.StatusCode, res.Header)
		}
	}
	return nil, errors.New("read answer: too many interim answers")
}

// upload sends a body while the answer is waited for. A nil upload is one that
// has ended well.
type upload struct {
	proceed chan struct{} // closed when the upstream wants the body
	asked   bool
	stop    chan struct{} // closed when the body is not wanted any more
	ended   chan struct{}
	err     error
}

// goOn says that the upstream wants the body.
func (u *upload) goOn() {
	if u != nil && !u.asked {
		u.asked = true
		close(u.proceed)
	}
}

// done reports whether the whole body was sent.
func (u *upload) done() bool {
	if u == nil {
		return true
	}
	select {
	case <-u.ended:
		return u.err == nil
	default:
		return false
	}
}

// end makes sure that nobody reads from the client any more, and returns why
// the body could not be read, if so.
func (u *upload) end(o *outbound) error {
	if u == nil {
		return nil
	}
	select {
	case <-u.ended: // by itself, and it says how
	default:
		close(u.stop)
		if o.body != nil {
			_ = o.body.Close()
		}
		<-u.ended
		return nil
	}
	if _, ok := errors.AsType[*clientError](u.err); ok {
		return u.err
	}
	return nil
}

func (u *upload) run(ctx context.Context, l *line, o *outbound) {
	defer close(u.ended)
	if u.err = u.wait(ctx, o); u.err == nil {
		u.err = u.copy(l, o)
	}
	if u.err != nil {
		// Half a body must not look like a whole one, and whoever waits for
		// the answer must not wait longer.
		abort(l.raw)
	}
}

// wait holds the body back until it is asked for.
func (u *upload) wait(ctx context.Context, o *outbound) error {
	if !o.expect || o.body == nil || len(o.kept) > 0 {
		return nil
	}
	patience := time.NewTimer(impatience)
	defer patience.Stop()
	select {
	case <-u.proceed:
	case <-patience.C:
	case <-u.stop:
		return http.ErrBodyReadAfterClose
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (u *upload) copy(l *line, o *outbound) error {
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	counted := &counter{to: &l.out, n: o.sent}
	if o.length >= 0 {
		n, err := relay(counted, o.stream(), b[:], nil)
		if err == nil && n != o.length {
			err = io.ErrUnexpectedEOF
		}
		return sided(err)
	}
	w := bufio.NewWriterSize(&l.out, 4<<10)
	chunks := &chunked{w: w, n: o.sent}
	if _, err := relay(chunks, o.stream(), b[:], w.Flush); err != nil {
		return sided(err)
	}
	_, _ = w.WriteString("0\r\n")
	_ = o.trailer.Write(w)
	_, _ = w.WriteString("\r\n")
	return w.Flush()
}

// sided tells a client that does not send from an upstream that does not take.
func sided(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*writeError](err); ok {
		return err
	}
	return &clientError{err}
}
