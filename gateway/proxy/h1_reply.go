package proxy

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// reply is where the answer to a request goes: begin once, then Write, then
// end or abort.
type reply interface {
	io.Writer
	// interim sends a 1xx answer, which is not the answer yet.
	interim(status int, h http.Header)
	// begin sends the head. The length is -1 where it is not known. A bare
	// answer has no body whatever its headers say.
	begin(status int, reason string, h http.Header, length int64, bare bool) error
	flush() error
	// end says that the answer is whole.
	end(trailer http.Header) error
	// abort ends it so that the client sees that it is not.
	abort()
	// cut makes Write fail, in case it waits for the client. It may be called
	// from any goroutine.
	cut()
	// finish says before begin that the connection ends with this answer.
	finish()
	// begun reports whether the head is sent, so that nothing else can be.
	begun() bool
}

// h1Reply writes answers in HTTP/1. It is used again for each request.
type h1Reply struct {
	c  *h1
	to pacedWriter

	mu      sync.Mutex // proceed is called by whoever reads the body
	bw      *bufio.Writer
	sent    bool
	last    bool // the connection ends with this answer
	aborted bool
	old     bool // the client speaks HTTP/1.0
	head    bool // the request was a HEAD
	chunked bool
	bare    bool
	left    int64 // of the length announced; -1 where none was
	asked   *h1Body
}

var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 8<<10) }}

func (o *h1Reply) reset(r *http.Request, body io.ReadCloser) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent, o.aborted, o.chunked, o.bare, o.left = false, false, false, false, -1
	o.old = r.ProtoMinor == 0
	o.last = o.old || r.Close
	o.head = r.Method == http.MethodHead
	o.asked, _ = body.(*h1Body)
}

func (o *h1Reply) begun() bool { return o.sent }

func (o *h1Reply) writer() *bufio.Writer {
	if o.bw == nil {
		o.bw = writers.Get().(*bufio.Writer)
		o.bw.Reset(&o.to)
	}
	return o.bw
}

// release gives the buffer back, so that idle tunnels hold none.
func (o *h1Reply) release() {
	if o.bw != nil {
		o.bw.Reset(nil)
		writers.Put(o.bw)
		o.bw = nil
	}
}

var errTooLate = errors.New("the answer has begun already")

// proceed sends 100 Continue.
func (o *h1Reply) proceed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent {
		return errTooLate
	}
	w := o.writer()
	_, _ = w.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
	return w.Flush()
}

func (o *h1Reply) interim(status int, h http.Header) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent || o.old {
		return
	}
	w := o.writer()
	writeStatus(w, status, "")
	_ = h.Write(w)
	_, _ = w.WriteString("\r\n")
	_ = w.Flush() // a broken connection shows again at the answer
}

func writeStatus(w *bufio.Writer, status int, reason string) {
	if reason == "" {
		reason = http.StatusText(status)
	}
	var digits [3]byte
	_, _ = w.WriteString("HTTP/1.1 ")
	_, _ = w.Write(strconv.AppendInt(digits[:0], int64(status), 10))
	_ = w.WriteByte(' ')
	_, _ = w.WriteString(reason)
	_, _ = w.WriteString("\r\n")
}

func (o *h1Reply) begin(status int, reason string, h http.Header, length int64, bare bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent {
		return errTooLate
	}
	o.sent, o.bare, o.left = true, bare || o.head, length
	if o.asked != nil && o.asked.asked.Load() {
		// The client may send the body or not; nobody can know where the next
		// request begins.
		o.last = true
	}
	w := o.writer()
	writeStatus(w, status, reason)
	if err := h.Write(w); err != nil {
		return err
	}
	switch {
	case status == http.StatusSwitchingProtocols:
	case length >= 0 && status != http.StatusNoContent:
		var digits [20]byte
		_, _ = w.WriteString("Content-Length: ")
		_, _ = w.Write(strconv.AppendInt(digits[:0], length, 10))
		_, _ = w.WriteString("\r\n")
	case o.bare:
	case o.old:
		o.last = true // the end of the connection is the end of the answer
	default:
		o.chunked = true
		_, _ = w.WriteString("Transfer-Encoding: chunked\r\n")
	}
	if o.last || o.c.t.s.draining.Load() {
		o.last = true
		if status != http.StatusSwitchingProtocols {
			_, _ = w.WriteString("Connection: close\r\n")
		}
	}
	_, err := w.WriteString("\r\n")
	return err
}

var errTooLong = errors.New("the answer is longer than announced")

func (o *h1Reply) Write(p []byte) (int, error) {
	if o.bare || len(p) == 0 {
		return len(p), nil
	}
	w := o.writer()
	if !o.chunked {
		if o.left >= 0 {
			if int64(len(p)) > o.left {
				return 0, errTooLong
			}
			o.left -= int64(len(p))
		}
		return w.Write(p)
	}
	var digits [16]byte
	_, _ = w.Write(strconv.AppendInt(digits[:0], int64(len(p)), 16))
	_, _ = w.WriteString("\r\n")
	_, _ = w.Write(p)
	_, err := w.WriteString("\r\n")
	return len(p), err
}

func (o *h1Reply) flush() error { return o.writer().Flush() }

var errTooShort = errors.New("the answer is shorter than announced")

func (o *h1Reply) end(trailer http.Header) error {
	defer o.release()
	w := o.writer()
	if !o.bare && !o.chunked && o.left > 0 {
		o.aborted = true
		return errTooShort
	}
	if o.chunked && !o.bare {
		_, _ = w.WriteString("0\r\n")
		_ = trailer.Write(w)
		_, _ = w.WriteString("\r\n")
	}
	if err := w.Flush(); err != nil {
		o.aborted = true
		return err
	}
	return nil
}

func (o *h1Reply) abort() {
	o.aborted = true
	o.release()
	abort(o.c.t.raw)
}

func (o *h1Reply) finish() { o.last = true }

// cut is abort for another goroutine than the one that writes.
func (o *h1Reply) cut() { abort(o.c.t.raw) }

// phrase makes s fit for a status line.
func phrase(s string) string {
	const most = 400
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
