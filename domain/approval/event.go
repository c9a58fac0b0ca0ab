package approval

import (
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
)

// Types of events that are not "approval." and a Status.
const (
	Opened      = "approval.opened"
	Agreed      = "approval.agreed"       // somebody did, and others have to as well
	RepeatEnded = "approval.repeat_ended" // before its time
	Sent        = "approval.sent"         // the executed request was answered; told, and not recorded
)

// Event is the event of a having become what it is at a time. Its detail says
// how long that took: from opening to the decision or to the end, and from the
// approval to its use.
func (a Approval) Event(by audit.Actor, at time.Time) audit.Event {
	e := audit.Event{
		Time: at, Type: "approval." + string(a.Status), Actor: by, Target: a.ID, Name: a.Sentence, Gateway: a.GatewayID,
		Detail: map[string]string{"action": a.Action.Name, "fingerprint": a.Fingerprint},
	}
	since := a.CreatedAt
	if (a.Status == Executed || a.Status == Unused) && !a.DecidedAt.IsZero() {
		since = a.DecidedAt
	}
	e.Detail["latency_ms"] = strconv.FormatInt(max(at.Sub(since).Milliseconds(), 0), 10)
	for name, value := range map[string]string{"channel": string(a.Channel), "auth": a.Auth, "note": a.Note, "repeats": a.Repeats} {
		if value != "" {
			e.Detail[name] = value
		}
	}
	return e
}
