package proxy

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
)

// FuzzShownQuery holds that what is cut is gone, and nothing else is.
func FuzzShownQuery(f *testing.F) {
	for _, q := range []string{"", "a=b", "token=abcdefghijkl", "%74oken=abcdefghijkl", "x=ghp_0123456789abcdef", "&&=&a", "api_key=1&b=%zz", "ghp_0123456789abcdef"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		shown := shownQuery(q)
		if strings.Count(shown, "&") != strings.Count(q, "&") {
			t.Fatalf("%q became %q", q, shown)
		}
		was, is := strings.Split(q, "&"), strings.Split(shown, "&")
		for i := range was {
			name, value, _ := strings.Cut(was[i], "=")
			if was[i] != is[i] && is[i] != name+"="+cut && is[i] != cut {
				t.Fatalf("%q became %q", was[i], is[i])
			}
			if value != "" && was[i] == is[i] && looksSecret(value) {
				t.Fatalf("%q shows", was[i])
			}
		}
		if again := shownQuery(shown); again != shown {
			t.Fatalf("%q became %q and then %q", q, shown, again)
		}
	})
}

func TestOwnerOfAConnectionIsFound(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Logf("no %s on this machine: %v", addr, err)
			continue
		}
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		uid, err := ownerOf(server)
		if err != nil || uid != os.Getuid() && runtime.GOOS == "linux" {
			t.Errorf("%s: uid %d, %v", addr, uid, err)
		}
		src, dst := client.LocalAddr().(*net.TCPAddr).AddrPort(), server.LocalAddr().(*net.TCPAddr).AddrPort()
		if uid, err := lookUpOwner(src, dst); err != nil || uid != os.Getuid() {
			t.Errorf("%s in /proc: uid %d, %v", addr, uid, err)
		}
		client.Close()
		if uid, err := ownerOf(server); err == nil {
			t.Errorf("%s: the owner of a closed socket is %d", addr, uid)
		}
		server.Close()
		ln.Close()
	}
}

func TestProcTableIsReadWithCare(t *testing.T) {
	t.Parallel()
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:C350 06 00000000:00000000 00:00000000 00000000     0        0 0 1
   1: 0100007F:1F90 0100007F:C351 01 00000000:00000000 00:00000000 00000000  1000        0 1 1
   2: nonsense
`
	src := netip.MustParseAddrPort("127.0.0.1:8080")
	for port, want := range map[uint16]int{50000: -1, 50001: 1000, 50002: -1} {
		uid, found := scanOwner(bufio.NewScanner(strings.NewReader(table)), src, netip.AddrPortFrom(src.Addr(), port))
		if !found {
			uid = -1
		}
		if uid != want {
			t.Errorf("port %d: %d, want %d", port, uid, want)
		}
	}
}
