package pktline_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/pktline"
)

// recorded adds what a real git has sent.
func recorded(f *testing.F, prefix string, add func(data []byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/" + prefix + "*.bin")
	if err != nil || len(files) == 0 {
		f.Fatalf("no %s in testdata: %v", prefix, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		add(data)
	}
}

// FuzzReadPush checks that the beginning of a body is not understood otherwise
// than the whole, and that every ref is in the bytes.
func FuzzReadPush(f *testing.F) {
	recorded(f, "push", func(data []byte) { f.Add(data, len(data)/2) })
	f.Add([]byte(packet(create("refs/heads/a")+"\x00\n")+"00000003"), 10)
	f.Add([]byte(packet("push-cert\x00\n")+packet("\n")+packet(create("refs/heads/a")+"\n")+packet("push-cert-end\n")+"0000"), 80)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		p, err := pktline.ReadPush(data, true)
		if err != nil && !errors.Is(err, pktline.ErrMalformed) {
			t.Fatalf("%q: %v", data, err)
		}
		for _, c := range p.Commands {
			if !strings.Contains(string(data), c.Old+" "+c.New+" "+c.Ref) {
				t.Fatalf("%q: %v is not in it", data, c)
			}
		}
		pktline.Report(p, string(data), true)
		if n < 0 || n > len(data) {
			return
		}
		part, partial := pktline.ReadPush(data[:n], false)
		if partial == nil && (err != nil || len(part.Commands) != len(p.Commands)) {
			t.Fatalf("%q: %d bytes say %v, all of them %v, %v", data, n, part, p, err)
		}
		if err == nil && partial != nil && !errors.Is(partial, pktline.ErrIncomplete) {
			t.Fatalf("%q: %d bytes: %v", data, n, partial)
		}
	})
}

func FuzzReadFetch(f *testing.F) {
	recorded(f, "fetch", func(data []byte) { f.Add(data, len(data)/2) })
	f.Add([]byte("0000"), 2)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		understood := 0
		for version := range 3 {
			got, err := pktline.ReadFetch(data, true, version)
			if err != nil && (!errors.Is(err, pktline.ErrMalformed) || got != pktline.Fetch{}) {
				t.Fatalf("%q: %+v, %v", data, got, err)
			}
			if err == nil && got.Command != "" && version != 1 {
				understood++
			}
			if n < 0 || n > len(data) {
				continue
			}
			if part, partial := pktline.ReadFetch(data[:n], false, version); partial == nil {
				t.Fatalf("%q: %d bytes say %+v", data, n, part)
			}
		}
		if understood > 1 {
			t.Fatalf("%q is a request of version 0 and of version 2", data)
		}
	})
}
