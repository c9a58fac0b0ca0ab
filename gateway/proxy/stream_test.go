package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/proxy"
)

// both runs a test with each protocol on each side.
func both(t *testing.T, handler http.Handler, test func(t *testing.T, g *rig, c *http.Client)) {
	t.Helper()
	for name, h := range map[string]http.Handler{"to h1": only1{handler}, "to h2": handler} {
		for from, h2 := range map[string]bool{"h1": false, "h2": true} {
			t.Run(from+" "+name, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, h)
				test(t, g, g.client(h2))
			})
		}
	}
}

const base = "https://" + host

func TestEventsArriveAsTheyAreSent(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		for i := range 3 {
			<-signalOf(r) // sent when the client has the one before
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	}), func(t *testing.T, g *rig, c *http.Client) {
		res, err := c.Get(base + "/events")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		lines := bufio.NewReader(res.Body)
		for i := range 3 {
			g.upstream.signal <- struct{}{}
			line, err := lines.ReadString('\n')
			if err != nil || line != fmt.Sprintf("data: %d\n", i) {
				t.Fatalf("event %d: %q %v", i, line, err)
			}
			_, _ = lines.ReadString('\n')
		}
	})
}

// endless sends until the client goes, and tells when it does.
func endless(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "first\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	close(signalOf(r))
}

func TestKillCutsAStream(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(endless), func(t *testing.T, g *rig, c *http.Client) {
		res, err := c.Get(base + "/stream")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		br := bufio.NewReader(res.Body)
		if line, err := br.ReadString('\n'); line != "first\n" {
			t.Fatalf("%q %v", line, err)
		}
		g.current.Kill("github", "Another connector.")
		g.current.Kill("http", "Enough.")
		began := time.Now()
		if b, err := io.ReadAll(br); err == nil {
			t.Errorf("the stream ended well, after %q", b)
		}
		if took := time.Since(began); took > 250*time.Millisecond {
			t.Errorf("cut after %v", took)
		}
		<-g.upstream.signal
		entries := g.spool.settled(t, 2)
		if e := entries[1].Error; !strings.Contains(e, "kill switch") {
			t.Errorf("the outcome says %q", e)
		}
	})
}

func TestKillWhileTheUpstreamThinksIsAnswered(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(signalOf(r))
		<-r.Context().Done()
	}), func(t *testing.T, g *rig, c *http.Client) {
		go func() {
			<-g.upstream.signal
			g.current.Kill("", "Enough.")
		}()
		res, body := g.do(c, "GET", base, "")
		if res.StatusCode != 403 || res.Header.Get("X-TameFlare-Kill-Switch") != "active" {
			t.Errorf("%s %s", res.Status, body)
		}
	})
}

func TestUpstreamIsLetGoWithTheClient(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(endless), func(t *testing.T, g *rig, c *http.Client) {
		ctx, leave := context.WithCancel(context.Background())
		r, err := http.NewRequestWithContext(ctx, "GET", base+"/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		leave()
		res.Body.Close()
		select {
		case <-g.upstream.signal:
		case <-time.After(5 * time.Second):
			t.Error("the upstream still sends")
		}
	})
}

func TestHalfAnAnswerDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	for name, length := range map[string]string{"with a length": "100", "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			both(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				fmt.Fprint(w, "half")
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}), func(t *testing.T, g *rig, c *http.Client) {
				res, err := c.Get(base)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if b, err := io.ReadAll(res.Body); err == nil {
					t.Errorf("a whole answer: %q", b)
				}
				if e := g.spool.settled(t, 2)[1]; e.Error == "" || e.Received != 4 {
					t.Errorf("the outcome says %+v", e)
				}
			})
		})
	}
}

type pattern struct{ left int }

func (p *pattern) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n := min(len(b), p.left)
	for i := range b[:n] {
		b[i] = byte((p.left - i) * 31)
	}
	p.left -= n
	return n, nil
}

