package address_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/tameflare/tameflare/domain/address"
)

func TestEveryAddressHasItsClass(t *testing.T) {
	t.Parallel()

	for addr, want := range map[string]address.Class{
		"8.8.8.8": address.Public, "1.1.1.1": address.Public, "140.82.121.3": address.Public,
		"2606:4700::1111": address.Public, "2a00:1450::1": address.Public, "::ffff:8.8.8.8": address.Public,
		"64:ff9b::8.8.8.8": address.Public, "11.0.0.1": address.Public, "172.32.0.1": address.Public,
		"100.128.0.1": address.Public, "192.167.255.255": address.Public, "223.255.255.255": address.Public,

		"127.0.0.1": address.Loopback, "127.255.255.254": address.Loopback, "::1": address.Loopback,
		"::ffff:127.0.0.1": address.Loopback, "::ffff:7f00:1": address.Loopback, "::127.0.0.1": address.Loopback,
		"64:ff9b::127.0.0.1": address.Loopback, "64:ff9b::7f00:1": address.Loopback,
		"2002:7f00:1::": address.Loopback, "2002:7f00:1::1": address.Loopback,
		"2001:0:4136:e378:8000:63bf:80ff:fffe": address.Loopback, // Teredo, client 127.0.0.1
		"2001:0:7f00:1:0:0:f7f7:f7f7":          address.Loopback, // Teredo, server 127.0.0.1
		"::ffff:0:127.0.0.1":                   address.Loopback,
		"fe80::5efe:127.0.0.1":                 address.Loopback, // ISATAP
		"2600::200:5efe:127.0.0.1":             address.Loopback,

		"0.0.0.0": address.Unspecified, "0.0.0.1": address.Unspecified, "0.255.255.255": address.Unspecified,
		"::": address.Unspecified, "::ffff:0.0.0.0": address.Unspecified, "64:ff9b::": address.Unspecified,

		"10.0.0.1": address.Private, "10.255.255.255": address.Private, "172.16.0.1": address.Private,
		"172.31.255.255": address.Private, "192.168.1.1": address.Private, "::ffff:10.0.0.1": address.Private,
		"fc00::1": address.Private, "fd12:3456::1": address.Private, "fec0::1": address.Private,
		"64:ff9b::10.0.0.1": address.Private, "64:ff9b:1::1": address.Unspecified,
		"64:ff9b:1:808:8:800:808:808": address.Private, "2002:a00:1::1": address.Private,

		"100.64.0.1": address.SharedCarrier, "100.127.255.255": address.SharedCarrier,

		"169.254.1.1": address.LinkLocal, "fe80::1": address.LinkLocal, "febf::1": address.LinkLocal,
		"::ffff:169.254.1.1": address.LinkLocal,

		"169.254.169.254": address.Metadata, "::ffff:169.254.169.254": address.Metadata,
		"::ffff:a9fe:a9fe": address.Metadata, "64:ff9b::a9fe:a9fe": address.Metadata,
		"64:ff9b:1:a9fe:a9:fe00:0:1": address.Metadata, "64:ff9b:1:aa:a9:fea9:fe00:1": address.Metadata,
		"64:ff9b:1:a9:fe:a9fe:0:1":   address.Metadata,
		"64:ff9b:1::169.254.169.254": address.Metadata, "2002:a9fe:a9fe::": address.Metadata,
		"::169.254.169.254": address.Metadata, "fd00:ec2::254": address.Metadata,
		"fd20:ce::254": address.Metadata, "fe80::a9fe:a9fe": address.Metadata,
		"100.100.100.200": address.Metadata, "192.0.0.192": address.Metadata, "168.63.129.16": address.Metadata,
		"169.254.170.2": address.Metadata, "169.254.170.23": address.Metadata, "169.254.42.42": address.Metadata,
		"2001:0:4136:e378:8000:63bf:5601:5601": address.Metadata, // Teredo, client 169.254.169.254
		"2600::5efe:169.254.169.254":           address.Metadata,

		"224.0.0.1": address.Multicast, "239.255.255.255": address.Multicast, "ff02::1": address.Multicast,

		"198.18.0.1": address.Benchmark, "198.19.255.255": address.Benchmark, "2001:2::1": address.Benchmark,

		"192.0.2.1": address.Reserved, "198.51.100.7": address.Reserved, "203.0.113.9": address.Reserved,
		"240.0.0.1": address.Reserved, "255.255.255.255": address.Reserved, "192.0.0.8": address.Reserved,
		"2001:db8::1": address.Reserved, "3fff::1": address.Reserved, "100::1": address.Reserved,
		"5f00::1": address.Reserved, "4000::1": address.Reserved, "2001:20::1": address.Reserved,

		"2002:808:808::1": address.Transition, "192.88.99.1": address.Transition, "::8.8.8.8": address.Transition,
		"2001:0:808:808:0:0:f7f7:f7f7": address.Transition, "::ffff:0:8.8.8.8": address.Transition,

		"fe80::1%eth0": address.Invalid, "2606:4700::1111%1": address.Invalid,
	} {
		t.Run(addr, func(t *testing.T) {
			t.Parallel()

			if got := address.Classify(netip.MustParseAddr(addr)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestNoAddressIsNoPublicAddress(t *testing.T) {
	t.Parallel()

	var zero address.Class
	if got := address.Classify(netip.Addr{}); got != zero || got == address.Public {
		t.Errorf("got %s", got)
	}
	if got, want := fmt.Sprint(address.Class(200)), address.Invalid.String(); got != want {
		t.Errorf("unknown class reads %q, want %q", got, want)
	}
}
