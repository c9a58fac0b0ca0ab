// Package address knows what kind of place an IP address leads to.
//
// Whoever dials where somebody else says, gateway and server alike, asks here
// first. It looks nothing up: what it is told is all there is.
package address

import "net/netip"

// Class is what kind of place an address leads to.
type Class uint8

// Classes stand in the order of how bad it is to be led there unawares: of an
// address that holds another, the worse of the two counts. The zero Class is
// no address at all, and nothing may go there.
const (
	Invalid       Class = iota // no address, or one with a zone
	Public                     // the internet
	Benchmark                  // set aside for measurements
	Reserved                   // documentation, future use, protocol assignments
	Transition                 // 6to4, Teredo and their kin: who answers is anyone's guess
	SharedCarrier              // 100.64.0.0/10, between a provider and its customers
	Private                    // RFC 1918, unique local, site local
	LinkLocal
	Multicast
	Unspecified // 0.0.0.0 and ::, which many systems take for themselves
	Loopback
	Metadata // where a cloud hands credentials to whoever asks
	Own      // a listener of the program that asks; Classify cannot know it
)

var classes = [...]string{
	Invalid:       "not a usable address",
	Public:        "a public address",
	Benchmark:     "an address for benchmarks",
	Reserved:      "a reserved address",
	Transition:    "an IPv6 transition address",
	SharedCarrier: "a carrier-grade NAT address",
	Private:       "a private address",
	LinkLocal:     "a link-local address",
	Multicast:     "a multicast address",
	Unspecified:   "an unspecified address",
	Loopback:      "a loopback address",
	Metadata:      "a cloud metadata address",
	Own:           "the gateway itself",
}

// String says it in words that end a sentence: "a private address".
func (c Class) String() string {
	if int(c) < len(classes) {
		return classes[c]
	}
	return classes[Invalid]
}

// Permissible reports whether settings may open class c at all.
func (c Class) Permissible() bool {
	switch c {
	case Benchmark, Reserved, Transition, SharedCarrier, Private, LinkLocal, Loopback:
		return true
	default:
		return false
	}
}

// metadata are the addresses where clouds hand out credentials: AWS (also for
// ECS and EKS), Google, Azure, Oracle, Alibaba, Tencent, Scaleway, OpenStack.
var metadata = addrs(
	"169.254.169.254", "fd00:ec2::254", "fe80::a9fe:a9fe",
	"169.254.170.2", "169.254.170.23", "fd00:ec2::23",
	"fd20:ce::254",
	"168.63.129.16",
	"192.0.0.192",
	"100.100.100.200",
	"169.254.0.23", "169.254.10.10",
	"169.254.42.42", "fd00:42::42",
)

// special are the ranges that are not the internet. The first that contains an
// address names its class.
var special = ranges(map[Class][]string{
	Unspecified:   {"0.0.0.0/8", "::/128"},
	Loopback:      {"127.0.0.0/8", "::1/128"},
	Private:       {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"},
	SharedCarrier: {"100.64.0.0/10"},
	LinkLocal:     {"169.254.0.0/16", "fe80::/10"},
	Multicast:     {"224.0.0.0/4", "ff00::/8"},
	Benchmark:     {"198.18.0.0/15", "2001:2::/48"},
	Transition:    {"192.88.99.0/24", "2001::/32", "2002::/16"},
	Reserved: {
		"192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "3fff::/20",
	},
})

// unicast is all of IPv6 that is routed on the internet.
var unicast = netip.MustParsePrefix("2000::/3")

// Classify says where a leads. An address that carries an IPv4 address inside
// is as bad as the worse of the two, because a translator on the way may
// deliver to the one inside.
func Classify(a netip.Addr) Class {
	if !a.IsValid() || a.Zone() != "" {
		return Invalid
	}
	a = a.Unmap()
	worst := plain(a)
	if a.Is6() {
		carrier, inside := embedded(a)
		if carrier != Invalid {
			worst = carrier
		}
		for _, v4 := range inside {
			worst = max(worst, plain(v4))
		}
	}
	return worst
}

// plain classifies a without looking inside it.
func plain(a netip.Addr) Class {
	if metadata[a] {
		return Metadata
	}
	longest, class := -1, Public
	if a.Is6() && !unicast.Contains(a) {
		class = Reserved
	}
	for _, r := range special {
		if r.prefix.Bits() > longest && r.prefix.Contains(a) {
			longest, class = r.prefix.Bits(), r.class
		}
	}
	return class
}

// embedded returns the IPv4 addresses inside a, and what the address around
// them is, if that is something other than its range says.
func embedded(a netip.Addr) (carrier Class, inside []netip.Addr) {
	b := a.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case a == netip.IPv6Unspecified() || a == netip.IPv6Loopback():
		return Invalid, nil
	case has(nat64, a): // the translator of the network we are in
		return Public, []netip.Addr{at(12)}
	case has(nat64Local, a): // a translator with rules of its own, somewhere in the site
		return Private, []netip.Addr{at(12), at(9), v4Across(b, 6), v4Across(b, 7)}
	case has(compatible, a), has(translated, a):
		return Transition, []netip.Addr{at(12)}
	case has(sixToFour, a):
		return Transition, []netip.Addr{at(2)}
	case has(teredo, a):
		hidden := [4]byte{^b[12], ^b[13], ^b[14], ^b[15]}
		return Transition, []netip.Addr{at(4), netip.AddrFrom4(hidden)}
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP, under any prefix
		return max(Transition, plain(a)), []netip.Addr{at(12)}
	}
	return Invalid, nil
}

// v4Across reads an IPv4 address that begins at byte i and goes around the
// reserved ninth byte, as behind prefixes of 48 and 56 bits (RFC 6052).
func v4Across(b [16]byte, i int) netip.Addr {
	var v4 [4]byte
	for j := range v4 {
		if i == 8 {
			i++
		}
		v4[j] = b[i]
		i++
	}
	return netip.AddrFrom4(v4)
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
	compatible = netip.MustParsePrefix("::/96")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

func has(p netip.Prefix, a netip.Addr) bool { return p.Contains(a) }

type span struct {
	prefix netip.Prefix
	class  Class
}

func ranges(m map[Class][]string) (spans []span) {
	for class, list := range m {
		for _, s := range list {
			spans = append(spans, span{netip.MustParsePrefix(s), class})
		}
	}
	return spans
}

func addrs(list ...string) map[netip.Addr]bool {
	m := make(map[netip.Addr]bool, len(list))
	for _, s := range list {
		m[netip.MustParseAddr(s)] = true
	}
	return m
}