//nolint:paralleltest // what other tests allocate would be counted too
func TestLargeBodiesStreamBothWays(t *testing.T) {
	const size = 32 << 20
	want := sha256.New()
	_, _ = io.Copy(want, &pattern{size})
	both(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		_, _ = io.Copy(h, r.Body)
		w.Header().Set("X-Sum", fmt.Sprintf("%x", h.Sum(nil)))
		_, _ = io.Copy(w, &pattern{size})
	}), func(t *testing.T, g *rig, c *http.Client) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := http.NewRequest("PUT", base, &pattern{size})
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		h := sha256.New()
		n, err := io.Copy(h, res.Body)
		if err != nil || n != size {
			t.Fatalf("read %d: %v", n, err)
		}
		runtime.ReadMemStats(&after)
		if sum := fmt.Sprintf("%x", want.Sum(nil)); res.Header.Get("X-Sum") != sum || fmt.Sprintf("%x", h.Sum(nil)) != sum {
			t.Error("the bytes differ")
		}
		if e := g.spool.settled(t, 2)[1]; e.Sent != size || e.Received != size {
			t.Errorf("sent %d, received %d", e.Sent, e.Received)
		}
		// All four run at once, clients and upstreams included.
		if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 32<<20 {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
	})
}

func TestClientIsAskedForItsBody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reads bool
		asked bool
	}{"the upstream wants it": {true, true}, "it does not": {false, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newRig(t, only1{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !test.reads {
					w.WriteHeader(413)
					return
				}
				b, _ := io.ReadAll(r.Body)
				_, _ = w.Write(b)
			})})
			asked := false
			r, err := http.NewRequest("PUT", base, strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Expect", "100-continue")
			r = r.WithContext(httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got100Continue: func() { asked = true }}))
			res, err := g.client(false).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			if asked != test.asked || test.reads != (string(b) == "hello") {
				t.Errorf("asked %v, answer %s %q", asked, res.Status, b)
			}
		})
	}
}

func TestInterimAnswersAndTrailersPass(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(103)
		w.Header().Del("Link")
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		_, _ = w.Write(b)
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-Sum", "after "+r.Trailer.Get("X-Client"))
	}), func(t *testing.T, g *rig, c *http.Client) {
		var hints string
		r, err := http.NewRequest("PUT", base, io.MultiReader(strings.NewReader("hello")))
		if err != nil {
			t.Fatal(err)
		}
		r.Trailer = http.Header{"X-Client": {"sum"}}
		r = r.WithContext(httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
			Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints = h.Get("Link"); return nil },
		}))
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil || string(b) != "hello" || res.Trailer.Get("X-Sum") != "after sum" || hints != "</style.css>" || res.Header.Get("Link") != "" {
			t.Errorf("%q %v, trailer %v, hints %q", b, err, res.Trailer, hints)
		}
	})
}

func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	both(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/304":
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(304)
		case "/204":
			w.WriteHeader(204)
		default:
			w.Header().Set("Content-Length", "42")
		}
	}), func(t *testing.T, g *rig, c *http.Client) {
		if res, _ := g.do(c, "HEAD", base+"/", ""); res.StatusCode != 200 || res.ContentLength != 42 {
			t.Errorf("HEAD: %s %d", res.Status, res.ContentLength)
		}
		if res, _ := g.do(c, "GET", base+"/304", ""); res.StatusCode != 304 || res.Header.Get("Etag") == "" {
			t.Errorf("304: %s %v", res.Status, res.Header)
		}
		if res, _ := g.do(c, "GET", base+"/204", ""); res.StatusCode != 204 {
			t.Errorf("204: %s", res.Status)
		}
		if res, _ := g.do(c, "HEAD", base+"/", ""); res.StatusCode != 200 {
			t.Errorf("after them: %s", res.Status)
		}
		if _, conns := g.upstream.seen(); conns != 1 {
			t.Errorf("%d connections to the upstream", conns)
		}
	})
}

