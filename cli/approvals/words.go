package approvals

import (
	"fmt"
	"strings"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/rest"
)

// status is where a is in its life, and how many have agreed where several
// have to.
func status(a rest.Approval) string {
	if a.Status == approval.Pending && a.Needs > 1 {
		return fmt.Sprintf("%s, %d of %d", a.Status, len(a.Agreed), a.Needs)
	}
	return string(a.Status)
}

// needs says who has to agree; "" where anybody who decides is enough.
func needs(a rest.Approval) string {
	switch {
	case a.Needed != "":
		return a.Needed
	case a.Needs > 1:
		return fmt.Sprintf("%d people, each at least %s", a.Needs, orElse(a.NeedsRole, "member"))
	case a.NeedsRole != "":
		return "at least " + a.NeedsRole
	}
	return ""
}

// agreed says who has: "1 of 2 agreed: Ana".
func agreed(a rest.Approval) string {
	if a.Needs < 2 {
		return ""
	}
	names := make([]string, 0, len(a.Agreed))
	for _, v := range a.Agreed {
		names = append(names, v.Name)
	}
	text := fmt.Sprintf("%d of %d agreed", len(names), a.Needs)
	if len(names) > 0 {
		text += ": " + strings.Join(names, ", ")
	}
	return text
}

func what(a rest.Approval) string {
	if a.Sentence != "" {
		return a.Sentence
	}
	return a.Action + " " + a.Resource
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// left is how long a still waits.
func left(c *console.Console, a rest.Approval) string {
	return console.Span(a.ExpiresAt.Sub(c.Now())) + " left"
}

// risk says how much a can break.
func risk(a rest.Approval) string {
	text := orElse(a.Risk, "unknown") + " risk"
	if !a.Reversible {
		text += ", cannot be undone"
	}
	return text
}

// where is the channel of a decision in a sentence: "in Slack".
func where(channel string) string {
	words := map[approval.Channel]string{
		approval.Dashboard: " in the dashboard", approval.CLI: " at the command line", approval.API: " by the API",
		approval.Slack: " in Slack", approval.Email: " from a mail", approval.Inbound: " from another program",
	}
	word, ok := words[approval.Channel(channel)]
	if !ok && channel != "" {
		word = " by " + channel
	}
	return word
}

// became says what has become of a: "Approved by Ben in Slack after 41s (fine)".
func became(a rest.Approval) string {
	var text string
	switch a.Status {
	case approval.Pending:
		if a.Needs > 1 {
			return "Waits for others: " + agreed(a)
		}
		return "Waits for a decision"
	case approval.Approved, approval.Executed, approval.Unused:
		text = "Approved"
	case approval.Denied:
		text = "Denied"
	case approval.Expired:
		return "Expired: nobody answered in time"
	case approval.Cancelled:
		text = "Cancelled"
	default:
		text = string(a.Status)
	}
	if a.Decider != "" {
		text += " by " + a.Decider + where(a.Channel)
	}
	if a.Decider != "" && a.Repeats == "" && !a.DecidedAt.IsZero() {
		text += " after " + console.Span(a.DecidedAt.Sub(a.CreatedAt))
	}
	if a.Note != "" {
		text += " (" + a.Note + ")"
	}
	switch a.Status {
	case approval.Executed:
		text += "; the request was sent"
		if a.Upstream != 0 {
			text += fmt.Sprintf(", and answered with %d", a.Upstream)
		}
	case approval.Unused:
		text += "; the request was not sent in time"
	case approval.Pending, approval.Approved, approval.Denied, approval.Expired, approval.Cancelled:
	}
	return text
}

// before says what came of the same request until now; "" where it is new.
func before(h *rest.History) string {
	if h == nil || h.Asked == 0 {
		return ""
	}
	text := fmt.Sprintf("asked %d times in 30 days: %d approved, %d denied, %d expired", h.Asked, h.Approved, h.Denied, h.Expired)
	if h.Asked == 1 {
		text = strings.Replace(text, "1 times", "once", 1)
	}
	return text
}
