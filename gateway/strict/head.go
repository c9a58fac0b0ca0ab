package strict

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Head is one request head that passed. Its slices lie in the Reader's buffer
// and are valid until the next call of ReadHead.
type Head struct {
	Raw           []byte // the whole head, with the empty line that ends it
	Method        []byte
	Target        []byte
	Host          []byte // the Host header; empty only in HTTP/1.0
	Authority     []byte // the host in the target, in the absolute and CONNECT forms
	Minor         int    // 0 or 1, for HTTP/1.0 and HTTP/1.1
	ContentLength int64  // -1 when chunked, 0 when there is no body

	ExpectContinue bool // the client waits for 100 Continue before it sends the body
	Upgrade        bool // the client asks to switch protocols
}

// Reader takes the requests off one HTTP/1 connection. It is for one
// goroutine, except that a body may be closed from another.
type Reader struct {
	br     *bufio.Reader
	limits Limits
	buf    []byte
	owed   bool  // the last head announced a body that nobody asked for yet
	rest   *Body // the last body
	broken atomic.Bool
}

// NewReader returns a Reader of br, whose buffer should have 2 KiB or more.
// Bytes that are not part of a request, as after CONNECT, are read from br.
func NewReader(br *bufio.Reader, limits Limits) *Reader {
	return &Reader{br: br, limits: limits.withDefaults()}
}

// keepHead is how large a buffer a connection keeps for its next head.
const keepHead = 16 << 10

// errUnread guards against reading a body's bytes as the next request.
var errUnread = errors.New("strict: the body of the last request was not read to its end")

// errBroken guards against going on where nobody knows what comes next.
var errBroken = errors.New("strict: the connection was refused before")

// ReadHead reads and checks exactly one request head. It fails with io.EOF when
// the connection ends before the first byte, with an *Error when the request
// must be refused, and with what the connection failed with otherwise. After
// an *Error every further call fails.
func (r *Reader) ReadHead() (Head, error) {
	if r.broken.Load() {
		return Head{}, errBroken
	}
	if r.owed || r.rest != nil && !r.rest.finished.Load() {
		return Head{}, errUnread
	}
	r.rest = nil
	if r.buf = r.buf[:0]; cap(r.buf) > keepHead {
		r.buf = nil
	}
	if err := r.collect(); err != nil {
		if Refused(err) != nil {
			r.broken.Store(true)
		}
		return Head{}, err
	}
	h, fault := check(r.buf, r.limits)
	if fault != nil {
		r.broken.Store(true)
		return Head{}, fault
	}
	r.owed = h.ContentLength != 0
	return h, nil
}

// collect reads up to and with the empty line. It looks at line ends as they
// come: one that waits for CR LF CR LF from a client that sends bare line feeds
// waits for ever.
func (r *Reader) collect() error {
	line := 0 // where the current line begins
	for {
		part, err := r.br.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		switch {
		case line == 0 && len(r.buf) > r.limits.Target+64:
			return errTargetLong
		case len(r.buf) > r.limits.Head:
			return errHeadLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.buf) > 0:
			return fmt.Errorf("read request head: %w", io.ErrUnexpectedEOF)
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return fmt.Errorf("read request head: %w", err)
		}
		end := len(r.buf)
		if end-line < 2 || r.buf[end-2] != '\r' {
			return errBareLF
		}
		if end-line == 2 {
			if line == 0 {
				return errRequestLine
			}
			return nil
		}
		line = end
	}
}

// check judges a whole head, whose lines are known to end in CR LF.
func check(raw []byte, limits Limits) (Head, *Error) {
	line, rest := next(raw)
	h := Head{Raw: raw}
	if fault := h.requestLine(line, limits); fault != nil {
		return h, fault
	}
	authority, port, fault := target(h.Method, h.Target)
	if fault != nil {
		return h, fault
	}
	h.Authority = authority

	var f fields
	for {
		line, rest = next(rest)
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			return h, errFold
		}
		if f.count == limits.Headers {
			return h, errManyHeaders
		}
		if bytes.IndexByte(line, '\r') >= 0 {
			return h, errBareCR
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			return h, errFieldLine
		}
		had := f.host
		if fault := add(&f, line[:colon], line[colon+1:], h.Minor); fault != nil {
			return h, fault
		}
		if f.host != had {
			h.Host = trim(line[colon+1:])
		}
	}
	return h, h.finish(&f, port)
}

// next takes one line off, without its CR LF.
func next(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	return b[:i-1], b[i+1:]
}

func (h *Head) requestLine(line []byte, limits Limits) *Error {
	if bytes.IndexByte(line, '\r') >= 0 {
		return errBareCR
	}
	if !all(line, isValue) {
		return errControl
	}
	one := bytes.IndexByte(line, ' ')
	last := bytes.LastIndexByte(line, ' ')
	if one <= 0 || last == one {
		return errRequestLine
	}
	h.Method, h.Target = line[:one], line[one+1:last]
	if len(h.Target) == 0 || bytes.IndexByte(h.Target, ' ') >= 0 || bytes.IndexByte(line, '\t') >= 0 {
		return errRequestLine
	}
	version := line[last+1:]
	switch {
	case string(version) == "HTTP/1.1":
		h.Minor = 1
	case string(version) == "HTTP/1.0":
	case len(version) == 8 && string(version[:5]) == "HTTP/" && version[6] == '.' &&
		octets[version[5]]&octets[version[7]]&isDigit != 0:
		return errVersion
	default:
		return errRequestLine
	}
	if fault := method(h.Method); fault != nil {
		return fault
	}
	if len(h.Target) > limits.Target {
		return errTargetLong
	}
	return nil
}

// finish fills in what the headers say and holds it against the target.
func (h *Head) finish(f *fields, port string) *Error {
	if !f.host && h.Minor == 1 {
		return errHostMissing
	}
	if fault := f.end(string(h.Method) == "CONNECT"); fault != nil {
		return fault
	}
	if len(h.Authority) > 0 && f.host && !sameAuthority(h.Authority, h.Host, port) {
		return errAuthority
	}
	h.ContentLength = f.length
	if f.chunked {
		h.ContentLength = -1
	}
	// HTTP/1.0 has no 100 Continue, and without a body there is nothing to wait for.
	h.ExpectContinue = f.expect && h.Minor == 1 && h.ContentLength != 0
	h.Upgrade = f.upgrade
	return nil
}
