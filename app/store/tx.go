package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/migrations"
)

// tx runs change in a transaction and records e in the team's chain in the
// same one: both are written, or neither. A change of gateways' configuration
// calls raise as well.
//
// The team's lock is taken before the change and not just before the event, so
// that on Postgres, too, a team's changes come one after the other: without
// it, two that touch the same rows in another order could wait for each other
// for ever. SQLite has one writer anyway.
func (s *Store) tx(ctx context.Context, teamID string, e audit.Event, change func(tx bun.Tx) error) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, teamID); err != nil {
			return err
		}
		if err := change(tx); err != nil {
			return err
		}
		return record(ctx, tx, teamID, e)
	})
}

// write runs change in a transaction, and translates what goes wrong. It is
// for what is nobody's decision: a session that was seen, a token that was
// used. Where a person, a gateway or the server changed something, use tx.
func (s *Store) write(ctx context.Context, change func(tx bun.Tx) error) error {
	return translate(s.writer.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return change(tx) }))
}

// lockTeam makes tx the only one that changes what belongs to the team until
// it ends. A transaction that records events of its own calls it first.
func (s *Store) lockTeam(ctx context.Context, tx bun.Tx, teamID string) error {
	if s.dialect != migrations.Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "team "+teamID)
	return err
}

// raise makes the team's revision higher by one. Everything that gateways must
// hear of does so in its own transaction.
func raise(ctx context.Context, tx bun.Tx, teamID string) error {
	res, err := tx.NewUpdate().Table("teams").Set("revision = revision + 1").Where("id = ?", teamID).Exec(ctx)
	return swapped(res, err, fault.New(fault.NotFound, "There is no such team.", nil))
}

// swapped turns an update that found nothing to change into refusal. bun, like
// SQL, calls it a success.
func swapped(res sql.Result, err, refusal error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	switch {
	case err != nil:
		return err
	case n == 0:
		return refusal
	}
	return nil
}

// found tells whether a query found its row.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
