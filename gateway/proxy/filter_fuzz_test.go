package proxy

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzCutter cuts a stream that comes in two pieces, and byte by byte. Where
// the pieces are must make no difference to what the events are, and every
// event must be one to those who read the stream.
func FuzzCutter(f *testing.F) {
	for _, seed := range []string{"data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\r", "\n\n: c\ndata: a\ndata: b\n\r\n", "\uFEFF\ndata: a\n\n", "data: a\r", "data: a\r\ndata: b\r\n\r\n", ": c\r\n: d\r\rid: 1\r\n\n"} {
		for _, at := range []int{0, 8, 9} {
			f.Add([]byte(seed), at)
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte, at int) {
		want := cutAll(stream)
		for _, pieces := range [][][]byte{{stream}, {stream[:min(max(at, 0), len(stream))], stream[min(max(at, 0), len(stream)):]}, bytes.SplitAfter(stream, nil)} {
			got := cutAll(pieces...)
			if strings.Join(got, "") != string(stream) {
				t.Fatalf("%q: it is %q now", stream, got)
			}
			if a, b := bodies(got), bodies(want); a != b {
				t.Fatalf("%q in %d pieces: %q, want %q", stream, len(pieces), a, b)
			}
		}
		for _, one := range want[:max(len(want)-1, 0)] {
			plain := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(one)
			if body := strings.Trim(plain, "\n"); strings.Contains(body, "\n\n") {
				t.Fatalf("%q: %q is more than one event", stream, one)
			}
		}
	})
}

// cutAll cuts pieces, which come one after the other. What is
// left comes last.
func cutAll(pieces ...[]byte) (all []string) {
	var c cutter
	var raw []byte
	for _, piece := range pieces {
		raw = append(raw, piece...)
		for {
			size, _, ok := c.next(raw)
			if !ok {
				break
			}
			all, raw = append(all, string(raw[:size])), raw[size:]
		}
	}
	return append(all, string(raw))
}

// bodies is what is in each event, however its last line ends: a line feed
// that belongs to a return may have come too late.
func bodies(all []string) string {
	var b strings.Builder
	for _, one := range all {
		if body := strings.Trim(one, "\r\n"); body != "" {
			b.WriteString(body)
			b.WriteByte(0)
		}
	}
	return b.String()
}
