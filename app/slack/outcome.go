package slack

import (
	"cmp"
	"strconv"
	"time"

	api "github.com/slack-go/slack"

	"github.com/tameflare/tameflare/domain/approval"
)

// verdict is what became of a, as it stands on its card.
func verdict(a approval.Approval) api.Block {
	icon := map[approval.Status]string{
		approval.Approved: "✅", approval.Executed: "✅", approval.Denied: "⛔", approval.Expired: "⌛", approval.Cancelled: "🛑", approval.Unused: "⌛",
	}[a.Status]
	return paragraph(run(icon+" ", nil), run(plain(outcome(a), 1500), bold))
}

// outcome says in sentences what became of a: who decided, where, how long it
// took, and why.
func outcome(a approval.Approval) string {
	switch a.Status {
	case approval.Pending:
		return "Waiting for a decision."
	case approval.Approved:
		return "Approved by " + decider(a) + " The agent has not sent it yet." + note(a)
	case approval.Executed:
		sent := " It was sent."
		if a.Upstream > 0 {
			sent = " It was sent, and the service answered with status " + strconv.Itoa(a.Upstream) + "."
		}
		return "Approved by " + decider(a) + sent + note(a)
	case approval.Unused:
		return "Approved by " + decider(a) + " The agent did not send it in time." + note(a)
	case approval.Denied:
		return "Denied by " + decider(a) + note(a)
	case approval.Expired:
		return "Nobody answered within " + took(a.EndedAt.Sub(a.CreatedAt)) + ". The request was not sent."
	case approval.Cancelled:
		return "Cancelled. The request was not sent." + note(a)
	}
	return a.Settled()
}

// decider is "Ana in Slack, after 12 s."
func decider(a approval.Approval) string {
	s := cmp.Or(a.Deciders(), "somebody")
	switch a.Channel {
	case approval.Slack:
		s += " in Slack"
	case approval.Dashboard:
		s += " in the dashboard"
	case approval.CLI:
		s += " in a terminal"
	case approval.API:
		s += " by the API"
	case approval.Email:
		s += " from an e-mail"
	case approval.Inbound:
		s += " by a webhook"
	}
	if a.DecidedAt.IsZero() {
		return s + "."
	}
	return s + ", after " + took(a.DecidedAt.Sub(a.CreatedAt)) + "."
}

func note(a approval.Approval) string {
	if a.Note == "" {
		return ""
	}
	return " Reason: " + a.Note
}

func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	}
	return strconv.Itoa(int(d/time.Hour)) + " h " + strconv.Itoa(int(d/time.Minute)%60) + " min"
}
