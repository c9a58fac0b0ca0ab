package integration_test

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/integration/world"
)

const mergePath = "/repos/acme/site/pulls/12/merge"

// asking is a curl that asks for the merge, with its answer.
type asking struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func askForMerge(t *testing.T, w *world.World, flags ...string) *asking {
	t.Helper()
	a := &asking{}
	command := append([]string{"curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "-X", "PUT", "-d", `{"merge_method":"squash"}`}, flags...)
	a.cmd, _ = w.Command(t.Context(), "tameflare", w.RunArgs("agent", append(command, "https://api.github.com"+mergePath)...)...)
	a.cmd.Stdout = &a.out
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return a
}

// answer waits for curl and returns the body and the status that it saw, ""
// where there was none.
func (a *asking) answer() (body, status string) {
	_ = a.cmd.Wait() // curl fails where the connection was cut: the status tells
	i := strings.LastIndex(a.out.String(), "\n")
	if i < 0 {
		return a.out.String(), ""
	}
	return a.out.String()[:i], a.out.String()[i+1:]
}

func pending(t *testing.T, w *world.World) world.Approval {
	t.Helper()
	a, err := w.WaitForPending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func approve(t *testing.T, w *world.World, id string) {
	t.Helper()
	if _, err := w.Do(t.Context(), "", "tameflare", "approvals", "approve", id, "--reason", "ticket 8812"); err != nil {
		t.Fatal(err)
	}
}

// onlyOnce asks again until the approved request has been sent, and once more.
func onlyOnce(t *testing.T, w *world.World, id string) {
	t.Helper()
	again := askForMerge(t, w)
	approve(t, w, id)
	if body, status := again.answer(); status != "200" || !strings.Contains(body, "merged") {
		t.Errorf("the retried request: %s %s", status, body)
	}
	if n := w.GitHub.Effects("PUT", mergePath); n != 1 {
		t.Errorf("merged %d times, want once", n)
	}
	list, err := w.Approvals(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != id {
		t.Errorf("approvals = %v, err = %v; want just %s", list, err, id)
	}
}

func TestAHeldRequestSurvivesTheServersDeath(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, w *world.World) {
		first := askForMerge(t, w)
		held := pending(t, w)
		if err := w.KillServer(); err != nil {
			t.Fatal(err)
		}
		if err := w.StartServer(t.Context()); err != nil {
			t.Fatal(err)
		}
		if still := pending(t, w); still.ID != held.ID {
			t.Fatalf("approval %s, want %s", still.ID, held.ID)
		}
		if err := first.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		first.answer()
		if n := w.GitHub.Effects("PUT", mergePath); n != 0 {
			t.Fatalf("merged %d times before anybody approved", n)
		}
		onlyOnce(t, w, held.ID)
	})
}

func TestAHeldRequestSurvivesTheGatewaysDeath(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	first := askForMerge(t, w)
	held := pending(t, w)
	if err := syscall.Kill(gatewayPID(t, w), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, status := first.answer(); status == "200" {
		t.Error("the request got through without an approval")
	}
	if n := w.GitHub.Effects("PUT", mergePath); n != 0 {
		t.Fatalf("merged %d times before anybody approved", n)
	}
	onlyOnce(t, w, held.ID)
}

// gatewayPID returns the process of the gateway that runs here.
func gatewayPID(t *testing.T, w *world.World) int {
	t.Helper()
	s, err := w.Gateway("agent").Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.PID
}

// eachDatabase runs test on an installation with SQLite and on one with PostgreSQL.
func eachDatabase(t *testing.T, test func(t *testing.T, w *world.World)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, "", standard))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, storetest.Postgres(t), standard))
	})
}
