package store

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

var noGateway = fault.New(fault.NotFound, "There is no such gateway.", nil)

// InsertGateway adds g. It fails with fault.Conflict where the team has one of
// that name.
func (s *Store) InsertGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error {
	return s.tx(ctx, g.TeamID, e, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&g).Exec(ctx)
		return named(err, "There is a gateway of that name already.")
	})
}

// named gives a taken name its own sentence.
func named(err error, sentence string) error {
	if taken(err) {
		return fault.New(fault.Conflict, sentence, err)
	}
	return err
}

// Gateways returns the team's gateways, by name.
func (s *Store) Gateways(ctx context.Context, teamID string) ([]fleet.Gateway, error) {
	return gateways(ctx, s.db, teamID)
}

func gateways(ctx context.Context, db bun.IDB, teamID string) ([]fleet.Gateway, error) {
	var gs []fleet.Gateway
	err := db.NewSelect().Model(&gs).Where("team_id = ?", teamID).Order("name", "id").Scan(ctx)
	return gs, translate(err)
}

// Gateway returns the gateway with the given ID, whoever's it is: the caller
// knows it from a certificate or a row. It fails with fault.NotFound.
func (s *Store) Gateway(ctx context.Context, id string) (fleet.Gateway, error) {
	return gateway(ctx, s.db, id)
}

func gateway(ctx context.Context, db bun.IDB, id string) (fleet.Gateway, error) {
	var g fleet.Gateway
	err := db.NewSelect().Model(&g).Where("id = ?", id).Scan(ctx)
	return g, translate(err)
}

// TeamGateway returns the team's gateway with that ID or name; an ID wins. It
// fails with fault.NotFound.
func (s *Store) TeamGateway(ctx context.Context, teamID, idOrName string) (fleet.Gateway, error) {
	var g fleet.Gateway
	err := s.db.NewSelect().Model(&g).Where("team_id = ?", teamID).
		Where("id = ? OR name = ?", idOrName, idOrName).
		OrderExpr("CASE WHEN id = ? THEN 0 ELSE 1 END", idOrName).Limit(1).Scan(ctx)
	if ok, err := found(err); err != nil {
		return g, translate(err)
	} else if !ok {
		return g, noGateway
	}
	return g, nil
}

// UpdateGateway changes the name, environment and enforcement of g, and raises
// the team's revision.
func (s *Store) UpdateGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error {
	return s.tx(ctx, g.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(&g).Column("name", "environment", "enforcement").
			Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Where("status = ?", fleet.Active).Exec(ctx)
		if err := swapped(res, named(err, "There is a gateway of that name already."), noGateway); err != nil {
			return err
		}
		return raise(ctx, tx, g.TeamID)
	})
}

// RevokeGateway revokes g, takes back what people were asked about it or have
// granted it, and raises the team's revision. Its name is free again then, and
// what was configured for it is gone. It fails with fault.Conflict where g is
// revoked already.
func (s *Store) RevokeGateway(ctx context.Context, g fleet.Gateway, note string, e audit.Event) error {
	return s.tx(ctx, g.TeamID, e, func(tx bun.Tx) error { return revokeGateway(ctx, tx, g, note, e) })
}

func revokeGateway(ctx context.Context, tx bun.Tx, g fleet.Gateway, note string, e audit.Event) error {
	res, err := tx.NewUpdate().Model((*fleet.Gateway)(nil)).Set("status = ?", fleet.Revoked).Set("name = ?", retired(g)).
		Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Where("status = ?", fleet.Active).Exec(ctx)
	if err := swapped(res, err, fault.New(fault.Conflict, "This gateway has been revoked already.", nil)); err != nil {
		return err
	}
	if err := unconfigure(ctx, tx, g.ID); err != nil {
		return err
	}
	again, err := repeats(ctx, tx, g.TeamID, g.ID, audit.Time(e.Time))
	if err != nil {
		return err
	}
	if err := endRepeats(ctx, tx, again, note, e); err != nil {
		return err
	}
	waiting, err := openApprovals(ctx, tx, g.TeamID, g.ID)
	if err != nil {
		return err
	}
	if err := cancel(ctx, tx, waiting, note, e); err != nil {
		return err
	}
	return raise(ctx, tx, g.TeamID)
}

// retired is what a revoked gateway is called: no other has that name.
func retired(g fleet.Gateway) string {
	name, id := g.Name, strings.TrimPrefix(g.ID, "gw_")
	return name[:min(len(name), 40)] + ".revoked-" + id[:min(len(id), 10)]
}

// OfferGateway records that somebody was given what g can be enrolled with, and
// that what runs there is theirs, if g says so. It fails with fault.Forbidden
// where the gateway has been revoked.
func (s *Store) OfferGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error {
	return s.tx(ctx, g.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(&g).Column("enrolled_by").
			Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Where("status = ?", fleet.Active).Exec(ctx)
		return swapped(res, err, fault.New(fault.Forbidden, "This gateway has been revoked.", nil))
	})
}

// EnrolGateway notes that a gateway has been given a certificate, and with
// which key its credentials are to be sealed. It fails with fault.Forbidden
// where the gateway has been revoked meanwhile.
func (s *Store) EnrolGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error {
	return s.tx(ctx, g.TeamID, e, func(tx bun.Tx) error {
		g.SnapshotAck = 0 // whoever was acting on one has been replaced
		res, err := tx.NewUpdate().Model(&g).Column("seal_key", "version", "snapshot_ack", "cert_expires", "enrolled_at", "last_seen_at").
			Where("id = ?", g.ID).Where("team_id = ?", g.TeamID).Where("status = ?", fleet.Active).Exec(ctx)
		if err := swapped(res, err, fault.New(fault.Forbidden, "This gateway has been revoked.", nil)); err != nil {
			return err
		}
		return raise(ctx, tx, g.TeamID)
	})
}

// RenewGateway notes when the gateway's newest certificate ends.
func (s *Store) RenewGateway(ctx context.Context, g fleet.Gateway, e audit.Event) error {
	return s.tx(ctx, g.TeamID, e, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model(&g).Column("cert_expires").Where("id = ?", g.ID).Exec(ctx)
		return err
	})
}

// SawGateway notes that a gateway has called, and with which version.
func (s *Store) SawGateway(ctx context.Context, id, version string, at time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*fleet.Gateway)(nil)).Set("last_seen_at = ?", at).Set("version = ?", version).
			Where("id = ?", id).Exec(ctx)
		return err
	})
}

// AcknowledgeSnapshot notes which snapshot a gateway acts on.
func (s *Store) AcknowledgeSnapshot(ctx context.Context, id string, version int64) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*fleet.Gateway)(nil)).Set("snapshot_ack = ?", version).Where("id = ?", id).Exec(ctx)
		return err
	})
}