func TestEarlyAnswerEndsAnUpload(t *testing.T) {
	t.Parallel()
	g := newRig(t, only1{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(401)
		fmt.Fprint(w, "no")
	})})
	conn, br := g.secure(host+":443", host)
	fmt.Fprintf(conn, "PUT / HTTP/1.1\r\nHost: %s\r\nContent-Length: 100000000\r\n\r\n%s", host, strings.Repeat("x", 20000))
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != 401 {
		t.Fatalf("%v %v", res, err)
	}
	if b, err := io.ReadAll(res.Body); string(b) != "no" {
		t.Errorf("%q %v", b, err)
	}
	if _, err := br.ReadByte(); err == nil {
		t.Error("the connection goes on although nobody knows where the next request begins")
	}
}

func TestUpgradedConnectionsTalkBothWays(t *testing.T) {
	t.Parallel()
	g := newRig(t, websocket())
	conn, br := g.upgrade(t)
	for _, word := range []string{"one", "two", strings.Repeat("long", 50000)} {
		go fmt.Fprint(conn, word)
		got := make([]byte, len(word))
		if _, err := io.ReadFull(br, got); err != nil || string(got) != strings.ToUpper(word) {
			t.Fatalf("%.20q %v", got, err)
		}
	}
	if got := g.upstream.lastHeader(t).Get("Authorization"); got != "Bearer "+canary {
		t.Errorf("Authorization %q", got)
	}
	conn.Close()
	if e := g.spool.settled(t, 2)[1]; e.Status != 101 || e.Sent != 200006 || e.Received != 200006 {
		t.Errorf("the outcome says %+v", e)
	}
}

func TestKillCutsAnUpgradedConnection(t *testing.T) {
	t.Parallel()
	g := newRig(t, websocket())
	_, br := g.upgrade(t)
	g.current.Kill("", "Enough.")
	began := time.Now()
	if _, err := br.ReadByte(); err == nil {
		t.Errorf("it goes on")
	}
	if took := time.Since(began); took > 250*time.Millisecond {
		t.Errorf("cut after %v", took)
	}
}

func TestUpgradeMayBeDeclined(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(echo)) // speaks HTTP/2, where there are none
	answers, err := g.raw("GET /ws HTTP/1.1\r\nHost: "+host+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\nHost: "+host+"\r\n\r\n", 2)
	if err != nil || answers[0].StatusCode != 200 || answers[1].StatusCode != 200 {
		t.Errorf("%v %v", answers, err)
	}
}

func (g *rig) upgrade(t *testing.T) (*tls.Conn, *bufio.Reader) {
	t.Helper()
	conn, br := g.secure(host+":443", host)
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n", host)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != 101 || res.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("%v %v", res, err)
	}
	return conn, br
}

// websocket answers everything in capitals.
func websocket() http.Handler {
	return only1{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" {
			w.WriteHeader(400)
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		b := make([]byte, 4096)
		for {
			n, err := rw.Read(b)
			if _, err := conn.Write(bytes.ToUpper(b[:n])); err != nil {
				return
			}
			if err != nil {
				return
			}
		}
	})}
}

func TestIdleConnectionThatTheUpstreamClosedIsNotUsed(t *testing.T) {
	t.Parallel()
	g := newRig(t, only1{http.HandlerFunc(echo)})
	c := g.client(false)
	for range 5 {
		if res, _ := g.do(c, "PUT", base, "x"); res.StatusCode != 200 {
			t.Fatalf("%s", res.Status)
		}
		g.upstream.secure.CloseClientConnections()
	}
	if got, _ := g.upstream.seen(); len(got) != 5 {
		t.Errorf("upstream got %v", got)
	}
}

func TestRequestsUnderWayFinishInTheGracePeriod(t *testing.T) {
	t.Parallel()
	for name, h2 := range map[string]bool{"h1": false, "h2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived, finish := make(chan struct{}), make(chan struct{})
			g := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-finish
				fmt.Fprint(w, "done")
			}), func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { g.proxy.Limits.Grace = 10 * time.Second })
			answer := make(chan string, 1)
			go func() {
				_, body := g.do(g.client(h2), "GET", base, "")
				answer <- body
			}()
			<-arrived
			ended := make(chan struct{})
			go func() { g.end(); close(ended) }()
			close(finish)
			if got := <-answer; got != "done" {
				t.Errorf("answer %q", got)
			}
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Error("the run did not end when its last request had")
			}
		})
	}
}
