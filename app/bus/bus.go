// Package bus wakes those who wait for something to change.
//
// A ring is a hint: it may be lost, when a connection breaks or the process
// that should hear it restarts, and it says only that there is something to
// look at. Whoever waits looks at the rows again, at every ring, and every
// Interval without one.
package bus

import (
	"context"
	"sync"
	"time"
)

// Interval is how often whoever waits looks without having been called.
const Interval = 5 * time.Second

// Bus carries rings from those who change something, after they committed, to
// those who wait for it.
type Bus interface {
	Publish(ctx context.Context, topic string)
	// Subscribe returns a channel that receives after each ring on topic;
	// several may come as one. Look once after subscribing: a ring before it
	// is not repeated. The channel is never closed.
	Subscribe(topic string) (rung <-chan struct{}, stop func())
}

// Topics.

// Config is rung when gateways of the team have something new to hear of.
func Config(teamID string) string { return "config " + teamID }

// Approvals is rung when any approval of the team was made or changed.
func Approvals(teamID string) string { return "approvals " + teamID }

// Approval is rung when the one approval changed.
func Approval(id string) string { return "approval " + id }

// Traffic is rung when requests of the team arrived.
func Traffic(teamID string) string { return "traffic " + teamID }

// Gateways is rung when a gateway of the team came, went or was changed.
func Gateways(teamID string) string { return "gateways " + teamID }

// Outbox is rung when there may be something to deliver to the outside.
const Outbox = "outbox"

// Local is a Bus within one process. The zero Local is ready for use.
type Local struct {
	mu     sync.Mutex
	topics map[string]map[chan struct{}]bool
}

// Publish rings everybody who waits for topic. It never blocks.
func (l *Local) Publish(_ context.Context, topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.topics[topic] {
		ring(c)
	}
}

// Subscribe waits for topic until stop.
func (l *Local) Subscribe(topic string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics == nil {
		l.topics = map[string]map[chan struct{}]bool{}
	}
	if l.topics[topic] == nil {
		l.topics[topic] = map[chan struct{}]bool{}
	}
	l.topics[topic][c] = true
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.topics[topic], c)
		if len(l.topics[topic]) == 0 {
			delete(l.topics, topic)
		}
	}
}

// publishAll rings everybody: something was missed, and nobody knows what.
func (l *Local) publishAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, waiting := range l.topics {
		for c := range waiting {
			ring(c)
		}
	}
}

func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it has a ring that it did not hear yet
	}
}
