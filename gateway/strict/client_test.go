package strict_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/gateway/strict"
)

// ordinary are requests as net/http sends them.
func ordinary(t *testing.T, url string) []*http.Request {
	t.Helper()
	request := func(method, path string, body io.Reader) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	chunked := request("POST", "/chunked", io.MultiReader(strings.NewReader("hello "), strings.NewReader("world")))
	chunked.Trailer = http.Header{"X-Sum": {"7"}}
	expect := request("PUT", "/expect", strings.NewReader("hello world"))
	expect.Header.Set("Expect", "100-continue")
	query := request("GET", "/query?q=a%20b&x=|%22", nil)
	query.Header.Set("Accept-Language", "de, en;q=0.5")
	return []*http.Request{query, request("POST", "/length", strings.NewReader("hello world")), chunked, expect, request("DELETE", "/none", nil)}
}

var ordinaryWant = []string{"GET  ", "POST hello world ", "POST hello world 7", "PUT hello world ", "DELETE  "}

func describe(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	return r.Method + " " + string(body) + " " + r.Trailer.Get("X-Sum")
}

func do(t *testing.T, c *http.Client, url string) (got []string) {
	t.Helper()
	for _, r := range ordinary(t, url) {
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(body))
	}
	return got
}

func TestOrdinaryH1ClientsPass(t *testing.T) {
	t.Parallel()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept() // one connection carries them all
		if err != nil {
			return
		}
		defer c.Close()
		r := strict.NewReader(bufio.NewReader(c), strict.Limits{})
		for {
			req, h, err := r.ReadRequest()
			if err != nil {
				if e := strict.Refused(err); e != nil {
					t.Errorf("refused: %v", e)
				}
				return
			}
			if h.ExpectContinue {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			res := http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(describe(req))), ContentLength: -1, TransferEncoding: []string{"chunked"}}
			if err := res.Write(c); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	client := &http.Client{Transport: &http.Transport{}}
	if diff := cmp.Diff(ordinaryWant, do(t, client, "http://"+l.Addr().String())); diff != "" {
		t.Error(diff)
	}
	client.CloseIdleConnections()
	_ = l.Close()
	<-done
}

func TestOrdinaryH2ClientsPass(t *testing.T) {
	t.Parallel()

	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := strict.CheckH2(r, strict.Limits{}); err != nil || r.ProtoMajor != 2 {
			t.Errorf("%s: %s: %v", r.Proto, r.URL, err)
		}
		_, _ = io.WriteString(w, describe(r))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	if diff := cmp.Diff(ordinaryWant, do(t, s.Client(), s.URL)); diff != "" {
		t.Error(diff)
	}
}
