package proxy_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func readAnswer(t testing.TB, conn net.Conn) (int, string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	return res.StatusCode, string(b)
}

// Each of these could hide a second request, GET /hidden, from one of two
// parsers. The upstream must see it never, and the connection must end.
func TestNothingIsSmuggled(t *testing.T) {
	t.Parallel()
	const hidden = "GET /hidden HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	head := "PUT / HTTP/1.1\r\nHost: " + host + "\r\n"
	for name, request := range map[string]string{
		"both lengths":            head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"lengths the other way":   head + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + hidden,
		"two lengths":             head + "Content-Length: 0\r\nContent-Length: 10\r\n\r\n" + hidden,
		"the same length twice":   head + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + hidden,
		"a length with a sign":    head + "Content-Length: +0\r\n\r\n" + hidden,
		"a look-alike":            head + "Content_Length: 9\r\nContent-Length: 0\r\n\r\n" + hidden,
		"chunked misspelt":        head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden,
		"chunked after a tab":     head + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + hidden,
		"chunked, folded":         head + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + hidden,
		"space before the colon":  head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
		"chunked in HTTP/1.0":     "PUT / HTTP/1.0\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
		"bare line feeds":         "PUT / HTTP/1.1\nHost: " + host + "\nContent-Length: 0\n\n" + hidden,
		"NUL in a value":          head + "X: a\x00b\r\nContent-Length: 0\r\n\r\n" + hidden,
		"chunk size with blank":   head + "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n" + hidden,
		"chunk of wrong length":   head + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" + hidden,
		"chunk by line feed":      head + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n" + hidden,
		"trailer not announced":   head + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n" + hidden,
		"h2c":                     head + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" + hidden,
		"expectation with more":   head + "Expect: y 100-continue\r\nContent-Length: 5\r\n\r\n" + hidden,
		"a nominated length":      head + "Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello" + hidden,
		"a nominated credential":  head + "Connection: Authorization\r\nContent-Length: 0\r\n\r\n" + hidden,
		"lower-case method":       "put / HTTP/1.1\r\nHost: " + host + "\r\n\r\n" + hidden,
		"fragment in the target":  "GET /#/hidden HTTP/1.1\r\nHost: " + host + "\r\n\r\n" + hidden,
		"two hosts":               "GET / HTTP/1.1\r\nHost: " + host + "\r\nHost: evil.example\r\n\r\n" + hidden,
		"an upgrade with a body":  head + "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello" + hidden,
		"the preface of HTTP/2":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
		"a request without colon": head + "X\r\n\r\n" + hidden,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, only1{http.HandlerFunc(echo)})
			answers, err := g.raw(request, 2)
			if err == nil {
				t.Errorf("two answers: %v", answers)
			}
			for _, a := range answers {
				if a.StatusCode < 400 {
					t.Errorf("answer %s", a.Status)
				}
			}
			g.end()
			got, _ := g.upstream.seen()
			for _, r := range got {
				if strings.Contains(r, "hidden") {
					t.Errorf("upstream got %v", got)
				}
			}
		})
	}
}

func TestConnectionGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	g := newRig(t, only1{http.HandlerFunc(echo)})
	refused := "DELETE / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000)
	chunked := "DELETE / HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	allowed := "GET /next HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	answers, err := g.raw(refused+allowed+chunked+allowed, 4)
	if err != nil {
		t.Fatalf("after %d answers: %v", len(answers), err)
	}
	for i, want := range []int{403, 200, 403, 200} {
		if answers[i].StatusCode != want {
			t.Errorf("answer %d: %s, want %d", i, answers[i].Status, want)
		}
	}
	if !strings.HasPrefix(answers[0].Status, "403 Denied by TameFlare: ") {
		t.Errorf("reason phrase %q", answers[0].Status)
	}
}

func TestRefusedClientNeedNotSendItsBody(t *testing.T) {
	t.Parallel()
	g := newRig(t, only1{http.HandlerFunc(echo)})
	answers, err := g.raw("DELETE / HTTP/1.1\r\nHost: "+host+"\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 1)
	if err != nil || answers[0].StatusCode != 403 || !answers[0].Close {
		t.Errorf("%v %v", answers, err)
	}
}
