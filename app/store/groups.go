package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

// GroupStep adds a group, makes it what Group is, or removes it.
type GroupStep struct {
	Group team.Group // of the members only the IDs count
	New   bool
	Event audit.Event
}

// GroupUse is what names a group.
type GroupUse struct {
	Group string
	By    string // "the rule github.pr.merge of deploy-bot/github", "the policy protect-main"
}

const groupTable = "approver_groups"

type groupMember struct {
	GroupID, UserID string
}

// Groups returns the team's groups, by name, with those of their members who
// are in the team still.
func (s *Store) Groups(ctx context.Context, teamID string) ([]team.Group, error) {
	all, err := groups(ctx, s.db, teamID)
	return all, translate(err)
}

func groups(ctx context.Context, db bun.IDB, teamID string) ([]team.Group, error) {
	var all []team.Group
	if err := db.NewSelect().Model(&all).ModelTableExpr(groupTable+` AS "group"`).Where("team_id = ?", teamID).Order("name").Scan(ctx); err != nil {
		return nil, err
	}
	var members []struct {
		GroupID string
		team.User
	}
	err := db.NewSelect().TableExpr("users AS u").ColumnExpr("m.group_id, u.*").
		Join("JOIN approver_group_members AS m ON m.user_id = u.id").
		Join("JOIN approver_groups AS g ON g.id = m.group_id").
		Join("JOIN memberships AS t ON t.team_id = g.team_id AND t.user_id = u.id").
		Where("g.team_id = ?", teamID).OrderExpr("u.email").Scan(ctx, &members)
	for _, m := range members {
		if i := slices.IndexFunc(all, func(g team.Group) bool { return g.ID == m.GroupID }); i >= 0 {
			all[i].Members = append(all[i].Members, m.User)
		}
	}
	return all, err
}

// GroupUses returns which rules and policies of the team name a group, also
// policies that are not enabled.
func (s *Store) GroupUses(ctx context.Context, teamID string) ([]GroupUse, error) {
	uses, err := groupUses(ctx, s.db, teamID)
	return uses, translate(err)
}

func groupUses(ctx context.Context, db bun.IDB, teamID string) ([]GroupUse, error) {
	var uses []GroupUse
	var rows []struct {
		Gateway, Connector, Pattern string
		Approvers                   policy.Approvers `bun:"type:text"`
	}
	err := db.NewSelect().TableExpr("rules AS r").ColumnExpr("g.name AS gateway, c.name AS connector, r.pattern, r.approvers").
		Join("JOIN gateways AS g ON g.id = r.gateway_id").Join("JOIN connectors AS c ON c.id = r.connector_id").
		Where("g.team_id = ?", teamID).Where("r.approvers LIKE ?", `%"group"%`).
		OrderExpr("g.name, c.name, r.position").Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		for _, name := range r.Approvers.Groups() {
			uses = append(uses, GroupUse{name, "the rule " + r.Pattern + " of " + r.Gateway + "/" + r.Connector})
		}
	}
	var ps []fleet.Policy
	if err := db.NewSelect().Model(&ps).ExcludeColumn("document").Where("team_id = ?", teamID).Where("compiled LIKE ?", `%"group"%`).Order("name").Scan(ctx); err != nil {
		return nil, err
	}
	for _, p := range ps {
		of, err := groupsOf(p)
		if err != nil {
			return nil, err
		}
		for _, name := range of {
			uses = append(uses, GroupUse{name, "the policy " + p.Name})
		}
	}
	return uses, nil
}

