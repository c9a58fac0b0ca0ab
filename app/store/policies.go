package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// PolicyStep adds a policy, makes its next version, or removes it; then
// Version is of no interest, since those that were made stay.
type PolicyStep struct {
	Policy  fleet.Policy
	Version fleet.PolicyVersion
	New     bool
	Event   audit.Event
}

var noPolicy = fault.New(fault.NotFound, "There is no such policy.", nil)

// Policies returns the team's policies, those that are named first in front.
func (s *Store) Policies(ctx context.Context, teamID string) ([]fleet.Policy, error) {
	var all []fleet.Policy
	err := s.db.NewSelect().Model(&all).Where("team_id = ?", teamID).Order("priority", "name").Scan(ctx)
	return all, translate(err)
}

// enabledPolicies are those that gateways hear of, without their documents.
func enabledPolicies(ctx context.Context, db bun.IDB, teamID string) ([]fleet.Policy, error) {
	var all []fleet.Policy
	err := db.NewSelect().Model(&all).ExcludeColumn("document").Where("team_id = ?", teamID).Where("enabled").Order("priority", "name").Scan(ctx)
	return all, err
}

// Policy returns the team's policy of that ID or name; an ID wins. It fails
// with fault.NotFound.
func (s *Store) Policy(ctx context.Context, teamID, idOrName string) (fleet.Policy, error) {
	var p fleet.Policy
	ok, err := found(s.db.NewSelect().Model(&p).Where("team_id = ?", teamID).
		Where("id = ? OR name = ?", idOrName, idOrName).
		OrderExpr("CASE WHEN id = ? THEN 0 ELSE 1 END", idOrName).Limit(1).Scan(ctx))
	if err == nil && !ok {
		err = noPolicy
	}
	return p, translate(err)
}

// PolicyVersions returns how a policy of the team has been, newest first; also
// of one that has been deleted.
func (s *Store) PolicyVersions(ctx context.Context, teamID, id string) ([]fleet.PolicyVersion, error) {
	var all []fleet.PolicyVersion
	err := s.db.NewSelect().Model(&all).Where("team_id = ?", teamID).Where("policy_id = ?", id).Order("version DESC").Scan(ctx)
	return all, translate(err)
}

// PolicyVersion returns a policy as it was in its nth version. It fails with
// fault.NotFound.
func (s *Store) PolicyVersion(ctx context.Context, teamID, id string, n int64) (fleet.PolicyVersion, error) {
	var v fleet.PolicyVersion
	ok, err := found(s.db.NewSelect().Model(&v).Where("team_id = ?", teamID).Where("policy_id = ?", id).Where("version = ?", n).Scan(ctx))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "The policy has no such version.", nil)
	}
	return v, translate(err)
}

// putPolicy writes a policy and its version, unless somebody else has made
// that version, or the policy asks for a group that there is not.
func putPolicy(ctx context.Context, tx bun.Tx, step PolicyStep) error {
	p := step.Policy
	groups, err := groupsOf(p)
	if err == nil {
		err = wanted(ctx, tx, p.TeamID, groups, "the policy "+p.Name)
	}
	if err != nil {
		return err
	}
	if step.New {
		if _, err := tx.NewInsert().Model(&p).Exec(ctx); err != nil {
			return policyNamed(err)
		}
	} else {
		res, err := tx.NewUpdate().Model(&p).
			Column("name", "enabled", "report_only", "priority", "version", "document", "compiled", "updated_at").
			Where("id = ?", p.ID).Where("team_id = ?", p.TeamID).Where("version = ?", p.Version-1).Exec(ctx)
		if err := swapped(res, policyNamed(err), policyMoved(p)); err != nil {
			return err
		}
	}
	v := step.Version
	_, err = tx.NewInsert().Model(&v).Exec(ctx)
	return err
}

func policyNamed(err error) error { return named(err, "There is a policy of that name already.") }

func policyMoved(p fleet.Policy) error {
	return fault.New(fault.Conflict, "Somebody has just changed the policy "+p.Name+". Look at it again.", nil)
}

// forgetPolicy removes a policy in the version that it is taken to have, and
// keeps its versions. Its name is free again then.
func forgetPolicy(ctx context.Context, tx bun.Tx, p fleet.Policy) error {
	res, err := tx.NewDelete().Model((*fleet.Policy)(nil)).
		Where("id = ?", p.ID).Where("team_id = ?", p.TeamID).Where("version = ?", p.Version).Exec(ctx)
	return swapped(res, err, policyMoved(p))
}
