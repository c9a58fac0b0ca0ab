// Package approvals is where held requests wait for a person.
//
// The row is the truth and waiting is a courtesy: a gateway may ask, go away
// and ask again, and meets what has become of its request meanwhile. Whoever
// decides, from a page, a terminal or a chat, ends in Decide. What becomes of
// an approval is worked out by the domain and swapped in by the store, with
// its event, so that of several who decide at once one wins.
package approvals

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
)

// Store is what approvals are kept in.
type Store interface {
	OpenApproval(ctx context.Context, q store.Asked, admit func(store.Standing) (approval.Approval, []audit.Event, error)) (got approval.Approval, joined bool, err error)
	ChangeApproval(ctx context.Context, teamID, id, userID string, change func(store.Standing) (approval.Approval, audit.Event, error)) (approval.Approval, error)
	Approval(ctx context.Context, id string) (approval.Approval, error)
	JoinableApproval(ctx context.Context, gatewayID, fingerprint string, now time.Time) (approval.Approval, error)
	ApprovalChanges(ctx context.Context, gw fleet.Gateway, after int64, limit int) (as []approval.Approval, through int64, err error)
	ApprovalStanding(ctx context.Context, a approval.Approval, userID string) (store.Standing, error)
	ApprovalBody(ctx context.Context, teamID, approvalID string) (sealed []byte, whole bool, err error)
	Lists
	Seen
}

// Bodies seals what agents send, so that only who may read it does. app/vault
// does it.
type Bodies interface {
	SealAt(ctx context.Context, at vault.Place, plain credential.Secret) ([]byte, error)
	OpenAt(ctx context.Context, at vault.Place, sealed []byte) (credential.Secret, error)
}

// Lists reads many approvals at once.
type Lists interface {
	Approvals(ctx context.Context, teamID string, f approval.Filter, after page.Cursor, limit int) ([]approval.Approval, error)
	PendingApprovals(ctx context.Context, teamID string, now time.Time) (int, error)
	DueApprovals(ctx context.Context, now time.Time, limit int) ([]approval.Approval, error)
	AlikeApprovals(ctx context.Context, a approval.Approval, since time.Time, limit int) ([]approval.Approval, error)
	RepeatingApprovals(ctx context.Context, teamID string, now time.Time, limit int) ([]approval.Approval, error)
	Gateway(ctx context.Context, id string) (fleet.Gateway, error)
}

// Filter chooses approvals, and Cursor is a place among them.
type (
	Filter = approval.Filter
	Cursor = page.Cursor
)

// Service opens approvals, takes decisions and tells those who wait. Without
// Bodies people decide without seeing what is sent: no body is kept.
type Service struct {
	Store  Store
	Bodies Bodies
	Bus    bus.Bus
	Now    func() time.Time
	Log    *slog.Logger
}

// ErrKilled is in the chain of a fault.Forbidden whose reason is a kill switch.
var ErrKilled = errors.New("kill switch")

func killed(k fleet.Kill) error {
	sentence := "The kill switch is on."
	if k.Reason != "" {
		sentence = "The kill switch is on: " + k.Reason
	}
	return fault.New(fault.Forbidden, sentence, ErrKilled)
}

func shutOut() error { return fault.New(fault.Forbidden, "This gateway has been revoked.", nil) }

func none() error { return fault.New(fault.NotFound, "There is no such approval.", nil) }

// rang tells everybody who looks at a.
func (s *Service) rang(ctx context.Context, a approval.Approval) {
	s.Bus.Publish(ctx, bus.Approval(a.ID))
	s.Bus.Publish(ctx, bus.Approvals(a.TeamID))
	s.Bus.Publish(ctx, bus.Outbox)
}

func (s *Service) now() time.Time { return audit.Time(s.Now()) }

func machine(g fleet.Gateway) audit.Actor {
	return audit.Actor{Kind: audit.ByGateway, ID: g.ID, Name: g.Name, Auth: "mtls"}
}
