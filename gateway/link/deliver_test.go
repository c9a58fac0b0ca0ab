package link_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/link/linktest"
)

func TestTheAuditArrivesOnceWhateverHappens(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	record := func(n int) {
		t.Helper()
		for i := range n {
			if err := r.spool.Record(audit.Traffic{Request: "req", Path: strings.Repeat("x", i%50)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	delivered := func() int { server.Lock(); defer server.Unlock(); return len(server.Entries) }
	record(50)
	eventually(t, "50 entries", func() bool { return delivered() == 50 })

	server.Stop()
	record(2500)
	r.stop()
	r = start(t, server, dir)
	record(10)
	server.Start(t)
	eventually(t, "2560 entries", func() bool { return delivered() == 2560 })
	eventually(t, "forgotten", func() bool { return r.spool.Stats().Through == 2560 })

	// The server was restored from a backup of a moment ago.
	record(20)
	eventually(t, "2580 entries", func() bool { return delivered() == 2580 })
	server.Lock()
	server.Entries = server.Entries[:2570]
	server.Unlock()
	record(1)
	eventually(t, "2581 entries", func() bool { return delivered() == 2581 })
	server.Lock()
	defer server.Unlock()
	if err := audit.Verify(0, "", server.Entries); err != nil {
		t.Error(err)
	}
}

func TestAShutdownDeliversWhatThereIs(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 1, nil))
	eventually(t, "linked", func() bool { return r.Status().Reachable })
	for range 30 {
		if err := r.spool.Record(audit.Traffic{Request: "req"}); err != nil {
			t.Fatal(err)
		}
	}
	r.stop()
	server.Lock()
	defer server.Unlock()
	if len(server.Entries) != 30 {
		t.Errorf("%d entries arrived, want 30", len(server.Entries))
	}
}

func TestAGapIsSaidAndNothingIsLost(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	server.Lock()
	server.Answer = func(b []audit.Sealed) (wire.AuditAnswer, bool) {
		return wire.AuditAnswer{Expected: 1}, len(b) > 0
	}
	server.Unlock()
	r := start(t, server, dir)
	if err := r.spool.Record(audit.Traffic{Request: "req"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "said", func() bool { return r.Status().Delivery != "" })
	if stats := r.spool.Stats(); stats.Through != 0 || stats.Durable != 1 {
		t.Errorf("%+v", stats)
	}
}

func TestTheMachinesKillSwitchWorksWithoutTheServerAndIsToldLater(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "kept", func() bool { _, err := dir.Read("snapshot.json"); return err == nil && r.version() == 5 })
	server.Stop()

	if err := r.Kills.Pull("github", "it went wild"); err != nil {
		t.Fatal(err)
	}
	if !r.killed() {
		t.Error("not on when Pull returned")
	}
	r.stop()
	r = start(t, server, dir)
	if !r.killed() {
		t.Error("not on after a restart")
	}
	if err := r.Kills.Lift("", ""); fault.Of(err) != fault.NotFound {
		t.Errorf("lifted another: %v", err)
	}
	if err := r.Kills.Lift("github", "tamed"); err != nil || r.killed() {
		t.Errorf("lifted: %v", err)
	}
	server.Start(t)
	eventually(t, "told", func() bool { server.Lock(); defer server.Unlock(); return len(server.Kills) == 2 })
	server.Lock()
	defer server.Unlock()
	if a, b := server.Kills[0], server.Kills[1]; !a.On || a.Connector != "github" || a.Reason != "it went wild" || b.On {
		t.Errorf("told %+v", server.Kills)
	}
}

func TestAnUnreadableRecordOfKillsStopsEverything(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	if err := dir.Write("kills.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "version 5", func() bool { return r.version() == 5 })
	if !r.killed() {
		t.Error("nothing is stopped")
	}
}

func TestApprovalsGoOverTheLink(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	a, err := r.Ask(t.Context(), wire.Ask{Fingerprint: "f"})
	if err != nil || a.Status != approval.Pending {
		t.Fatalf("%+v, %v", a, err)
	}
	time.AfterFunc(50*time.Millisecond, func() { server.Settle(a.ID, approval.Approved) })
	b, err := r.Wait(t.Context(), a.ID, a.Seq, 10*time.Second)
	if err != nil || b.Status != approval.Approved || b.Seq <= a.Seq {
		t.Errorf("%+v, %v", b, err)
	}
	if u, err := r.Use(t.Context(), a.ID, wire.Use{}); err != nil || u.Status != approval.Executed {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := r.Use(t.Context(), a.ID, wire.Use{}); fault.Of(err) != fault.Conflict {
		t.Errorf("used twice: %v", err)
	}
	server.Stop()
	began := time.Now()
	if _, err := r.Ask(t.Context(), wire.Ask{}); fault.Of(err) != fault.Unavailable {
		t.Errorf("without a server: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v to notice", took)
	}
}

func TestAKillSwitchAtTheServerIsNoRevocation(t *testing.T) {
	t.Parallel()

	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	server.Publish(r.snapshot(t, 5, nil))
	eventually(t, "version 5", func() bool { return r.version() == 5 })
	for code, killed := range map[string]bool{wire.CodeKilled: true, fault.Forbidden.String(): false} {
		server.Lock()
		server.Refuse = &wire.Problem{Status: http.StatusForbidden, Code: code, Detail: "The kill switch is on: Enough."}
		server.Unlock()
		_, err := r.Ask(t.Context(), wire.Ask{})
		if fault.Of(err) != fault.Forbidden || errors.Is(err, decide.ErrKilled) != killed || fault.Message(err) != "The kill switch is on: Enough." {
			t.Errorf("%s: %v, want killed %v", code, err, killed)
		}
	}
}

// Whatever is recorded while a delivery is under way waits for others: at every
// rate there are some ten deliveries a second, and not one for each request.
func TestUnderSteadyTrafficEntriesGatherBetweenDeliveries(t *testing.T) {
	t.Parallel()

	const gather = 100 * time.Millisecond
	server, dir := linktest.New(t), stateDir(t)
	server.Enrol(t, dir)
	r := start(t, server, dir)
	const deliveries = 6
	came := make(chan time.Time, deliveries)
	server.Lock()
	server.Answer = func([]audit.Sealed) (wire.AuditAnswer, bool) {
		select {
		case came <- time.Now():
		default:
			return wire.AuditAnswer{}, false
		}
		if err := r.spool.Record(audit.Traffic{Request: "req_next"}); err != nil {
			t.Error(err)
		}
		return wire.AuditAnswer{}, false
	}
	server.Unlock()
	if err := r.spool.Record(audit.Traffic{Request: "req_first"}); err != nil {
		t.Fatal(err)
	}
	last := <-came
	for range deliveries - 1 {
		next := <-came
		if rest := next.Sub(last); rest < gather {
			t.Errorf("the next delivery came after %v", rest)
		}
		last = next
	}
}
