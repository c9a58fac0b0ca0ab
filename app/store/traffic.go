package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
)

// TrafficTail returns the last entry of a gateway's chain, without its bytes;
// the zero Sealed where there is none.
func (s *Store) TrafficTail(ctx context.Context, gatewayID string) (audit.Sealed, error) {
	tail, err := trafficTail(ctx, s.db, gatewayID)
	return tail, translate(err)
}

func trafficTail(ctx context.Context, db bun.IDB, gatewayID string) (audit.Sealed, error) {
	var row audit.TrafficRow
	_, err := found(db.NewSelect().Model(&row).ModelTableExpr("traffic AS traffic_row").Column("seq", "hash").
		Where("gateway_id = ?", gatewayID).Order("seq DESC").Limit(1).Scan(ctx))
	return audit.Sealed{Seq: row.Seq, Hash: row.Hash}, err
}

// Traffic returns entries of a gateway's chain, from a place up to and with
// another, in order. It leaves out their bytes unless whole is set.
func (s *Store) Traffic(ctx context.Context, gatewayID string, from, through int64, whole bool) ([]audit.Sealed, error) {
	var rows []audit.TrafficRow
	q := s.db.NewSelect().Model(&rows).ModelTableExpr("traffic AS traffic_row").Column("seq", "hash").
		Where("gateway_id = ?", gatewayID).Where("seq BETWEEN ? AND ?", from, through).Order("seq")
	if whole {
		q.Column("entry")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, translate(err)
	}
	sealed := make([]audit.Sealed, len(rows))
	for i, r := range rows {
		sealed[i] = audit.Sealed{Seq: r.Seq, Hash: r.Hash, Entry: r.Entry}
	}
	return sealed, nil
}

// Upload is a piece of a gateway's chain, and what follows from it.
type Upload struct {
	TeamID, GatewayID string
	After             audit.Sealed // the tail that it continues
	Entries           []audit.TrafficRow
	Requests          []audit.Request      // new, or instead of the row of that ID
	Credentials       map[string]time.Time // when each was used last
	Upstream          map[string]int       // by approval: the status that its request got
	Now               time.Time            // when it arrived
	First             time.Time            // of the first request, where there is one
	Alerts            []AlertStep          // what its requests have raised
}

const bulk = 500 // rows in a statement

// AppendTraffic stores an upload; either all of it or nothing. It fails with
// fault.Conflict where the chain does not end any more where the upload
// begins.
func (s *Store) AppendTraffic(ctx context.Context, u Upload) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if len(u.Alerts) > 0 { // they end in the team's chain
			if err := s.lockTeam(ctx, tx, u.TeamID); err != nil {
				return err
			}
		}
		tail, err := trafficTail(ctx, tx, u.GatewayID)
		if err != nil {
			return err
		}
		if tail.Seq != u.After.Seq || tail.Hash != u.After.Hash {
			return fault.New(fault.Conflict, "These entries have been sent already.", nil)
		}
		for rows := range slices.Chunk(u.Entries, bulk) {
			if _, err := tx.NewInsert().Model(&rows).ModelTableExpr("traffic").Exec(ctx); err != nil {
				return err
			}
		}
		for rows := range slices.Chunk(u.Requests, bulk) {
			if err := putRequests(ctx, tx, rows); err != nil {
				return err
			}
		}
		if err := raiseAlerts(ctx, tx, u.Alerts); err != nil {
			return err
		}
		return u.follow(ctx, tx)
	})
}

// follow writes what an upload says about other rows. Each of them is looked
// for only among what is the gateway's, or its team's, own.
func (u Upload) follow(ctx context.Context, tx bun.Tx) error {
	if !u.First.IsZero() {
		if _, err := tx.NewUpdate().Model((*fleet.Gateway)(nil)).Set("first_seen_at = ?", u.First).
			Where("id = ?", u.GatewayID).Where("first_seen_at IS NULL").Exec(ctx); err != nil {
			return err
		}
	}
	// In order, so that two uploads never wait for each other.
	for _, id := range slices.Sorted(maps.Keys(u.Credentials)) {
		at := u.Credentials[id]
		if _, err := tx.NewUpdate().Model((*fleet.Credential)(nil)).Set("last_used_at = ?", at).
			Where("id = ?", id).Where("team_id = ?", u.TeamID).
			Where("last_used_at IS NULL OR last_used_at < ?", at).Exec(ctx); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(u.Upstream)) {
		if err := u.answered(ctx, tx, id, u.Upstream[id]); err != nil {
			return err
		}
	}
	return nil
}

// answered writes which status the request of an approval got, and tells those
// outside who show the approval. The status itself stands in the gateway's
// chain.
func (u Upload) answered(ctx context.Context, tx bun.Tx, id string, status int) error {
	res, err := tx.NewUpdate().Model((*approval.Approval)(nil)).Set("upstream = ?", status).Set("seq = seq + 1").
		Where("id = ?", id).Where("gateway_id = ?", u.GatewayID).Where("status = ?", approval.Executed).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // it is not this gateway's, or was not approved
	}
	var a approval.Approval
	if err := tx.NewSelect().Model(&a).Where("id = ?", id).Scan(ctx); err != nil {
		return err
	}
	return tellOf(ctx, tx, a, audit.Event{Time: u.Now, Type: approval.Sent})
}
