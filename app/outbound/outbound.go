// Package outbound is how the server calls addresses that people type in.
//
// Most of it is what must not happen: no address is dialled that was not
// looked at, no redirect is followed, no proxy of the environment is asked,
// and nothing goes without TLS but to the places that whoever runs the server
// has named.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"github.com/tameflare/tameflare/domain/address"
)

const connectTimeout = 5 * time.Second

// Guard says where the server may call. The zero Guard reaches public
// addresses, by https.
type Guard struct {
	Allow []Allowed      // hosts that may be at addresses that are not public
	Roots *x509.CertPool // nil: the system's
	// Plain lets every host of Allow be called without TLS. Otherwise those at
	// a loopback address alone may be.
	Plain bool
}

// Refused is why an address is not called.
type Refused struct {
	Host  string
	Class address.Class
	Plain bool // it would go without TLS
}

func (r *Refused) Error() string {
	if r.Plain {
		return r.Host + " is not called without TLS"
	}
	return r.Host + " is at " + r.Class.String()
}

// Client returns a client that calls where g allows. It connects anew for each
// request: what is seldom called need not be held open, and is looked at again.
// It has no time limit of its own; give requests a context that has one.
func (g Guard) Client() *http.Client {
	return &http.Client{
		Transport:     byScheme{"https": g.transport("https"), "http": g.transport("http")},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// byScheme has a transport for each scheme, since what may be dialled hangs on it.
type byScheme map[string]*http.Transport

func (b byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	t := b[r.URL.Scheme]
	if t == nil {
		return nil, errors.New("only http and https are called")
	}
	return t.RoundTrip(r)
}

func (g Guard) transport(scheme string) *http.Transport {
	return &http.Transport{ // without Proxy: none is asked
		DialContext:            g.dial(scheme),
		TLSClientConfig:        &tls.Config{RootCAs: g.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    2 * connectTimeout,
		MaxResponseHeaderBytes: 16 << 10,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
	}
}

// dial connects to addresses that were looked at, and to no other: the check
// is made on the socket, after the name was resolved, so that nothing can
// change in between.
func (g Guard) dial(scheme string) func(ctx context.Context, network, hostPort string) (net.Conn, error) {
	return func(ctx context.Context, network, hostPort string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(hostPort)
		if err != nil {
			return nil, fmt.Errorf("dial: %w", err)
		}
		d := net.Dialer{Timeout: connectTimeout, Control: func(_, addrPort string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(addrPort)
			if err != nil {
				return errors.New("the socket has no address")
			}
			return g.Check(scheme, host, to.Addr())
		}}
		return d.DialContext(ctx, network, hostPort)
	}
}

// Check fails with a *Refused where host, at address a, may not be called.
func (g Guard) Check(scheme, host string, a netip.Addr) error {
	host = spell(host)
	class := address.Classify(a)
	listed := class.Permissible() && slices.ContainsFunc(g.Allow, func(l Allowed) bool { return l.Host == host && l.Range.Contains(a.Unmap()) })
	switch {
	case scheme != "https" && (!listed || !g.Plain && class != address.Loopback):
		return &Refused{Host: host, Class: class, Plain: true}
	case class == address.Public, listed:
		return nil
	}
	return &Refused{Host: host, Class: class}
}

// Lists reports whether host may be at some address that is not public.
func (g Guard) Lists(host string) bool {
	host = spell(host)
	return slices.ContainsFunc(g.Allow, func(l Allowed) bool { return l.Host == host })
}
