package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/netguard"
)

// key says which requests may share a connection: those for one destination,
// with one credential, under the same permission to go there.
type key struct {
	destination
	permits    string
	credential string
	only1      bool // HTTP/1 alone
}

// key gives clients the protocol that they speak themselves. To those of
// HTTP/1 it is the cheaper one: a request stays on its goroutine, and there are
// no more connections than without us.
func (o *outbound) key() key {
	return key{o.dest, o.permits, o.credential, o.one}
}

// pool keeps the connections of one run to upstreams.
type pool struct {
	guard  *netguard.Guard
	limits Limits
	tls1   *tls.Config // HTTP/1 alone
	tls2   *tls.Config // HTTP/2 where the upstream speaks it
	h2     *http2.Transport

	mu     sync.Mutex
	idle   map[key][]*line // the one used last comes last
	shared map[key][]*http2.ClientConn
	closed bool
}

const (
	maxIdle = 512 // for one key
	maxLife = 90 * time.Second
)

func newPool(guard *netguard.Guard, roots *x509.CertPool, limits Limits) *pool {
	p := &pool{guard: guard, limits: limits, idle: map[key][]*line{}, shared: map[key][]*http2.ClientConn{}}
	p.tls1 = &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: roots, NextProtos: []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(256),
	}
	p.tls2 = p.tls1.Clone()
	p.tls2.NextProtos = []string{"h2", "http/1.1"}
	// A cache each: a session remembers the protocol that was agreed on.
	p.tls2.ClientSessionCache = tls.NewLRUClientSessionCache(256)
	p.h2 = &http2.Transport{
		DisableCompression: true,
		MaxHeaderListSize:  maxHead,
		ReadIdleTimeout:    30 * time.Second,
		PingTimeout:        15 * time.Second,
		WriteByteTimeout:   limits.Stall,
		IdleConnTimeout:    maxLife,
	}
	return p
}

// way is a connection that can take a request now.
type way struct {
	one *line             // HTTP/1, and nobody else's meanwhile
	two *http2.ClientConn // HTTP/2, with a stream reserved
}

// get finds or makes a connection for k. It fails as netguard does, and with
// fault.Unavailable where TLS fails.
func (p *pool) get(ctx context.Context, k key) (way, error) {
	if w, ok := p.take(k); ok {
		return w, nil
	}
	return p.dial(ctx, k)
}

// take finds one that is there and seems alive.
func (p *pool) take(k key) (way, bool) {
	for {
		p.mu.Lock()
		for _, cc := range p.shared[k] {
			if cc.ReserveNewRequest() {
				p.mu.Unlock()
				return way{two: cc}, true
			}
		}
		list := p.idle[k]
		if len(list) == 0 {
			p.mu.Unlock()
			return way{}, false
		}
		l := list[len(list)-1]
		list[len(list)-1] = nil
		p.idle[k] = list[:len(list)-1]
		p.mu.Unlock()
		// An upstream closes what it deems idle without a word. To notice
		// before anything is written is the only way that needs no retry.
		if time.Since(l.parked) < maxLife && quiet(l.raw) {
			return way{one: l}, true
		}
		_ = l.raw.Close()
	}
}

func (p *pool) dial(ctx context.Context, k key) (way, error) {
	raw, err := p.guard.Dial(ctx, "tcp", k.host, k.port)
	if err != nil {
		return way{}, err
	}
	if k.scheme == "http" {
		return way{one: newLine(raw, raw, p.limits)}, nil
	}
	config := p.tls2.Clone()
	if k.only1 {
		config = p.tls1.Clone()
	}
	config.ServerName = k.host
	conn := tls.Client(raw, config)
	deadline, cancel := context.WithTimeout(ctx, p.limits.Handshake)
	defer cancel()
	if err := conn.HandshakeContext(deadline); err != nil {
		_ = raw.Close()
		return way{}, tlsFault(k.host, err)
	}
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		return way{one: newLine(conn, raw, p.limits)}, nil
	}
	return p.share(k, conn)
}

func tlsFault(host string, err error) error {
	message := "No TLS connection to " + host + " came about."
	if _, bad := errors.AsType[*tls.CertificateVerificationError](err); bad {
		message = "The certificate of " + host + " does not prove that it is " + host + "."
	}
	return fault.New(fault.Unavailable, message, fmt.Errorf("tls with %s: %w", host, err))
}

// share makes an HTTP/2 connection that others can use too.
func (p *pool) share(k key, conn net.Conn) (way, error) {
	cc, err := p.h2.NewClientConn(conn)
	if err != nil {
		_ = conn.Close()
		return way{}, fault.New(fault.Unavailable, k.host+" does not speak HTTP/2 as it should.", fmt.Errorf("http2 with %s: %w", k.host, err))
	}
	if !cc.ReserveNewRequest() {
		_ = cc.Close()
		return way{}, fault.New(fault.Unavailable, k.host+" takes no requests.", nil)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = cc.Close()
		return way{}, errRunEnded
	}
	p.shared[k] = append(p.shared[k], cc)
	return way{two: cc}, nil
}

// put gives back a connection on which everything was read and nothing is
// left over.
func (p *pool) put(k key, l *line) {
	l.parked = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle[k]) >= maxIdle {
		_ = l.raw.Close()
		return
	}
	p.idle[k] = append(p.idle[k], l)
}

// prune closes what has not been used for long.
func (p *pool) prune(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, list := range p.idle {
		old := 0
		for old < len(list) && now.Sub(list[old].parked) >= maxLife {
			_ = list[old].raw.Close()
			old++
		}
		if p.idle[k] = append([]*line(nil), list[old:]...); len(p.idle[k]) == 0 {
			delete(p.idle, k)
		}
	}
	for k, list := range p.shared {
		var alive []*http2.ClientConn
		for _, cc := range list {
			if !cc.State().Closed {
				alive = append(alive, cc)
			}
		}
		if p.shared[k] = alive; alive == nil {
			delete(p.shared, k)
		}
	}
}

// close ends all connections.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, list := range p.idle {
		for _, l := range list {
			_ = l.raw.Close()
		}
	}
	for _, list := range p.shared {
		for _, cc := range list {
			_ = cc.Close()
		}
	}
	clear(p.idle)
	clear(p.shared)
}

// inbound is an answer on its way back.
type inbound struct {
	*http.Response
	// pending reports whether more of the body is here already. Where nobody
	// can tell it is nil.
	pending func() bool
	// line is what an upgraded connection goes on as.
	line *line
	// release ends the exchange with the upstream. Whole says that the body
	// was read to its end.
	release func(whole bool)
}

// send sends o, once, and returns the head of the answer. When it fails
// nothing is left of the attempt.
func (p *pool) send(ctx context.Context, o *outbound) (*inbound, error) {
	w, err := p.get(ctx, o.key())
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // whoever asked has gone while it was dialled
		if w.two != nil {
			w.two.SetDoNotReuse() // for the stream that is reserved
		} else {
			p.put(o.key(), w.one)
		}
		return nil, context.Cause(ctx)
	}
	if w.two != nil {
		return sendH2(ctx, w.two, o)
	}
	return p.sendH1(ctx, w.one, o)
}
