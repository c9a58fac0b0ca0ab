package proxy

import (
	"encoding/json"

	"github.com/tameflare/tameflare/domain/policy"
)

// maxWhy is how much of an explanation goes on record.
const maxWhy = 8 << 10

// explain works out why the decision is what it is, once, and only where there
// is more to say than that a rule allows it.
func (x *exchange) explain() {
	if x.explained {
		return
	}
	x.explained = true
	d := x.decision
	plain := d.Effect == policy.Allow && d.Would == policy.Allow && d.Reported == ""
	switch {
	case x.state == nil || x.entry.Decision == "", d.By == policy.ByKillSwitch, d.By == byClientKey, plain && !x.state.Judges():
		return
	case plain && d.By == policy.ByRule && !x.state.Explains():
		return
	}
	same, why := x.state.Explain(x.asking, x.connector)
	if same.Rule != d.Rule || same.Effect != d.Effect || plain && !considersPolicies(why) {
		return
	}
	x.entry.Why = written(why)
}

// considersPolicies reports whether a policy had something to say.
func considersPolicies(why policy.Explanation) bool {
	for _, c := range why.Considered {
		if c.Stage == policy.ByPolicy {
			return true
		}
	}
	return false
}

// written is why as it goes on record. What does not fit is left out, the least
// important first; nil is nothing to say.
func written(why policy.Explanation) json.RawMessage {
	for {
		if len(why.Considered) == 0 && why.More == 0 && why.Flip == nil {
			return nil
		}
		b, err := json.Marshal(why)
		switch n := len(why.Considered); {
		case err != nil:
			return nil
		case len(b) <= maxWhy:
			return b
		case n > 0:
			why.Considered, why.More = why.Considered[:n-1], why.More+1
		case why.Flip != nil:
			why.Flip = nil
		default:
			return nil
		}
	}
}
