package approvals

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/team"
)

// BodyViewed is the type of the event of somebody having read exactly what an
// agent would send.
const BodyViewed = "approval.body_viewed"

// Seen is what the store does for those who only look.
type Seen interface {
	ApprovalNews(ctx context.Context, teamID string, f approval.Filter, after int64, limit int) (as []approval.Approval, through int64, err error)
	RecordEvent(ctx context.Context, teamID string, e audit.Event) error
}

// Viewed returns what Body does, for v to read. That v did is on record before
// it returns. It fails with fault.Forbidden where v may not decide, and with
// fault.NotFound as Body does.
func (s *Service) Viewed(ctx context.Context, v team.Viewer, id string) (approval.Body, error) {
	if !v.May(team.Decide) {
		return approval.Body{}, mayNotDecide()
	}
	a, err := s.Get(ctx, v.Team.ID, id)
	if err != nil {
		return approval.Body{}, err
	}
	b, err := s.Body(ctx, v.Team.ID, id)
	if err != nil {
		return approval.Body{}, err
	}
	e := audit.Event{
		Time: s.now(), Type: BodyViewed, Actor: v.Actor(), Target: a.ID, Name: a.Sentence, Gateway: a.GatewayID,
		Detail: map[string]string{"action": a.Action.Name, "fingerprint": a.Fingerprint, "bytes": strconv.Itoa(len(b.Bytes))},
	}
	if err := s.Store.RecordEvent(ctx, v.Team.ID, e); err != nil {
		return approval.Body{}, fmt.Errorf("record who read a body: %w", err)
	}
	return b, nil
}
