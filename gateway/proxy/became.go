package proxy

import (
	"net/http"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/wire"
)

const (
	sameAgain = "Send exactly the same request again, without changing a byte"
	askAnew   = "Send the request again to ask again, if it is still needed."
)

// became says in a sentence what has become of an approval, and what to send
// now, where that helps.
func became(a wire.Approval) (detail, retry string) {
	by := ""
	if a.Decider != "" {
		by = " by " + a.Decider
	}
	switch a.Status {
	case approval.Pending:
		return "A person has to approve this request, and nobody has answered yet.", sameAgain + ": it joins the approval that waits."
	case approval.Approved:
		return "This request was approved" + by + "." + said(a.Note), sameAgain + until(a.ExpiresAt) + "."
	case approval.Executed:
		return "This request was approved" + by + ", and sent. An approval is good for one request.", ""
	case approval.Expired:
		return "Nobody has answered in time. The request was not sent.", askAnew
	case approval.Unused:
		return "This request was approved" + by + ", but was not sent again in time.", askAnew
	case approval.Cancelled:
		detail = "The approval of this request was cancelled."
		if a.Note != "" {
			detail += " " + a.Note
		}
		return detail, ""
	case approval.Denied:
	}
	if a.Decider == "" { // also what this version does not know
		return "A person has denied this request." + said(a.Note), ""
	}
	return a.Decider + " has denied this request." + said(a.Note), ""
}

func said(note string) string {
	if note == "" {
		return ""
	}
	return " They said: " + note
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " before " + t.UTC().Format(time.RFC3339)
}

// settled is the refusal for an approval that is not a grant.
func (x *exchange) settled(a wire.Approval) error {
	detail, _ := became(a)
	why := &refusal{status: http.StatusForbidden, code: "approval_denied", rule: x.decision.Rule, detail: detail}
	switch a.Status {
	case approval.Pending:
		why.status, why.code, why.retry = http.StatusServiceUnavailable, "approval_pending", 10
		why.detail = "This request needs " + x.decision.Approvers.String() + ", and has not got it yet."
		if a.URL != "" {
			why.detail += " People decide at " + a.URL
		}
		why.suggestion = sameAgain + until(a.ExpiresAt) + ": it joins the approval that waits. Or wait for the answer: GET " +
			statusURL(a.ID) + "?wait=60s with the header Authorization: Bearer $TAMEFLARE_RUN_TOKEN."
	case approval.Expired, approval.Unused, approval.Executed:
		why.code, why.suggestion = "approval_expired", askAnew
	case approval.Cancelled:
		why.suggestion = "Do not repeat this request until a person says so."
	default: // denied, and what this version does not know
		why.suggestion = "Do not repeat this request. Find another way, or ask them."
	}
	return why
}
