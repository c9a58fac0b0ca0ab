package approvals_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
)

func TestQuestionsThatCannotBePut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		for name, change := range map[string]func(*wire.Ask){
			"no fingerprint":    func(a *wire.Ask) { a.Fingerprint = "" },
			"a made-up one":     func(a *wire.Ask) { a.Fingerprint = strings.Repeat("Z", 64) },
			"a ttl too short":   func(a *wire.Ask) { a.TTL = time.Second },
			"a ttl too long":    func(a *wire.Ask) { a.TTL = 1000 * time.Hour },
			"a negative ttl":    func(a *wire.Ask) { a.TTL = -time.Hour },
			"no action":         func(a *wire.Ask) { a.Action.Name = "" },
			"no URL":            func(a *wire.Ask) { a.URL = "" },
			"a negative size":   func(a *wire.Ask) { a.BodySize = -1 },
			"a digest of words": func(a *wire.Ask) { a.BodyDigest = "deadbeef" },
			"too many parameters": func(a *wire.Ask) {
				a.Action.Params = map[string]any{"x": strings.Repeat("x", 70<<10)}
			},
		} {
			ask := question('a')
			change(&ask)
			if _, err := f.Ask(t.Context(), f.gw, ask); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v, want invalid", name, err)
			}
		}
	})
}

func TestUglyQuestionsAreStored(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		for i, text := range []string{"a\x00b", "bad \xff utf-8", "'; DROP TABLE approvals; --", `{"a":1}`, "?0 ?", "\u202etxt", `\u0000`, strings.Repeat("x", 10_000)} {
			ask := question("0123456789abcdef"[i])
			ask.Sentence, ask.Reason, ask.Principal, ask.RunID, ask.RuleID, ask.Method, ask.URL, ask.RequestID = text, text, text, text, text, text, text, text
			ask.Action.Resource, ask.Action.Params = text, map[string]any{text: text}
			a, err := f.Ask(t.Context(), f.gw, ask)
			if err != nil {
				t.Errorf("%.20q: %v", text, err)
				continue
			}
			if got, err := f.Decide(t.Context(), f.owner, a.ID, approval.Decision{Channel: approval.API, Verdict: approval.Grant, Note: text}); err != nil || got.Status != approval.Approved {
				t.Errorf("%.20q: decide: %v", text, err)
			}
			if _, err := f.Get(t.Context(), f.owner.Team.ID, text); fault.Of(err) != fault.NotFound {
				t.Errorf("%.20q as an ID: %v, want not found", text, err)
			}
		}
		f.events(t, "")
	})
}

func TestPagesOfApprovals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var want []string
		for _, c := range []byte("abcdef") {
			want = append([]string{f.ask(t, c).ID}, want...)
			if c != 'c' { // two of them at the same time
				f.clock.Add(time.Second)
			}
		}
		seen := map[string]bool{}
		var after approvals.Cursor
		for pages := 1; ; pages++ {
			list, next, err := f.List(t.Context(), f.owner.Team.ID, approvals.Filter{GatewayID: f.gw.ID}, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				if seen[a.ID] {
					t.Errorf("%s came twice", a.ID)
				}
				seen[a.ID] = true
			}
			if next.IsZero() {
				if pages != 3 {
					t.Errorf("%d pages, want 3", pages)
				}
				break
			}
			after = next
		}
		if len(seen) != len(want) {
			t.Errorf("%d approvals, want %d", len(seen), len(want))
		}
	})
}

func TestDenialAnswersTheSameRequestForAWhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		first := f.ask(t, 'a')
		if _, err := f.Decide(t.Context(), f.owner, first.ID, approval.Decision{Channel: approval.Dashboard, Verdict: approval.Deny, Note: "Not on a Friday."}); err != nil {
			t.Fatal(err)
		}
		f.clock.Add(approval.CoolDown - time.Second)
		again := f.ask(t, 'a')
		if again.ID != first.ID || again.Status != approval.Denied || again.Note != "Not on a Friday." || again.DeciderName != f.owner.User.Name {
			t.Errorf("asked again: %+v, want the denial", again)
		}
		if n, err := f.PendingCount(t.Context(), f.owner.Team.ID); err != nil || n != 0 {
			t.Errorf("%d wait for a person, %v, want none", n, err)
		}
		if other := f.ask(t, 'b'); other.Status != approval.Pending {
			t.Errorf("another request: %s, want pending", other.Status)
		}
		f.clock.Add(time.Second)
		if later := f.ask(t, 'a'); later.ID == first.ID || later.Status != approval.Pending {
			t.Errorf("asked after the cool-down: %s %s, want a new card", later.ID, later.Status)
		}
	})
}

// Whoever looked before the denial, and opens after it, meets it too.
func TestDenialIsMetInsideTheTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		first := f.ask(t, 'a')
		f.decide(t, first.ID, approval.Deny)
		late := first
		late.ID, late.CreatedAt = "apr_late", f.clock.Now()
		got, joined, err := f.store.OpenApproval(t.Context(), store.Asked{Approval: late}, func(store.Standing) (approval.Approval, []audit.Event, error) {
			return late, []audit.Event{{Time: f.clock.Now(), Type: approval.Opened}}, nil
		})
		if err != nil || !joined || got.ID != first.ID || got.Status != approval.Denied {
			t.Errorf("%s %s, joined %v, %v, want the denial", got.ID, got.Status, joined, err)
		}
	})
}

func TestOnlyAPersonsNoIsRepeated(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		used := f.ask(t, 'a')
		f.decide(t, used.ID, approval.Grant)
		if _, err := f.Use(t.Context(), f.gw, used.ID, wire.Use{Fingerprint: used.Fingerprint}); err != nil {
			t.Fatal(err)
		}
		if again := f.ask(t, 'a'); again.ID == used.ID || again.Status != approval.Pending {
			t.Errorf("after a grant was used: %s, want a new card", again.Status)
		}
		expired := f.ask(t, 'b')
		f.clock.Add(expired.TTL)
		if err := f.Lapse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if again := f.ask(t, 'b'); again.ID == expired.ID || again.Status != approval.Pending {
			t.Errorf("after nobody answered: %s, want a new card", again.Status)
		}
	})
}
