package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/page"
	"github.com/tameflare/tameflare/domain/team"
)

var (
	open       = []approval.Status{approval.Pending, approval.Approved}
	noApproval = fault.New(fault.NotFound, "There is no such approval.", nil)
)

// Standing is what an approval's fate hangs on, as it is inside the
// transaction that decides about it.
type Standing struct {
	Approval approval.Approval
	Role     team.Role            // of the person who decides; Nobody where no person does
	Voters   map[string]team.Role // what those are now who have agreed so far, or decided, by user ID
	Gateway  fleet.Gateway        // that asks
	Kill     *fleet.Kill          // one that stops what is asked for, or nil
	Pending  int                  // how many of the gateway's requests wait already
}

// OpenApproval returns the approval that a request of a's gateway and
// fingerprint meets, and otherwise adds a, if admit agrees; joined says which.
// An open one whose time is over gives way.
func (s *Store) OpenApproval(ctx context.Context, a approval.Approval, admit func(Standing) error, e audit.Event) (got approval.Approval, joined bool, err error) {
	err = s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, a.TeamID); err != nil {
			return err
		}
		st, err := standing(ctx, tx, a, "")
		if err != nil {
			return err
		}
		if err := admit(st); err != nil {
			return err
		}
		there, ok, err := met(ctx, tx, a.GatewayID, a.Fingerprint, a.CreatedAt)
		if err != nil {
			return err
		}
		if ok {
			if there.Meets(a.CreatedAt) {
				got, joined = there, true
				return nil
			}
			lapsed, _ := there.Lapse(a.CreatedAt)
			if err := swap(ctx, tx, there, lapsed, approvalEvent(lapsed, audit.System(), a.CreatedAt)); err != nil {
				return err
			}
		}
		if _, err := tx.NewInsert().Model(&a).Exec(ctx); err != nil {
			return err
		}
		got = a
		if err := tellOf(ctx, tx, a, e); err != nil {
			return err
		}
		return record(ctx, tx, a.TeamID, e)
	})
	return got, joined, err
}

// ChangeApproval makes of an approval what change makes of it, and records
// change's event with it. Whatever change is told holds until both are
// written, so of several changes at once one comes first and the others see
// it. An error of change is returned as it is, with the approval as it was
// found; nothing is written then. UserID is whose role change is told, or "".
func (s *Store) ChangeApproval(ctx context.Context, teamID, id, userID string, change func(Standing) (approval.Approval, audit.Event, error)) (approval.Approval, error) {
	var got approval.Approval
	err := s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, teamID); err != nil {
			return err
		}
		var was approval.Approval
		ok, err := found(tx.NewSelect().Model(&was).Where("id = ?", id).Where("team_id = ?", teamID).Scan(ctx))
		if err != nil {
			return err
		}
		if !ok {
			return noApproval
		}
		got = was
		st, err := standing(ctx, tx, was, userID)
		if err != nil {
			return err
		}
		next, e, err := change(st)
		if err != nil {
			return err
		}
		if err := swap(ctx, tx, was, next, e); err != nil {
			return err
		}
		got = next
		return nil
	})
	return got, err
}

// swap writes next over was, if was is still there, and records e.
func swap(ctx context.Context, tx bun.Tx, was, next approval.Approval, e audit.Event) error {
	res, err := tx.NewUpdate().Model(&next).
		Column("status", "expires_at", "decided_by", "decider_name", "channel", "note", "decided_at", "ended_at", "seq", "agreed", "repeat_until", "auth").
		Where("id = ?", was.ID).Where("status = ?", was.Status).Where("seq = ?", was.Seq).Exec(ctx)
	if err := swapped(res, err, fault.New(fault.Conflict, "Someone else has decided this.", nil)); err != nil {
		return err
	}
	if err := tellOf(ctx, tx, next, e); err != nil {
		return err
	}
	return record(ctx, tx, next.TeamID, e)
}

