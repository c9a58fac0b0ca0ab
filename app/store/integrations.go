package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
)

var noIntegration = fault.New(fault.NotFound, "There is no such integration.", nil)

// Integrations returns the team's integrations, by kind and name.
func (s *Store) Integrations(ctx context.Context, teamID string) ([]integration.Integration, error) {
	var is []integration.Integration
	err := s.db.NewSelect().Model(&is).Where("team_id = ?", teamID).Order("kind", "name").Scan(ctx)
	return is, translate(err)
}

// Integration returns the integration with that ID, whoever's it is. It fails
// with fault.NotFound.
func (s *Store) Integration(ctx context.Context, id string) (integration.Integration, error) {
	var i integration.Integration
	ok, err := found(s.db.NewSelect().Model(&i).Where("id = ?", id).Scan(ctx))
	if err == nil && !ok {
		err = noIntegration
	}
	return i, translate(err)
}

// InsertIntegration adds an integration. It fails with fault.Conflict where
// the team has one of that kind and name, and with fault.Limited where it has
// most already.
func (s *Store) InsertIntegration(ctx context.Context, i integration.Integration, most int, e audit.Event) error {
	return s.tx(ctx, i.TeamID, e, func(tx bun.Tx) error {
		n, err := tx.NewSelect().Model((*integration.Integration)(nil)).Where("team_id = ?", i.TeamID).Count(ctx)
		if err != nil {
			return err
		}
		if int(n) >= most {
			return fault.New(fault.Limited, "There are as many integrations as a team can have. Delete one first.", nil)
		}
		_, err = tx.NewInsert().Model(&i).Exec(ctx)
		return err
	})
}

// UpdateIntegration replaces an integration by its next version, which i is.
// It fails with fault.Conflict where somebody else made that version first.
func (s *Store) UpdateIntegration(ctx context.Context, i integration.Integration, e audit.Event) error {
	return s.tx(ctx, i.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Model(&i).Column("name", "settings", "sealed", "version", "enabled", "problem").
			Where("team_id = ?", i.TeamID).Where("id = ?", i.ID).Where("version = ?", i.Version-1).Exec(ctx)
		return swapped(res, err, fault.New(fault.Conflict, "Somebody else has just changed this integration. Look at it again.", nil))
	})
}

// DisableIntegration switches an integration off, in the version that i is. It
// fails with fault.Conflict where it is off, or not that version any more.
func (s *Store) DisableIntegration(ctx context.Context, i integration.Integration, problem string, e audit.Event) error {
	return s.tx(ctx, i.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewUpdate().Table("integrations").Set("enabled = ?", false).Set("problem = ?", problem).
			Where("id = ?", i.ID).Where("version = ?", i.Version).Where("enabled").Exec(ctx)
		return swapped(res, err, fault.New(fault.Conflict, "This integration is off, or was changed meanwhile.", nil))
	})
}

// DeleteIntegration removes an integration with all that it still had to
// deliver. It fails with fault.NotFound where the team has none such.
func (s *Store) DeleteIntegration(ctx context.Context, teamID, id string, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(tx bun.Tx) error {
		there, err := tx.NewSelect().Table("integrations").Where("team_id = ?", teamID).Where("id = ?", id).Exists(ctx)
		if err != nil {
			return err
		}
		if !there {
			return noIntegration
		}
		for _, q := range []*bun.DeleteQuery{
			tx.NewDelete().Table("outbox").Where("integration = ?", id),
			tx.NewDelete().Table("seen_messages").Where("integration = ?", id),
			tx.NewDelete().Table("integrations").Where("id = ?", id),
		} {
			if _, err := q.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// seldom is how often it is written that an integration still works.
const seldom = 10 * time.Second

// IntegrationDid writes how an integration did at a time: well, where problem
// is "".
func (s *Store) IntegrationDid(ctx context.Context, id string, at time.Time, problem string) error {
	return s.write(ctx, func(tx bun.Tx) error {
		q := tx.NewUpdate().Table("integrations").Where("id = ?", id)
		if problem != "" {
			q.Set("last_error_at = ?", at).Set("last_error = ?", audit.Plain(problem, 500))
		} else {
			q.Set("last_ok_at = ?", at).Where("(last_ok_at IS NULL OR last_ok_at < ? OR last_error_at >= last_ok_at)", at.Add(-seldom))
		}
		_, err := q.Exec(ctx)
		return err
	})
}

// IntegrationRefused counts a message that was not what it claimed to be. Where
// e has a type it is recorded.
func (s *Store) IntegrationRefused(ctx context.Context, i integration.Integration, e audit.Event) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if e.Type != "" {
			if err := s.lockTeam(ctx, tx, i.TeamID); err != nil {
				return err
			}
		}
		if _, err := tx.NewUpdate().Table("integrations").Set("refused = refused + 1").Where("id = ?", i.ID).Exec(ctx); err != nil {
			return err
		}
		if e.Type == "" {
			return nil
		}
		return record(ctx, tx, i.TeamID, e)
	})
}

// SeeMessage writes that a signed message came in. It fails with
// fault.Conflict where it had come before.
func (s *Store) SeeMessage(ctx context.Context, integrationID, nonce string, at time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO seen_messages (integration, nonce, at) VALUES (?, ?, ?)", integrationID, nonce, at)
		if taken(err) {
			return fault.New(fault.Conflict, "This message has come before.", err)
		}
		return err
	})
}

// ForgetMessage removes a message that came in, so that it may come again.
func (s *Store) ForgetMessage(ctx context.Context, integrationID, nonce string) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewDelete().Table("seen_messages").Where("integration = ?", integrationID).Where("nonce = ?", nonce).Exec(ctx)
		return err
	})
}

// ForgetMessages removes what came in before a time.
func (s *Store) ForgetMessages(ctx context.Context, before time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewDelete().Table("seen_messages").Where("at < ?", before).Exec(ctx)
		return err
	})
}
