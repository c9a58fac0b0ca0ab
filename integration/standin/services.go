package standin

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Services are the services that the program has connectors for, behind one
// address. Each looks for its credential where the real one does, answers well
// enough for its own clients, and keeps what it was sent.
type Services struct {
	Keys  map[string]string // the real credentials, by connector type
	Repos string            // folder with bare repositories, owner/name.git
	Ours  func(sent string) (found string, ok bool)

	addr   string
	server *http.Server
	done   chan error

	mu       sync.Mutex
	sent     []Sent
	problems []string
}

// Sent is a request that arrived, with its body.
type Sent struct {
	*http.Request
	Content []byte
}

// served are the hosts, and whose they are.
var served = map[string]string{
	"api.github.com": "github", "github.com": "github", "uploads.github.com": "github",
	"api.openai.com": "openai", "api.anthropic.com": "anthropic", "api.stripe.com": "stripe", "slack.com": "slack", "files.slack.com": "slack",
}

// NewServices makes credentials for the services. Repositories are in the
// folder repos. What ours finds in a request must not have got out.
func NewServices(repos string, ours func(sent string) (found string, ok bool)) *Services {
	s := &Services{Keys: map[string]string{}, Repos: repos, Ours: ours}
	for kind, prefix := range map[string]string{"github": "ghp_", "openai": "sk-proj-", "anthropic": "sk-ant-api03-", "stripe": "sk_test_", "slack": "xoxb-"} {
		s.Keys[kind] = prefix + rand.Text() + rand.Text()
	}
	return s
}

// Start listens on a free loopback port, with certificates of ca.
func (s *Services) Start(ca *CA) error {
	leaf, err := ca.Leaf(s.Hosts()...)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.addr = listener.Addr().String()
	s.server = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 10 * time.Second,
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.server.ServeTLS(listener, "", "") }()
	return nil
}

// Hosts returns the names that it answers to, sorted.
func (s *Services) Hosts() []string {
	hosts := make([]string, 0, len(served))
	for host := range served {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return hosts
}

// Ways are what the gateway has to be told to come here, in the form of its
// --connect-to.
func (s *Services) Ways() string {
	var ways []string
	for _, host := range s.Hosts() {
		ways = append(ways, host+":443:"+s.addr)
	}
	return strings.Join(ways, ",")
}

// Close stops it, and cuts what is under way.
func (s *Services) Close() error {
	err := s.server.Close()
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Take returns what has been sent since it was last asked, in order, and what
// was wrong with it: a credential in another place than the service's, or
// something of ours.
func (s *Services) Take() (sent []Sent, problems []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent, problems, s.sent, s.problems = s.sent, s.problems, nil, nil
	return sent, problems
}

func (s *Services) serve(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return // it was cut off: nothing is done
	}
	kind := served[r.Host]
	wrong := s.wrong(kind, r, content)
	s.mu.Lock()
	s.sent = append(s.sent, Sent{r, content})
	if wrong != "" {
		s.problems = append(s.problems, r.Method+" "+r.Host+r.URL.Path+" "+wrong)
	}
	s.mu.Unlock()
	if wrong != "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="stand-in"`)
		reply(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		return
	}
	if r.Host == "github.com" {
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(content)), int64(len(content)), nil
		gitBackend(s.Repos).ServeHTTP(w, r)
		return
	}
	answers[kind](w, r, content)
}

// wrong says what a service would object to in how it is addressed, and what
// we would.
func (s *Services) wrong(kind string, r *http.Request, content []byte) string {
	if kind == "" {
		return "is for a host that is not here"
	}
	key, h := s.Keys[kind], r.Header.Clone()
	place, want := "Authorization", []string{"Bearer " + key}
	switch {
	case kind == "anthropic":
		place, want = "X-Api-Key", []string{key}
	case r.Host == "github.com":
		if _, password, ok := r.BasicAuth(); ok && same(password, key) {
			want = []string{h.Get(place)}
		}
	case kind == "github":
		want = append(want, "token "+key)
	}
	if got := h[place]; len(got) != 1 || !slices.Contains(want, got[0]) {
		return "came without the credential in " + place
	}
	h.Del(place)
	var all strings.Builder
	_ = h.Write(&all) // a builder takes everything
	all.WriteString(r.URL.String())
	all.Write(content)
	for name := range h {
		if strings.HasPrefix(name, "X-Tameflare") || strings.HasPrefix(name, "Proxy-") || name == "Via" || name == "Forwarded" || name == "X-Forwarded-For" {
			return "came with " + name
		}
	}
	for other, secret := range s.Keys {
		if strings.Contains(all.String(), secret) {
			return "came with the credential of " + other + " in another place"
		}
	}
	if found, ok := s.Ours(all.String()); ok {
		return "came with our " + found
	}
	for _, name := range []string{"Authorization", "X-Api-Key", "Cookie"} {
		if h.Get(name) != "" {
			return "came with a second credential in " + name
		}
	}
	return ""
}
