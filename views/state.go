package views

import (
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
)

// state is how things stand: a colour, an icon and a word, never one alone.
type state struct{ class, icon, word string }

var (
	allowed   = state{"state-allowed", "circle-check", "Allowed"}
	held      = state{"state-held", "hourglass", "Held"}
	denied    = state{"state-denied", "circle-x", "Denied"}
	killed    = state{"state-killed", "octagon-x", "Killed"}
	monitored = state{"state-monitored", "eye", "Monitored"}
	idle      = state{"state-idle", "circle", "Not seen yet"}
)

func (s state) called(word string) state {
	s.word = word
	return s
}

// approvalState says how an approval stands, to who may decide and to others.
func approvalState(s approval.Status, mayDecide bool) state {
	switch s {
	case approval.Pending:
		if mayDecide {
			return held.called("Waiting for you")
		}
		return held.called("Waiting")
	case approval.Approved:
		return allowed.called("Approved")
	case approval.Executed:
		return allowed.called("Approved and sent")
	case approval.Denied:
		return denied
	case approval.Expired:
		return denied.called("Expired")
	case approval.Cancelled:
		return denied.called("Cancelled")
	case approval.Unused:
		return idle.called("Approved, not used")
	}
	return denied.called("Unknown")
}

// requestState says what became of a request.
func requestState(r audit.Request) state {
	switch {
	case r.DecidedBy == string(policy.ByKillSwitch):
		return killed
	case r.Would != "":
		return monitored
	case r.Decision == policy.Allow.String():
		return allowed
	case r.Decision != policy.RequireApproval.String():
		return denied
	case r.Step != audit.Refused:
		return allowed.called("Approved")
	case r.Code == "approval_expired":
		return denied.called("Expired")
	case r.Code == "approval_pending":
		return held
	}
	return denied
}

// Online is how recently a gateway must have been heard of.
const Online = time.Minute

// GatewayState says whether a gateway is there.
func gatewayState(g fleet.Gateway, now time.Time) state {
	switch {
	case g.Status == fleet.Revoked:
		return denied.called("Revoked")
	case g.EnrolledAt.IsZero():
		return idle.called("Not connected yet")
	case now.Sub(g.LastSeenAt) <= Online:
		return allowed.called("Online")
	case now.Sub(g.LastSeenAt) <= 5*time.Minute:
		return held.called("Not heard of")
	}
	return idle.called("Offline")
}

func effectState(e policy.Effect) state {
	switch e {
	case policy.Allow:
		return allowed.called("Allow")
	case policy.RequireApproval:
		return held.called("Require approval")
	case policy.Deny:
	}
	return denied.called("Deny")
}

// EnforcementText says what an enforcement level does.
func enforcementText(e policy.Enforcement) string {
	switch e {
	case policy.Monitor:
		return "Monitor"
	case policy.SoftEnforce:
		return "Soft enforce"
	case policy.FullEnforce:
	}
	return "Full enforce"
}

func noticeIcon(kind string) string {
	switch kind {
	case "good":
		return "circle-check"
	case "warning":
		return "triangle-alert"
	case "bad":
		return "circle-x"
	}
	return "info"
}

func orText(typ string) string {
	if typ == "" {
		return "text"
	}
	return typ
}

func lookAgain(n int) string {
	if n == 1 {
		return "One field needs another look."
	}
	return count(int64(n), "field") + " need another look."
}

func topics(more string) string {
	if more == "" {
		return "approvals+gateways"
	}
	return "approvals+gateways+" + more
}
