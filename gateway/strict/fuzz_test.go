package strict_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/gateway/strict"
)

// FuzzWhatPassesMeansTheSameToNetHTTP holds both parsers against each other:
// what strict lets through, net/http must read as the same request with the
// same body, ending at the same byte.
func FuzzWhatPassesMeansTheSameToNetHTTP(f *testing.F) {
	for _, c := range ambiguous {
		f.Add([]byte(c.raw))
		f.Add([]byte(c.raw + "GET /next HTTP/1.1\r\n" + host + "\r\n"))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		ours := bufio.NewReader(bytes.NewReader(raw))
		r := strict.NewReader(ours, strict.Limits{})
		req, h, err := r.ReadRequest()
		if e := strict.Refused(err); e != nil && e.Rule == "parse" {
			t.Fatalf("passed the check, but net/http cannot parse it: %q", raw)
		}
		if err != nil {
			return
		}
		theirs := bufio.NewReader(bytes.NewReader(raw))
		want, err := http.ReadRequest(theirs)
		if err != nil {
			t.Fatalf("net/http refuses: %v", err)
		}
		if string(h.Method) != want.Method || string(h.Target) != want.RequestURI {
			t.Fatalf("line: got %s %s, want %s %s", h.Method, h.Target, want.Method, want.RequestURI)
		}
		if got := string(h.Host); len(h.Authority) == 0 && got != want.Host {
			t.Fatalf("host: got %q, want %q", got, want.Host)
		}
		if got := string(h.Authority); len(h.Authority) > 0 && got != want.Host {
			t.Fatalf("authority: got %q, want %q", got, want.Host)
		}
		if h.ContentLength != want.ContentLength {
			t.Fatalf("length: got %d, want %d", h.ContentLength, want.ContentLength)
		}
		if diff := cmp.Diff(headers(h.Raw, want), want.Header); diff != "" {
			t.Fatalf("headers: %s", diff)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		wantBody, err := io.ReadAll(want.Body)
		if err != nil {
			t.Fatalf("net/http refuses the body: %v", err)
		}
		if !bytes.Equal(body, wantBody) {
			t.Fatalf("body: got %q, want %q", body, wantBody)
		}
		if diff := cmp.Diff(req.Trailer, want.Trailer); diff != "" {
			t.Fatalf("trailer: %s", diff)
		}
		rest, _ := io.ReadAll(ours)
		wantRest, _ := io.ReadAll(theirs)
		if !bytes.Equal(rest, wantRest) {
			t.Fatalf("the next request begins at %q, want %q", rest, wantRest)
		}
	})
}

// headers reads a head the simplest way there is, and leaves out what net/http
// is known to take out of, or put into, the header set.
func headers(raw []byte, want *http.Request) http.Header {
	got := http.Header{}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\r\n\r\n"), "\r\n")
	for _, line := range lines[1:] {
		n, v, _ := strings.Cut(line, ":")
		n = textproto.CanonicalMIMEHeaderKey(n)
		got[n] = append(got[n], strings.Trim(v, " \t"))
	}
	for _, n := range []string{"Host", "Transfer-Encoding", "Trailer"} {
		delete(got, n)
	}
	if p := got["Pragma"]; len(p) > 0 && p[0] == "no-cache" && got["Cache-Control"] == nil {
		got["Cache-Control"] = want.Header["Cache-Control"]
	}
	return got
}
