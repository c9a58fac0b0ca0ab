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
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
)

// Store is what approvals are kept in.
type Store interface {
	OpenApproval(ctx context.Context, a approval.Approval, admit func(store.Standing) error, e audit.Event) (got approval.Approval, joined bool, err error)
	ChangeApproval(ctx context.Context, teamID, id, userID string, change func(store.Standing) (approval.Approval, audit.Event, error)) (approval.Approval, error)
	Approval(ctx context.Context, id string) (approval.Approval, error)
	JoinableApproval(ctx context.Context, gatewayID, fingerprint string, now time.Time) (approval.Approval, error)
	Lists
}

// Lists reads many approvals at once.
type Lists interface {
	Approvals(ctx context.Context, teamID string, f approval.Filter, after page.Cursor, limit int) ([]approval.Approval, error)
	PendingApprovals(ctx context.Context, teamID string, now time.Time) (int, error)
	DueApprovals(ctx context.Context, now time.Time, limit int) ([]approval.Approval, error)
	Gateway(ctx context.Context, id string) (fleet.Gateway, error)
}

// Filter chooses approvals, and Cursor is a place among them.
type (
	Filter = approval.Filter
	Cursor = page.Cursor
)

// Service opens approvals, takes decisions and tells those who wait.
type Service struct {
	Store Store
	Bus   bus.Bus
	Now   func() time.Time
	Log   *slog.Logger
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

func event(a approval.Approval, by audit.Actor, at time.Time) audit.Event {
	return audit.Event{
		Time: at, Type: "approval." + string(a.Status), Actor: by, Target: a.ID, Name: a.Sentence, Gateway: a.GatewayID,
		Detail: map[string]string{"action": a.Action.Name, "fingerprint": a.Fingerprint},
	}
}

func machine(g fleet.Gateway) audit.Actor {
	return audit.Actor{Kind: audit.ByGateway, ID: g.ID, Name: g.Name, Auth: "mtls"}
}
