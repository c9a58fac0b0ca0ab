package bus_test

import (
	"testing"

	"github.com/tameflare/tameflare/app/bus"
)

func heard(rung <-chan struct{}) bool {
	select {
	case <-rung:
		return true
	default:
		return false
	}
}

func TestRingReachesThoseWhoWaitForTheTopic(t *testing.T) {
	t.Parallel()

	var b bus.Local
	a1, stop1 := b.Subscribe("a")
	a2, stop2 := b.Subscribe("a")
	other, stop3 := b.Subscribe("b")
	defer stop2()
	defer stop3()

	b.Publish(t.Context(), "a")
	if !heard(a1) || !heard(a2) {
		t.Error("a ring was not heard")
	}
	if heard(other) {
		t.Error("a ring was heard by somebody who waits for something else")
	}
	stop1()
	b.Publish(t.Context(), "a")
	if heard(a1) {
		t.Error("a ring after stop")
	}
	if !heard(a2) {
		t.Error("stop took somebody else away, too")
	}
}

// Nobody who changes something waits for those who do not listen.
func TestRingsComeAsOne(t *testing.T) {
	t.Parallel()

	var b bus.Local
	rung, stop := b.Subscribe("a")
	defer stop()
	for range 10 {
		b.Publish(t.Context(), "a")
	}
	if !heard(rung) {
		t.Error("nothing heard")
	}
	if heard(rung) {
		t.Error("the same news twice")
	}
}

func TestTopicsDiffer(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, topic := range []string{bus.Config("x"), bus.Approvals("x"), bus.Approval("x"), bus.Traffic("x"), bus.Gateways("x")} {
		if seen[topic] {
			t.Errorf("%q is two things", topic)
		}
		seen[topic] = true
	}
}
