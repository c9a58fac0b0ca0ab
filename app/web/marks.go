package web

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

// look writes down how each topic stands, so that a change without a ring is
// seen at the next look.
func (s *Server) look(ctx context.Context, v team.Viewer, names []string, marks map[string]string) error {
	for _, name := range names {
		var mark string
		var err error
		switch name {
		case "approvals":
			mark, err = s.approvalsMark(ctx, v)
		case "gateways":
			mark, err = s.gatewaysMark(ctx, v)
		case "traffic":
			mark, err = s.trafficMark(ctx, v)
		}
		if err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		}
		marks[name] = mark
	}
	return nil
}

func cloned(marks map[string]string) map[string]string { return maps.Clone(marks) }

const markRows = 20

func (s *Server) approvalsMark(ctx context.Context, v team.Viewer) (string, error) {
	as, _, err := s.Approvals.List(ctx, v.Team.ID, approval.Filter{}, page.Cursor{}, markRows)
	var b strings.Builder
	for _, a := range as {
		fmt.Fprintln(&b, a.ID, a.Seq, a.Status)
	}
	return b.String(), err
}

func (s *Server) gatewaysMark(ctx context.Context, v team.Viewer) (string, error) {
	gs, err := s.Gateways.List(ctx, v.Team.ID)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintln(&b, v.Team.Revision, s.online(gs))
	for _, g := range gs {
		fmt.Fprintln(&b, g.ID, g.Status, g.SnapshotAck, g.EnrolledAt.UnixMilli(), g.FirstSeenAt.UnixMilli())
	}
	return b.String(), nil
}

func (s *Server) trafficMark(ctx context.Context, v team.Viewer) (string, error) {
	rs, _, err := s.Trail.Requests(ctx, v.Team.ID, audit.Filter{}, page.Cursor{}, 1)
	if err != nil || len(rs) == 0 {
		return "", err
	}
	return fmt.Sprintln(rs[0].ID, rs[0].GatewayID, rs[0].Seq), nil
}
