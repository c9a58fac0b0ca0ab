package runs

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/dummy"
)

// still is a gateway in which nothing happens.
type still struct{ served chan *Run }

func (s still) Door(Start, *dummy.Keys) (Door, func(), error) {
	return Door{Gateway: "still"}, func() {}, nil
}
func (s still) Serve(ctx context.Context, ln net.Listener, r *Run) error {
	s.served <- r
	<-ctx.Done()
	return ln.Close()
}
func (s still) Status() Status                  { return Status{Gateway: "still"} }
func (s still) Kill(Kill) ([]KillStatus, error) { return nil, nil }
func (s still) CA() CA                          { return CA{} }

func serve(t *testing.T) (Client, *Registry, chan *Run, context.CancelFunc) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run", "still.sock")
	ln, err := Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	registry := &Registry{}
	g := still{make(chan *Run, 1)}
	s := &Server{Gateway: g, Registry: registry, Shutdown: cancel, Log: slog.New(slog.DiscardHandler)}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return Client{path}, registry, g.served, cancel
}

func TestTheSocketIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()

	c, _, _, _ := serve(t)
	for path, want := range map[string]os.FileMode{c.Socket: 0o600, filepath.Dir(c.Socket): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
	if _, err := Listen(t.Context(), c.Socket); fault.Of(err) != fault.Conflict {
		t.Errorf("a second gateway: %v", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("the first is gone: %v", err)
	}
}

func TestADeadGatewaysSocketIsReplaced(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "run", "x.sock")
	for range 2 {
		ln, err := Listen(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		ln.(*net.UnixListener).SetUnlinkOnClose(false) // as after a crash
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRuntimeDirectories(t *testing.T) {
	t.Parallel()

	base := t.TempDir()
	dir, err := RuntimeDir(func(string) string { return base })
	if err != nil || dir != filepath.Join(base, "tameflare") {
		t.Errorf("got %q, %v", dir, err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := RuntimeDir(func(string) string { return base }); fault.Of(err) != fault.Forbidden {
		t.Errorf("a directory that is open to others: %v", err)
	}
	if _, err := SocketPath(strings.Repeat("x", 100), "gateway"); fault.Of(err) != fault.Invalid {
		t.Errorf("a path that is too long: %v", err)
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if err := private(link); fault.Of(err) != fault.Forbidden {
		t.Errorf("a link to somewhere: %v", err)
	}
}

func TestACallThatIsNotUnderstoodIsRefused(t *testing.T) {
	t.Parallel()

	c, _, _, _ := serve(t)
	httpClient := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
	}}}
	defer httpClient.CloseIdleConnections()
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
	}{
		"unknown field": {"POST", "/runs", `{"program":"x","sudo":true}`, 422},
		"no JSON":       {"POST", "/kill", `on`, 422},
		"too large":     {"POST", "/kill", `{"reason":"` + strings.Repeat("x", maxRequest) + `"}`, 422},
		"no such run":   {"DELETE", "/runs/run_x", ``, 404},
		"wrong method":  {"GET", "/shutdown", ``, 405},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://gateway"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := httpClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, tt.status)
		}
	}
}

func TestADoorIsNotToBeReachedThroughAnother(t *testing.T) {
	t.Parallel()

	c, registry, served, _ := serve(t)
	session, err := c.Start(t.Context(), Start{Program: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	<-served
	door := netip.MustParseAddrPort(session.Door.Proxy)
	for a, want := range map[netip.AddrPort]bool{
		door: true,
		netip.AddrPortFrom(netip.MustParseAddr("::ffff:127.0.0.1"), door.Port()): true,
		netip.AddrPortFrom(netip.MustParseAddr("0.0.0.0"), door.Port()):          true,
		netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), door.Port()):        false,
		netip.AddrPortFrom(door.Addr(), door.Port()^1):                           false,
	} {
		if got := registry.Listens(a); got != want {
			t.Errorf("%v: %v, want %v", a, got, want)
		}
	}
}

func TestARunEndsWithItsSummary(t *testing.T) {
	t.Parallel()

	for name, end := range map[string]func(*Session, context.CancelFunc) error{
		"by its caller":    func(s *Session, _ context.CancelFunc) error { return s.End(t.Context()) },
		"with the gateway": func(_ *Session, stop context.CancelFunc) error { stop(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, registry, served, stop := serve(t)
			session, err := c.Start(t.Context(), Start{Program: "x"})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			r := <-served
			if r.UID != os.Getuid() || !strings.Contains(r.Principal, "@") || registry.Quiet(time.Time{}) != 0 {
				t.Errorf("%+v", r)
			}
			now := time.Now()
			for _, seen := range []struct {
				entry    audit.Traffic
				approval wire.Approval
			}{
				{audit.Traffic{Time: now, Step: audit.Intent, Request: "a"}, wire.Approval{}},
				{audit.Traffic{Time: now, Step: audit.Outcome, Request: "a"}, wire.Approval{}},
				{audit.Traffic{Time: now, Step: audit.Refused, Request: "b", By: string(policy.ByKillSwitch)}, wire.Approval{}},
				{audit.Traffic{Time: now, Step: audit.Intent, Request: "c"}, wire.Approval{ID: "apr_1"}},
				{audit.Traffic{Time: now, Step: audit.Refused, Request: "d"}, wire.Approval{ID: "apr_2"}},
			} {
				r.Saw(seen.entry, seen.approval)
			}
			if err := end(session, stop); err != nil {
				t.Fatal(err)
			}
			var got []string
			var counts *Counts
			for {
				e, err := session.Next()
				if err != nil {
					break
				}
				line := string(e.Kind)
				if e.Request != nil {
					line += " " + e.RequestID
				}
				got, counts = append(got, line), e.Counts
			}
			want := []string{"denied b", "decided c", "decided d", "denied d", "summary"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(&Counts{Requests: 4, Allowed: 2, Denied: 2, Held: 2, Killed: 1}, counts); diff != "" {
				t.Error(diff)
			}
		})
	}
}
