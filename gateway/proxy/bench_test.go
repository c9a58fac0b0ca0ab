package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
)

// The figures are of client, proxy and upstream together, since all of them run
// in this process; the allocations of client and upstream are kept low by
// speaking raw HTTP/1.1 on the client's side.
func BenchmarkH1(b *testing.B) { benchmarkH1(b) }

// BenchmarkPolicies is BenchmarkH1 with ten clauses that concern the request,
// each of which is explained.
func BenchmarkPolicies(b *testing.B) {
	clauses := make([]policy.Clause, 10)
	for i := range clauses {
		clauses[i] = denies(fmt.Sprintf("no %d", i), where("resource", policy.Equals, text(fmt.Sprintf("api.example.com/%d", i))))
	}
	benchmarkH1(b, judged(clauses...))
}

func benchmarkH1(b *testing.B, change ...settings) {
	g := newRig(b, only1{http.HandlerFunc(answer1k)}, change...)
	conn, br := g.secure(host+":443", host)
	request := []byte("GET /thing HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	req := &http.Request{Method: "GET"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		res, err := http.ReadResponse(br, req)
		if err != nil || res.StatusCode != 200 {
			b.Fatal(res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
	}
}

func BenchmarkParallel(b *testing.B) {
	for name, h2 := range map[string]bool{"h1": false, "h2": true} {
		b.Run(name, func(b *testing.B) {
			g := newRig(b, only1{http.HandlerFunc(answer1k)})
			c := g.client(h2)
			c.Transport.(*http.Transport).MaxIdleConnsPerHost = 512
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					res, err := c.Get("https://" + host + "/thing")
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
		})
	}
}

// BenchmarkDirect is the same client and upstream without the proxy.
func BenchmarkDirect(b *testing.B) {
	u := newUpstream(b, only1{http.HandlerFunc(answer1k)})
	c := u.secure.Client()
	b.ReportAllocs()
	for b.Loop() {
		res, err := c.Get(fmt.Sprintf("http://%s/thing", u.plain.Listener.Addr()))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

var kilobyte = make([]byte, 1024)

func answer1k(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(kilobyte)
}
