package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway"
	"github.com/tameflare/tameflare/gateway/runs"
)

func TestARunIsGovernedFromEndToEnd(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	r := w.run(runs.Start{Program: "agent", ConnectTo: w.config.ConnectTo, UpstreamCA: w.config.UpstreamCA})
	if r.Door.Env["GITHUB_TOKEN"] == "" || strings.Contains(r.Door.Env["GITHUB_TOKEN"], canary) || r.Door.BaseURL == "" {
		t.Errorf("the door: %+v", r.Door)
	}
	if status, body, _ := r.do(t, "GET", "/repos/acme/site"); status != 200 || body != "hello from upstream" {
		t.Errorf("allowed: %d %q", status, body)
	}
	if w.upstream.count("GET /repos/acme/site Bearer "+canary)+w.upstream.count("GET /repos/acme/site token "+canary) != 1 {
		t.Errorf("the upstream saw %q", w.upstream.seen)
	}
	if status, body, _ := r.do(t, "DELETE", "/repos/acme/site"); status != 403 || strings.Contains(body, canary) {
		t.Errorf("denied: %d %q", status, body)
	}

	var wg sync.WaitGroup
	wg.Go(func() {
		if status, _, _ := r.do(t, "PUT", "/repos/acme/site/pulls/7/merge"); status != 200 {
			t.Errorf("approved: %d", status)
		}
	})
	eventually(t, "asked", func() bool { w.server.Lock(); defer w.server.Unlock(); return len(w.server.Asked) == 1 })
	w.server.Lock()
	ask := w.server.Asked[0]
	w.server.Unlock()
	if ask.RunID != r.Door.RunID || ask.Principal != r.Door.Principal || ask.Action.Name != "github.pr.merge" {
		t.Errorf("asked %+v", ask)
	}
	w.server.Settle("apr_"+ask.Fingerprint, approval.Approved)
	wg.Wait()
	if w.upstream.count("PUT /repos/acme/site/pulls/7/merge") != 1 {
		t.Errorf("the upstream saw %q", w.upstream.seen)
	}

	status, err := w.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(status.Runs) != 1 || status.Runs[0].Counts.Requests != 3 || !status.Server.Reachable || status.Snapshot.Version != 1 || status.Gateway != "test" {
		t.Errorf("status %+v", status)
	}
	if err := r.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	var last runs.Event
	for e := range r.events {
		kinds, last = append(kinds, string(e.Kind)), e
		if e.Kind == runs.Held && (e.ApprovalURL == "" || e.Action != "github.pr.merge" || e.HoldUntil.IsZero()) {
			t.Errorf("held: %+v", e.Request)
		}
	}
	if got := strings.Join(kinds, " "); got != "denied held decided summary" {
		t.Errorf("events %q", got)
	}
	if c := last.Counts; c == nil || *c != (runs.Counts{Requests: 3, Allowed: 2, Denied: 1, Held: 1}) {
		t.Errorf("summary %+v", c)
	}
	if _, err := net.DialTimeout("tcp", r.Door.Proxy, time.Second); err == nil {
		t.Error("the door is still open after the run")
	}

	w.stop()
	w.checkRecord()
	w.checkCanary()
}

func TestTheServersDeathLeavesAllowedRequestsAlone(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	r := w.run(runs.Start{})
	w.server.Stop()
	if status, _, _ := r.do(t, "GET", "/repos/acme/site"); status != 200 {
		t.Errorf("allowed: %d", status)
	}
	if status, body, _ := r.do(t, "PUT", "/repos/acme/site/pulls/7/merge"); status != 503 || !strings.Contains(body, "unavailable") {
		t.Errorf("needs a person: %d %q", status, body)
	}
	if n := w.upstream.count("PUT"); n != 0 {
		t.Errorf("%d were sent all the same", n)
	}
	eventually(t, "noticed", func() bool {
		s, err := w.client.Status(t.Context())
		return err == nil && !s.Server.Reachable && s.Spool.Unsent > 0
	})
	w.server.Start(t)
	eventually(t, "delivered", func() bool {
		s, err := w.client.Status(t.Context())
		return err == nil && s.Server.Reachable && s.Spool.Unsent == 0
	})
}

func TestTheMachinesKillSwitchCutsAStream(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	r := w.run(runs.Start{})
	w.server.Stop()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.github.com/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, len("first\n"))); err != nil {
		t.Fatal(err)
	}
	cut := make(chan time.Time, 1)
	go func() {
		_, err := io.ReadAll(res.Body)
		if err == nil {
			t.Error("the stream ended as if it were whole")
		}
		cut <- time.Now()
	}()
	began := time.Now()
	kills, err := w.client.Kill(t.Context(), runs.Kill{On: true, Reason: "wild"})
	if err != nil || len(kills) != 1 || !kills[0].Local || kills[0].Reason != "wild" {
		t.Fatalf("%+v, %v", kills, err)
	}
	if took := (<-cut).Sub(began); took > 250*time.Millisecond {
		t.Errorf("cut after %v", took)
	}
	status, body, header := r.do(t, "GET", "/repos/acme/site")
	if status != 403 || header.Get("X-TameFlare-Kill-Switch") != "active" {
		t.Errorf("killed: %d %q %v", status, body, header)
	}
	w.stop()
	w.start()
	r = w.run(runs.Start{})
	if status, _, _ := r.do(t, "GET", "/repos/acme/site"); status != 403 {
		t.Errorf("after a restart: %d", status)
	}
	if _, err := w.client.Kill(t.Context(), runs.Kill{}); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := r.do(t, "GET", "/repos/acme/site"); status != 200 {
		t.Errorf("lifted: %d", status)
	}
}