func standing(ctx context.Context, tx bun.Tx, a approval.Approval, userID string) (Standing, error) {
	st := Standing{Approval: a}
	var err error
	if st.Gateway, err = gateway(ctx, tx, a.GatewayID); err != nil {
		return st, err
	}
	if userID != "" {
		if st.Role, err = role(ctx, tx, a.TeamID, userID); err != nil {
			return st, err
		}
	}
	for _, id := range a.Givers() {
		r, err := role(ctx, tx, a.TeamID, id)
		if err != nil {
			return st, err
		}
		if st.Voters == nil {
			st.Voters = map[string]team.Role{}
		}
		st.Voters[id] = r
	}
	kills, err := activeKills(ctx, tx, a.TeamID)
	if err != nil {
		return st, err
	}
	if len(kills) > 0 {
		cs, err := connectors(ctx, tx, a.GatewayID)
		if err != nil {
			return st, err
		}
		if i := slices.IndexFunc(kills, stops(a, cs)); i >= 0 {
			st.Kill = &kills[i]
		}
	}
	n, err := tx.NewSelect().Model((*approval.Approval)(nil)).Where("gateway_id = ?", a.GatewayID).Where("status = ?", approval.Pending).Count(ctx)
	st.Pending = int(n)
	return st, err
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
func role(ctx context.Context, tx bun.Tx, teamID, userID string) (team.Role, error) {
	var m team.Membership
	_, err := found(tx.NewSelect().Model(&m).
		Where("team_id = ?", teamID).Where("user_id = ?", userID).
		Where("EXISTS (SELECT 1 FROM users WHERE id = ? AND disabled_at IS NULL)", userID).Scan(ctx))
	return m.Role, err
}

// openApprovals returns what is open in a team, or at one gateway of it.
func openApprovals(ctx context.Context, tx bun.Tx, teamID, gatewayID string) ([]approval.Approval, error) {
	var as []approval.Approval
	q := tx.NewSelect().Model(&as).Where("team_id = ?", teamID).Where("status IN (?)", bun.List(open)).Order("created_at", "id")
	if gatewayID != "" {
		q.Where("gateway_id = ?", gatewayID)
	}
	return as, q.Scan(ctx)
}

// cancel takes the approvals back, on behalf of whoever e names.
func cancel(ctx context.Context, tx bun.Tx, as []approval.Approval, note string, e audit.Event) error {
	for _, was := range as {
		next, changed := was.Cancel(note, audit.Time(e.Time))
		if !changed {
			continue
		}
		if err := swap(ctx, tx, was, next, approvalEvent(next, e.Actor, e.Time)); err != nil {
			return err
		}
	}
	return nil
}

// approvalEvent is the event of an approval having become what it is.
func approvalEvent(a approval.Approval, by audit.Actor, at time.Time) audit.Event {
	e := audit.Event{Time: at, Type: "approval." + string(a.Status), Actor: by, Target: a.ID, Name: a.Sentence, Gateway: a.GatewayID}
	if a.Note != "" {
		e.Detail = map[string]string{"note": a.Note}
	}
	return e
}

// Approval returns the approval with that ID, whoever's it is. It fails with
// fault.NotFound.
func (s *Store) Approval(ctx context.Context, id string) (approval.Approval, error) {
	var a approval.Approval
	ok, err := found(s.db.NewSelect().Model(&a).Where("id = ?", id).Scan(ctx))
	if err == nil && !ok {
		err = noApproval
	}
	return a, translate(err)
}

// JoinableApproval returns the approval that a gateway's request meets at now:
// see approval.Meets. It fails with fault.NotFound.
func (s *Store) JoinableApproval(ctx context.Context, gatewayID, fingerprint string, now time.Time) (approval.Approval, error) {
	a, ok, err := met(ctx, s.db, gatewayID, fingerprint, now)
	if err == nil && (!ok || !a.Meets(now)) {
		return approval.Approval{}, noApproval
	}
	return a, translate(err)
}

// met returns the newest approval for a request that is open, also one whose
// time is over, or that a person has just denied.
func met(ctx context.Context, db bun.IDB, gatewayID, fingerprint string, now time.Time) (a approval.Approval, ok bool, err error) {
	ok, err = found(db.NewSelect().Model(&a).Where("gateway_id = ?", gatewayID).Where("fingerprint = ?", fingerprint).
		Where("(status IN (?) OR (status = ? AND decided_by IS NOT NULL AND decided_at > ?))", bun.List(open), approval.Denied, now.Add(-approval.CoolDown)).
		Order("created_at DESC").Limit(1).Scan(ctx))
	return a, ok, err
}

// Approvals returns the team's approvals, newest first.
func (s *Store) Approvals(ctx context.Context, teamID string, f approval.Filter, after page.Cursor, limit int) ([]approval.Approval, error) {
	var as []approval.Approval
	q := s.db.NewSelect().Model(&as).Where("team_id = ?", teamID).Order("created_at DESC", "id DESC").Limit(int64(limit))
	if len(f.Status) > 0 {
		q.Where("status IN (?)", bun.List(f.Status))
	}
	if f.GatewayID != "" {
		q.Where("gateway_id = ?", f.GatewayID)
	}
	if !after.IsZero() {
		q.Where("(created_at, id) < (?, ?)", after.Time, after.ID)
	}
	return as, translate(q.Scan(ctx))
}

// PendingApprovals counts what waits for a person at now.
func (s *Store) PendingApprovals(ctx context.Context, teamID string, now time.Time) (int, error) {
	n, err := s.db.NewSelect().Model((*approval.Approval)(nil)).Where("team_id = ?", teamID).
		Where("status = ?", approval.Pending).Where("expires_at > ?", now).Count(ctx)
	return int(n), translate(err)
}

// DueApprovals returns open approvals whose time is over at now.
func (s *Store) DueApprovals(ctx context.Context, now time.Time, limit int) ([]approval.Approval, error) {
	var as []approval.Approval
	err := s.db.NewSelect().Model(&as).Where("status IN (?)", bun.List(open)).Where("expires_at <= ?", now).
		Order("expires_at").Limit(int64(limit)).Scan(ctx)
	return as, translate(err)
}
