package netguard

import (
	"net/netip"
	"strings"

	"github.com/tameflare/tameflare/domain/address"
)

// ConnectTo sends connections for one destination to another address, as
// curl's --connect-to does. Only the address changes: name, certificate and
// rules stay those of the destination asked for.
type ConnectTo struct {
	Host string // empty for any
	Port uint16 // 0 for any
	Addr string // an address or a name; empty for the one asked for
	To   uint16 // 0 for the port asked for
}

// ParseConnectTo reads "HOST:PORT:ADDR:PORT", where each field may be empty and
// IPv6 addresses stand in brackets. It fails with fault.Invalid.
func ParseConnectTo(s string) (ConnectTo, error) {
	fields, ok := splitFields(s)
	if !ok {
		return ConnectTo{}, invalid(s, "is not of the form HOST:PORT:ADDR:PORT")
	}
	var c ConnectTo
	var err error
	if fields[0] != "" {
		if c.Host, err = address.Host(fields[0]); err != nil {
			return ConnectTo{}, err
		}
	}
	if fields[2] != "" {
		if c.Addr, err = address.Host(fields[2]); err != nil {
			return ConnectTo{}, err
		}
	}
	for i, p := range map[int]*uint16{1: &c.Port, 3: &c.To} {
		if fields[i] == "" {
			continue
		}
		if *p, err = address.Port(fields[i]); err != nil {
			return ConnectTo{}, invalid(s, "has no proper port")
		}
	}
	return c, nil
}

// ParseConnectToList reads several, separated by commas. Of several that match
// the first wins.
func ParseConnectToList(s string) ([]ConnectTo, error) {
	var list []ConnectTo
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		c, err := ParseConnectTo(item)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// String returns the form that ParseConnectTo reads.
func (c ConnectTo) String() string {
	port := func(p uint16) string { return strings.TrimPrefix(JoinHost("", p), ":") }
	return JoinHost(c.Host, 0) + ":" + port(c.Port) + ":" + JoinHost(c.Addr, 0) + ":" + port(c.To)
}

// matches reports whether c is about this destination.
func (c ConnectTo) matches(host string, port uint16) bool {
	return (c.Host == "" || c.Host == host) && (c.Port == 0 || c.Port == port)
}

// splitFields splits at colons outside brackets.
func splitFields(s string) (f [4]string, ok bool) {
	for i := range f {
		end := strings.IndexByte(s, ':')
		if strings.HasPrefix(s, "[") {
			end = strings.IndexByte(s, ']') + 1
			if end == 0 || end < len(s) && s[end] != ':' {
				return f, false
			}
			if end == len(s) {
				end = -1
			}
		}
		if i == len(f)-1 {
			f[i] = s
			return f, end < 0
		}
		if end < 0 {
			return f, false
		}
		f[i], s = s[:end], s[end+1:]
	}
	return f, false
}

// literal returns host as an address, if it is one.
func literal(host string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(host)
	return a, err == nil
}
