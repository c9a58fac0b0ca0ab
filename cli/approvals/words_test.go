package approvals

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/rest"
)

func TestWhatBecameOfARequestIsASentence(t *testing.T) {
	t.Parallel()

	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for want, a := range map[string]rest.Approval{
		"Waits for a decision":                                                                    {Status: approval.Pending, Needs: 1},
		"Waits for others: 1 of 2 agreed: Ana":                                                    {Status: approval.Pending, Needs: 2, Agreed: []rest.Agreement{{Name: "Ana"}}},
		"Approved by Ben in Slack after 41s (ticket 8812)":                                        {Status: approval.Approved, Decider: "Ben", Channel: "slack", Note: "ticket 8812", CreatedAt: noon, DecidedAt: noon.Add(41 * time.Second)},
		"Approved by Ben from a mail after 2m00s; the request was sent, and answered with 201":    {Status: approval.Executed, Decider: "Ben", Channel: "email", Upstream: 201, CreatedAt: noon, DecidedAt: noon.Add(2 * time.Minute)},
		"Approved by Ben by the API; the request was not sent in time":                            {Status: approval.Unused, Decider: "Ben", Channel: "api"},
		"Approved by Ben at the command line (The same request was approved until 12:40 by Ben.)": {Status: approval.Approved, Decider: "Ben", Channel: "cli", Repeats: "apr_1", DecidedAt: noon, Note: "The same request was approved until 12:40 by Ben."},
		"Denied by Ben in the dashboard":                                                          {Status: approval.Denied, Decider: "Ben", Channel: "dashboard"},
		"Denied by Pager by a newer thing":                                                        {Status: approval.Denied, Decider: "Pager", Channel: "a newer thing"},
		"Expired: nobody answered in time":                                                        {Status: approval.Expired},
		"Cancelled (The kill switch)":                                                             {Status: approval.Cancelled, Note: "The kill switch"},
	} {
		if got := became(a); got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}

func TestWhatWasAskedBeforeIsCounted(t *testing.T) {
	t.Parallel()

	for want, h := range map[string]*rest.History{
		"": nil,
		"asked once in 30 days: 0 approved, 1 denied, 0 expired":     {Asked: 1, Denied: 1},
		"asked 11 times in 30 days: 9 approved, 1 denied, 1 expired": {Asked: 11, Approved: 9, Denied: 1, Expired: 1},
	} {
		if got := before(h); got != want {
			t.Errorf("%+v: %q, want %q", h, got, want)
		}
	}
}

func TestWhatAnAgentWroteStandsBehindAMarginAndCannotSteer(t *testing.T) {
	t.Parallel()

	const evil = "x\x1b[2J\r✓ Approved\n✓ Approved by Ana\u202e\u009b1A\a"
	for _, p := range []show.Part{
		{Kind: show.Code, Title: evil, Text: evil}, {Kind: show.Prose, Title: evil, Text: evil}, {Kind: show.Amount, Title: evil, Text: evil},
		{Kind: show.Note, Title: evil, Text: evil}, {Kind: show.Diff, Title: evil, Rows: [][2]string{{show.Added, evil}, {show.Hunk, evil}}},
		{Kind: show.Table, Title: evil, Rows: [][2]string{{evil, evil}, {"a", "b"}}},
	} {
		var out strings.Builder
		if err := writeParts(&out, []show.Part{p}, 0); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(strings.TrimSpace(line), "✓") || !strings.HasPrefix(line, "  ") {
				t.Errorf("kind %d: a line passes for one of ours: %q", p.Kind, line)
			}
		}
		if strings.ContainsAny(out.String(), "\x1b\r\a\u202e\u009b") {
			t.Errorf("kind %d: steers the terminal: %q", p.Kind, out.String())
		}
	}
}

func TestALongBodyIsCutWithAWordAboutTheRest(t *testing.T) {
	t.Parallel()

	var out strings.Builder
	if err := writeParts(&out, []show.Part{{Text: strings.Repeat("line\n", 100)}}, 60); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), "line\n"); got != 60 || !strings.Contains(out.String(), "and 40 lines more") {
		t.Errorf("%d lines:\n%s", got, out.String())
	}
}
