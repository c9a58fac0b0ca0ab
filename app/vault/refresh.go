package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

const (
	// holdFor is how long a refresher that has vanished keeps others out. It is
	// three times what one may take, for servers whose clocks do not agree.
	holdFor = 90 * time.Second
	workFor = 30 * time.Second
)

// RefreshNow refreshes a credential at once, as somebody asked for. It fails
// with the sentence of what went wrong, and with fault.Conflict while it is
// being refreshed anyway.
func (s *Service) RefreshNow(ctx context.Context, v team.Viewer, id string) error {
	if err := manages(v); err != nil {
		return err
	}
	c, err := s.Store.Credential(ctx, v.Team.ID, id)
	if err != nil {
		return named(err)
	}
	if c.OAuth.Grant == credential.Static {
		return fault.New(fault.Invalid, "There is nothing to refresh about this credential: put in the new secret.", nil)
	}
	return s.refresh(ctx, c)
}

// look does what is due about c.
func (s *Service) look(ctx context.Context, c fleet.Credential) error {
	if c.Refresh.State == fleet.RefreshAttention {
		return s.runOut(ctx, c)
	}
	return s.refresh(ctx, c)
}

// refresh gets c's next access token and stores it. Only who holds the
// credential in the database does so, and what was got is stored in the same
// transaction that lets go of it: with a refresh token that changes each time,
// two at it would log the credential out.
//
// The failures to come by a token are c's state, too; those are returned for
// whoever waits for it.
func (s *Service) refresh(ctx context.Context, c fleet.Credential) error {
	// An answer that gets lost may have used up the refresh token, so that
	// once begun it is brought to its end.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workFor)
	defer cancel()
	holder, err := s.hold(ctx, c)
	if err != nil {
		return err
	}
	next, event, asked := s.ask(ctx, c)
	// Gateways hear of a new token, and of there being none any more.
	tell := next.Version != c.Version || told(next) && !told(c)
	if err := s.settle(ctx, next, c.Version, holder, event, tell); err != nil {
		return fmt.Errorf("store what a refresh brought: %w", err)
	}
	return asked
}

// told reports whether gateways have heard, or hear with this, that there is no
// access token.
func told(c fleet.Credential) bool {
	return c.Refresh.State == fleet.RefreshExpired || c.Refresh.State == fleet.RefreshAttention && c.Refresh.NextAt.IsZero()
}

func (s *Service) hold(ctx context.Context, c fleet.Credential) (holder string, err error) {
	holder = rand.Text()
	now := audit.Time(s.Now())
	return holder, s.Store.HoldCredential(ctx, c, holder, now, now.Add(holdFor))
}

// ask returns what becomes of c, and the event about it where it is one.
func (s *Service) ask(ctx context.Context, c fleet.Credential) (fleet.Credential, audit.Event, error) {
	plain, err := s.open(ctx, c)
	if err != nil {
		if errors.Is(err, errChanged) {
			err = fault.New(fault.Invalid, "What is sealed of this credential does not open. Put its secrets in again.", &credential.Refusal{Code: "sealed"})
		}
		return s.failed(c, err)
	}
	k, err := parseKeys(plain)
	if err != nil {
		return s.failed(c, err)
	}
	// Before asking: what the answer brings must not be lost to a database that
	// stumbles afterwards.
	aead, _, err := s.cipher(ctx, c.TeamID)
	if err != nil {
		return s.failed(c, err)
	}
	k, token, err := s.token(ctx, c.OAuth, k)
	if err != nil {
		return s.failed(c, err)
	}
	next := c
	next.Version++
	next.Refresh = s.renewed(token)
	next.Sealed = aead.Seal(nil, nil, k.bytes(), binding(next)) //nolint:gosec // the mode makes its own random nonce
	if c.Refresh.State == fleet.RefreshActive {
		return next, audit.Event{}, nil
	}
	return next, s.event(audit.System(), "credential.recovered", next), nil
}

