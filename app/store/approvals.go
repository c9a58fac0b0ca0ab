package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
)

var (
	open       = []approval.Status{approval.Pending, approval.Approved}
	noApproval = fault.New(fault.NotFound, "There is no such approval.", nil)
)

// Asked is an approval that a gateway asks for.
type Asked struct {
	Approval approval.Approval
	Body     []byte // the beginning of its body, sealed; nil where there is none
	Whole    bool   // there is no more of the body
}

// OpenApproval returns the approval that a request of q's gateway and
// fingerprint meets, and otherwise adds what admit makes of it, with admit's
// events; joined says which. Where the same request was approved for a while
// admit is told of that, and may return a grant. An open one whose time is over
// gives way. The body is kept where the approval is pending.
func (s *Store) OpenApproval(ctx context.Context, q Asked, admit func(Standing) (approval.Approval, []audit.Event, error)) (got approval.Approval, joined bool, err error) {
	a := q.Approval
	err = s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, a.TeamID); err != nil {
			return err
		}
		there, ok, err := met(ctx, tx, a.GatewayID, a.Fingerprint, a.CreatedAt)
		if err != nil {
			return err
		}
		if ok && there.Meets(a.CreatedAt) {
			got, joined = there, true
			return nil
		}
		st, err := asked(ctx, tx, a)
		if err != nil {
			return err
		}
		next, events, err := admit(st)
		if err != nil {
			return err
		}
		if ok {
			lapsed, _ := there.Lapse(a.CreatedAt)
			if err := swap(ctx, tx, there, lapsed, lapsed.Event(audit.System(), a.CreatedAt)); err != nil {
				return err
			}
		}
		if _, err := tx.NewInsert().Model(&next).Exec(ctx); err != nil {
			return err
		}
		if next.Status == approval.Pending && q.Body != nil {
			if err := insertBody(ctx, tx, next, q); err != nil {
				return err
			}
		}
		got = next
		for i, e := range events {
			told := next
			told.Seq -= int64(len(events) - 1 - i)
			if err := tellOf(ctx, tx, told, e); err != nil {
				return err
			}
			if err := record(ctx, tx, a.TeamID, e); err != nil {
				return err
			}
		}
		return nil
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

// swap writes next over was, if was is still there, and records e. What
// follows from the change itself comes with it: a body is kept no longer than
// its approval is open, and a denial ends what was approved for a while.
func swap(ctx context.Context, tx bun.Tx, was, next approval.Approval, e audit.Event) error {
	res, err := tx.NewUpdate().Model(&next).
		Column("status", "expires_at", "decided_by", "decider_name", "channel", "note", "decided_at", "ended_at", "seq", "agreed", "repeat_until", "auth").
		Where("id = ?", was.ID).Where("status = ?", was.Status).Where("seq = ?", was.Seq).Exec(ctx)
	if err := swapped(res, err, fault.New(fault.Conflict, "Someone else has decided this.", nil)); err != nil {
		return err
	}
	if next.Status.Final() {
		if err := deleteBody(ctx, tx, next.ID); err != nil {
			return err
		}
	}
	if err := tellOf(ctx, tx, next, e); err != nil {
		return err
	}
	if err := record(ctx, tx, next.TeamID, e); err != nil {
		return err
	}
	if next.Status == approval.Denied {
		return endRepeatsOf(ctx, tx, next, e)
	}
	return nil
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
		if err := swap(ctx, tx, was, next, next.Event(e.Actor, e.Time)); err != nil {
			return err
		}
	}
	return nil
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
