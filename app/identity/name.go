package identity

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// name is who a gateway is.
type name struct{ team, gateway string }

var (
	idPattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	labelPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func newName(team, gateway string) (name, error) {
	if !idPattern.MatchString(team) || !idPattern.MatchString(gateway) {
		return name{}, fmt.Errorf("team %q, gateway %q: not identifiers", team, gateway)
	}
	return name{team, gateway}, nil
}

// uri is the name as a SPIFFE ID. There is one spelling of it: parseName
// refuses every other.
func (n name) uri(domain string) string {
	return "spiffe://" + domain + "/team/" + n.team + "/gateway/" + n.gateway
}

func parseName(uri, domain string) (name, error) {
	rest, ok := strings.CutPrefix(uri, "spiffe://"+domain+"/team/")
	team, gateway, found := strings.Cut(rest, "/gateway/")
	if !ok || !found {
		return name{}, fmt.Errorf("%.200q is not the name of a gateway", uri)
	}
	return newName(team, gateway)
}

func isTrustDomain(s string) bool {
	// An address is no domain, and name constraints know domains only.
	return isHostName(s) && s == strings.ToLower(s) && net.ParseIP(s) == nil
}

func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.ToLower(s), ".") {
		if !labelPattern.MatchString(label) {
			return false
		}
	}
	return true
}

// linkNames are what the gateways' port is called in its certificate.
type linkNames struct {
	hosts []string
	addrs []net.IP
}

func parseLinkNames(in []string) (linkNames, error) {
	var out linkNames
	for _, s := range in {
		if ip := net.ParseIP(s); ip != nil {
			out.addrs = append(out.addrs, ip)
		} else if isHostName(s) {
			out.hosts = append(out.hosts, strings.ToLower(s))
		} else {
			return linkNames{}, fmt.Errorf("link name %q: want a host name or an address, without a port", s)
		}
	}
	if len(in) == 0 {
		return linkNames{}, fmt.Errorf("no link name: gateways could not tell this server from another")
	}
	return out, nil
}

// soleURI returns the one URI in uris, where there is exactly one.
func soleURI(uris []*url.URL) (string, bool) {
	if len(uris) != 1 {
		return "", false
	}
	return uris[0].String(), true
}
