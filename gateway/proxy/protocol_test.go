package proxy_test

import (
	"io"
	"net/http"
	"testing"
)

// A client of HTTP/1 has no more connections to the upstream through us than
// without us, and one of HTTP/2 has one.
func TestAClientIsTakenOnInItsOwnProtocol(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]struct {
		h2    bool
		proto string
	}{
		"HTTP/1.1": {false, "HTTP/1.1"},
		"HTTP/2":   {true, "HTTP/2.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			g := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
			c := g.client(want.h2)
			for range 3 {
				if _, got := g.do(c, http.MethodGet, "https://"+host+"/thing", ""); got != want.proto {
					t.Errorf("the upstream was spoken to in %s, want %s", got, want.proto)
				}
			}
			if _, connections := g.upstream.seen(); connections != 1 {
				t.Errorf("%d connections for one request after another", connections)
			}
		})
	}
}
