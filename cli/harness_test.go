package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/dummy"
	"github.com/tameflare/tameflare/gateway/mitm"
	"github.com/tameflare/tameflare/gateway/runs"
)

// program is the real command line.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "tf")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "tameflare")
		if out, err := exec.Command("go", "build", "-ldflags", "-X main.version=v1.2.3", "-o", program, "./tameflare").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

var update = flag.Bool("update", false, "write what the program says into the scripts")

const token = "tfc_good"

// site is a server as the command line sees it, and a gateway on this machine.
type site struct {
	t       testing.TB
	dir     string // short, since sockets are in it
	server  *httptest.Server
	down    atomic.Bool        // the server answers nobody any more
	stop    context.CancelFunc // of the gateway
	stopped chan struct{}

	mu        sync.Mutex
	approvals []rest.Approval
	changes   int    // of approvals
	lasts     string // for which the last decision counts
	kills     []rest.Kill
	applied   rest.Configuration
	revoked   bool
	runs      []runs.Start
	policies  []*kept

	local []runs.KillStatus
	ca    *mitm.Authority
	cert  time.Time
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "tf") //nolint:usetesting // sockets are in it, and t.TempDir is too long for them
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: dir, cert: time.Now().Add(time.Hour), approvals: []rest.Approval{
		{
			ID: "apr_1", Status: approval.Pending, Seq: 1, Gateway: "box", Sentence: "merge acme/site#12", Risk: "medium", ExpiresAt: time.Now().Add(time.Hour),
			Method: "PUT", URL: "https://api.github.com/repos/acme/site/pulls/12/merge", Action: "github.pr.merge", Needs: 1, BodySize: 26, BodyType: "application/json",
		},
		{ID: "apr_2", Status: approval.Executed, Gateway: "box", Sentence: "merge \x1b[31macme/site#11", Decider: "ben"},
	}}
	mux := http.NewServeMux()
	s.routes(mux)
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.down.Load() {
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(w, r)
	}))
	s.startGateway()
	t.Cleanup(func() {
		s.stop()
		<-s.stopped
		s.server.Close()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

// env is the environment of the command line there.
func (s *site) env() []string {
	return []string{
		"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "HOME=" + filepath.Join(s.dir, "home"), "XDG_RUNTIME_DIR=" + s.dir,
		"XDG_CONFIG_HOME=" + filepath.Join(s.dir, "config"), "XDG_STATE_HOME=" + filepath.Join(s.dir, "state"),
		"TAMEFLARE_NO_KEYRING=1", "TAMEFLARE_HOST=" + s.server.URL, "NO_COLOR=1",
	}
}

var errKilled = fault.New(fault.Forbidden, "The kill switch is on: leak", nil)

func (s *site) routes(mux *http.ServeMux) {
	handle := func(pattern string, do func(r *http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+rest.Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			var answer any
			err := fault.New(fault.Unauthenticated, "This is not a TameFlare token. Run tameflare login.", nil)
			if r.Header.Get("Authorization") == "Bearer "+token && !s.revoked {
				answer, err = do(r)
			}
			if err != nil {
				p := rest.Problem{Problem: wire.Problem{Status: fault.Of(err).Status(), Detail: fault.Message(err), Code: fault.Of(err).String()}}
				if errors.Is(err, errKilled) {
					p.Code = wire.CodeKilled
				}
				if a, ok := answer.(rest.Approval); ok {
					p.Approval = &a
				}
				w.WriteHeader(p.Status)
				answer = p
			}
			if err := json.NewEncoder(w).Encode(answer); err != nil {
				s.t.Error(err)
			}
		})
	}
	me := rest.Me{User: rest.User{Email: "ana@x.test", Name: "Ana"}, Team: rest.Team{Name: "acme"}, Role: "admin"}
	handle("GET /me", func(*http.Request) (any, error) { return me, nil })
	handle("DELETE /tokens/current", func(*http.Request) (any, error) { s.revoked = true; return struct{}{}, nil })
	handle("GET /status", func(*http.Request) (any, error) {
		return rest.Status{Version: "v9", Me: me, Pending: 1, Kills: s.kills}, nil
	})
	handle("GET /gateways", func(*http.Request) (any, error) { return rest.List[rest.Gateway]{}, nil })
	handle("POST /gateways/{name}/enrolments", func(r *http.Request) (any, error) {
		return nil, fault.New(fault.NotFound, "There is no such gateway.", nil)
	})
	s.approvalRoutes(handle)
	handle("GET /kills", func(*http.Request) (any, error) { return rest.List[rest.Kill]{Items: s.kills}, nil })
	handle("POST /kills", func(r *http.Request) (any, error) {
		var k rest.NewKill
		if err := json.NewDecoder(r.Body).Decode(&k); err != nil {
			return nil, err
		}
		s.kills = append(s.kills, rest.Kill{ID: "kill_1", Gateway: k.Gateway, Connector: k.Connector, Reason: k.Reason})
		return s.kills[0], nil
	})
	handle("DELETE /kills/{id}", func(*http.Request) (any, error) { s.kills = nil; return struct{}{}, nil })
	handle("GET /requests", func(r *http.Request) (any, error) {
		list := rest.List[rest.Request]{Items: []rest.Request{
			{ID: "req_2", Method: "DELETE", URL: "https://api.github.com/repos/a/b", Action: "github.repo.delete", Decision: "deny", Step: "refused", Status: 403, Reason: "No."},
			{ID: "req_1", Method: "GET", URL: "https://api.github.com/user", Action: "github.user.get", Decision: "allow", Step: "outcome", Status: 200},
		}}
		if r.URL.Query().Get("decision") == "deny" {
			list.Items = list.Items[:1]
		}
		return list, nil
	})
	s.policyRoutes(handle)
	handle("GET /configuration", func(*http.Request) (any, error) { return s.export() })
	handle("POST /configuration", func(r *http.Request) (any, error) {
		if err := json.NewDecoder(r.Body).Decode(&s.applied); err != nil {
			return nil, err
		}
		doc, err := config.Parse(s.applied.File, []byte(s.applied.Document), connectors.Catalogue{})
		if err != nil {
			return nil, err
		}
		out := rest.Changes{DryRun: r.URL.Query().Get("dry_run") == "true"}
		for _, c := range config.Diff(&config.Document{}, doc) {
			out.Changes = append(out.Changes, rest.Change{Op: string(c.Op), Path: c.Path, Detail: c.Detail})
		}
		return out, nil
	})
}

// startGateway starts the gateway "box": its control socket is the real one,
// what is behind it is not.
func (s *site) startGateway() {
	s.t.Helper()
	dir, err := runs.RuntimeDir(func(string) string { return s.dir })
	if err != nil {
		s.t.Fatal(err)
	}
	if s.ca, err = (mitm.Config{Name: "box"}).Load(filepath.Join(s.dir, "ca"), time.Now()); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.ca.WriteBundle(nil, nil); err != nil {
		s.t.Fatal(err)
	}
	ln, err := runs.Listen(s.t.Context(), filepath.Join(dir, "box.sock"))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.stopped = stop, make(chan struct{})
	control := &runs.Server{Gateway: s, Registry: &runs.Registry{}, Shutdown: stop, Log: slog.New(slog.DiscardHandler)}
	go func() {
		defer close(s.stopped)
		if err := control.Run(ctx, ln); err != nil {
			s.t.Error(err)
		}
	}()
}

func (s *site) Door(start runs.Start, _ *dummy.Keys) (runs.Door, func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, start)
	return runs.Door{
		Gateway: "box", CA: s.ca.CertFile(), Bundle: filepath.Join(s.dir, "ca", "bundle.pem"), BaseURL: "https://flare.test",
		Env: map[string]string{"GITHUB_TOKEN": "ghp_dummy"},
	}, func() {}, nil
}

