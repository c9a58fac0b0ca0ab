package address

import (
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/tameflare/tameflare/domain/fault"
)

// ParseHost reads "host" or "host:port" and gives the host the one spelling
// that rules, records, certificates and dialling use: lower case, punycode,
// without the dot at the end, IPv6 compressed and without brackets. The port is
// 0 when there is none.
//
// It fails with fault.Invalid for what is no host, and for what is one only to
// some: IPv4 in octal, hexadecimal or with parts left out, zones, users,
// escapes.
func ParseHost(s string) (host string, port uint16, err error) {
	name := s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, invalid(s, "has no closing bracket")
		}
		name = s[:end+1]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		name = s[:i]
	}
	if rest := s[len(name):]; rest != "" {
		if port, err = parsePort(s, rest); err != nil {
			return "", 0, err
		}
	}
	host, err = Host(name)
	return host, port, err
}

// JoinHost is the inverse of ParseHost, with brackets where they belong.
func JoinHost(host string, port uint16) string {
	if strings.IndexByte(host, ':') >= 0 {
		host = "[" + host + "]"
	}
	if port == 0 {
		return host
	}
	return host + ":" + strconv.Itoa(int(port))
}

func invalid(s, what string) error {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return fault.New(fault.Invalid, strconv.QuoteToASCII(s)+" "+what+".", nil)
}

// Port reads "443". It fails with fault.Invalid.
func Port(s string) (uint16, error) { return parsePort(s, ":"+s) }

// parsePort reads ":443".
func parsePort(whole, s string) (uint16, error) {
	if len(s) < 2 || len(s) > 6 || s[0] != ':' || s[1] == '0' {
		return 0, invalid(whole, "has no proper port")
	}
	n, err := strconv.ParseUint(s[1:], 10, 16)
	if err != nil || s[1] == '+' {
		return 0, invalid(whole, "has no proper port")
	}
	return uint16(n), nil
}

// Host is ParseHost for what has no port.
func Host(s string) (string, error) {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		a, err := netip.ParseAddr(s[1 : len(s)-1])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "", invalid(s, "is not an IPv6 address")
		}
		return a.Unmap().String(), nil
	}
	if len(s) > 1024 || !utf8.ValidString(s) { // IDNA is not cheap, and reads broken UTF-8 as a character
		return "", invalid(s, "is not a host name")
	}
	name := s
	if needsIDNA(s) {
		var err error
		// The mapping comes first: a full-width digit or dot becomes a plain
		// one, and must be judged as what it becomes.
		if name, err = idna.Lookup.ToASCII(s); err != nil {
			return "", invalid(s, "is not a host name")
		}
	}
	name = strings.TrimSuffix(lowerASCII(name), ".")
	if len(name) == 0 || len(name) > 253 {
		return "", invalid(s, "is not a host name: it is empty or too long")
	}
	var last string
	for rest := name; ; {
		label, more, found := strings.Cut(rest, ".")
		if !validLabel(label) {
			return "", invalid(s, "is not a host name")
		}
		if last = label; !found {
			break
		}
		rest = more
	}
	if numeric(last) {
		// Programs that read such a name as an address disagree about which.
		a, err := netip.ParseAddr(name)
		if err != nil || !a.Is4() {
			return "", invalid(s, "is not an IPv4 address in its usual form")
		}
		return a.String(), nil
	}
	return name, nil
}

// needsIDNA reports whether s has anything beyond ASCII, or a label that claims
// to be punycode and must prove it.
func needsIDNA(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return true
		}
	}
	return strings.Contains(lowerASCII(s), "xn--")
}

// lowerASCII is strings.ToLower without its opinion on other scripts.
func lowerASCII(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

// validLabel accepts what is in use: also underscores, and hyphens anywhere but
// in front.
func validLabel(l string) bool {
	if len(l) == 0 || len(l) > 63 || l[0] == '-' {
		return false
	}
	for i := range len(l) {
		c := l[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// numeric reports whether a name that ends in label l is an IPv4 address to
// some parser.
func numeric(l string) bool {
	if strings.HasPrefix(l, "0x") {
		for i := 2; i < len(l); i++ {
			if (l[i] < '0' || l[i] > '9') && (l[i] < 'a' || l[i] > 'f') {
				return false
			}
		}
		return true
	}
	for i := range len(l) {
		if l[i] < '0' || l[i] > '9' {
			return false
		}
	}
	return true
}
