package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// Team returns the team with the given ID.
func (s *Store) Team(ctx context.Context, id string) (team.Team, error) {
	var t team.Team
	err := s.db.NewSelect().Model(&t).Where("id = ?", id).Scan(ctx)
	return t, translate(err)
}

// FirstTeam returns the oldest team: the one that a server without billing has.
func (s *Store) FirstTeam(ctx context.Context) (team.Team, error) {
	var t team.Team
	err := s.db.NewSelect().Model(&t).Order("created_at", "id").Limit(1).Scan(ctx)
	return t, translate(err)
}

// Memberships returns what the user is, and where, the oldest first.
func (s *Store) Memberships(ctx context.Context, userID string) ([]team.Membership, error) {
	var ms []team.Membership
	err := s.db.NewSelect().Model(&ms).Where("user_id = ?", userID).Order("created_at", "team_id").Scan(ctx)
	return ms, translate(err)
}

// Member is somebody in a team.
type Member struct {
	User team.User
	Role team.Role
}

// Members returns who is in the team, the oldest member first.
func (s *Store) Members(ctx context.Context, teamID string) ([]Member, error) {
	var ms []team.Membership
	if err := s.db.NewSelect().Model(&ms).Where("team_id = ?", teamID).Order("created_at", "user_id").Scan(ctx); err != nil {
		return nil, translate(err)
	}
	members := make([]Member, 0, len(ms))
	for _, m := range ms {
		u, err := s.User(ctx, m.UserID)
		if err != nil {
			return nil, err
		}
		members = append(members, Member{u, m.Role})
	}
	return members, nil
}

// Viewer returns the user as who they are in the team. It fails with
// fault.Unauthenticated where they are not in it any more, or disabled.
func (s *Store) Viewer(ctx context.Context, userID, teamID string) (team.Viewer, error) {
	var v team.Viewer
	refuse := fault.New(fault.Unauthenticated, "This account may not sign in any more.", nil)
	for _, q := range []*bun.SelectQuery{
		s.db.NewSelect().Model(&v.User).Where("id = ?", userID).Where("disabled_at IS NULL"),
		s.db.NewSelect().Model(&v.Team).Where("id = ?", teamID),
	} {
		if ok, err := found(q.Scan(ctx)); err != nil {
			return team.Viewer{}, translate(err)
		} else if !ok {
			return team.Viewer{}, refuse
		}
	}
	var m team.Membership
	if ok, err := found(s.db.NewSelect().Model(&m).Where("team_id = ?", teamID).Where("user_id = ?", userID).Scan(ctx)); err != nil {
		return team.Viewer{}, translate(err)
	} else if !ok {
		return team.Viewer{}, refuse
	}
	v.Role = m.Role
	return v, nil
}
