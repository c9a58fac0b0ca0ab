package link

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
)

const (
	dialTimeout  = 3 * time.Second
	shakeTimeout = 5 * time.Second
	callTimeout  = 10 * time.Second
	silence      = 15 * time.Second // after which the connection is asked whether it is there
	maxAnswer    = 32 << 20
)

// client speaks to the server with one certificate. A connection is what was
// verified when it was made, so another certificate takes another client.
type client struct {
	base      string
	version   string
	transport *http.Transport
}

// errHandshake marks failures before the server has shown who it is.
var errHandshake = errors.New("handshake")

func newClient(id Identity, cert *tls.Certificate, version string) *client {
	conf := id.tlsConfig()
	if cert != nil {
		conf.Certificates = []tls.Certificate{*cert}
	}
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: silence}
	return &client{base: strings.TrimSuffix(id.LinkURL, "/"), version: version, transport: &http.Transport{
		DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			raw, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, errors.Join(err, raw.Close())
			}
			conf := conf.Clone()
			conf.ServerName = host
			conn := tls.Client(raw, conf)
			ctx, cancel := context.WithTimeout(ctx, shakeTimeout)
			defer cancel()
			if err := conn.HandshakeContext(ctx); err != nil {
				return nil, fmt.Errorf("%w: %w", errHandshake, errors.Join(err, raw.Close()))
			}
			return conn, nil
		},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: shakeTimeout},
	}}
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// refused is how the server says that it does not want this gateway.
type refused struct{ err error }

func (r refused) Error() string { return "the server refuses this gateway: " + r.err.Error() }
func (r refused) Unwrap() error { return r.err }

// call sends in as JSON and reads the answer. It fails with fault.Unavailable
// where the server cannot be reached, and otherwise with the fault that it
// answered; where that says that the gateway is not welcome, the error is a
// refused.
func call[T any](ctx context.Context, c *client, method, path string, in any) (T, error) {
	var out T
	var body []byte
	header := http.Header{}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = b
		header.Set("Content-Type", "application/json")
	}
	answer, err := c.send(ctx, method, path, header, body)
	if err != nil {
		return out, err
	}
	if len(answer) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	return out, nil
}

func (c *client) send(ctx context.Context, method, path string, header http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	header.Set("Accept", "application/json")
	header.Set("User-Agent", "tameflare-gateway/"+c.version)
	header.Set(wire.VersionHeader, c.version)
	req.Header = header
	res, err := c.transport.RoundTrip(req) // no redirects, no proxy, no cookies
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if len(answer) > maxAnswer {
		return nil, fmt.Errorf("%s %s: the answer is too large", method, path)
	}
	if res.StatusCode < 300 {
		return answer, nil
	}
	return nil, problem(res, answer)
}

// problem turns an answer that is an error back into a fault. Where it says
// that the gateway itself is not welcome, it is a refused.
func problem(res *http.Response, answer []byte) error {
	kind := fault.Internal
	for k := fault.Internal; k <= fault.Limited; k++ {
		if k.Status() == res.StatusCode {
			kind = k
		}
	}
	if res.StatusCode >= 500 {
		kind = fault.Unavailable
	}
	var p wire.Problem
	if err := json.Unmarshal(answer, &p); err != nil || p.Code == "" || p.Detail == "" {
		return fault.New(kind, "The server answered with status "+res.Status+".", nil) // something in between, perhaps
	}
	cause := fmt.Errorf("status %d, code %s", res.StatusCode, p.Code)
	if p.Code == wire.CodeKilled {
		cause = decide.ErrKilled
	}
	err := fault.New(kind, p.Detail, cause)
	if p.Code == fault.Unauthenticated.String() || p.Code == fault.Forbidden.String() {
		return refused{err}
	}
	return err
}

// unreachable classifies what went wrong underneath. With TLS 1.3 a server
// refuses our certificate only after the handshake, by an alert; by then it
// has shown who it is, so the alert counts like an answer.
func (c *client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("ask server: %w", ctx.Err())
	}
	err = fault.New(fault.Unavailable, "The TameFlare server cannot be reached.", err)
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" && !errors.Is(err, errHandshake) {
		for _, alert := range []string{"bad certificate", "revoked certificate", "expired certificate", "unknown certificate", "access denied", "certificate required"} {
			if strings.Contains(op.Err.Error(), alert) {
				return refused{err}
			}
		}
	}
	return err
}
