package integrations

import (
	"context"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

// Did notes how an integration did: err is what went wrong, nil where nothing
// did. Of err only its sentence for people is kept.
func (s *Service) Did(ctx context.Context, id string, err error) {
	problem := ""
	if err != nil {
		problem = fault.Message(err)
	}
	if err := s.Store.IntegrationDid(ctx, id, audit.Time(s.Now()), problem); err != nil {
		s.Log.WarnContext(ctx, "how an integration did could not be written", "integration", id, "error", err)
	}
}

// RefusedOne counts a message to an integration that was not what it claimed
// to be, where somebody else records it.
func (s *Service) RefusedOne(ctx context.Context, id string) {
	if err := s.Store.IntegrationRefused(ctx, integration.Integration{ID: id}, audit.Event{}); err != nil {
		s.Log.WarnContext(ctx, "a refused message could not be counted", "integration", id, "error", err)
	}
}

// Refused counts a message to i that was not what it claimed to be, or that
// asked for what may not be, and records it as e, whose target and name are
// i's. Of many within a minute the first ones are recorded: whoever can reach
// the address could otherwise write as much into the team's trail as they like.
func (s *Service) Refused(ctx context.Context, i integration.Integration, e audit.Event) {
	now := s.Now()
	if !s.refusals.admits(i.ID, now) {
		e = audit.Event{}
	} else {
		e.Time, e.Target, e.Name = audit.Time(now), i.ID, i.Name
	}
	if err := s.Store.IntegrationRefused(ctx, i, e); err != nil {
		s.Log.WarnContext(ctx, "a refused message could not be recorded", "integration", i.ID, "error", err)
	}
}

// recorded is how many refused messages a minute are recorded of an integration.
const recorded = 60

// throttle counts by key and minute. The zero throttle is ready for use.
type throttle struct {
	mu     sync.Mutex
	minute int64
	counts map[string]int
}

func (t *throttle) admits(key string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if minute := now.Unix() / 60; minute != t.minute || t.counts == nil {
		t.minute, t.counts = minute, map[string]int{}
	}
	t.counts[key]++
	return t.counts[key] <= recorded
}
