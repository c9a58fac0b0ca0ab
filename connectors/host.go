package connectors

import (
	"net/netip"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// plainHost returns the one spelling of a host that a person has written:
// lower case, without a final dot. It fails with fault.Invalid where that is
// no host, or a pattern where the type takes none.
func plainHost(host string, wildcards bool) (string, error) {
	plain := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	if addr, err := netip.ParseAddr(strings.Trim(plain, "[]")); err == nil && addr.Zone() == "" {
		return addr.Unmap().String(), nil
	}
	name, wild := strings.CutPrefix(plain, "*.")
	switch {
	case strings.Contains(plain, "://"), strings.Contains(plain, "/"):
		return "", badHost(host, "Write the host alone, without scheme and path, such as api.example.com.")
	case strings.Contains(plain, ":"):
		return "", badHost(host, "Write the host without a port; it answers on all of them.")
	case wild && !wildcards:
		return "", badHost(host, "This type of connector takes no patterns; write each host.")
	case wild && !strings.Contains(name, "."):
		return "", badHost(host, "A pattern needs a domain of its own, as in *.example.com.")
	case !isName(name):
		return "", badHost(host, "A host is written like api.example.com, or *.example.com for all below it; international names in their xn-- form.")
	}
	return plain, nil
}

func badHost(host, sentence string) error {
	return fault.New(fault.Invalid, "“"+shorten(host)+"” is not a host. "+sentence, nil)
}

func isName(name string) bool {
	if len(name) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != "" // or an address in a spelling of its own
}
