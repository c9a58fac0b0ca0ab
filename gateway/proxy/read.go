package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/strict"
)

// read finds out what the request would do. It looks at the body only where
// the connector or a policy must; all others stream.
func (x *exchange) read() error {
	q := x.question()
	if x.connector == nil {
		x.action = connectors.Unmatched(q)
		return nil
	}
	need := x.connector.NeedsBody(q)
	look := need
	if judgesBodies(x.state.Uses(), x.connector) {
		look = connectors.NeedAll
	}
	if err := x.look(look); err != nil {
		return err
	}
	q.Body = x.known(need)
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

// look reads as much of the body as is needed, or all there is.
func (x *exchange) look(need connectors.Need) error {
	switch {
	case x.body == nil || need == connectors.NeedNothing:
		return nil
	case need == connectors.NeedBeginning:
		return x.keep(connectors.Beginning - 1) // which reads one byte more
	}
	return x.keep(x.s.limits.Look)
}

// known is what is known of the body, as far as it is needed. However much was
// kept since, it is the same each time: what was named once is named so again.
func (x *exchange) known(need connectors.Need) connectors.Body {
	switch {
	case x.body == nil:
		return connectors.Whole(nil)
	case need == connectors.NeedNothing:
		return connectors.Body{}
	case need == connectors.NeedBeginning:
		return x.beginning()
	}
	return x.readable()
}

// beginning is what the first bytes of the body say, with their coding taken
// off as far as it can be.
func (x *exchange) beginning() connectors.Body {
	switch {
	case len(x.kept) == 0 && !x.whole: // nobody has looked yet
		return connectors.Unreadable()
	case x.whole && len(x.kept) < connectors.Beginning:
		return x.readable()
	}
	data := x.kept[:min(len(x.kept), connectors.Beginning)]
	if codings := x.r.Header["Content-Encoding"]; len(codings) > 0 {
		var ok bool
		if data, ok = partly(codings[0], data, x.s.limits.Look); !ok || len(codings) > 1 {
			return connectors.Unreadable()
		}
	}
	return connectors.BeginningOf(data)
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
