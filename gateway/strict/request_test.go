package strict_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/gateway/strict"
)

func isErr(got, want error) bool { return errors.Is(got, want) }

func TestRequestsOnOneConnectionStayApart(t *testing.T) {
	t.Parallel()

	raw := "POST /1 HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc" +
		"POST /2 HTTP/1.1\r\n" + host + "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3;e\r\ndef\r\n0\r\nX-Sum: 7\r\n\r\n" +
		"GET /3 HTTP/1.1\r\n" + host + "\r\n"
	r := strict.NewReader(bufio.NewReader(strings.NewReader(raw)), strict.Limits{})
	var got []string
	for {
		req, _, err := r.ReadRequest()
		if isErr(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, req.RequestURI+" "+string(body)+" "+req.Trailer.Get("X-Sum"))
	}
	if diff := cmp.Diff([]string{"/1 abc ", "/2 def 7", "/3  "}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadBodyIsNeverTheNextRequest(t *testing.T) {
	t.Parallel()

	inner := "GET /smuggled HTTP/1.1\r\n" + host + "\r\n"
	for name, raw := range map[string]string{
		"length":  "POST / HTTP/1.1\r\n" + host + "Content-Length: 40\r\n\r\n" + inner,
		"chunked": "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + inner,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			r := strict.NewReader(bufio.NewReader(strings.NewReader(raw)), strict.Limits{})
			if _, err := r.ReadHead(); err != nil {
				t.Fatal(err)
			}
			if h, err := r.ReadHead(); err == nil {
				t.Errorf("took the body for a head: %q", h.Raw)
			}

			r = strict.NewReader(bufio.NewReader(strings.NewReader(raw)), strict.Limits{})
			req, _, err := r.ReadRequest()
			if err != nil {
				t.Fatal(err)
			}
			_ = req.Body.Close()
			if h, err := r.ReadHead(); err == nil {
				t.Errorf("took the closed body for a head: %q", h.Raw)
			}
			if _, err := req.Body.Read(make([]byte, 1)); err == nil {
				t.Error("read from a closed body")
			}
		})
	}
}

func TestDrainMakesRoomForTheNextRequest(t *testing.T) {
	t.Parallel()

	raw := "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello" + "GET /next HTTP/1.1\r\n" + host + "\r\n"
	r := strict.NewReader(bufio.NewReader(strings.NewReader(raw)), strict.Limits{})
	if _, _, err := r.ReadRequest(); err != nil {
		t.Fatal(err)
	}
	if r.Drain(3) {
		t.Error("Drain(3) of 5 bytes says that the connection is ready")
	}
	if !r.Drain(100) {
		t.Fatal("Drain(100) of 2 bytes says that the connection is not ready")
	}
	req, _, err := r.ReadRequest()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := req.RequestURI, "/next"; got != want {
		t.Errorf("next request is %s, want %s", got, want)
	}
}

func TestDrainRefusesABrokenBody(t *testing.T) {
	t.Parallel()

	raw := "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\nGET /next HTTP/1.1\r\n" + host + "\r\n"
	r := strict.NewReader(bufio.NewReader(strings.NewReader(raw)), strict.Limits{})
	if _, _, err := r.ReadRequest(); err != nil {
		t.Fatal(err)
	}
	if r.Drain(1 << 20) {
		t.Error("a broken body leaves the connection usable")
	}
	if _, err := r.ReadHead(); err == nil {
		t.Error("read a head after a broken body")
	}
}

func TestHeadSaysWhatTheClientWaitsFor(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		raw             string
		expect, upgrade bool
		length          int64
	}{
		"continue":              {"POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", true, false, 2},
		"continue of 1.0":       {"POST / HTTP/1.0\r\n" + host + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", false, false, 2},
		"continue without body": {"POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\n\r\n", false, false, 0},
		"chunked":               {"POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, false, -1},
		"websocket":             {"GET / HTTP/1.1\r\n" + host + "Upgrade: websocket\r\n\r\n", false, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			h, err := strict.NewReader(bufio.NewReader(strings.NewReader(c.raw)), strict.Limits{}).ReadHead()
			if err != nil {
				t.Fatal(err)
			}
			if h.ExpectContinue != c.expect || h.Upgrade != c.upgrade || h.ContentLength != c.length {
				t.Errorf("got expect %v, upgrade %v, length %d", h.ExpectContinue, h.Upgrade, h.ContentLength)
			}
		})
	}
}

// loop is a connection that sends the same request for ever.
type loop struct {
	raw string
	at  int
}

func (l *loop) Read(p []byte) (int, error) {
	n := copy(p, l.raw[l.at:])
	l.at = (l.at + n) % len(l.raw)
	return n, nil
}

const typical = "POST /repos/acme/widgets/pulls/7/merge?x=1 HTTP/1.1\r\nHost: api.github.com\r\nUser-Agent: python-requests/2.32\r\n" +
	"Accept: application/vnd.github+json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nAuthorization: Bearer ghp_placeholder\r\n" +
	"X-Github-Api-Version: 2022-11-28\r\nContent-Type: application/json\r\n\r\n"

func TestCheckingAHeadAllocatesNothing(t *testing.T) {
	r := strict.NewReader(bufio.NewReader(&loop{raw: typical}), strict.Limits{})
	var failed error
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := r.ReadHead(); err != nil {
			failed = err
		}
	})
	if failed != nil {
		t.Fatal(failed)
	}
	if allocs != 0 {
		t.Errorf("%v allocations per head, want 0", allocs)
	}
}

func BenchmarkReadHead(b *testing.B) {
	r := strict.NewReader(bufio.NewReader(&loop{raw: typical}), strict.Limits{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.ReadHead(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadRequest(b *testing.B) {
	r := strict.NewReader(bufio.NewReader(&loop{raw: typical}), strict.Limits{})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.ReadRequest(); err != nil {
			b.Fatal(err)
		}
	}
}
