package proxy_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/netguard"
	"github.com/tameflare/tameflare/gateway/proxy"
)

const pushURL = "https://github.com/acme/site.git/git-receive-pack"

// pushing lets a rule decide about pushes, and leads github.com to the
// upstream.
func pushing(e policy.Effect) settings {
	return func(g *rig, s *wire.Snapshot, _ *proxy.Run) {
		to := g.upstream.secure.Listener.Addr().(*net.TCPAddr).AddrPort().Port()
		g.proxy.Guard.ConnectTo = append(g.proxy.Guard.ConnectTo, netguard.ConnectTo{Host: "github.com", Port: 443, Addr: "127.0.0.1", To: to})
		s.Rules = append(s.Rules, policy.Rule{ID: "rule_push", Connector: "github", Pattern: "github.repo.push", Effect: e})
	}
}

// push is the body of a push to main, with a pack of n bytes behind it.
func push(n int) []byte {
	line := strings.Repeat("1", 40) + " " + strings.Repeat("2", 40) + " refs/heads/main\x00 report-status side-band-64k agent=git/2.43.0"
	body := fmt.Appendf(nil, "%04x%s0000PACK", len(line)+4, line)
	pack := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(pack)
	return append(body, pack...)
}

// digesting answers with the digest of what came.
func digesting(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	n, err := io.Copy(h, r.Body)
	fmt.Fprintf(w, "%d %x %v", n, h.Sum(nil), err)
}

func digested(body []byte) string {
	return fmt.Sprintf("%d %x %v", len(body), sha256.Sum256(body), nil)
}

// bothWays runs test for clients and upstreams of both protocols.
func bothWays(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, g *rig, c *http.Client), change ...settings) {
	t.Helper()
	for name, h := range map[string]http.Handler{"to h1": only1{handler}, "to h2": handler} {
		for from, h2 := range map[string]bool{"h1": false, "h2": true} {
			t.Run(from+" "+name, func(t *testing.T) {
				t.Parallel()
				g := newRig(t, h, change...)
				test(t, g, g.client(h2))
			})
		}
	}
}

func gitRequest(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", pushURL, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "git/2.43.0")
	r.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	return r
}

func answer(t *testing.T, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

var toMain = map[string]any{"ref": []string{"refs/heads/main"}, "change": []string{"update"}}

func TestAPushIsNamedByItsBeginningAndArrivesWhole(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{
		"small": 100, "to the byte": connectors.Beginning - len(push(0)), "one more": connectors.Beginning - len(push(0)) + 1, "larger than what may be kept": 12 << 20,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := push(size)
			bothWays(t, digesting, func(t *testing.T, g *rig, c *http.Client) {
				res, got := answer(t, c, gitRequest(t, bytes.NewReader(body)))
				if want := digested(body); res.StatusCode != 200 || got != want {
					t.Errorf("%s %s, want %s", res.Status, got, want)
				}
				e := g.spool.settled(t, 2)[0]
				if diff := cmp.Diff(toMain, e.Action.Params); e.Action.Name != "github.repo.push" || len(e.Action.Unknown) > 0 || diff != "" {
					t.Errorf("named %+v %s", e.Action, diff)
				}
			}, pushing(policy.Allow))
		})
	}
}

// What is behind the beginning streams: the client sends it only once the
// service has the beginning.
func TestTheRestOfAPushStreams(t *testing.T) {
	t.Parallel()
	bothWays(t, func(w http.ResponseWriter, r *http.Request) {
		first := make([]byte, connectors.Beginning)
		if _, err := io.ReadFull(r.Body, first); err != nil {
			t.Errorf("the beginning: %v", err)
		}
		close(signalOf(r))
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	}, func(t *testing.T, g *rig, c *http.Client) {
		body := push(3 * connectors.Beginning)
		in, out := io.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // or a proxy that waits for more would for ever
		defer cancel()
		go func() {
			_, _ = out.Write(body[:connectors.Beginning])
			select {
			case <-g.upstream.signal:
			case <-ctx.Done():
			}
			_, _ = out.Write(body[connectors.Beginning:])
			out.Close()
		}()
		res, got := answer(t, c, gitRequest(t, in).WithContext(ctx))
		if want := fmt.Sprint(len(body)-connectors.Beginning, nil); res.StatusCode != 200 || got != want {
			t.Errorf("%s %s, want %s", res.Status, got, want)
		}
	}, pushing(policy.Allow))
}

func TestAZippedPushIsReadAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 100, "cut in the middle": 4 * connectors.Beginning} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var zipped bytes.Buffer
			w := gzip.NewWriter(&zipped)
			_, _ = w.Write(push(size))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			bothWays(t, digesting, func(t *testing.T, g *rig, c *http.Client) {
				r := gitRequest(t, bytes.NewReader(zipped.Bytes()))
				r.Header.Set("Content-Encoding", "gzip")
				res, got := answer(t, c, r)
				if want := digested(zipped.Bytes()); res.StatusCode != 200 || got != want {
					t.Errorf("%s %s, want %s", res.Status, got, want)
				}
				e := g.spool.settled(t, 2)[0]
				if diff := cmp.Diff(toMain, e.Action.Params); len(e.Action.Unknown) > 0 || diff != "" {
					t.Errorf("named %+v %s", e.Action, diff)
				}
			}, pushing(policy.Allow))
		})
	}
}

func TestACodingThatNobodyReadsHidesTheBeginning(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(digesting), pushing(policy.Allow))
	r := gitRequest(t, bytes.NewReader(push(3*connectors.Beginning)))
	r.Header.Set("Content-Encoding", "br")
	answer(t, g.client(false), r)
	if e := g.spool.settled(t, 1)[0]; e.Action.Name != "github.repo.push" || len(e.Action.Unknown) == 0 || len(e.Action.Params) > 0 {
		t.Errorf("named %+v", e.Action)
	}
}

func TestAHeldPushIsTheSameAfterTheWait(t *testing.T) {
	t.Parallel()
	body := push(5 * connectors.Beginning)
	touched := func(g *rig, _ *wire.Snapshot, _ *proxy.Run) { // the configuration changes while it waits
		g.desk.answer = nil
		g.desk.onAsk = func() {
			s := testSnapshot()
			pushing(policy.RequireApproval)(g, &s, nil)
			s.Version++
			g.use(s)
		}
	}
	bothWays(t, digesting, func(t *testing.T, g *rig, c *http.Client) {
		res, got := answer(t, c, gitRequest(t, bytes.NewReader(body)))
		if want := digested(body); res.StatusCode != 200 || got != want {
			t.Errorf("%s %s, want %s", res.Status, got, want)
		}
		ask := <-g.desk.asked
		if diff := cmp.Diff(toMain, ask.Action.Params); diff != "" || ask.BodySize != int64(len(body)) {
			t.Errorf("asked about %d bytes, %+v %s", ask.BodySize, ask.Action, diff)
		}
		e := g.spool.settled(t, 2)[0]
		if diff := cmp.Diff(ask.Action, e.Action); diff != "" || g.desk.uses() != 1 || e.Snapshot != 8 {
			t.Errorf("sent as another than was asked, by snapshot %d: %s", e.Snapshot, diff)
		}
	}, pushing(policy.RequireApproval), touched)
}

func TestAPushTooLargeToKeepIsNotHeld(t *testing.T) {
	t.Parallel()
	g := newRig(t, http.HandlerFunc(digesting), pushing(policy.RequireApproval))
	_, got := answer(t, g.client(false), gitRequest(t, bytes.NewReader(push(9<<20))))
	if !strings.Contains(got, "too large") || len(g.desk.asked) > 0 {
		t.Errorf("%q, asked %d times", got, len(g.desk.asked))
	}
}

// Git shows only what stands in an answer that is a success, and reads it only
// once it has sent everything.
func TestGitIsToldOfARefusedPushInItsOwnWords(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 100, "large": 4 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := push(size)
			bothWays(t, digesting, func(t *testing.T, g *rig, c *http.Client) {
				sent := &counted{Reader: bytes.NewReader(body)}
				res, got := answer(t, c, gitRequest(t, sent))
				if res.StatusCode != 200 || !strings.Contains(got, "TameFlare: ") || !strings.Contains(got, "ng refs/heads/main") || res.Header.Get("Content-Type") != "application/x-git-receive-pack-result" {
					t.Errorf("%s %v %q", res.Status, res.Header, got)
				}
				if sent.n != len(body) {
					t.Errorf("git could send %d bytes of %d", sent.n, len(body))
				}
				if e := g.spool.settled(t, 1)[0]; e.Status != 200 || e.Decision != "deny" || e.Code != "denied" || e.Rule != "rule_push" {
					t.Errorf("on record: %+v", e)
				}
				if got, _ := g.upstream.seen(); len(got) > 0 {
					t.Errorf("upstream got %v", got)
				}
			}, pushing(policy.Deny))
		})
	}
}

type counted struct {
	io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}
