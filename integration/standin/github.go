package standin

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// GitHub is api.github.com and github.com with one bot account. Requests
// without that account's token get what GitHub answers to strangers.
type GitHub struct {
	Token string // of the bot; what clients must show
	Repos string // folder with bare repositories, owner/name.git; "" for none

	listener net.Listener
	server   *http.Server
	done     chan error

	mu      sync.Mutex
	seen    []Seen
	streams int
}

// Seen is a request that arrived.
type Seen struct {
	Method, Host, Path, Query string
	Proto                     string
	Header                    http.Header
	Body                      int64 // bytes
	Effect                    bool  // it was authorised, and something was done
}

// Start listens on a free loopback port, with certificates of ca.
func (g *GitHub) Start(ca *CA) error {
	leaf, err := ca.Leaf("api.github.com", "github.com", "uploads.github.com")
	if err != nil {
		return err
	}
	if g.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	g.server = &http.Server{
		Handler:           g.routes(),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 10 * time.Second,
	}
	g.done = make(chan error, 1)
	go func() { g.done <- g.server.ServeTLS(g.listener, "", "") }()
	return nil
}

// Addr returns where it listens.
func (g *GitHub) Addr() string { return g.listener.Addr().String() }

// Close stops it, and cuts what is under way.
func (g *GitHub) Close() error {
	err := g.server.Close()
	if served := <-g.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Seen returns what has arrived so far, in order.
func (g *GitHub) Seen() []Seen {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Seen(nil), g.seen...)
}

// Effects counts what was done by requests with that method and path.
func (g *GitHub) Effects(method, path string) int {
	n := 0
	for _, s := range g.Seen() {
		if s.Effect && s.Method == method && s.Path == path {
			n++
		}
	}
	return n
}

// Streams returns how many event streams are open.
func (g *GitHub) Streams() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.streams
}

func (g *GitHub) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /user", g.answer(map[string]any{"login": "acme-bot", "id": 1}))
	mux.HandleFunc("GET /repos/{owner}/{repo}", g.answer(map[string]any{"full_name": "acme/site", "private": true, "default_branch": "main"}))
	mux.HandleFunc("GET /repos/{owner}/{repo}/pulls/{number}", g.answer(map[string]any{"number": 12, "state": "open", "title": "Ship it"}))
	mux.HandleFunc("PUT /repos/{owner}/{repo}/pulls/{number}/merge", g.answer(map[string]any{"merged": true, "message": "Pull Request successfully merged"}))
	mux.HandleFunc("PATCH /repos/{owner}/{repo}/pulls/{number}", g.answer(map[string]any{"number": 12, "state": "closed"}))
	mux.HandleFunc("POST /repos/{owner}/{repo}/issues", g.answer(map[string]any{"number": 13}))
	mux.HandleFunc("DELETE /repos/{owner}/{repo}", g.answer(nil))
	mux.HandleFunc("POST /repos/{owner}/{repo}/releases/{id}/assets", g.answer(map[string]any{"state": "uploaded"}))
	mux.HandleFunc("GET /repos/{owner}/{repo}/events", g.events)
	mux.HandleFunc("GET /redirect", func(w http.ResponseWriter, r *http.Request) {
		g.note(r, 0, false)
		http.Redirect(w, r, "https://elsewhere.example/steal", http.StatusFound)
	})
	if g.Repos != "" {
		mux.Handle("/{owner}/{repo}/", g.git())
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.note(r, 0, false)
		reply(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
	})
	return mux
}

// answer does what the path says, for those who show the token.
func (g *GitHub) answer(body map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return // the body was cut off: nothing is done
		}
		if !g.authorised(r) {
			g.note(r, n, false)
			reply(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"})
			return
		}
		g.note(r, n, true)
		if body == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		reply(w, http.StatusOK, body)
	}
}

// events streams server-sent events until the reader leaves.
func (g *GitHub) events(w http.ResponseWriter, r *http.Request) {
	ok := g.authorised(r)
	g.note(r, 0, ok)
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		return
	}
	g.count(1)
	defer g.count(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		if _, err := fmt.Fprintf(w, "id: %d\ndata: {\"n\":%d}\n\n", n, n); err != nil || flush.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

func (g *GitHub) count(d int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams += d
}

func (g *GitHub) authorised(r *http.Request) bool {
	if _, password, ok := r.BasicAuth(); ok {
		return same(password, g.Token)
	}
	h := r.Header.Get("Authorization")
	return same(h, "Bearer "+g.Token) || same(h, "token "+g.Token)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (g *GitHub) note(r *http.Request, body int64, effect bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, Seen{
		Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Proto: r.Proto,
		Header: r.Header.Clone(), Body: body, Effect: effect,
	})
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the reader may have left
}

// WaitFor returns once what holds of what has arrived, or when ctx ends.
func (g *GitHub) WaitFor(ctx context.Context, holds func([]Seen) bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds(g.Seen()) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
