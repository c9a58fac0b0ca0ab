package proxy

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tameflare/tameflare/gateway/strict"
)

// serveH2 serves one stream of an HTTP/2 client.
func (t *tunnel) serveH2(w http.ResponseWriter, r *http.Request) {
	x := newExchange(r.Context(), t, r, "h2")
	defer x.cancel(nil)
	o := &h2Reply{w: w, rc: http.NewResponseController(w)}
	x.reply, x.waiting = o, func() {}
	if r.ContentLength != 0 && r.Body != nil && r.Body != http.NoBody {
		x.body, x.length = r.Body, r.ContentLength
	}
	if err := strict.CheckH2(r, t.s.limits.Head); err != nil {
		x.dest = t.to
		if e := strict.Refused(err); e != nil {
			x.refuse(refusedBy(e))
		} else {
			x.fail(err)
		}
	} else {
		x.serve()
	}
	o.leave()
	if o.aborted {
		panic(http.ErrAbortHandler) // resets the stream
	}
}

// h2Reply writes answers in HTTP/2.
type h2Reply struct {
	rc *http.ResponseController

	mu      sync.Mutex // interim and cut are called from other goroutines too
	w       http.ResponseWriter
	over    bool // the handler has returned, and w must not be touched
	sent    bool
	bare    bool
	aborted bool
}

func (o *h2Reply) interim(status int, h http.Header) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent || o.over {
		return
	}
	// An interim head goes out as the header is at that time, and the header
	// is the same one that the answer has.
	clear(o.w.Header())
	for name, values := range h {
		o.w.Header()[name] = values
	}
	o.w.WriteHeader(status)
	clear(o.w.Header())
}

func (o *h2Reply) begin(status int, _ string, h http.Header, length int64, bare bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent, o.bare = true, bare
	to := o.w.Header()
	for name, values := range h {
		to[name] = values
	}
	if length >= 0 && status != http.StatusNoContent {
		to["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	if _, ok := to["Date"]; !ok {
		to["Date"] = nil // or one would be made up
	}
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = nil // or one would be guessed
	}
	o.w.WriteHeader(status)
	return nil
}

func (o *h2Reply) Write(p []byte) (int, error) {
	if o.bare {
		return len(p), nil
	}
	return o.w.Write(p)
}

func (o *h2Reply) flush() error { return o.rc.Flush() }

func (o *h2Reply) end(trailer http.Header) error {
	for name, values := range trailer {
		o.w.Header()[http.TrailerPrefix+name] = values
	}
	return nil
}

func (o *h2Reply) abort()      { o.aborted = true }
func (o *h2Reply) finish()     {}
func (o *h2Reply) begun() bool { return o.sent }

func (o *h2Reply) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over {
		_ = o.rc.SetWriteDeadline(time.Unix(1, 0))
	}
}

func (o *h2Reply) leave() {
	o.mu.Lock()
	o.over = true
	o.mu.Unlock()
}