// token asks with the refresh token that there is, and where that is refused
// with the one before it: an answer may have been lost on its way here, and
// some endpoints take a rotation back then.
func (s *Service) token(ctx context.Context, o credential.OAuth, k keys) (keys, credential.AccessToken, error) {
	if s.Tokens == nil {
		return keys{}, credential.AccessToken{}, fault.New(fault.Unavailable, "This server takes no OAuth credentials.", nil)
	}
	t, err := s.Tokens.Token(ctx, o, k.client, k.refresh)
	if err == nil {
		return k.with(t, k.refresh), t, nil
	}
	if r, ok := errors.AsType[*credential.Refusal](err); ok && r.Code == credential.InvalidGrant && !k.previous.Empty() {
		if t, again := s.Tokens.Token(ctx, o, k.client, k.previous); again == nil {
			return k.with(t, k.previous), t, nil
		}
	}
	return keys{}, credential.AccessToken{}, err
}

// failed is what becomes of c when it could not be refreshed. The access token
// that there is stays as long as it lives.
func (s *Service) failed(c fleet.Credential, err error) (fleet.Credential, audit.Event, error) {
	now, was := audit.Time(s.Now()), c.Refresh.State
	c.Refresh.Failures++
	c.Refresh.Problem = fault.Message(err)
	if _, definite := errors.AsType[*credential.Refusal](err); definite {
		c.Refresh.State, c.Refresh.NextAt = fleet.RefreshAttention, c.Refresh.ExpiresAt // to say then that there is none
		if !c.Refresh.Live(now) {
			c.Refresh.NextAt = time.Time{}
		}
		if was == fleet.RefreshAttention {
			return c, audit.Event{}, err
		}
		return c, s.event(audit.System(), "credential.refresh_failed", c), err
	}
	c.Refresh.State, c.Refresh.NextAt = fleet.RefreshRetrying, now.Add(backoff(c.Refresh.Failures))
	if !c.Refresh.Live(now) {
		c.Refresh.State = fleet.RefreshExpired
	} else if c.Refresh.NextAt.After(c.Refresh.ExpiresAt) {
		c.Refresh.NextAt = c.Refresh.ExpiresAt
	}
	if c.Refresh.State == fleet.RefreshExpired && was != fleet.RefreshExpired {
		return c, s.event(audit.System(), "credential.expired", c), err
	}
	return c, audit.Event{}, err
}

// runOut takes note that the last access token of a credential has expired
// that needs somebody's attention. Nobody is asked for another.
func (s *Service) runOut(ctx context.Context, c fleet.Credential) error {
	holder, err := s.hold(ctx, c)
	if err != nil {
		return err
	}
	c.Refresh.NextAt = time.Time{}
	return s.settle(ctx, c, c.Version, holder, s.event(audit.System(), "credential.expired", c), true)
}

// settle stores next in place of version was, and does not give up at the
// first hiccup of the database: what it holds may be nowhere else. It fails
// with fault.Conflict where somebody has changed or deleted the credential
// meanwhile, whose word counts.
func (s *Service) settle(ctx context.Context, next fleet.Credential, was int64, holder string, e audit.Event, tell bool) error {
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := s.Store.SettleRefresh(ctx, next, was, holder, e, tell)
		if fault.Of(err) == fault.Conflict && s.stored(ctx, next) {
			err = nil // the first try was written, and only its answer got lost
		}
		if err == nil {
			if tell {
				s.changed(ctx, next.TeamID)
			}
			return nil
		}
		if fault.Of(err) == fault.Conflict {
			return err
		}
		s.log().ErrorContext(ctx, "what a token endpoint gave cannot be stored; trying again", "credential", next.ID, "error", err)
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return err
		}
	}
}

// stored reports whether next is what the database has.
func (s *Service) stored(ctx context.Context, next fleet.Credential) bool {
	now, err := s.Store.Credential(ctx, next.TeamID, next.ID)
	return err == nil && now.Version == next.Version && now.Refresh.Failures == next.Refresh.Failures &&
		now.Refresh.State == next.Refresh.State && bytes.Equal(now.Sealed, next.Sealed)
}

func (s *Service) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
