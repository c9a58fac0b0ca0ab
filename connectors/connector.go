package connectors

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// Config is a connector as somebody has configured it.
type Config struct {
	Type  string
	Own   *Type            // where Type is none of the built-in ones
	Name  string           // the type's where empty
	Hosts []string         // the type's where empty
	Style credential.Style // the usual one where zero
}

// Connector is a service as configured for one gateway. It does not change.
type Connector struct {
	name  string
	typ   *Type
	hosts []string
	style credential.Style
}

// New makes a connector. It fails with fault.Invalid where the configuration
// cannot be used as it stands.
func New(cfg Config) (*Connector, error) {
	typ := cfg.Own
	if typ == nil {
		typ = TypeNamed(cfg.Type)
	}
	if typ == nil {
		return nil, fault.New(fault.Invalid, "There is no connector type “"+shorten(cfg.Type)+"”. There are "+typeNames()+".", nil)
	}
	c := &Connector{name: cmp.Or(cfg.Name, typ.Name), typ: typ, style: cfg.Style}
	if err := fleet.CheckName(c.name); err != nil {
		return nil, err
	}
	if c.style == (credential.Style{}) {
		c.style = typ.Usual()
	}
	if err := c.style.Check(); err != nil {
		return nil, err
	}
	if !typ.takes(c.style.Kind) {
		return nil, fault.New(fault.Invalid, typ.Title+" does not take a credential in the style "+string(c.style.Kind)+".", nil)
	}
	hosts := cfg.Hosts
	if len(hosts) == 0 {
		hosts = typ.Hosts
	}
	for _, host := range hosts {
		plain, err := plainHost(host, typ.Wildcards)
		if err != nil {
			return nil, err
		}
		c.hosts = appendNew(c.hosts, plain)
	}
	if len(c.hosts) == 0 {
		return nil, fault.New(fault.Invalid, "Name the hosts that the connector "+c.name+" answers for.", nil)
	}
	return c, nil
}

func typeNames() string {
	var names []string
	for _, t := range Types() {
		names = append(names, t.Name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Name returns the configured name.
func (c *Connector) Name() string { return c.name }

// Type returns what is known of the service.
func (c *Connector) Type() *Type { return c.typ }

// Hosts returns what the connector answers for, in the one spelling.
func (c *Connector) Hosts() []string { return slices.Clone(c.hosts) }

// Answers reports whether host is one of the connector's.
func (c *Connector) Answers(host string) bool {
	for _, h := range c.hosts {
		if h == host {
			return true
		}
		if suffix, ok := strings.CutPrefix(h, "*"); ok && len(host) > len(suffix) && host[0] != '.' && strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// NeedsBody says how much of the body Read will look at. It looks at method,
// host, path and query.
func (c *Connector) NeedsBody(r Request) Need { return c.typ.service.needs(r) }

// Read says what a request does. It fails with fault.Invalid where the request
// is written so that the service could take it for something else; then it
// must not be forwarded.
func (c *Connector) Read(r Request) (action.Action, error) {
	if !c.Answers(r.Host) {
		return action.Action{}, fmt.Errorf("read request: connector %s does not answer for host %q", c.name, r.Host)
	}
	a, err := c.typ.service.read(r)
	a.Connector = c.name
	return a, err
}

// Strip takes away every credential for this service that a client itself put
// on a request.
func (c *Connector) Strip(h http.Header, u *url.URL) {
	c.typ.strip(h, u)
	c.style.Strip(h, u)
}

// Authorise puts secret on a request to host, in the way in which that host
// wants it. It fails with fault.Forbidden, and puts nothing, where host is not
// the connector's or the request would go over plain HTTP, and with
// fault.Invalid where secret cannot be in a header.
func (c *Connector) Authorise(h http.Header, u *url.URL, host string, secret credential.Secret) error {
	switch {
	case !c.Answers(host):
		return fault.New(fault.Forbidden, "The credential is not for this host.", fmt.Errorf("connector %s, host %q", c.name, host))
	case u.Scheme == "http":
		return fault.New(fault.Forbidden, "A credential is not sent over plain HTTP. Use https.", nil)
	case secret.Empty() || !httpguts.ValidHeaderFieldValue(secret.Reveal()):
		return fault.New(fault.Invalid, "The credential is empty, or has a line break or another control character in it.", nil)
	}
	style, user := c.typ.service.style(host, u.EscapedPath(), c.style)
	if user != "" {
		secret = credential.NewSecret(user + ":" + secret.Reveal())
	}
	style.Apply(h, u, secret)
	return nil
}

// Means returns, in one spelling, what the headers of a request say about what
// it does and to whom: all values of each that the service looks at.
func (c *Connector) Means(h http.Header) string {
	var b strings.Builder
	for _, name := range c.typ.Meaning {
		if values := h.Values(name); len(values) > 0 {
			fmt.Fprintf(&b, "%s: %q\n", http.CanonicalHeaderKey(name), values)
		}
	}
	return b.String()
}
