package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

// listen opens a stream over real HTTP and hands over its lines; the channel
// is closed when the server ends it.
func (h *house) listen(t *testing.T, cookie, topics string) <-chan string {
	t.Helper()
	server := httptest.NewServer(h.Handler())
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); server.Close() })
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events?topics="+topics, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.AddCookie(&http.Cookie{Name: "tameflare", Value: cookie})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%d %q, want a stream", res.StatusCode, got)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer res.Body.Close()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}

// heard waits for a line, or for the end where line is "".
func heard(t *testing.T, lines <-chan string, line string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case got, more := <-lines:
			if !more && line == "" || more && line != "" && got == line {
				return
			}
			if !more {
				t.Fatalf("the stream ended before %q", line)
			}
		case <-limit:
			t.Fatalf("%q was not heard", line)
		}
	}
}

func TestAHeldRequestIsHeardOfAtOnce(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	lines := h.listen(t, h.session(t, h.owner), "approvals+gateways")
	heard(t, lines, "event: approvals") // what there was before
	heard(t, lines, "event: gateways")
	h.ask(t, question('b'))
	heard(t, lines, "event: approvals")
	h.post(t, "/kill", "scope", "chosen", "connector", "webhook")
	heard(t, lines, "event: gateways")
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	cookie := h.session(t, h.owner)
	lines := h.listen(t, cookie, "approvals")
	heard(t, lines, "event: approvals")
	if w := h.do(t, visit{method: "POST", path: "/sign-out", cookie: cookie}); w.Code != http.StatusSeeOther {
		t.Fatal(w.Code)
	}
	h.ask(t, question('b'))
	limit := time.After(20 * time.Second)
	for {
		select {
		case line, more := <-lines:
			if !more {
				return
			}
			if strings.HasPrefix(line, "event:") {
				t.Fatalf("after signing out: %q", line)
			}
		case <-limit:
			t.Fatal("the stream goes on after signing out")
		}
	}
}

func TestAStreamEndsWhenTheServerStops(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	stop := make(chan struct{})
	h.Stopping = stop
	lines := h.listen(t, h.session(t, h.owner), "traffic")
	heard(t, lines, "event: traffic")
	close(stop)
	heard(t, lines, "")
}

func TestUnknownTopicsAreRefused(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	for _, path := range []string{"/events", "/events?topics=config", "/events?topics=approvals+approvals+approvals+approvals"} {
		if w := h.do(t, visit{path: path, as: h.owner}); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", path, w.Code)
		}
	}
	w := h.do(t, visit{path: "/events?topics=traffic", header: map[string]string{"Accept": "text/event-stream"}})
	if w.Code != http.StatusUnauthorized {
		t.Errorf("stranger: %d, want 401", w.Code)
	}
}

// deaf is a bus that loses every ring, and a dashboard whose approvals change.
type deaf struct {
	Accounts
	Approvals
	seq atomic.Int64
}

func (*deaf) Subscribe(string) (<-chan struct{}, func()) { return make(chan struct{}), func() {} }
func (*deaf) Read(*http.Request) string                  { return "session" }
func (*deaf) Write(http.ResponseWriter, *http.Request, credential.Secret) {
}
func (*deaf) Clear(http.ResponseWriter, *http.Request) {}
func (*deaf) Viewer(context.Context, string, string) (team.Viewer, error) {
	return team.Viewer{Team: team.Team{ID: "team_1"}, Role: team.RoleViewer}, nil
}
func (d *deaf) List(context.Context, string, approval.Filter, page.Cursor, int) ([]approval.Approval, page.Cursor, error) {
	return []approval.Approval{{ID: "apr_1", Seq: d.seq.Load()}}, page.Cursor{}, nil
}

func TestALostRingIsMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{}
		s := &Server{Accounts: d, Approvals: d, Bus: d, Cookies: d, Now: time.Now, BaseURL: "http://" + host}
		ctx, cancel := context.WithCancel(t.Context())
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events?topics=approvals", nil)
		r.Host = host
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Handler().ServeHTTP(w, r)
		}()
		synctest.Wait()
		time.Sleep(14 * time.Second) // of the bubble: looks, and nothing new
		d.seq.Add(1)
		time.Sleep(6 * time.Second)
		cancel()
		<-done
		body := w.Body.String()
		if n := strings.Count(body, "event: approvals\n"); n != 2 {
			t.Errorf("%d events, want 2: the first look and the change\n%s", n, body)
		}
		if n := strings.Count(body, ": beat\n"); n != 1 {
			t.Errorf("%d beats in 20 seconds, want 1", n)
		}
	})
}
