package link_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/link"
	"github.com/tameflare/tameflare/gateway/link/linktest"
	"github.com/tameflare/tameflare/gateway/spool"
	"github.com/tameflare/tameflare/gateway/state"
)

const canary = "canary-5b1e"

func stateDir(t testing.TB) state.Dir {
	t.Helper()
	dir, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// rig is a gateway's link and the server that it is linked to.
type rig struct {
	*link.Link
	server  *linktest.Server
	dir     state.Dir
	current *decide.Current
	spool   *spool.Spool
	stop    func()
}

func start(t testing.TB, server *linktest.Server, dir state.Dir) *rig {
	t.Helper()
	r := &rig{server: server, dir: dir, current: &decide.Current{}}
	var err error
	if r.Link, err = link.Open(dir, r.current, "test", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if r.spool, err = spool.Open(dir.Path("spool"), spool.Settings{}); err != nil {
		t.Fatal(err)
	}
	r.Spool = r.spool
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := r.spool.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

func (r *rig) snapshot(t testing.TB, version int64, change func(*wire.Snapshot)) wire.Snapshot {
	t.Helper()
	s := wire.Snapshot{
		Version: version, GatewayID: linktest.GatewayID, GatewayName: "test", IssuedAt: time.Now().UTC(), ValidFor: 24 * time.Hour,
		Connectors: []wire.Connector{{Name: "github", Type: "github", CredentialID: "cred_1"}},
		Rules:      []policy.Rule{{ID: "rule_1", Connector: "github", Pattern: "*", Effect: policy.Allow}},
		Credentials: []wire.SealedCredential{
			r.server.Seal(t, wire.SealedCredential{ID: "cred_1", Name: "bot", Version: 1, Hosts: []string{"api.github.com"}}, canary),
		},
	}
	if change != nil {
		change(&s)
	}
	return s
}

// eventually waits for something that a goroutine of the code does.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond) // the other side of a socket has no signal for us
	}
}

func (r *rig) version() int64 {
	st, err := r.current.Load()
	if err != nil {
		return 0
	}
	return st.Version()
}

func (r *rig) killed() bool {
	st, err := r.current.Load()
	return err == nil && len(st.Kills()) > 0
}

func TestASnapshotIsActedOnAndOutlivesARestart(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "version 5", func() bool { return r.version() == 5 })
	eventually(t, "acknowledged", func() bool { server.Lock(); defer server.Unlock(); return server.Acked == 5 })
	server.Publish(r.snapshot(t, 6, nil))
	eventually(t, "version 6", func() bool { return r.version() == 6 })
	eventually(t, "kept", func() bool { b, err := dir.Read("snapshot.json"); return err == nil && len(b) > 0 })
	r.stop()

	server.Stop()
	r = start(t, server, dir)
	if got := r.version(); got != 6 {
		t.Errorf("after a restart without the server: version %d, want 6", got)
	}
	st, err := r.current.Load()
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := st.Credential(st.Connector("api.github.com")); c.Secret.Reveal() != canary {
		t.Error("the credential cannot be opened")
	}
	r.stop()
	noCanary(t, dir)
}

// noCanary looks for the secret in every file there is.
func noCanary(t testing.TB, dir state.Dir) {
	t.Helper()
	err := filepath.WalkDir(dir.Path(""), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("the secret is in %s", path)
		}
		info, statErr := d.Info()
		if statErr == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheServerIsSeenAtOnce(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "kept", func() bool { _, err := dir.Read("snapshot.json"); return err == nil && r.version() == 5 })
	r.stop()
	began := time.Now()
	r = start(t, server, dir)
	eventually(t, "reachable", func() bool { return r.Status().Reachable })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("after %v: it waited for news first", took)
	}
}

