package trail_test

import (
	"testing"

	"github.com/tameflare/tameflare/app/bus"
)

// The pages of an approval, and what shows it elsewhere, hear what its request
// was answered.
func TestTheEndOfAnApprovedRequestIsRung(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		topics := []string{bus.Approval("apr_1"), bus.Approvals(f.owner.Team.ID), bus.Outbox}
		rung := make([]<-chan struct{}, len(topics))
		for i, topic := range topics {
			c, stop := f.bus.Subscribe(topic)
			defer stop()
			rung[i] = c
		}
		var c chain
		begun := intent("aaaa")
		begun.Approval = "apr_1"
		f.append(t, c.traffic(begun), 1)
		heard := func(want bool) {
			t.Helper()
			for i, topic := range topics {
				select {
				case <-rung[i]:
					if !want {
						t.Errorf("%s was rung", topic)
					}
				default:
					if want {
						t.Errorf("%s was not rung", topic)
					}
				}
			}
		}
		heard(false)
		f.append(t, c.traffic(outcome("aaaa", 201)), 2)
		heard(true)
	})
}
