package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/tameflare/tameflare/integration/world"
)

//go:embed tameflare.yaml
var config []byte

const gateway = "demo-agent"

// running is the agent under tameflare run.
type running struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

// result is a line of the agent's output.
type result struct {
	Step   string `json:"step"`
	Status int    `json:"status"`
	Says   string `json:"says"`
}

func startAgent(ctx context.Context, w *world.World, bin string) (*running, error) {
	program, err := filepath.Abs(filepath.Join(bin, "demo-agent"))
	if err != nil {
		return nil, err
	}
	a := &running{}
	a.cmd, _ = w.Command(ctx, "tameflare", w.RunArgs(gateway, program)...)
	a.cmd.Cancel = func() error { return a.cmd.Process.Signal(syscall.SIGTERM) }
	a.cmd.Stdout, a.cmd.Stderr = &a.out, os.Stderr
	if err := a.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start agent: %w", err)
	}
	return a, nil
}

func (a *running) wait(ctx context.Context) ([]result, error) {
	if err := a.cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("agent: %w", err)
	}
	var results []result
	for dec := json.NewDecoder(&a.out); ; {
		var r result
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			return results, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the agent's output: %w", err)
		}
		results = append(results, r)
	}
}

// approve waits for the held merge and approves it with the CLI.
func approve(ctx context.Context, w *world.World) error {
	a, err := w.WaitForPending(ctx)
	if err != nil {
		return err
	}
	_, err = w.Do(ctx, "", "tameflare", "approvals", "approve", a.ID, "--reason", "The demo approves by itself.")
	return err
}

// expected is what must come of the agent's requests, and what must have
// happened at GitHub.
var expected = []struct {
	step         string
	status       int
	outcome      string
	method, path string
	effects      int
}{
	{"read the repository", 200, "allowed, token injected", "GET", "/repos/acme/site", 1},
	{"delete the repository", 403, "denied", "DELETE", "/repos/acme/site", 0},
	{"merge pull request 12", 200, "held, approved, sent once", "PUT", "/repos/acme/site/pulls/12/merge", 1},
}

// check prints a line per request, and fails where one did not come out as
// expected.
func check(w *world.World, results []result) error {
	if len(results) != len(expected) {
		return fmt.Errorf("the agent made %d requests, want %d", len(results), len(expected))
	}
	var problems []error
	for i, want := range expected {
		got, effects := results[i], w.GitHub.Effects(want.method, want.path)
		mark := "✓"
		if got.Step != want.step || got.Status != want.status || effects != want.effects {
			mark = "✗"
			problems = append(problems, fmt.Errorf("%s: status %d and %d effects, want %d and %d", got.Step, got.Status, effects, want.status, want.effects))
		}
		fmt.Printf("%s %-6s https://api.github.com%-33s %d  %-26s %s\n", mark, want.method, want.path, got.Status, want.outcome, got.Says)
	}
	return errors.Join(problems...)
}
