package approvals

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

func TestWhatWaitsAndWhatBecomesOfItIsALineEach(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge acme/site#12", Risk: "high"})
		s := sit(t, h, false, 0)
		s.sees("⏸ apr_1  deploy-bot, high risk, cannot be undone, 10m00s left: merge acme/site#12\n")
		h.put(rest.Approval{ID: "apr_2", Sentence: "delete\nfake ✓ line \x1b[2J"})
		if got := s.sees("⏸ apr_2", "delete fake ✓ line ·[2J\n"); strings.Count(got, "\n") != 1 {
			t.Errorf("more than a line: %q", got)
		}
		time.Sleep(41 * time.Second)
		a := h.now["apr_1"]
		a.Status, a.Decider, a.Channel, a.Note, a.DecidedAt = approval.Approved, "Ben", "slack", "fine", time.Now()
		h.put(a)
		s.sees("✓ apr_1  Approved by Ben in Slack after 41s (fine): merge acme/site#12\n")
		h.put(rest.Approval{ID: "apr_2", Status: approval.Expired, Sentence: "delete"})
		s.sees("✗ apr_2  Expired: nobody answered in time: delete\n")
		if err := s.leaves(); !errors.Is(err, context.Canceled) || exit.Code(err) != exit.Usage {
			t.Errorf("ended with %v, code %d; want cancelled, 2", err, exit.Code(err))
		}
	})
}

func TestJSONIsOneApprovalALineWheneverOneChanges(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1"})
		s := sit(t, h, false, time.Minute, func(w *watcher) { w.asJSON = true })
		h.put(rest.Approval{ID: "apr_1", Status: approval.Denied})
		var got []string
		for line := range strings.Lines(s.sees()) {
			var a rest.Approval
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			got = append(got, a.ID+" "+string(a.Status))
		}
		if want := "apr_1 pending,apr_1 denied"; strings.Join(got, ",") != want {
			t.Errorf("lines %q, want %s", got, want)
		}
		time.Sleep(time.Minute)
		if err := <-s.ended; err != nil { // nothing waits in the end
			t.Errorf("ended with %v", err)
		}
	})
}

func TestATimeoutSaysWhetherSomethingStillWaits(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1"})
		s := sit(t, h, false, time.Minute)
		time.Sleep(time.Minute)
		if err := <-s.ended; exit.Code(err) != exit.Pending {
			t.Errorf("ended with %v, code %d; want 6", err, exit.Code(err))
		}
		s.sees("Still waiting: 1.")

		h.goAway(errGone)
		s = sit(t, h, false, time.Minute)
		time.Sleep(time.Minute)
		if err := <-s.ended; fault.Of(err) != fault.Unavailable {
			t.Errorf("without a server: ended with %v, want unavailable", err)
		}
	})
}

func TestAServerThatRestartsIsAskedAgainAndNothingIsMissed(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge"})
		h.put(rest.Approval{ID: "apr_2", Sentence: "delete"})
		s := sit(t, h, false, 0)
		s.sees("apr_1", "apr_2")
		h.goAway(errGone)
		s.sees("The server does not answer. Trying again.")
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge", Status: approval.Approved, Decider: "Ben", Channel: "dashboard"})
		h.put(rest.Approval{ID: "apr_3", Sentence: "refund"})
		time.Sleep(time.Minute)
		if got := s.sees(); got != "" {
			t.Errorf("while it is away: %q", got)
		}
		h.goAway(nil)
		time.Sleep(lastTry)
		got := s.sees("The server is back.", "apr_1  Approved by Ben in the dashboard", "apr_3")
		if strings.Contains(got, "apr_2") {
			t.Errorf("what was there before is said again:\n%s", got)
		}
		h.goAway(errGone) // and nothing happens meanwhile
		s.sees("Trying again.")
		h.goAway(nil)
		time.Sleep(lastTry)
		if got := s.sees("The server is back."); strings.Count(got, "\n") != 1 {
			t.Errorf("what was there before is said again:\n%s", got)
		}
		// After a restore it has less than it had.
		h.mu.Lock()
		h.changes = h.changes[:1]
		lists := h.lists
		h.mu.Unlock()
		time.Sleep(2 * patience)
		h.mu.Lock()
		if h.lists == lists {
			t.Error("a server that has less than it had is not listed again")
		}
		h.mu.Unlock()
		h.goAway(fault.New(fault.Unauthenticated, "This token has been revoked.", nil))
		if err := <-s.ended; exit.Code(err) != exit.Auth {
			t.Errorf("with a revoked token: ended with %v, code %d; want 4", err, exit.Code(err))
		}
	})
}

func TestABellRingsForEachNewRequest(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		s := sit(t, h, false, 0, func(w *watcher) { w.bell = true })
		h.put(rest.Approval{ID: "apr_1"})
		s.sees("\a")
		h.put(rest.Approval{ID: "apr_1", Status: approval.Denied})
		if got := s.sees("Denied"); strings.Contains(got, "\a") {
			t.Errorf("rings for a decision: %q", got)
		}
		_ = s.leaves()
	})
}
