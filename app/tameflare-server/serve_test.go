package main

import (
	"context"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/store/storetest"
)

// running is a server that a test has started.
type running struct {
	url, link string // of the dashboard and of the gateways' port
	said      string
	stop      func() error
}

// start serves with the given environment until the test ends.
func start(t *testing.T, pairs ...string) running {
	t.Helper()
	c, err := LoadConfig(env(append(pairs, "TAMEFLARE_ADDR", "127.0.0.1:0", "TAMEFLARE_GATEWAY_ADDR", "127.0.0.1:0")...))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	said := make(notice, 1)
	go func() { done <- Serve(ctx, c, slog.New(slog.DiscardHandler), said) }()
	r := running{stop: sync.OnceValue(func() error { cancel(); return <-done })}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case r.said = <-said:
	case err := <-done:
		done <- err
		t.Fatalf("serve: %v", err)
	}
	find := func(label string) string {
		m := regexp.MustCompile(label + `\s+(\S+)`).FindStringSubmatch(r.said)
		if m == nil {
			t.Fatalf("no %s in:\n%s", label, r.said)
		}
		return m[1]
	}
	r.url, r.link = find("Dashboard"), find("Gateways' port")
	return r
}

// notice takes what the server says, which it does in one piece.
type notice chan string

func (n notice) Write(p []byte) (int, error) {
	n <- string(p)
	return len(p), nil
}

func TestServerStartsFromNothingAndStops(t *testing.T) {
	t.Parallel()

	data := filepath.Join(t.TempDir(), "deep", "data")
	r := start(t, "TAMEFLARE_DATA_DIR", data)
	if !strings.Contains(r.said, "make the first account") || !strings.Contains(r.said, data) || strings.Contains(r.said, "register?setup=") {
		t.Errorf("it says:\n%s", r.said)
	}
	for name, mode := range map[string]os.FileMode{"": 0o700, "master.key": 0o600, "tameflare.db": 0o600} {
		if info, err := os.Stat(filepath.Join(data, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	began := time.Now()
	if err := r.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > shutdownBudget/2 {
		t.Errorf("nobody was there, and it took %v to stop", took)
	}
	again := start(t, "TAMEFLARE_DATA_DIR", data)
	if again.url == "" {
		t.Error("it does not start again")
	}
}

func TestServerRunsOnPostgres(t *testing.T) {
	t.Parallel()

	url := storetest.Postgres(t)
	one := start(t, "TAMEFLARE_DATA_DIR", t.TempDir(), "DATABASE_URL", url, "TAMEFLARE_MASTER_KEY", strings.Repeat("A", 43))
	two := start(t, "TAMEFLARE_DATA_DIR", t.TempDir(), "DATABASE_URL", url, "TAMEFLARE_MASTER_KEY", strings.Repeat("A", 43))
	if !strings.Contains(one.said, "Postgres") || one.url == two.url {
		t.Errorf("%s\n%s", one.said, two.said)
	}
}

// A server that cannot open what it has sealed says so, and does not start
// over as if nothing had been there.
func TestAnotherMasterKeyIsRefused(t *testing.T) {
	t.Parallel()

	data := t.TempDir()
	r := start(t, "TAMEFLARE_DATA_DIR", data, "TAMEFLARE_MASTER_KEY", strings.Repeat("A", 43))
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	c, err := LoadConfig(env("TAMEFLARE_DATA_DIR", data, "TAMEFLARE_MASTER_KEY", strings.Repeat("B", 42)+"A",
		"TAMEFLARE_ADDR", "127.0.0.1:0", "TAMEFLARE_GATEWAY_ADDR", "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), c, slog.New(slog.DiscardHandler), io.Discard); err == nil || !strings.Contains(err.Error(), "is the master key the one") {
		t.Errorf("%v", err)
	}
}

func TestSetupLinkIsPrintedOffLoopback(t *testing.T) {
	t.Parallel()

	r := start(t, "TAMEFLARE_DATA_DIR", t.TempDir(), "TAMEFLARE_BASE_URL", "https://t.example.com")
	if !regexp.MustCompile(`https://t\.example\.com/register\?setup=[0-9a-z]{52}\n`).MatchString(r.said) {
		t.Errorf("it says:\n%s", r.said)
	}
}

func TestGatewaysPortShowsTheAuthoritysCertificate(t *testing.T) {
	t.Parallel()

	data := t.TempDir()
	r := start(t, "TAMEFLARE_DATA_DIR", data)
	// Nobody's root but the server's own counts there.
	if resp, err := http.Get(r.link + "/v1/whoami"); err == nil {
		resp.Body.Close()
		t.Error("a client without the root connects")
	} else if !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
}

// What is sealed in the database is worth nothing without the master key, so
// neither key nor token may be in it.
func TestDatabaseHoldsNoKeyInThePlain(t *testing.T) {
	t.Parallel()

	data := t.TempDir()
	r := start(t, "TAMEFLARE_DATA_DIR", data)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	db, err := os.ReadFile(filepath.Join(data, "tameflare.db"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(db), "intermediate.1") {
		t.Error("the authority's keys are not where they were looked for")
	}
	// A PKCS #8 key on P-256 begins like this.
	if prefix := []byte{0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13}; strings.Contains(string(db), string(prefix)) {
		t.Error("there is a private key in the database")
	}
	if block, _ := pem.Decode(db); block != nil {
		t.Errorf("there is a %s in the database", block.Type)
	}
}

// Fly kills what is still there after its kill_timeout. What the budget leaves
// of it is for closing the database, and for a slow machine.
func TestFlyWaitsLongerThanTheServerTakesToStop(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile(filepath.Join("..", "..", "fly.toml"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^kill_timeout = "([^"]+)"`).FindSubmatch(text)
	if m == nil {
		t.Fatal("fly.toml has no kill_timeout")
	}
	wait, err := time.ParseDuration(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	if spare := wait - shutdownBudget; spare < 5*time.Second {
		t.Errorf("kill_timeout is %s and the budget %s, which leaves %s, want at least 5s", wait, shutdownBudget, spare)
	}
	if !regexp.MustCompile(`(?m)^kill_signal = "SIGTERM"`).Match(text) {
		t.Error("fly.toml does not end the server by SIGTERM")
	}
}
