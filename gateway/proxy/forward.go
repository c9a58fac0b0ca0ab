package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/netguard"
)

// forward sends the request and passes the answer on as it comes. It neither
// follows redirects nor tries again.
func (x *exchange) forward() error {
	began := time.Now()
	in, err := x.s.pool.send(x.ctx, x.out)
	x.entry.UpstreamMS = time.Since(began).Milliseconds()
	if err != nil {
		return x.unsent(err)
	}
	if in.line != nil {
		return x.switchProtocols(in)
	}
	whole := false
	defer func() { in.release(whole) }()
	if err := x.filter(in); err != nil {
		return err
	}
	if err := x.pass(in); err != nil {
		return err
	}
	whole = true
	x.recordEnd(nil, nil)
	x.conceal(in.Trailer)
	if err := x.reply.end(in.Trailer); err != nil {
		x.reply.abort() // the client is gone, after the upstream was through
	}
	return nil
}

// unsent says what it means that no answer came.
func (x *exchange) unsent(err error) error {
	if over := x.over(); over != nil {
		return over
	}
	if e, ok := errors.AsType[*clientError](err); ok {
		return x.unread(e.err)
	}
	if _, ok := errors.AsType[*netguard.Refused](err); ok {
		return &refusal{
			status: http.StatusForbidden, code: "denied", detail: fault.Message(err), cause: err,
			suggestion: "This gateway does not go there. Leave it out, or ask the people who run it to permit the network.",
		}
	}
	if kind := fault.Of(err); kind == fault.Unavailable || kind == fault.Internal {
		detail := x.dest.host + " could not be reached."
		if kind == fault.Unavailable {
			detail = fault.Message(err)
		}
		return unreachable(detail, err)
	}
	return err
}

// bare reports whether an answer has no body whatever its headers say.
func (x *exchange) bare(status int) bool {
	return x.r.Method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// pass copies the answer to the client. What comes in pieces goes out in
// pieces: the client waits for no more than the upstream does.
func (x *exchange) pass(in *inbound) error {
	bare := x.bare(in.StatusCode)
	length := announced(in.Response, bare)
	reason := ""
	if in.ProtoMajor == 1 && len(in.Status) > 4 {
		reason = phrase(in.Status[4:])
	}
	h := in.Header
	answerHeader(h)
	x.conceal(h)
	h[requestID] = []string{x.id}
	if !bare && len(in.Trailer) > 0 {
		length = -1 // only chunks can be followed by trailers
		h["Trailer"] = names(in.Trailer)
	}
	x.status = in.StatusCode
	// Whoever is cut may be waiting for the client to take what it was sent.
	stop := context.AfterFunc(x.ctx, x.reply.cut)
	defer stop()
	if err := x.reply.begin(in.StatusCode, reason, h, length, bare); err != nil {
		return fmt.Errorf("begin answer: %w", err)
	}
	if bare {
		return nil
	}
	more := in.pending != nil && in.pending()
	if !more && (in.pending != nil || length < 0) {
		if err := x.reply.flush(); err != nil {
			return gone(err)
		}
	}
	b := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(b)
	n, err := relay(x.reply, in.Body, b[:], func() error {
		if in.pending != nil && in.pending() {
			return nil
		}
		return x.reply.flush()
	})
	x.received = n
	if _, ours := errors.AsType[*writeError](err); ours {
		return gone(err)
	}
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

func gone(err error) error { return fmt.Errorf("%w: %w", errClientGone, err) }

// announced is the length that the answer's head tells; -1 is none. Where there
// is no body it is that of the body which there would be.
func announced(res *http.Response, bare bool) int64 {
	if !bare {
		return res.ContentLength
	}
	values := res.Header["Content-Length"]
	if len(values) != 1 {
		return -1
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func names(h http.Header) []string {
	all := make([]string, 0, len(h))
	for name := range h {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
