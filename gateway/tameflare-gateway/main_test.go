package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/link/linktest"
	"github.com/tameflare/tameflare/gateway/runs"
)

func getenv(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestWrongUseIsSaid(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		args []string
		env  func(string) string
		code int
		says string
	}{
		"unknown command":  {[]string{"frobnicate"}, getenv("HOME", "/x"), 2, `"frobnicate"`},
		"unknown flag":     {[]string{"--frobnicate"}, getenv("HOME", "/x"), 2, "frobnicate"},
		"no directory":     {nil, getenv(), 2, "--state"},
		"too many":         {[]string{"version", "x"}, getenv("HOME", "/x"), 2, `"x"`},
		"token elsewhere":  {[]string{"--token", "-"}, getenv("HOME", "/x"), 2, "enrol"},
		"wrong level":      {nil, getenv("HOME", "/x", "LOG_LEVEL", "loud"), 2, `"loud"`},
		"no enrolment":     {[]string{"enrol", "--state", filepath.Join(t.TempDir(), "s")}, getenv(), 1, "TAMEFLARE_ENROL"},
		"not an enrolment": {[]string{"enrol", "--state", filepath.Join(t.TempDir(), "s")}, getenv("TAMEFLARE_ENROL", "tfe_x"), 1, "link_url"},
		"not enrolled":     {[]string{"--state", filepath.Join(t.TempDir(), "s")}, getenv("XDG_RUNTIME_DIR", t.TempDir()), 1, "has not been enrolled"},
		"help":             {[]string{"--help"}, getenv("HOME", "/x"), 0, "--token"},
		"version":          {[]string{"version"}, getenv("HOME", "/x"), 0, "tameflare-gateway"},
	} {
		var out bytes.Buffer
		if got := run(t.Context(), tt.args, tt.env, strings.NewReader(""), &out, &out); got != tt.code {
			t.Errorf("%s: exit code %d, want %d", name, got, tt.code)
		}
		if !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s: says %q, and not %q", name, out.String(), tt.says)
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestAContainerEnrolsItselfOnce(t *testing.T) {
	t.Parallel()

	server := linktest.New(t)
	server.Publish(wire.Snapshot{
		Version: 3, GatewayID: linktest.GatewayID, GatewayName: "test", IssuedAt: time.Now(), ValidFor: time.Hour,
		Connectors: []wire.Connector{{Name: "github", Type: "github"}},
		Rules:      []policy.Rule{{ID: "rule_1", Connector: "github", Pattern: "*", Effect: policy.Allow}},
	})
	enrolment, err := json.Marshal(map[string]string{
		"token": "token", "link_url": server.URL, "root_pem": server.RootPEM, "gateway_id": linktest.GatewayID, "name": "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	dir, runtime := filepath.Join(t.TempDir(), "state"), t.TempDir()
	env := getenv("TAMEFLARE_ENROL", string(enrolment), "XDG_RUNTIME_DIR", runtime, "TAMEFLARE_STATE", dir)
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		var log lockedBuffer
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, nil, env, strings.NewReader(""), &log, &log) }()
		client := runs.Client{Socket: filepath.Join(runtime, "tameflare", "test.sock")}
		deadline := time.Now().Add(20 * time.Second)
		for {
			s, err := client.Status(ctx)
			if err == nil && s.Snapshot.Version == 3 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("never ready: %v %s", err, log.String())
			}
			time.Sleep(10 * time.Millisecond) // another goroutine's socket has no signal for us
		}
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit code %d: %s", code, log.String())
		}
		if strings.Contains(log.String(), `"token"`) {
			t.Error("the enrolment is in the log")
		}
	}
}