func TestWhatIsNotTheServersNewestIsNotActedOn(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "version 5", func() bool { return r.version() == 5 })

	for name, bad := range map[string]wire.Snapshot{
		"an older version":  r.snapshot(t, 4, nil),
		"another gateway's": r.snapshot(t, 8, func(s *wire.Snapshot) { s.GatewayID = "gw_other" }),
		"does not compile":  r.snapshot(t, 9, func(s *wire.Snapshot) { s.Rules[0].Pattern = ".." }),
	} {
		server.Publish(bad)
		// The acknowledgement is what shows that it has been looked at.
		server.Lock()
		server.Acked = 0
		server.Unlock()
		eventually(t, name+": polled again", func() bool { server.Lock(); defer server.Unlock(); return server.Acked == 5 })
		if got := r.version(); got != 5 {
			t.Errorf("%s: version %d, want 5", name, got)
		}
	}
	server.Publish(r.snapshot(t, 10, func(s *wire.Snapshot) {
		s.Rules[0].Pattern = ".."
		s.Kills = []policy.Kill{{ID: "kill_1"}}
	}))
	eventually(t, "the kill switch of one that does not compile", r.killed)
	if got := r.version(); got != 5 {
		t.Errorf("version %d, want 5", got)
	}
	server.Publish(r.snapshot(t, 11, nil))
	eventually(t, "version 11", func() bool { return r.version() == 11 && !r.killed() })

	server.Publish(r.snapshot(t, 12, func(s *wire.Snapshot) {
		s.Requires, s.Kills = []string{"what a later version knows"}, []policy.Kill{{ID: "kill_2"}}
	}))
	eventually(t, "the kill switch of one that needs a later version", r.killed)
	if got := r.version(); got != 11 {
		t.Errorf("version %d, want 11", got)
	}
}

func TestAForgedSnapshotOnDiskIsNotActedOn(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "kept", func() bool { _, err := dir.Read("snapshot.json"); return err == nil })
	r.stop()
	server.Stop()

	b, err := dir.Read("snapshot.json")
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(b, []byte(`"payload":"`)) + len(`"payload":"`) + 40
	b[i] ^= 1
	if err := dir.Write("snapshot.json", b); err != nil {
		t.Fatal(err)
	}
	r = start(t, server, dir)
	if st, err := r.current.Load(); st != nil || fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v, %v", st, err)
	}
}

func TestASnapshotOnDiskThatCannotBeUsedIsAskedForAgain(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "version 5", func() bool { return r.version() == 5 })
	r.stop()

	// As another version of the gateway may have kept it.
	bad := r.snapshot(t, 5, func(s *wire.Snapshot) { s.Connectors[0].Type = "gopher" })
	if err := dir.WriteJSON("snapshot.json", map[string]any{"snapshot": server.Sign(wire.SnapshotContext, bad)}); err != nil {
		t.Fatal(err)
	}
	r = start(t, server, dir)
	eventually(t, "version 5 from the server", func() bool { return r.version() == 5 })
}

func TestARevokedGatewayDeniesAtOnceAndForgets(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "kept", func() bool { _, err := dir.Read("snapshot.json"); return err == nil && r.version() == 5 })

	// A refusal that is about something else means nothing for the gateway.
	server.Lock()
	server.Refuse = &wire.Problem{Status: http.StatusServiceUnavailable, Detail: "Later.", Code: "unavailable"}
	server.Unlock()
	server.Ring()
	eventually(t, "noticed", func() bool { return !r.Status().Reachable })
	if r.version() != 5 || r.Status().EnrolAgain {
		t.Errorf("a server in trouble: version %d, %+v", r.version(), r.Status())
	}

	server.Lock()
	server.Refuse = &wire.Problem{Status: http.StatusForbidden, Detail: "This gateway has been revoked.", Code: "forbidden"}
	server.Unlock()
	server.Ring()
	eventually(t, "revoked", func() bool { return r.version() == 0 })
	eventually(t, "said", func() bool {
		s := r.Status()
		return s.EnrolAgain && !s.Reachable && strings.Contains(s.Problem, "Enrol it again")
	})
	if _, err := dir.Read("snapshot.json"); fault.Of(err) != fault.NotFound {
		t.Errorf("the snapshot is still there: %v", err)
	}
	if _, err := r.current.Load(); !strings.Contains(fault.Message(err), "Enrol it again") {
		t.Errorf("the sentence does not help: %v", err)
	}
}

