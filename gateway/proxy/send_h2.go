package proxy

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"

	"github.com/tameflare/tameflare/domain/fault"
)

// sendH2 sends o on a stream of cc, which was reserved for it. A ClientConn
// never sends a request twice.
func sendH2(ctx context.Context, cc *http2.ClientConn, o *outbound) (*inbound, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, f, err := o.request(ctx)
	if err != nil {
		cancel()
		// The stream that was reserved is given back with the connection.
		cc.SetDoNotReuse()
		return nil, err
	}
	res, err := cc.RoundTrip(r)
	if err != nil {
		cancel()
		if failed := f.end(o); failed != nil {
			return nil, failed
		}
		return nil, upstreamFault(o, err)
	}
	return &inbound{Response: res, release: func(bool) {
		cancel()
		_ = f.end(o)
		_ = res.Body.Close()
	}}, nil
}

// request is o as x/net/http2 takes it.
func (o *outbound) request(ctx context.Context) (*http.Request, *feed, error) {
	u, err := o.url()
	if err != nil {
		return nil, nil, err
	}
	r := (&http.Request{Method: o.method, URL: u, Host: u.Host, Header: o.header, ContentLength: o.length}).
		WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				if code != http.StatusContinue { // which the reading of the body answers
					o.interim(code, http.Header(h))
				}
				return nil
			},
		}))
	if o.trails {
		o.header["Te"] = []string{"trailers"}
	}
	if len(o.header["User-Agent"]) == 0 {
		o.header["User-Agent"] = []string{""} // or it would send its own
	}
	if o.length == 0 {
		return r, nil, nil
	}
	f := &feed{from: o.stream(), n: o.sent}
	r.Body, r.Trailer = f, o.trailer
	return r, f, nil
}

// url is where o goes, so that :path is what the client sent, byte for byte.
func (o *outbound) url() (*url.URL, error) {
	u := &url.URL{Scheme: o.dest.scheme, Host: o.dest.authority(), RawQuery: o.query}
	if !strings.HasPrefix(o.path, "//") {
		u.Opaque = o.path
		return u, nil
	}
	plain, err := url.PathUnescape(o.path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The path cannot be read.", err)
	}
	u.Path, u.RawPath = plain, o.path
	if u.EscapedPath() != o.path {
		return nil, fault.New(fault.Invalid, "The path begins with two slashes, and has characters that should be percent-encoded.", nil)
	}
	return u, nil
}

// feed is a body that another goroutine reads. A nil feed is none.
type feed struct {
	n *atomic.Int64

	mu   sync.Mutex
	from io.Reader
	over bool
	err  error
}

func (f *feed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := f.from.Read(p)
	f.n.Add(int64(n))
	if err != nil && err != io.EOF {
		f.err = &clientError{err}
	}
	return n, err
}

// Close is left to end: the transport closes what may still be kept.
func (f *feed) Close() error { return nil }

// end makes sure that nobody reads from the client any more, and returns why
// the body could not be read, if so.
func (f *feed) end(o *outbound) error {
	if f == nil {
		return nil
	}
	if !f.mu.TryLock() {
		// It waits for the client. That it fails now is our doing.
		if o.body != nil {
			_ = o.body.Close()
		}
		f.mu.Lock()
		f.err = nil
	}
	f.over = true
	err := f.err
	f.mu.Unlock()
	return err
}
