package proxy

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/strict"
)

// read finds out what the request would do. It looks at the body only where
// the connector must; all others stream.
func (x *exchange) read() error {
	q := x.question()
	if x.connector == nil {
		x.action = connectors.Unmatched(q)
		return nil
	}
	if x.body != nil && x.connector.NeedsBody(q) {
		if err := x.keep(x.s.limits.Look); err != nil {
			return err
		}
		q.Body = x.readable()
	} else if x.body == nil {
		q.Body = connectors.Whole(nil)
	}
	a, err := x.connector.Read(q)
	if err != nil {
		if fault.Of(err) == fault.Invalid {
			return &refusal{status: http.StatusBadRequest, code: "malformed", detail: fault.Message(err), cause: err}
		}
		return err
	}
	x.action = a
	return nil
}

// question is the request as connectors see it, without its body.
func (x *exchange) question() connectors.Request {
	return connectors.Request{Method: x.r.Method, Host: x.dest.host, Path: x.path, RawQuery: x.query, Header: x.r.Header}
}

// keep reads the body until there are more than limit bytes of it, or all.
func (x *exchange) keep(limit int) error {
	if x.body == nil || x.whole {
		x.whole = true
		return nil
	}
	var scratch = buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(scratch)
	for len(x.kept) <= limit {
		n, err := x.body.Read(scratch[:min(len(scratch), limit+1-len(x.kept))])
		if x.s.kept.Add(int64(n)) > int64(x.s.limits.Kept) {
			x.s.kept.Add(-int64(n))
			return limited("Too many large requests are under way at this gateway.")
		}
		x.kept = append(x.kept, scratch[:n]...)
		switch {
		case err == io.EOF:
			x.whole = true
			if len(x.r.Trailer) == 0 {
				x.length = int64(len(x.kept))
			}
			return nil
		case err != nil:
			return x.unread(err)
		}
	}
	return nil
}

// unread says what a failure to read the client's body means.
func (x *exchange) unread(err error) error {
	if over := x.over(); over != nil {
		return over
	}
	if e := strict.Refused(err); e != nil {
		return refusedBy(e)
	}
	if isTimeout(err) {
		return &refusal{status: http.StatusBadRequest, code: "malformed", last: true, detail: "The body of the request did not come in time.", cause: err}
	}
	return fmt.Errorf("%w: %w", errClientGone, err)
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// readable is the kept body with its coding taken off. What cannot be read
// whole is unreadable, and the connector then expects the worst of it.
func (x *exchange) readable() connectors.Body {
	if !x.whole {
		return connectors.Unreadable()
	}
	codings := x.r.Header["Content-Encoding"]
	if len(codings) == 0 {
		return connectors.Whole(x.kept)
	}
	if len(codings) > 1 {
		return connectors.Unreadable()
	}
	plain, err := decoded(codings[0], x.kept, x.s.limits.Look)
	if err != nil {
		return connectors.Unreadable()
	}
	return connectors.Decoded(plain)
}

var errTooMuch = errors.New("larger than the limit")

// decoded takes one content coding off data, up to limit bytes.
func decoded(coding string, data []byte, limit int) ([]byte, error) {
	var r io.Reader
	var err error
	switch strings.ToLower(coding) {
	case "", "identity":
		return data, nil
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(data))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(data))
	case "zstd":
		d, failed := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit)+1), zstd.WithDecoderLowmem(true))
		if failed == nil {
			defer d.Close()
		}
		r, err = d, failed
	default:
		err = errors.New("unknown content coding")
	}
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	if len(plain) > limit {
		return nil, fmt.Errorf("decode body: %w", errTooMuch)
	}
	return plain, nil
}
