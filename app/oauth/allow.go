package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tameflare/tameflare/domain/address"
)

const connectTimeout = 5 * time.Second

// Allowed lets token endpoints at a host be in a range that is not public.
type Allowed struct {
	Host  string // in small letters
	Range netip.Prefix
}

// ParseAllowed reads "login.internal=10.0.0.0/8, localhost=127.0.0.0/8".
func ParseAllowed(text string) ([]Allowed, error) {
	var all []Allowed
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		host, cidr, ok := strings.Cut(item, "=")
		host = spell(strings.TrimSpace(host))
		network, err := netip.ParsePrefix(strings.TrimSpace(cidr))
		if !ok || err != nil || host == "" || strings.ContainsAny(host, "*/@ ") {
			return nil, fmt.Errorf("%q is not a host and a range, such as login.internal=10.0.0.0/8", item)
		}
		all = append(all, Allowed{host, network.Masked()})
	}
	return all, nil
}

func spell(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// Refused is why a token endpoint is not asked.
type Refused struct {
	Host  string
	Class address.Class
	Plain bool // it would go without TLS
}

func (r *Refused) Error() string {
	switch {
	case r.Plain:
		return "The token endpoint at " + r.Host + " is not asked without TLS: only one on this machine is, where TAMEFLARE_OAUTH_ALLOW names it."
	case r.Class.Permissible():
		return "The token endpoint at " + r.Host + " is at " + r.Class.String() + ". Whoever runs this server can allow that in TAMEFLARE_OAUTH_ALLOW."
	}
	return "The token endpoint at " + r.Host + " is at " + r.Class.String() + ", where none may be."
}

// dial connects to addresses that were looked at, and to no other: the check
// is made on the socket, after the name was resolved, so that nothing can
// change in between.
func (c *Client) dial(scheme string) func(ctx context.Context, network, hostPort string) (net.Conn, error) {
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
			return c.check(scheme, spell(host), to.Addr())
		}}
		return d.DialContext(ctx, network, hostPort)
	}
}

func (c *Client) check(scheme, host string, a netip.Addr) error {
	class := address.Classify(a)
	listed := slices.ContainsFunc(c.Allow, func(l Allowed) bool { return l.Host == host && l.Range.Contains(a.Unmap()) })
	switch {
	case scheme != "https" && (class != address.Loopback || !listed):
		return &Refused{Host: host, Class: class, Plain: true}
	case class == address.Public, class.Permissible() && listed:
		return nil
	}
	return &Refused{Host: host, Class: class}
}
