package vault

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

const (
	lookEvery = 2 * time.Second
	atOnce    = 16 // refreshes by one server
)

// Run refreshes what is due until ctx ends, and then brings to its end what is
// under way. Any number of servers may run it on one database.
func (s *Service) Run(ctx context.Context) error {
	var under errgroup.Group
	under.SetLimit(atOnce)
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for {
		s.begin(ctx, &under)
		select {
		case <-again.C:
		case <-ctx.Done():
			return under.Wait()
		}
	}
}

// RefreshDue refreshes what is due now, and returns when that is done.
func (s *Service) RefreshDue(ctx context.Context) {
	var under errgroup.Group
	under.SetLimit(atOnce)
	s.begin(ctx, &under)
	_ = under.Wait() // none returns an error
}

// begin starts refreshing what is due, as far as there is room. One that hangs
// keeps no other waiting.
func (s *Service) begin(ctx context.Context, under *errgroup.Group) {
	due, err := s.Store.DueCredentials(ctx, audit.Time(s.Now()), 2*atOnce)
	if err != nil {
		if ctx.Err() == nil {
			s.log().ErrorContext(ctx, "cannot look for credentials to refresh", "error", err)
		}
		return
	}
	for _, c := range due {
		if ctx.Err() != nil {
			return
		}
		under.TryGo(func() error {
			s.report(ctx, c, s.look(ctx, c))
			return nil
		})
	}
}

func (s *Service) report(ctx context.Context, c fleet.Credential, err error) {
	_, definite := errors.AsType[*credential.Refusal](err)
	switch {
	case err == nil:
		s.log().DebugContext(ctx, "refreshed a credential", "credential", c.ID)
	case fault.Of(err) == fault.Conflict: // another refresher has it, or a person
	case definite:
		s.log().ErrorContext(ctx, "a credential needs attention: its token endpoint refuses", "credential", c.ID, "name", c.Name, "problem", fault.Message(err))
	default:
		s.log().WarnContext(ctx, "a credential could not be refreshed; trying again", "credential", c.ID, "name", c.Name, "error", err)
	}
}

// renewed is how an OAuth credential stands that has just got t.
func (s *Service) renewed(t credential.AccessToken) fleet.Refresh {
	now := audit.Time(s.Now())
	return fleet.Refresh{
		State: fleet.RefreshActive, ExpiresAt: audit.Time(now.Add(t.Lifetime)),
		NextAt: audit.Time(now.Add(renewAfter(t.Lifetime))),
	}
}

// renewAfter is at most three quarters of a token's lifetime, so that a
// quarter is left for trying; a little less, so that what was put in together
// is not renewed together.
func renewAfter(lifetime time.Duration) time.Duration {
	return lifetime*3/4 - spread(lifetime/20)
}

const (
	firstPause   = 5 * time.Second
	longestPause = 10 * time.Minute
)

// backoff is how long to wait after so many failures in a row.
func backoff(failures int64) time.Duration {
	pause := longestPause
	if failures < 10 {
		pause = min(firstPause<<max(failures-1, 0), longestPause)
	}
	return pause - spread(pause/4)
}

// spread is a random part of d. It decides nothing that somebody could gain by
// guessing.
func spread(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // see above
}
