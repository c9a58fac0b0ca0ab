package approval

import "github.com/tameflare/tameflare/domain/action"

// History is what the same gateway asked before, and how it ended.
type History struct {
	// Of the last 30 days, the same action on the same resource, as far as it
	// was put to people.
	Asked, Approved, Denied, Expired int

	Last []Approval // the newest that have ended, of the same action; at most 5

	// Suggest is how many of these were approved one after the other, lately,
	// and none denied: enough for a rule to be worth more than asking again. It
	// is 0 where it is not.
	Suggest int
}

const (
	historyLast = 5
	worthARule  = 3 // approvals in a row
)

// Similar is the history of a, given what its gateway asked of the same action,
// newest first. What was approved because of another approval says nothing
// about people. A rule is not suggested for what can break the most, nor where
// it cannot be known what is asked about.
func (a Approval) Similar(before []Approval) History {
	var h History
	row, unbroken := 0, true
	for _, b := range before {
		if b.ID == a.ID || b.Repeats != "" || b.GatewayID != a.GatewayID || b.Action.Name != a.Action.Name {
			continue
		}
		if b.Status.Final() && len(h.Last) < historyLast {
			h.Last = append(h.Last, b)
		}
		if b.Action.Resource != a.Action.Resource {
			continue
		}
		h.Asked++
		switch b.Status {
		case Approved, Executed, Unused:
			h.Approved++
			if unbroken {
				row++
			}
		case Denied:
			h.Denied++
			unbroken = false
		case Expired:
			h.Expired++
			unbroken = false
		case Pending, Cancelled: // which say nothing about what people want
		}
	}
	if row >= worthARule && h.Denied == 0 && a.Action.Risk != action.Critical && a.Action.Resource != "" && a.Action.Name != "" {
		h.Suggest = row
	}
	return h
}
