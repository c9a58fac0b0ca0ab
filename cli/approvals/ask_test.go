package approvals

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

func TestOneRequestAfterTheOtherIsPutToAPerson(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge acme/site#12", Method: "PUT", URL: "https://api.github.com/x", Reason: "Merges need a person.", BodySize: 20})
		h.put(rest.Approval{ID: "apr_2", Sentence: "refund 5 EUR"})
		s := sit(t, h, true, 0)
		got := s.sees("⏸ apr_1  deploy-bot wants to merge acme/site#12", "PUT https://api.github.com/x", "Merges need a person.", "3 approved, 1 denied", "10m00s left", "apr_1: a approve, d deny")
		if strings.Contains(got, "refund 5 EUR\n  request") {
			t.Errorf("the second is put to them too:\n%s", got)
		}
		s.types("s")
		if got := s.sees("  │ ", "hi"); strings.Contains(got, "\x1b") {
			t.Errorf("a body steers the terminal: %q", got)
		}
		s.types("what")
		s.sees("a approves once")
		s.types("a")
		s.sees("✓ Approved: merge acme/site#12", "apr_2  deploy-bot wants to refund 5 EUR")
		s.types("d")
		s.sees("Why?")
		s.types("not on a Friday")
		got = s.sees("✓ Denied: refund 5 EUR", "Nothing waits")
		if strings.Contains(got, "Denied by Ana") {
			t.Errorf("their own decision is told as news:\n%s", got)
		}
		s.decided("apr_1 approve", "apr_2 deny  not on a Friday")
		h.put(rest.Approval{ID: "apr_3", Sentence: "merge"})
		s.sees("apr_3  deploy-bot wants to merge")
		s.types("a 15m")
		s.types("q")
		if err := <-s.ended; err != nil {
			t.Errorf("ended with %v", err)
		}
		s.decided("apr_1 approve", "apr_2 deny  not on a Friday", "apr_3 approve 15m0s")
	})
}

func TestALineBegunForOneRequestIsNeverForAnother(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge"})
		h.put(rest.Approval{ID: "apr_2", Sentence: "delete everything"})
		s := sit(t, h, true, 0)
		s.sees("apr_1  deploy-bot wants to merge")
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge", Status: approval.Approved, Decider: "Ben", Channel: "slack"})
		if got := s.sees("Approved by Ben in Slack", "Enter for the next"); strings.Contains(got, "wants to delete") {
			t.Errorf("the next comes under their fingers:\n%s", got)
		}
		s.types("a") // begun for the first
		s.sees("wants to delete everything")
		s.decided()
		s.lines <- "a" // typed ahead, or pasted
		s.sees("before anybody could have read")
		s.decided()
		s.types("d no")
		s.decided("apr_2 deny  no")

		// The same while they type a reason, or confirm.
		for _, begun := range []string{"d", "a"} {
			h.put(rest.Approval{ID: "apr_3" + begun, Sentence: "third", Risk: "critical"})
			s.types(begun)
			h.put(rest.Approval{ID: "apr_3" + begun, Sentence: "third", Status: approval.Cancelled, Note: "kill switch"})
			s.sees("Cancelled (kill switch)", "Enter for the next")
			s.types("approve")
		}
		s.decided("apr_2 deny  no")
		_ = s.leaves()
	})
}

func TestWhatCanBreakMuchIsToBeConfirmed(t *testing.T) {
	t.Parallel()

	for risk, asked := range map[string]bool{"low": false, "medium": false, "high": true, "critical": true, "new word": true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			h.put(rest.Approval{ID: "apr_1", Sentence: "merge", Risk: risk})
			s := sit(t, h, true, 0)
			s.types("a")
			if !asked {
				s.decided("apr_1 approve")
			} else {
				s.sees("Type approve to go on")
				s.types("a")
				s.sees("Not approved.")
				s.decided()
				s.types("a")
				s.types("approve")
				s.decided("apr_1 approve")
			}
			_ = s.leaves()
		})
	}
}

func TestWhatIsLeftComesBackWithEnter(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge"})
		s := sit(t, h, true, 0)
		s.types("n")
		s.sees("1 left undecided")
		h.put(rest.Approval{ID: "apr_2", Sentence: "refund"})
		s.sees("apr_2  deploy-bot wants to refund")
		s.types("n")
		s.types("")
		s.sees("apr_1  deploy-bot wants to merge")
		s.types("a")
		s.decided("apr_1 approve")
		s.sees("apr_2  deploy-bot wants to refund")
		close(s.lines) // Ctrl-D
		if err := <-s.ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestADecisionThatCannotBeMadeSaysWhy(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge"})
		s := sit(t, h, true, 0)
		h.refuse = fault.New(fault.Forbidden, "This request can be approved in the dashboard only.", nil)
		s.types("a")
		s.sees("in the dashboard only", "apr_1: a approve")
		h.refuse = nil
		// Somebody is faster, and the news of it slower.
		h.mu.Lock()
		a := h.now["apr_1"]
		a.Status, a.Decider, a.Channel, a.Seq = approval.Denied, "Ben", "dashboard", a.Seq+1
		h.now["apr_1"] = a
		h.mu.Unlock()
		s.types("a")
		s.sees("Denied by Ben in the dashboard", "Nothing waits")
		h.put(rest.Approval{ID: "apr_2"})
		h.refuse = fault.New(fault.Unauthenticated, "This token has been revoked.", nil)
		s.types("a")
		if err := <-s.ended; exit.Code(err) != exit.Auth {
			t.Errorf("ended with %v, code %d; want 4", err, exit.Code(err))
		}
		s.decided()
	})
}

func TestADurationThatIsNoneApprovesNothing(t *testing.T) {
	t.Parallel()

	for _, line := range []string{"a soon", "a -5m", "a 9h", "approve it", "approved", "A"} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse()
			h.put(rest.Approval{ID: "apr_1", Sentence: "merge"})
			s := sit(t, h, true, 0)
			s.types(line)
			s.sees("a approves once")
			s.decided()
			_ = s.leaves()
		})
	}
}

func TestTimeTakesWhatIsPutToThemAway(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge"})
		s := sit(t, h, true, 0)
		time.Sleep(10 * time.Minute)
		h.put(rest.Approval{ID: "apr_1", Sentence: "merge", Status: approval.Expired})
		s.sees("Expired: nobody answered in time", "Enter for the next")
		s.types("a")
		s.sees("Nothing waits")
		s.decided()
		_ = s.leaves()
	})
}
