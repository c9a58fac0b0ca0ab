package address_test

import (
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/address"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestAHostHasOneSpelling(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]struct {
		host string
		port uint16
	}{
		"api.github.com":              {"api.github.com", 0},
		"API.GitHub.COM.:443":         {"api.github.com", 443},
		"localhost":                   {"localhost", 0},
		"a_b.example":                 {"a_b.example", 0},
		"r4---sn-x.example":           {"r4---sn-x.example", 0},
		"1a.example":                  {"1a.example", 0},
		"bücher.example":              {"xn--bcher-kva.example", 0},
		"BÜCHER.example.":             {"xn--bcher-kva.example", 0},
		"xn--bcher-kva.example":       {"xn--bcher-kva.example", 0},
		"XN--BCHER-KVA.example":       {"xn--bcher-kva.example", 0},
		"ａｐｉ.example":                 {"api.example", 0},
		"api。example":                 {"api.example", 0},
		"127.0.0.1":                   {"127.0.0.1", 0},
		"127.0.0.1.":                  {"127.0.0.1", 0},
		"１２７.0.0.1":                   {"127.0.0.1", 0},
		"[::1]":                       {"::1", 0},
		"[0:0:0:0:0:0:0:1]:8443":      {"::1", 8443},
		"[2001:DB8::A]":               {"2001:db8::a", 0},
		"[::ffff:169.254.169.254]:80": {"169.254.169.254", 80},
		"a.example:65535":             {"a.example", 65535},
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()

			host, port, err := address.ParseHost(in)
			if err != nil {
				t.Fatal(err)
			}
			if host != want.host || port != want.port {
				t.Errorf("got %s %d, want %s %d", host, port, want.host, want.port)
			}
		})
	}
}

func TestWhatIsNoHostIsRefused(t *testing.T) {
	t.Parallel()

	for name, in := range map[string]string{
		"empty": "", "dot": ".", "two dots at the end": "a.example..", "empty label": "a..example", "leading dot": ".example",
		"octal": "0177.0.0.1", "hex": "0x7f.0.0.1", "hex in one": "0x7f000001", "decimal in one": "2130706433",
		"short": "127.1", "three parts": "127.0.1", "five parts": "1.2.3.4.5", "too large": "256.0.0.1",
		"leading zero": "127.0.0.01", "numeric top level": "foo.123", "hex top level": "foo.0x1", "hex nothing": "foo.0x",
		"hex upper": "0X7F.1", "full-width octal": "０177.0.0.1",
		"zone": "[fe80::1%eth0]", "zone escaped": "[fe80::1%25eth0]", "IPv6 without brackets": "::1", "IPv4 in brackets": "[1.2.3.4]",
		"unclosed": "[::1", "after bracket": "[::1]x", "brackets only": "[]",
		"user": "u@a.example", "password": "u:p@a.example", "path": "a.example/x", "query": "a.example?x", "fragment": "a#b",
		"blank": "a b", "tab": "a\tb", "NUL": "a\x00.example", "line end": "a\r\nb", "escape": "a%2eb", "star": "*.example", "backslash": "a\\b",
		"leading hyphen": "-a.example", "long label": strings.Repeat("a", 64) + ".example", "long": strings.Repeat("a.", 130) + "aa",
		"very long": strings.Repeat("ü", 2000), "bad punycode": "xn--\x80", "fake punycode": "xn--a.example", "not utf-8": "a\xff.example",
		"empty port": "a.example:", "port zero": "a.example:0", "large port": "a.example:65536", "signed port": "a.example:+80",
		"zero in front": "a.example:080", "port words": "a.example:https", "two ports": "a.example:80:80",
		"soft hyphen only": "\u00ad", "zero-width": "a\u200bb.example\u2028",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			host, port, err := address.ParseHost(in)
			if err == nil {
				t.Fatalf("%q accepted as %q, port %d", in, host, port)
			}
			if got, want := fault.Of(err), fault.Invalid; got != want {
				t.Errorf("kind %v, want %v", got, want)
			}
			if msg := fault.Message(err); strings.ContainsAny(msg, "\r\n\x00") || len(msg) > 600 {
				t.Errorf("message repeats the bytes: %q", msg)
			}
		})
	}
}

func FuzzParseHostKeepsItsOwnSpelling(f *testing.F) {
	for _, s := range []string{"API.GitHub.com.:443", "[::1]:8", "bücher.example", "xn--bcher-kva", "127.1", "0x7f.1", "１２７.0.0.1", "a_b", "[::ffff:1.2.3.4]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := address.ParseHost(s)
		if err != nil {
			return
		}
		again, p, err := address.ParseHost(address.JoinHost(host, port))
		if err != nil || again != host || p != port {
			t.Fatalf("%q became %q:%d, which became %q:%d (%v)", s, host, port, again, p, err)
		}
		if strings.ContainsAny(host, "/@%#?*\\ \t\r\n\x00[]") || host != strings.ToLower(host) || strings.HasSuffix(host, ".") {
			t.Fatalf("%q became %q", s, host)
		}
	})
}
