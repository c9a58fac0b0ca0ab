package integration_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/integration/standin"
	"github.com/tameflare/tameflare/integration/world"
)

// stream runs a curl that reads an event stream, and returns a channel that is
// closed when the stream ends. It returns once the first event has arrived.
func stream(t *testing.T, w *world.World) <-chan struct{} {
	t.Helper()
	cmd, _ := w.Command(t.Context(), "tameflare", w.RunArgs("agent", "curl", "-sSN", "https://api.github.com/repos/acme/site/events")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the stream did not begin")
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines.Scan() {
		}
		_ = cmd.Wait() // curl fails where the stream was cut, which is what we want
	}()
	return ended
}

// askLater begins a run whose process asks for something once the function that
// it returns is called, which returns what it got: with the switch on, no new
// run begins.
func askLater(t *testing.T, w *world.World) func() string {
	t.Helper()
	cmd, _ := w.Command(t.Context(), "tameflare", w.RunArgs("agent", "sh", "-c", "echo ready; read now; exec curl -sSi --http1.1 https://api.github.com/user")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return func() string {
		t.Helper()
		if _, err := io.WriteString(in, "now\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(lines)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return string(answer)
	}
}

func TestTheKillSwitchStopsEverything(t *testing.T) {
	t.Parallel()

	for scope, flags := range map[string][]string{
		"team": nil, "gateway": {"--gateway", "agent"}, "connector": {"--connector", "github"}, "connector of a gateway": {"--gateway", "agent", "--connector", "github"},
	} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "", standard)
			ended := stream(t, w)
			asked := askForMerge(t, w)
			held := pending(t, w)
			later := askLater(t, w)

			if _, err := w.Do(t.Context(), "", "tameflare", append([]string{"kill", "on", "--reason", "drill"}, flags...)...); err != nil {
				t.Fatal(err)
			}
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Error("the stream goes on")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := w.GitHub.WaitFor(ctx, func([]standin.Seen) bool { return w.GitHub.Streams() == 0 }); err != nil {
				t.Error("the stream goes on at the service")
			}
			if body, status := asked.answer(); status != "403" {
				t.Errorf("the held request: %s %s", status, body)
			}
			out := later()
			if !strings.Contains(out, "403 ") || !strings.Contains(strings.ToLower(out), "x-tameflare-kill-switch: active") || !strings.Contains(out, "kill_switch") {
				t.Errorf("a new request:\n%s", out)
			}
			list, err := w.Approvals(t.Context())
			if err != nil || len(list) != 1 || list[0].ID != held.ID || list[0].Status != "cancelled" {
				t.Errorf("approvals = %v, err = %v", list, err)
			}

			if _, err := w.Do(t.Context(), "", "tameflare", append([]string{"kill", "off"}, flags...)...); err != nil {
				t.Fatal(err)
			}
			passes := func() bool {
				out, err := under(t, w, "curl", "-sS", "https://api.github.com/user")
				return err == nil && strings.Contains(out, "acme-bot")
			}
			for deadline := time.Now().Add(5 * time.Second); !passes(); {
				if time.Now().After(deadline) {
					t.Fatal("after the switch was lifted, requests are still refused")
				}
			}
			if n := w.GitHub.Effects("PUT", mergePath); n != 0 {
				t.Errorf("merged %d times", n)
			}
		})
	}
}

// Pulled on the machine, it works without the server.
func TestTheKillSwitchWorksWithoutTheServer(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	ended := stream(t, w)
	later := askLater(t, w)
	if err := w.StopServer(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Do(t.Context(), "", "tameflare", "kill", "on", "--local", "--gateway", "agent", "--reason", "drill"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the stream goes on")
	}
	if out := later(); !strings.Contains(out, "kill_switch") {
		t.Errorf("a new request:\n%s", out)
	}
	_, err := under(t, w, "true")
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 7 {
		t.Errorf("a new run: %v, want exit code 7", err)
	}
}