func TestAGatewayRevokedWhileItWasAwayHearsOfIt(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "kept", func() bool { _, err := dir.Read("snapshot.json"); return err == nil && r.version() == 5 })
	r.stop()
	server.Lock()
	server.Shut = true
	server.Unlock()
	r = start(t, server, dir)
	eventually(t, "revoked", func() bool { return r.version() == 0 && r.Status().EnrolAgain })
	if _, err := dir.Read("snapshot.json"); fault.Of(err) != fault.NotFound {
		t.Errorf("the snapshot is still there: %v", err)
	}
}

func TestTheCertificateIsRenewedAndTheNewOneUsed(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Lock()
	server.Life = 9 * time.Second // renewed at two thirds; what is left is for a busy machine
	server.Unlock()
	server.Enrol(t, dir)
	server.Lock()
	server.Life = time.Hour
	server.Unlock()
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "renewed", func() bool { server.Lock(); defer server.Unlock(); return server.Renewals == 1 })
	eventually(t, "in use", func() bool { return time.Until(r.Status().CertUntil) > time.Minute })
	server.Publish(r.snapshot(t, 6, nil)) // ends the poll that the old one began
	eventually(t, "seen by the server", func() bool { server.Lock(); defer server.Unlock(); return len(server.Serials) == 2 })
	r.stop()
	again, err := link.Open(dir, &decide.Current{}, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if time.Until(again.Status().CertUntil) < time.Minute {
		t.Error("the renewed certificate was not kept")
	}
}

func TestAnExpiredCertificateSaysWhatToDo(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Lock()
	server.Life = time.Millisecond
	server.Unlock()
	// The certificate is over before anybody looks at it, so enrolling itself
	// notices.
	_, err := link.Enrol(t.Context(), dir, link.Enrolment{
		Token: credential.NewSecret("token"), LinkURL: server.URL, RootPEM: server.RootPEM,
	})
	if err == nil {
		t.Error("an expired certificate was taken")
	}

	server.Lock()
	server.Life = 1500 * time.Millisecond
	server.Unlock()
	server.Enrol(t, dir)
	server.Stop()
	r := start(t, server, dir)
	eventually(t, "said", func() bool { s := r.Status(); return s.EnrolAgain && strings.Contains(s.Problem, "expired") })
	if _, err := r.current.Load(); !strings.Contains(fault.Message(err), "tameflare gateway up") {
		t.Errorf("the sentence does not help: %v", err)
	}
}

func TestEnrolmentIsForOneServerAndOneGateway(t *testing.T) {
	t.Parallel()

	server, other := linktest.New(t), linktest.New(t)
	enrol := func(dir state.Dir, e link.Enrolment) error {
		_, err := link.Enrol(t.Context(), dir, e)
		return err
	}
	good := link.Enrolment{Token: credential.NewSecret("token"), LinkURL: server.URL, RootPEM: server.RootPEM}
	for name, tt := range map[string]struct {
		change func(*link.Enrolment)
		want   fault.Kind
	}{
		"another root":    {func(e *link.Enrolment) { e.RootPEM = other.RootPEM }, fault.Unavailable},
		"no root":         {func(e *link.Enrolment) { e.RootPEM = "" }, fault.Invalid},
		"not https":       {func(e *link.Enrolment) { e.LinkURL = "http://127.0.0.1:1" }, fault.Invalid},
		"a wrong token":   {func(e *link.Enrolment) { e.Token = credential.NewSecret("x") }, fault.Conflict},
		"another gateway": {func(e *link.Enrolment) { e.GatewayID = "gw_other" }, fault.Conflict},
	} {
		dir, e := stateDir(t), good
		tt.change(&e)
		if err := enrol(dir, e); fault.Of(err) != tt.want {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if _, err := link.Load(dir); fault.Of(err) != fault.NotFound {
			t.Errorf("%s: enrolled all the same: %v", name, err)
		}
	}
	dir := stateDir(t)
	first := server.Enrol(t, dir)
	again := server.Enrol(t, dir)
	if first.GatewayID != again.GatewayID {
		t.Errorf("got %q, then %q", first.GatewayID, again.GatewayID)
	}
	if err := enrol(dir, link.Enrolment{Token: credential.NewSecret("x"), LinkURL: server.URL, RootPEM: server.RootPEM, GatewayID: "gw_other"}); fault.Of(err) != fault.Conflict {
		t.Errorf("another gateway in the same directory: %v", err)
	}
}
