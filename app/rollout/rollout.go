// Package rollout tells gateways what they have to act on.
//
// What a gateway gets is whole, signed, and numbered by its team's revision:
// it polls with the number that it has, and that is its acknowledgement, too.
// Credentials travel sealed to the gateway's own key, so that neither the edge
// in between nor a stolen copy holds one that can be read.
package rollout

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/wire"
)

// Store knows what is configured.
type Store interface {
	Gateway(ctx context.Context, id string) (fleet.Gateway, error)
	Revision(ctx context.Context, teamID string) (int64, error)
	RaiseRevision(ctx context.Context, teamID string, n int64, e audit.Event) error
	AcknowledgeSnapshot(ctx context.Context, id string, version int64) error
	Configuration(ctx context.Context, teamID, gatewayID string) (store.Configuration, error)
}

// Vault opens credentials.
type Vault interface {
	Reveal(ctx context.Context, teamID, id string) (credential.Secret, fleet.Credential, error)
}

// DefaultValidFor is how long a gateway may act on a snapshot without hearing
// from the server.
const DefaultValidFor = 24 * time.Hour

// Service builds snapshots.
type Service struct {
	Store    Store
	Vault    Vault
	Signer   *Signer
	Bus      bus.Bus
	BaseURL  string        // of the dashboard
	ValidFor time.Duration // DefaultValidFor where zero
	Now      func() time.Time
	Log      *slog.Logger
}

// PublicKey returns what gateways verify snapshots with.
func (s *Service) PublicKey() []byte { return s.Signer.Public() }

// maxAhead is how far a gateway's snapshot may be ahead of its team: a backup
// that was restored is behind by what was changed since. A number beyond that
// was made up.
const maxAhead = 1 << 30

// Snapshot returns what gw has to act on as soon as that is not what it has,
// which is version after; until then it waits, and at the end of wait, or when
// ctx ends, confirms that version. It fails with fault.Forbidden as soon as the
// gateway is revoked, and with fault.Invalid where there can be no such
// version.
func (s *Service) Snapshot(ctx context.Context, gw fleet.Gateway, after int64, wait time.Duration) (wire.SnapshotAnswer, error) {
	rung, stop := s.Bus.Subscribe(bus.Config(gw.TeamID)) // before the first look, or a ring could fall between
	defer stop()
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(bus.Interval)
	defer again.Stop()

	for last := wait <= 0; ; {
		look := context.WithoutCancel(ctx) // also when it has just ended, so as to answer
		current, err := s.look(look, gw, after)
		switch {
		case err != nil:
			return wire.SnapshotAnswer{}, err
		case current != after:
			return s.build(look, gw)
		case last:
			return s.confirm(gw, after)
		}
		select {
		case <-rung:
		case <-again.C:
		case <-over.C:
			last = true
		case <-ctx.Done():
			return s.confirm(gw, after)
		}
	}
}

// look returns the newest version there is for gw, and takes note of the one
// that it has.
func (s *Service) look(ctx context.Context, gw fleet.Gateway, after int64) (int64, error) {
	now, err := s.Store.Gateway(ctx, gw.ID)
	if err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	if now.Status != fleet.Active {
		return 0, fault.New(fault.Forbidden, "This gateway has been revoked.", nil)
	}
	current, err := s.Store.Revision(ctx, gw.TeamID)
	if err != nil {
		return 0, fmt.Errorf("snapshot: %w", err)
	}
	if after > current {
		return s.overtake(ctx, gw, current, after)
	}
	if after > 0 && after != now.SnapshotAck {
		if err := s.Store.AcknowledgeSnapshot(ctx, gw.ID, after); err != nil {
			return 0, fmt.Errorf("acknowledge snapshot: %w", err)
		}
		s.Bus.Publish(ctx, bus.Gateways(gw.TeamID))
	}
	return current, nil
}

// overtake raises the team's revision above what a gateway has: the database
// was restored from a backup, and gateways never go back.
func (s *Service) overtake(ctx context.Context, gw fleet.Gateway, current, after int64) (int64, error) {
	if after-current > maxAhead {
		return 0, fault.New(fault.Invalid, "There is no such snapshot.", nil)
	}
	e := audit.Event{
		Time: s.Now(), Type: "revision.overtaken", Target: gw.TeamID, Gateway: gw.ID, Name: gw.Name,
		Actor:  audit.Actor{Kind: audit.ByGateway, ID: gw.ID, Name: gw.Name, Auth: "mtls"},
		Detail: map[string]string{"was": strconv.FormatInt(current, 10), "gateway_has": strconv.FormatInt(after, 10)},
	}
	err := s.Store.RaiseRevision(ctx, gw.TeamID, after+1, e)
	if err != nil && fault.Of(err) != fault.Conflict {
		return 0, fmt.Errorf("overtake gateway: %w", err)
	}
	s.Log.WarnContext(ctx, "a gateway had a newer snapshot than this server; was a backup restored?", "gateway", gw.ID, "gateway_has", after, "server_had", current)
	s.Bus.Publish(ctx, bus.Config(gw.TeamID))
	return after + 1, nil
}

func (s *Service) confirm(gw fleet.Gateway, version int64) (wire.SnapshotAnswer, error) {
	signed, err := s.Signer.sign(wire.ConfirmationContext, wire.Confirmation{GatewayID: gw.ID, Version: version, At: s.Now().UTC()})
	if err != nil {
		return wire.SnapshotAnswer{}, fmt.Errorf("confirm snapshot: %w", err)
	}
	return wire.SnapshotAnswer{Confirmation: signed}, nil
}