// groupsOf are the groups that a policy names.
func groupsOf(p fleet.Policy) ([]string, error) {
	said, err := p.Policy()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range said.Clauses {
		names = append(names, c.Approvers.Groups()...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// wanted fails with fault.Invalid where one of the names is that of no group of
// the team: nobody could ever agree then.
func wanted(ctx context.Context, tx bun.Tx, teamID string, names []string, by string) error {
	if len(names) == 0 {
		return nil
	}
	var there []string
	if err := tx.NewSelect().Table(groupTable).Column("name").Where("team_id = ?", teamID).Where("name IN (?)", bun.List(names)).Scan(ctx, &there); err != nil {
		return err
	}
	for _, name := range names {
		if !slices.Contains(there, name) {
			return NoGroup(name, by)
		}
	}
	return nil
}

// NoGroup is the fault of naming a group that there is not.
func NoGroup(name, by string) error {
	return fault.New(fault.Invalid, strings.ToUpper(by[:1])+by[1:]+" asks for the approver group "+name+", and there is none of that name. Add it in Settings, Approver groups, or name one that there is.", nil)
}

// PutGroup adds a group or changes its name and members. It fails with
// fault.Conflict where the team has another of that name, where the group is
// gone, and where a group that something names would get another name; with
// fault.Invalid where a member is not in the team.
func (s *Store) PutGroup(ctx context.Context, step GroupStep) error {
	return s.tx(ctx, step.Group.TeamID, step.Event, func(tx bun.Tx) error { return putGroup(ctx, tx, step) })
}

func putGroup(ctx context.Context, tx bun.Tx, step GroupStep) error {
	g := step.Group
	taken := "There is a group of that name already."
	if step.New {
		n, err := tx.NewSelect().Table(groupTable).Where("team_id = ?", g.TeamID).Count(ctx)
		if err == nil && n >= team.MaxGroups {
			err = fault.New(fault.Invalid, fmt.Sprintf("A team has at most %d approver groups.", team.MaxGroups), nil)
		}
		if err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&g).ModelTableExpr(groupTable).Exec(ctx); err != nil {
			return named(err, taken)
		}
	} else {
		if err := keepName(ctx, tx, g); err != nil {
			return err
		}
		res, err := tx.NewUpdate().Table(groupTable).Set("name = ?", g.Name).Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Exec(ctx)
		if err := swapped(res, named(err, taken), noGroup); err != nil {
			return err
		}
	}
	if _, err := tx.NewDelete().Table("approver_group_members").Where("group_id = ?", g.ID).Exec(ctx); err != nil {
		return err
	}
	if len(g.Members) == 0 {
		return nil
	}
	var ids []string
	var rows []groupMember
	for _, u := range g.Members {
		ids, rows = append(ids, u.ID), append(rows, groupMember{g.ID, u.ID})
	}
	n, err := tx.NewSelect().Table("memberships").Where("team_id = ?", g.TeamID).Where("user_id IN (?)", bun.List(ids)).Count(ctx)
	if err == nil && int(n) != len(ids) {
		err = fault.New(fault.Invalid, "One of these people is not in the team any more. Look at the group again.", nil)
	}
	if err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(&rows).ModelTableExpr("approver_group_members").Exec(ctx)
	return err
}

var noGroup = fault.New(fault.Conflict, "There is no such group any more. Look at the list again.", nil)

// keepName fails with fault.Conflict where something names the group by a name
// that it would not have any more.
func keepName(ctx context.Context, tx bun.Tx, g team.Group) error {
	var name string
	ok, err := found(tx.NewSelect().Table(groupTable).Column("name").Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Scan(ctx, &name))
	if err == nil && !ok {
		err = noGroup
	}
	if err != nil || name == g.Name {
		return err
	}
	return unused(ctx, tx, g.TeamID, name, "cannot be renamed")
}

// unused fails with fault.Conflict where something names a group.
func unused(ctx context.Context, tx bun.Tx, teamID, name, cannot string) error {
	uses, err := groupUses(ctx, tx, teamID)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(uses, func(u GroupUse) bool { return u.Group == name }); i >= 0 {
		return fault.New(fault.Conflict, "The group "+name+" "+cannot+": "+uses[i].By+" asks for it. Change that first.", nil)
	}
	return nil
}

// DeleteGroup removes a group. It fails with fault.Conflict where it is gone,
// and where something names it.
func (s *Store) DeleteGroup(ctx context.Context, step GroupStep) error {
	return s.tx(ctx, step.Group.TeamID, step.Event, func(tx bun.Tx) error { return forgetGroup(ctx, tx, step.Group) })
}

func forgetGroup(ctx context.Context, tx bun.Tx, g team.Group) error {
	if err := unused(ctx, tx, g.TeamID, g.Name, "cannot be deleted"); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Table("approver_group_members").Where("group_id = (SELECT id FROM approver_groups WHERE id = ? AND team_id = ?)", g.ID, g.TeamID).Exec(ctx); err != nil {
		return err
	}
	res, err := tx.NewDelete().Table(groupTable).Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Where("name = ?", g.Name).Exec(ctx)
	return swapped(res, err, noGroup)
}
