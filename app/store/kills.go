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
)

// Kills returns the team's kill switches that are on, the newest first.
func (s *Store) Kills(ctx context.Context, teamID string) ([]fleet.Kill, error) {
	ks, err := activeKills(ctx, s.db, teamID)
	return ks, translate(err)
}

func activeKills(ctx context.Context, db bun.IDB, teamID string) ([]fleet.Kill, error) {
	var ks []fleet.Kill
	err := db.NewSelect().Model(&ks).Where("team_id = ?", teamID).Where("lifted_at IS NULL").Order("pulled_at DESC", "id").Scan(ctx)
	return ks, err
}

// Pull turns a kill switch on: in one transaction the kill is there, the
// revision is raised, and what it stops and was open is cancelled. Where
// whoever pulls has pulled the same one already, that one is returned, and
// nothing changes. May is asked inside, with the role that userID has by then;
// without userID it is not asked.
func (s *Store) Pull(ctx context.Context, k fleet.Kill, userID string, may func(Standing) error, e audit.Event) (fleet.Kill, error) {
	err := s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, k.TeamID); err != nil {
			return err
		}
		if userID != "" {
			r, err := role(ctx, tx, k.TeamID, userID)
			if err != nil {
				return err
			}
			if err := may(Standing{Role: r}); err != nil {
				return err
			}
		}
		if k.GatewayID != "" {
			g, err := gateway(ctx, tx, k.GatewayID)
			if ok, err := found(err); err != nil {
				return err
			} else if !ok || g.TeamID != k.TeamID {
				return noGateway
			}
		}
		kills, err := activeKills(ctx, tx, k.TeamID)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(kills, func(o fleet.Kill) bool {
			return o.GatewayID == k.GatewayID && o.Connector == k.Connector && fromMachine(o) == fromMachine(k)
		}); i >= 0 {
			k = kills[i]
			return nil
		}
		if _, err := tx.NewInsert().Model(&k).Exec(ctx); err != nil {
			return err
		}
		if err := record(ctx, tx, k.TeamID, e); err != nil {
			return err
		}
		if err := cancelStopped(ctx, tx, k, e); err != nil {
			return err
		}
		return raise(ctx, tx, k.TeamID)
	})
	return k, err
}

// fromMachine reports whether k was pulled at a gateway. People's switches and
// a machine's are kept apart: lifting one does not lift the other.
func fromMachine(k fleet.Kill) bool { return k.PulledBy == "gateway:"+k.GatewayID }

// cancelStopped takes back what k stops of what is open, and of what counts
// for later requests.
func cancelStopped(ctx context.Context, tx bun.Tx, k fleet.Kill, e audit.Event) error {
	note := "The kill switch was pulled: " + k.Reason
	again, err := repeats(ctx, tx, k.TeamID, k.GatewayID, audit.Time(e.Time))
	if err != nil {
		return err
	}
	if again, err = stopped(ctx, tx, k, again); err != nil {
		return err
	}
	if err := endRepeats(ctx, tx, again, note, e); err != nil {
		return err
	}
	as, err := openApprovals(ctx, tx, k.TeamID, k.GatewayID)
	if err != nil {
		return err
	}
	if as, err = stopped(ctx, tx, k, as); err != nil {
		return err
	}
	return cancel(ctx, tx, as, note, e)
}

// stopped are those of as that k stops.
func stopped(ctx context.Context, tx bun.Tx, k fleet.Kill, as []approval.Approval) ([]approval.Approval, error) {
	var gatewayIDs []string
	for _, a := range as {
		gatewayIDs = append(gatewayIDs, a.GatewayID)
	}
	slices.Sort(gatewayIDs)
	cs, err := connectors(ctx, tx, slices.Compact(gatewayIDs)...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(as, func(a approval.Approval) bool { return !stops(a, cs)(k) }), nil
}

// Lift turns a kill switch off and raises the revision. It fails with
// fault.NotFound where the team has none of that ID, and with fault.Conflict
// where somebody has lifted it.
func (s *Store) Lift(ctx context.Context, teamID, id, by string, at time.Time, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		ours, err := tx.NewSelect().Model((*fleet.Kill)(nil)).Where("id = ?", id).Where("team_id = ?", teamID).Exists(ctx)
		if err != nil {
			return err
		}
		if !ours {
			return fault.New(fault.NotFound, "There is no such kill switch.", nil)
		}
		res, err := tx.NewUpdate().Model((*fleet.Kill)(nil)).Set("lifted_by = ?", by).Set("lifted_at = ?", at).
			Where("id = ?", id).Where("lifted_at IS NULL").Exec(ctx)
		if err := swapped(res, err, fault.New(fault.Conflict, "Somebody has lifted this kill switch already.", nil)); err != nil {
			return err
		}
		return raise(ctx, tx, teamID)
	})
}
