package netguard_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/tameflare/tameflare/gateway/netguard"
)

func TestEveryAddressHasItsClass(t *testing.T) {
	t.Parallel()

	for addr, want := range map[string]netguard.Class{
		"8.8.8.8": netguard.Public, "1.1.1.1": netguard.Public, "140.82.121.3": netguard.Public,
		"2606:4700::1111": netguard.Public, "2a00:1450::1": netguard.Public, "::ffff:8.8.8.8": netguard.Public,
		"64:ff9b::8.8.8.8": netguard.Public, "11.0.0.1": netguard.Public, "172.32.0.1": netguard.Public,
		"100.128.0.1": netguard.Public, "192.167.255.255": netguard.Public, "223.255.255.255": netguard.Public,

		"127.0.0.1": netguard.Loopback, "127.255.255.254": netguard.Loopback, "::1": netguard.Loopback,
		"::ffff:127.0.0.1": netguard.Loopback, "::ffff:7f00:1": netguard.Loopback, "::127.0.0.1": netguard.Loopback,
		"64:ff9b::127.0.0.1": netguard.Loopback, "64:ff9b::7f00:1": netguard.Loopback,
		"2002:7f00:1::": netguard.Loopback, "2002:7f00:1::1": netguard.Loopback,
		"2001:0:4136:e378:8000:63bf:80ff:fffe": netguard.Loopback, // Teredo, client 127.0.0.1
		"2001:0:7f00:1:0:0:f7f7:f7f7":          netguard.Loopback, // Teredo, server 127.0.0.1
		"::ffff:0:127.0.0.1":                   netguard.Loopback,
		"fe80::5efe:127.0.0.1":                 netguard.Loopback, // ISATAP
		"2600::200:5efe:127.0.0.1":             netguard.Loopback,

		"0.0.0.0": netguard.Unspecified, "0.0.0.1": netguard.Unspecified, "0.255.255.255": netguard.Unspecified,
		"::": netguard.Unspecified, "::ffff:0.0.0.0": netguard.Unspecified, "64:ff9b::": netguard.Unspecified,

		"10.0.0.1": netguard.Private, "10.255.255.255": netguard.Private, "172.16.0.1": netguard.Private,
		"172.31.255.255": netguard.Private, "192.168.1.1": netguard.Private, "::ffff:10.0.0.1": netguard.Private,
		"fc00::1": netguard.Private, "fd12:3456::1": netguard.Private, "fec0::1": netguard.Private,
		"64:ff9b::10.0.0.1": netguard.Private, "64:ff9b:1::1": netguard.Unspecified,
		"64:ff9b:1:808:8:800:808:808": netguard.Private, "2002:a00:1::1": netguard.Private,

		"100.64.0.1": netguard.SharedCarrier, "100.127.255.255": netguard.SharedCarrier,

		"169.254.1.1": netguard.LinkLocal, "fe80::1": netguard.LinkLocal, "febf::1": netguard.LinkLocal,
		"::ffff:169.254.1.1": netguard.LinkLocal,

		"169.254.169.254": netguard.Metadata, "::ffff:169.254.169.254": netguard.Metadata,
		"::ffff:a9fe:a9fe": netguard.Metadata, "64:ff9b::a9fe:a9fe": netguard.Metadata,
		"64:ff9b:1:a9fe:a9:fe00:0:1": netguard.Metadata, "64:ff9b:1:aa:a9:fea9:fe00:1": netguard.Metadata,
		"64:ff9b:1:a9:fe:a9fe:0:1":   netguard.Metadata,
		"64:ff9b:1::169.254.169.254": netguard.Metadata, "2002:a9fe:a9fe::": netguard.Metadata,
		"::169.254.169.254": netguard.Metadata, "fd00:ec2::254": netguard.Metadata,
		"fd20:ce::254": netguard.Metadata, "fe80::a9fe:a9fe": netguard.Metadata,
		"100.100.100.200": netguard.Metadata, "192.0.0.192": netguard.Metadata, "168.63.129.16": netguard.Metadata,
		"169.254.170.2": netguard.Metadata, "169.254.170.23": netguard.Metadata, "169.254.42.42": netguard.Metadata,
		"2001:0:4136:e378:8000:63bf:5601:5601": netguard.Metadata, // Teredo, client 169.254.169.254
		"2600::5efe:169.254.169.254":           netguard.Metadata,

		"224.0.0.1": netguard.Multicast, "239.255.255.255": netguard.Multicast, "ff02::1": netguard.Multicast,

		"198.18.0.1": netguard.Benchmark, "198.19.255.255": netguard.Benchmark, "2001:2::1": netguard.Benchmark,

		"192.0.2.1": netguard.Reserved, "198.51.100.7": netguard.Reserved, "203.0.113.9": netguard.Reserved,
		"240.0.0.1": netguard.Reserved, "255.255.255.255": netguard.Reserved, "192.0.0.8": netguard.Reserved,
		"2001:db8::1": netguard.Reserved, "3fff::1": netguard.Reserved, "100::1": netguard.Reserved,
		"5f00::1": netguard.Reserved, "4000::1": netguard.Reserved, "2001:20::1": netguard.Reserved,

		"2002:808:808::1": netguard.Transition, "192.88.99.1": netguard.Transition, "::8.8.8.8": netguard.Transition,
		"2001:0:808:808:0:0:f7f7:f7f7": netguard.Transition, "::ffff:0:8.8.8.8": netguard.Transition,

		"fe80::1%eth0": netguard.Invalid, "2606:4700::1111%1": netguard.Invalid,
	} {
		t.Run(addr, func(t *testing.T) {
			t.Parallel()

			if got := netguard.Classify(netip.MustParseAddr(addr)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestNoAddressIsNoPublicAddress(t *testing.T) {
	t.Parallel()

	var zero netguard.Class
	if got := netguard.Classify(netip.Addr{}); got != zero || got == netguard.Public {
		t.Errorf("got %s", got)
	}
	if got, want := fmt.Sprint(netguard.Class(200)), netguard.Invalid.String(); got != want {
		t.Errorf("unknown class reads %q, want %q", got, want)
	}
}
