package strict

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"sync"
)

// parser is what net/http parses a checked head with. It is kept for its
// buffers, and by no connection: most of them wait most of the time.
type parser struct {
	src bytes.Reader
	br  *bufio.Reader
}

var parsers = sync.Pool{New: func() any {
	p := new(parser)
	p.br = bufio.NewReaderSize(&p.src, 2<<10)
	return p
}}

// parse parses head. Of what it returns nothing lies in the parser, save a body
// that is not read.
func parse(head []byte) (*http.Request, error) {
	p := parsers.Get().(*parser)
	defer parsers.Put(p)
	p.src.Reset(head)
	p.br.Reset(&p.src)
	r, err := http.ReadRequest(p.br)
	p.src.Reset(nil)
	if err != nil {
		return nil, err
	}
	r.Body = http.NoBody
	return r, nil
}

// ReadRequest reads one request whose head passed the check; its body is a
// *Body. It fails as ReadHead does. Before the next call the body must have
// been read to its end, by the caller or by Drain.
func (r *Reader) ReadRequest() (*http.Request, Head, error) {
	h, err := r.ReadHead()
	if err != nil {
		return nil, h, err
	}
	// net/http gets the head alone: the body's framing is read by Body, so
	// that it is read once and strictly.
	req, err := parse(h.Raw)
	if err != nil || req.ContentLength != h.ContentLength {
		r.broken.Store(true)
		return nil, h, errParse
	}
	if h.ContentLength == 0 {
		return req, h, nil
	}
	req.Body = r.Body(h, req.Trailer)
	return req, h, nil
}

// Body returns the body that follows h, which must be the last head read. It
// fills the values of trailer, whose keys are the names announced, when it
// comes to its end.
func (r *Reader) Body(h Head, trailer http.Header) *Body {
	b := &Body{br: r.br, chunked: h.ContentLength < 0, trailer: trailer, broken: &r.broken}
	if h.ContentLength > 0 {
		b.left = h.ContentLength
	}
	b.finished.Store(h.ContentLength == 0)
	r.rest, r.owed = b, false
	return b
}

// Drain reads up to most bytes of what is left of the last body, so that the
// connection can carry the next request. It reports whether it can.
func (r *Reader) Drain(most int64) bool {
	if r.owed || r.broken.Load() {
		return false
	}
	return r.rest == nil || r.rest.drain(most)
}

// Refused returns the *Error in err's chain, or nil.
func Refused(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return nil
}
