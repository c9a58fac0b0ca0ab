package views

import (
	"strconv"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
)

// Why says why a decision is what it is.
type Why struct {
	Decider  *WhyRule // the rule of a policy that decided; nil where none did
	Rules    []WhyRule
	More     int // that were looked at, and are left out
	Flip     *WhyFlip
	Score    int      // the risk score that policies give it; 0 for none
	Reported *WhyRule // the rule of a report-only policy that would have been stricter
}

// WhyRule is an access rule, or a rule of a policy, that was looked at. What
// an address leads to may have been changed since; where it is gone, there is
// no address.
type WhyRule struct {
	Text       string // what the rule is called, or the pattern of an access rule
	Policy     string // the policy's name; "" for an access rule
	PolicyURL  string
	Line       int
	LineURL    string
	Effect     policy.Effect
	Verdict    string // "holds", "fails" or "unclear"
	Decides    bool
	ReportOnly bool
}

// WhyFlip is the least that would have to be otherwise for another decision.
type WhyFlip struct {
	To      policy.Effect
	Changes []WhyChange
}

// WhyChange is a condition that would have to be otherwise.
type WhyChange struct {
	Text   string
	Holds  bool // whether it would have to hold
	Policy string
	Line   int
	URL    string
}

// verdict says whether r applies. What cannot be known never loosens.
func (r WhyRule) verdict() state {
	switch {
	case r.Verdict == "holds":
		return state{"", "check", "applies"}
	case r.Verdict == "fails":
		return state{"", "x", "does not apply"}
	case r.Effect == policy.Allow:
		return state{"", "circle-help", "cannot be known, so it does not count"}
	}
	return state{"", "circle-help", "cannot be known, so it counts as if it applied"}
}

// doneText is what is done with a request: "allowed".
func doneText(e policy.Effect) string {
	switch e {
	case policy.Allow:
		return "allowed"
	case policy.RequireApproval:
		return "held for approval"
	case policy.Deny:
	}
	return "denied"
}

// doneWord is doneText for a decision as it was recorded.
func doneWord(decision string) string {
	var e policy.Effect
	if e.UnmarshalText([]byte(decision)) != nil {
		return Visible(decision, 40)
	}
	return doneText(e)
}

// markText says what a request would have come to, where that is not what it
// came to: at full enforcement, or if a policy did more than report. It is ""
// where there is nothing to say.
func markText(r audit.Request) string {
	switch {
	case r.Would != "":
		return "would be " + doneWord(r.Would)
	case r.ReportedAs != "":
		return "reported: " + doneWord(r.ReportedAs)
	}
	return ""
}

// ApprovalWords says who has to agree to what d holds.
func ApprovalWords(d policy.Decision) string {
	return approvalText(policy.Clause{Effect: policy.RequireApproval, Approvers: d.Approvers, Hold: &d.Hold, TTL: d.TTL})
}

func lineText(n int) string { return "line " + strconv.Itoa(n) }
