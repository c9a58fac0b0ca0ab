package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

// Standing is what an approval's fate hangs on, as it is inside the
// transaction that decides about it.
type Standing struct {
	Approval approval.Approval
	Role     team.Role            // of the person who decides; Nobody where no person does
	Voters   map[string]team.Role // what those are now who have agreed so far, or decided, by user ID
	Groups   map[string][]string  // the groups that the decider and the voters are in now, by user ID
	Gateway  fleet.Gateway        // that asks
	Kill     *fleet.Kill          // one that stops what is asked for, or nil
	Pending  int                  // how many of the gateway's requests wait already
	// Before is the newest approval that counts for the same request for a
	// while, or nil. Its givers are among Voters.
	Before *approval.Approval
}

// Who is what somebody is now who decides, or has agreed or decided.
func (st Standing) Who(userID string) approval.Decider {
	return approval.Decider{
		ID: userID, Role: st.Voters[userID], Groups: st.Groups[userID],
		Own: userID == st.Gateway.EnrolledBy, Unowned: st.Gateway.EnrolledBy == "",
	}
}

// ApprovalStanding is what a's fate hangs on now, for whoever looks. It may be
// different in a moment.
func (s *Store) ApprovalStanding(ctx context.Context, a approval.Approval, userID string) (Standing, error) {
	st, err := standing(ctx, s.db, a, userID)
	return st, translate(err)
}

func standing(ctx context.Context, db bun.IDB, a approval.Approval, userID string) (Standing, error) {
	st := Standing{Approval: a}
	var err error
	if st.Gateway, err = gateway(ctx, db, a.GatewayID); err != nil {
		return st, err
	}
	people := a.Givers()
	if userID != "" && !slices.Contains(people, userID) {
		people = append(people, userID)
	}
	if err := st.know(ctx, db, people); err != nil {
		return st, err
	}
	st.Role = st.Voters[userID]
	if st.Kill, err = stopping(ctx, db, a); err != nil {
		return st, err
	}
	return st, nil
}

// asked is the standing of an approval that is not there yet.
func asked(ctx context.Context, tx bun.Tx, a approval.Approval) (Standing, error) {
	st, err := standing(ctx, tx, a, "")
	if err != nil {
		return st, err
	}
	before, ok, err := repeating(ctx, tx, a.GatewayID, a.Fingerprint, a.CreatedAt)
	if err != nil {
		return st, err
	}
	if ok {
		st.Before = &before
		if err := st.know(ctx, tx, before.Givers()); err != nil {
			return st, err
		}
	}
	n, err := tx.NewSelect().Model((*approval.Approval)(nil)).Where("gateway_id = ?", a.GatewayID).Where("status = ?", approval.Pending).Count(ctx)
	st.Pending = int(n)
	return st, err
}

// know fills in what people are now, and not when they signed in or agreed.
func (st *Standing) know(ctx context.Context, db bun.IDB, people []string) error {
	if st.Voters == nil {
		st.Voters, st.Groups = map[string]team.Role{}, map[string][]string{}
	}
	for _, id := range people {
		r, err := role(ctx, db, st.Approval.TeamID, id)
		if err != nil {
			return err
		}
		st.Voters[id] = r
	}
	if len(people) == 0 {
		return nil
	}
	var rows []struct{ UserID, Name string }
	if err := db.NewSelect().TableExpr("approver_group_members AS m").Join("JOIN approver_groups AS g ON g.id = m.group_id").
		ColumnExpr("m.user_id, g.name").Where("g.team_id = ?", st.Approval.TeamID).Where("m.user_id IN (?)", bun.List(people)).
		OrderExpr("g.name").Scan(ctx, &rows); err != nil {
		return err
	}
	for _, r := range rows {
		st.Groups[r.UserID] = append(st.Groups[r.UserID], r.Name)
	}
	return nil
}

// stopping is a kill switch that stops a, or nil.
func stopping(ctx context.Context, db bun.IDB, a approval.Approval) (*fleet.Kill, error) {
	kills, err := activeKills(ctx, db, a.TeamID)
	if err != nil || len(kills) == 0 {
		return nil, err
	}
	cs, err := connectors(ctx, db, a.GatewayID)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(kills, stops(a, cs)); i >= 0 {
		return &kills[i], nil
	}
	return nil, nil
}

// stops reports which kills stop a, at a gateway with those connectors.
func stops(a approval.Approval, cs []fleet.Connector) func(fleet.Kill) bool {
	typ := ""
	for _, c := range cs {
		if c.GatewayID == a.GatewayID && c.Name == a.Action.Connector {
			typ = c.Type
		}
	}
	return func(k fleet.Kill) bool { return k.Stops(a.GatewayID, a.Action.Connector, typ) }
}

// role is what somebody is in a team now, and not when they signed in.
func role(ctx context.Context, db bun.IDB, teamID, userID string) (team.Role, error) {
	var m team.Membership
	_, err := found(db.NewSelect().Model(&m).
		Where("team_id = ?", teamID).Where("user_id = ?", userID).
		Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND disabled_at IS NULL)", userID).Scan(ctx))
	return m.Role, err
}
