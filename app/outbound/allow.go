package outbound

import (
	"fmt"
	"net/netip"
	"strings"
)

// Allowed lets a host be in a range that is not public.
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
