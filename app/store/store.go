// Package store keeps the server's records in SQLite or Postgres. It is the
// only package that imports bun or a driver.
//
// Reads go through s.db, and every change through s.tx, which writes the
// change and the event about it in one transaction, or through s.write where
// nobody did anything worth an event. On SQLite the connections behind s.db
// cannot write, so a change that takes the wrong way fails in its first test.
package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/migrations"
)

// Store keeps records. Its methods are grouped by what they are about, one
// file each. It is safe for use by many goroutines.
type Store struct {
	db      *bun.DB // reads
	writer  *bun.DB // writes: one connection on SQLite, the same pool as db on Postgres
	dialect migrations.Dialect
	url     string // of Postgres; Listen dials it
	lock    *lock  // on SQLite
}

// Open connects to the database that url names ("postgres://…" or
// "sqlite:path") and brings its schema up to date. It fails with
// fault.Conflict where another process has the SQLite file open.
func Open(ctx context.Context, url string) (*Store, error) {
	s, err := connect(url)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := migrations.Apply(ctx, s.writer.DB, s.dialect); err != nil {
		s.Close()
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// Shared reports whether other servers may be using the same database.
func (s *Store) Shared() bool { return s.dialect == migrations.Postgres }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

// Close closes the connections and lets go of the file.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.writer != s.db {
		if werr := s.writer.Close(); err == nil {
			err = werr
		}
	}
	if s.lock != nil {
		s.lock.release()
	}
	return err
}
