// Package integration_test runs the parts together: the real programs, real
// databases, a real browser, and the clients that people use.
package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tameflare/tameflare/integration/world"
)

// programs is the folder with the programs under test, built once for all.
var programs string

func TestMain(m *testing.M) {
	if url := os.Getenv(asClient); url != "" {
		os.Exit(goClient(url))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tameflare-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../app/tameflare-server", "../gateway/tameflare-gateway", "../cli/tameflare")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the programs: %v\n%s", err, out)
		return 1
	}
	programs = dir
	return m.Run()
}

// newWorld returns an installation of its own for t, set up and with document
// applied. With an empty database it keeps its data in SQLite.
func newWorld(t *testing.T, database, document string) *world.World {
	t.Helper()
	w, err := world.New(programs, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log := w.ServerLog()
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", log)
		}
	})
	if err := w.SetUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if document != "" {
		if err := w.Apply(t.Context(), []byte(document), "GITHUB_BOT="+w.GitHub.Token); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// standard is the configuration that most tests use: reads pass, merges ask,
// deletions are refused.
const standard = `version: 1
credentials:
  - {name: github-bot, connector: github, from: {env: GITHUB_BOT}}
gateways:
  - name: agent
    connectors:
      - type: github
        credential: github-bot
        rules:
          - {preset: read_only}
          - {action: github.pr.merge, decision: require_approval, hold: 20s, ttl: 10m}
          - {action: github.repo.delete, decision: deny, reason: Agents do not delete repositories.}
          - {action: github.repo.push, decision: allow}
          - {action: github.issue.create, decision: allow}
`
