// Package groups keeps the named groups of people whom rules and policies may
// ask to agree. Gateways hear nothing of them: who is in a group is looked at
// when somebody decides.
package groups

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// Store is what groups are kept in.
type Store interface {
	Groups(ctx context.Context, teamID string) ([]team.Group, error)
	Members(ctx context.Context, teamID string) ([]store.Member, error)
	GroupUses(ctx context.Context, teamID string) ([]store.GroupUse, error)
	PutGroup(ctx context.Context, step store.GroupStep) error
	DeleteGroup(ctx context.Context, step store.GroupStep) error
}

// Service is what can be done with groups. Methods that change something for a
// viewer fail with fault.Forbidden where they may not manage.
type Service struct {
	Store Store
	Now   func() time.Time
}

// List returns the team's groups with their members, by name.
func (s *Service) List(ctx context.Context, teamID string) ([]team.Group, error) {
	all, err := s.Store.Groups(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return all, nil
}

// Find returns the team's group of that ID. It fails with fault.NotFound.
func (s *Service) Find(ctx context.Context, teamID, id string) (team.Group, error) {
	all, err := s.List(ctx, teamID)
	if err != nil {
		return team.Group{}, err
	}
	i := slices.IndexFunc(all, func(g team.Group) bool { return g.ID == id })
	if i < 0 {
		return team.Group{}, fault.New(fault.NotFound, "There is no such group.", nil)
	}
	return all[i], nil
}

// People returns who is in the team, and so can be in its groups.
func (s *Service) People(ctx context.Context, teamID string) ([]store.Member, error) {
	all, err := s.Store.Members(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	return all, nil
}

// Uses returns what asks for each group, by its name: "the policy
// protect-main".
func (s *Service) Uses(ctx context.Context, teamID string) (map[string][]string, error) {
	all, err := s.Store.GroupUses(ctx, teamID)
	if err != nil {
		return nil, fmt.Errorf("list uses of groups: %w", err)
	}
	uses := map[string][]string{}
	for _, u := range all {
		uses[u.Group] = append(uses[u.Group], u.By)
	}
	return uses, nil
}

// Save adds a group, or, where id is not "", changes its name and members, who
// are users by ID. It fails with fault.Invalid, with fault.NotFound where there
// is no such group, and with fault.Conflict where the name is taken or where
// something asks for the group by the name that it had.
func (s *Service) Save(ctx context.Context, v team.Viewer, id, name string, members []string) (team.Group, error) {
	if err := manages(v); err != nil {
		return team.Group{}, err
	}
	if err := policy.CheckGroupName(name); err != nil {
		return team.Group{}, err
	}
	g := team.Group{ID: id, TeamID: v.Team.ID, Name: name}
	typ, was := "group.created", team.Group{}
	if id == "" {
		g.ID, g.CreatedAt = "grp_"+strings.ToLower(rand.Text()), audit.Time(s.Now())
	} else {
		var err error
		if was, err = s.Find(ctx, v.Team.ID, id); err != nil {
			return team.Group{}, err
		}
		typ = "group.changed"
	}
	all, err := s.People(ctx, v.Team.ID)
	if err != nil {
		return team.Group{}, err
	}
	for _, userID := range members {
		i := slices.IndexFunc(all, func(m store.Member) bool { return m.User.ID == userID })
		if i < 0 {
			return team.Group{}, fault.New(fault.Invalid, "One of these people is not in the team any more. Look at the group again.", nil)
		}
		if !slices.ContainsFunc(g.Members, func(u team.User) bool { return u.ID == userID }) {
			g.Members = append(g.Members, all[i].User)
		}
	}
	e := Event(v, typ, g, s.Now())
	if id != "" {
		e.Detail["members_before"] = people(was)
		if was.Name != name {
			e.Name, e.Detail["renamed"] = was.Name, name
		}
	}
	if err := s.Store.PutGroup(ctx, store.GroupStep{Group: g, New: id == "", Event: e}); err != nil {
		return team.Group{}, fmt.Errorf("save group: %w", err)
	}
	return g, nil
}

// Delete removes a group. It fails with fault.NotFound, and with fault.Conflict
// where something asks for it.
func (s *Service) Delete(ctx context.Context, v team.Viewer, id string) error {
	if err := manages(v); err != nil {
		return err
	}
	g, err := s.Find(ctx, v.Team.ID, id)
	if err != nil {
		return err
	}
	if err := s.Store.DeleteGroup(ctx, store.GroupStep{Group: g, Event: Event(v, "group.deleted", g, s.Now())}); err != nil {
		return fmt.Errorf("delete group: %w", err)
	}
	return nil
}

// Event records what happens to a group.
func Event(v team.Viewer, typ string, g team.Group, now time.Time) audit.Event {
	return audit.Event{
		Time: now, Type: typ, Actor: v.Actor(), Target: g.ID, Name: g.Name,
		Detail: map[string]string{"members": people(g)},
	}
}

func people(g team.Group) string {
	var emails []string
	for _, u := range g.Members {
		emails = append(emails, u.Email)
	}
	slices.Sort(emails)
	return strings.Join(emails, " ")
}

func manages(v team.Viewer) error {
	if !v.May(team.Manage) {
		return fault.New(fault.Forbidden, "Only owners and admins change approver groups.", nil)
	}
	return nil
}