func TestTheServersKillSwitchIsNotOursToLift(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	w.publish(2, func(s *wire.Snapshot) { s.Kills = []policy.Kill{{ID: "kill_1", Connector: "github"}} })
	eventually(t, "killed", func() bool { s, err := w.client.Status(t.Context()); return err == nil && len(s.Kills) == 1 })
	if _, err := w.client.Kill(t.Context(), runs.Kill{Connector: "github"}); fault.Of(err) != fault.Forbidden {
		t.Errorf("got %v", err)
	}
	if _, err := w.client.Kill(t.Context(), runs.Kill{Connector: "slack"}); fault.Of(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	if _, err := w.client.Kill(t.Context(), runs.Kill{On: true, Connector: "NO!"}); fault.Of(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestADoorIsNotReachedThroughAnother(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	r, other := w.run(runs.Start{}), w.run(runs.Start{})
	_, port, err := net.SplitHostPort(other.Door.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	if status, body, _ := r.to(t, "GET", "https://self.example:"+port+"/"); status != 403 {
		t.Errorf("got %d %q, want 403", status, body)
	}
}

func TestARunEndsWithItsCaller(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	r := w.run(runs.Start{})
	r.Close()
	eventually(t, "the door closes", func() bool {
		conn, err := net.DialTimeout("tcp", r.Door.Proxy, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	eventually(t, "the run is gone", func() bool { s, err := w.client.Status(t.Context()); return err == nil && len(s.Runs) == 0 })
}

func TestARunCannotAskForOtherWaysOut(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	for name, s := range map[string]runs.Start{
		"another destination": {ConnectTo: []string{"api.github.com:443:127.0.0.1:1"}},
		"another root":        {UpstreamCA: "/etc/other.pem"},
	} {
		if _, err := w.client.Start(t.Context(), s); fault.Of(err) != fault.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.client.Start(t.Context(), runs.Start{ExtraCA: "/nonexistent.pem"}); fault.Of(err) != fault.Invalid {
		t.Errorf("no such bundle: %v", err)
	}
	r := w.run(runs.Start{ExtraCA: w.upstream.ca})
	own, err := os.ReadFile(r.Door.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	extra, err := os.ReadFile(w.upstream.ca)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(own, bytes.TrimSpace(extra)) {
		t.Error("the bundle does not trust what the caller trusted")
	}
	ca, err := w.client.CA(t.Context())
	if err != nil || !bytes.Contains(own, bytes.TrimSpace([]byte(ca.PEM))) {
		t.Errorf("the bundle does not trust the gateway: %v", err)
	}
}

func TestOneGatewayADirectory(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	if err := gateway.Run(t.Context(), w.config); fault.Of(err) != fault.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
	config := w.config
	config.StateDir = filepath.Join(t.TempDir(), "empty")
	if err := gateway.Run(t.Context(), config); fault.Of(err) != fault.NotFound {
		t.Errorf("got %v, want not found", err)
	}
	if _, err := w.client.Status(t.Context()); err != nil {
		t.Errorf("the first one is gone: %v", err)
	}
}

func TestShutdownAndIdleEndTheGateway(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	if err := w.client.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.stop() // waits for the end, and checks the error
	if _, err := w.client.Status(t.Context()); fault.Of(err) != fault.Unavailable {
		t.Errorf("still there: %v", err)
	}

	config := w.config
	config.Idle = time.Second
	config.Ready = nil
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := gateway.Run(ctx, config); err != nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("idle: %v, %v", err, ctx.Err())
	}
}

func TestAReEnrolledGatewayPutsAForeignSpoolAside(t *testing.T) {
	t.Parallel()

	w := newWorld(t)
	r := w.run(runs.Start{})
	r.do(t, "GET", "/repos/acme/site")
	eventually(t, "delivered", func() bool { w.server.Lock(); defer w.server.Unlock(); return len(w.server.Entries) >= 2 })
	w.stop()
	if err := os.RemoveAll(w.dir.Path("spool")); err != nil { // lost
		t.Fatal(err)
	}
	w.server.Enrol(t, w.dir)
	w.publish(2, nil) // sealed to the new key
	w.start()
	r = w.run(runs.Start{})
	if status, _, _ := r.do(t, "GET", "/repos/acme/site"); status != 200 {
		t.Errorf("status %d", status)
	}
	eventually(t, "delivered", func() bool { s, err := w.client.Status(t.Context()); return err == nil && s.Spool.Unsent == 0 })
	w.server.Lock()
	defer w.server.Unlock()
	if err := audit.Verify(0, "", w.server.Entries); err != nil || len(w.server.Entries) < 3 {
		t.Errorf("%d entries, %v", len(w.server.Entries), err)
	}
}