func (s *site) Serve(ctx context.Context, ln net.Listener, _ *runs.Run) error {
	<-ctx.Done()
	return ln.Close()
}

func (s *site) Status() runs.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return runs.Status{
		Gateway: "box", GatewayID: "gw_box", PID: 1 << 22, Kills: slices.Clone(s.local), // no process has that ID
		Server: runs.ServerStatus{Reachable: true, CertUntil: s.cert}, Snapshot: runs.SnapshotStatus{Version: 7},
	}
}

func (s *site) Kill(k runs.Kill) ([]runs.KillStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !k.On {
		if len(s.local) == 0 {
			return nil, fault.New(fault.NotFound, "There is none.", nil)
		}
		s.local = nil
		return nil, nil
	}
	s.local = append(s.local, runs.KillStatus{ID: "kill_local_1", Connector: k.Connector, Reason: k.Reason, Local: true})
	return s.local, nil
}

func (s *site) CA() runs.CA {
	return runs.CA{PEM: string(s.ca.CertPEM()), Path: s.ca.CertFile(), Fingerprint: s.ca.Fingerprint()}
}

// TestScripts runs the program as people do. -update writes what it says into
// the scripts.
func TestScripts(t *testing.T) {
	t.Parallel()

	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			s := newSite(e.T().(interface{ testing.TB }))
			for _, v := range s.env() {
				name, value, _ := strings.Cut(v, "=")
				e.Setenv(name, value)
			}
			e.Setenv("RUN", s.dir)
			e.Values["site"] = s
			return os.MkdirAll(filepath.Join(s.dir, "home"), 0o700)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code": code,
			// It keeps its port, which another script's server would get otherwise.
			"serverdown": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Value("site").(*site).down.Store(true) },
			"expire": func(ts *testscript.TestScript, _ bool, _ []string) {
				s := ts.Value("site").(*site)
				s.mu.Lock()
				defer s.mu.Unlock()
				s.cert = time.Now().Add(-time.Minute)
			},
			"applied": applied,
		},
	})
}

// code runs a program and checks its exit code: code 3 tameflare status.
func code(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exited, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exited.ExitCode()
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// applied checks that a secret has come to the server: applied NAME VALUE.
func applied(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("site").(*site)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(args) == 0 {
		if neg == (s.applied.Document != "") {
			ts.Fatalf("document at the server: %q", s.applied.Document)
		}
		return
	}
	if got := s.applied.Secrets[args[0]]; got != args[1] {
		ts.Fatalf("secret %s is %q, want %q", args[0], got, args[1])
	}
}
