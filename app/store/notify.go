package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const channel = "tameflare"

// Notify tells every server on the same Postgres, this one too.
func (s *Store) Notify(ctx context.Context, text string) error {
	if _, err := s.db.ExecContext(ctx, "SELECT pg_notify(?, ?)", channel, text); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

// Listen calls heard for every Notify until the connection breaks or ctx ends,
// and says why. It calls ready once it listens: what was said before is lost.
func (s *Store) Listen(ctx context.Context, ready func(), heard func(text string)) error {
	c, err := postgresConfig(s.url)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ready()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		heard(n.Payload)
	}
}
