package netguard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/gateway/netguard"
)

func TestConnectToIsReadAsCurlReadsIt(t *testing.T) {
	t.Parallel()

	for in, want := range map[string]netguard.ConnectTo{
		"api.github.com:443:127.0.0.1:8443": {Host: "api.github.com", Port: 443, Addr: "127.0.0.1", To: 8443},
		"API.github.com.:443:[::1]:8443":    {Host: "api.github.com", Port: 443, Addr: "::1", To: 8443},
		"[2001:db8::1]:443:[::1]:8443":      {Host: "2001:db8::1", Port: 443, Addr: "::1", To: 8443},
		"::127.0.0.1:8443":                  {Addr: "127.0.0.1", To: 8443},
		"a.example:443::8443":               {Host: "a.example", Port: 443, To: 8443},
		"a.example::b.example:":             {Host: "a.example", Addr: "b.example"},
		":80::":                             {Port: 80},
		":::":                               {},
		"::[::1]:":                          {Addr: "::1"},
	} {
		t.Run(in, func(t *testing.T) {
			t.Parallel()

			got, err := netguard.ParseConnectTo(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, in := range []string{
		"", "a", "a:1", "a:1:b", "a:1:b:2:3", "a:x:b:2", "a:1:b:0", "a:1:b:65536", "[::1:1:b:2", "::1:1:b:2",
		"[::1]x:1:b:2", "a/b:1:c:2", "a:1:0x7f.1:2", "a:1:[::1]", "a:1:[fe80::1%25e]:1",
	} {
		if got, err := netguard.ParseConnectTo(in); err == nil {
			t.Errorf("%q accepted as %+v", in, got)
		}
	}
}

func TestConnectToList(t *testing.T) {
	t.Parallel()

	got, err := netguard.ParseConnectToList(" a:1:b:2, ,c:3:[::1]:4,")
	if err != nil {
		t.Fatal(err)
	}
	want := []netguard.ConnectTo{{Host: "a", Port: 1, Addr: "b", To: 2}, {Host: "c", Port: 3, Addr: "::1", To: 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := netguard.ParseConnectToList("a:1:b:2,nonsense"); err == nil {
		t.Error("a list with nonsense in it was accepted")
	}
}

func FuzzParseConnectToPrintsWhatItRead(f *testing.F) {
	for _, s := range []string{"a:1:b:2", "[::1]:443:[::1]:8443", ":::", "a.example:443::8443", "::1:1:b:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := netguard.ParseConnectTo(s)
		if err != nil {
			return
		}
		again, err := netguard.ParseConnectTo(c.String())
		if err != nil || again != c {
			t.Fatalf("%q became %+v, printed as %q, which became %+v (%v)", s, c, c.String(), again, err)
		}
	})
}
