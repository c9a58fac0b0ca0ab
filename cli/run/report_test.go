package run

import (
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/gateway/runs"
)

func TestAPersonIsToldWhatWaitsAndWhatBecameOfIt(t *testing.T) {
	t.Parallel()

	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	r := newReport(&console.Console{Err: &out, Now: func() time.Time { return now }}, runs.Door{}, false)
	request := func(edit func(*runs.Request)) *runs.Request {
		q := &runs.Request{Method: "POST", URL: "https://api.stripe.com/v1/refunds", Action: "stripe.refund.create", ApprovalID: "apr_1"}
		edit(q)
		return q
	}
	for _, c := range []struct {
		event runs.Event
		says  string
	}{
		{runs.Event{Kind: runs.Held, Request: request(func(q *runs.Request) {
			q.Sentence, q.ApprovalURL, q.ExpiresAt = "refund 5 EUR\x1b[2J", "https://flare.test/approvals/apr_1", now.Add(598*time.Second)
		})}, "tameflare: ⏸ POST api.stripe.com/v1/refunds needs approval (apr_1, 9m58s): refund 5 EUR·[2J → https://flare.test/approvals/apr_1\n"},
		{runs.Event{Kind: runs.Decided, Request: request(func(q *runs.Request) {
			q.Status, q.Decider, q.Note = approval.Approved, "Ben", "ticket 8812"
		})}, "tameflare: ✓ approved by Ben after 41s (\"ticket 8812\"): POST api.stripe.com/v1/refunds\n"},
		{runs.Event{Kind: runs.Decided, Request: request(func(q *runs.Request) { q.Status = approval.Expired })}, "tameflare: ✗ expired after 41s: POST api.stripe.com/v1/refunds\n"},
		{runs.Event{Kind: runs.Decided, Request: request(func(q *runs.Request) { q.Status = approval.Pending })}, "tameflare: ⏸ still waiting after 41s; the command was told to try again: POST api.stripe.com/v1/refunds\n"},
	} {
		out.Reset()
		if c.event.Kind == runs.Decided {
			r.since["apr_1"] = now.Add(-41 * time.Second)
		}
		if r.tell(c.event); out.String() != c.says {
			t.Errorf("says %q, want %q", out.String(), c.says)
		}
	}
}
