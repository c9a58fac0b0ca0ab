package approval

import (
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// Repeatable reports whether a decision about a may count for the same request
// for a while. What takes several people, a fresh proof, or can break the most
// is looked at each time.
func (a Approval) Repeatable() bool {
	return a.Wanted() == 1 && !a.StepUp && a.Action.Risk != action.Critical
}

// mayRepeat fails with fault.Invalid where a cannot be approved for that long.
func (a Approval) mayRepeat(d time.Duration) error {
	switch {
	case d == 0:
		return nil
	case d < 0 || d > MaxRepeat:
		return fault.New(fault.Invalid, "An approval counts for the same request for at most 8 hours.", nil)
	case !a.Repeatable():
		return fault.New(fault.Invalid, "This request is approved one at a time. Approve it once.", nil)
	}
	return nil
}

// Repeating reports whether the decision about a counts for the same request,
// made again at now.
func (a Approval) Repeating(now time.Time) bool {
	switch a.Status {
	case Approved, Executed, Unused:
		return now.Before(a.RepeatUntil)
	case Pending, Denied, Expired, Cancelled:
	}
	return false
}

// Again returns a, a request that was just made, as approved because of the
// decision about before, and whether it is: before counts still, and whoever
// gave it could give both of them now. Who tells what somebody is now.
//
// It is a grant like any other: for this request, once.
func (a Approval) Again(before Approval, who func(userID string) Decider, now time.Time) (Approval, bool) {
	if a.Status != Pending || a.GatewayID != before.GatewayID || a.Fingerprint != before.Fingerprint ||
		!a.Repeatable() || !before.Repeating(now) || !before.Stands(who) {
		return a, false
	}
	a.DecidedBy, a.DeciderName, a.Channel, a.Auth = before.DecidedBy, before.DeciderName, before.Channel, before.Auth
	if !a.Stands(who) { // it may ask for more than the one before did
		a.DecidedBy, a.DeciderName, a.Channel, a.Auth = "", "", "", ""
		return a, false
	}
	a.Status, a.DecidedAt, a.ExpiresAt, a.Repeats = Approved, now, now.Add(a.TTL), before.ID
	a.Note = "The same request was approved until " + before.RepeatUntil.UTC().Format("15:04") + " UTC by " + before.Deciders() + "."
	a.Seq++
	return a, true
}

// EndRepeat returns a so that it counts for no other request any more, and
// whether that changes anything.
func (a Approval) EndRepeat(now time.Time) (Approval, bool) {
	if !a.Repeating(now) {
		return a, false
	}
	a.RepeatUntil = time.Time{}
	a.Seq++
	return a, true
}
