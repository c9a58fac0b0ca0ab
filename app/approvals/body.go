package approvals

import (
	"context"
	"fmt"

	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// place is where a's body belongs.
func place(a approval.Approval) vault.Place {
	return vault.Place{TeamID: a.TeamID, Kind: "approval body", ID: a.ID, Version: 1}
}

// seal returns the beginning of a body as it is kept; nil where it is not.
func (s *Service) seal(ctx context.Context, a approval.Approval, body []byte) ([]byte, error) {
	if s.Bodies == nil || len(body) == 0 {
		return nil, nil
	}
	return s.Bodies.SealAt(ctx, place(a), credential.NewSecret(string(body)))
}

// Body returns the beginning of what the team's held request would send, as it
// is. It is for people who may decide: it may hold anything that the agent
// knows. It fails with fault.NotFound where there is none, or none any more.
func (s *Service) Body(ctx context.Context, teamID, id string) (approval.Body, error) {
	a, err := s.Get(ctx, teamID, id)
	if err != nil {
		return approval.Body{}, err
	}
	gone := fault.New(fault.NotFound, "The body of this request is not kept any more, or it has none.", nil)
	if s.Bodies == nil || a.Status.Final() {
		return approval.Body{}, gone
	}
	sealed, whole, err := s.Store.ApprovalBody(ctx, teamID, a.ID)
	if fault.Of(err) == fault.NotFound {
		return approval.Body{}, gone
	}
	if err != nil {
		return approval.Body{}, fmt.Errorf("read body: %w", err)
	}
	plain, err := s.Bodies.OpenAt(ctx, place(a), sealed)
	if err != nil {
		return approval.Body{}, fmt.Errorf("read body: %w", err)
	}
	return approval.Body{Bytes: []byte(plain.Reveal()), Whole: whole}, nil
}
