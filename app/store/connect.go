package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/tameflare/tameflare/migrations"
)

const (
	postgresConns = 16
	sqliteReaders = 4
)

func connect(url string) (*Store, error) {
	switch scheme, rest, _ := strings.Cut(url, ":"); scheme {
	case "postgres", "postgresql":
		return connectPostgres(url)
	case "sqlite":
		return connectSQLite(rest)
	default:
		return nil, errors.New("the database URL is neither postgres:// nor sqlite: and a path") // the url may hold a password
	}
}

func connectPostgres(url string) (*Store, error) {
	c, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	sqldb := stdlib.OpenDB(*c)
	sqldb.SetMaxOpenConns(postgresConns)
	sqldb.SetMaxIdleConns(postgresConns / 2)
	sqldb.SetConnMaxIdleTime(5 * time.Minute)
	db := bun.NewDB(sqldb, pgdialect.New())
	return &Store{db: db, writer: db, dialect: migrations.Postgres, url: url}, nil
}

func postgresConfig(url string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("database url: not one that Postgres understands") // err quotes the password
	}
	// bun has put the arguments in already, so a statement of its own for
	// each query would only cost a round trip.
	c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	c.RuntimeParams["timezone"] = "UTC"
	c.RuntimeParams["application_name"] = "tameflare-server"
	// Putting the arguments in is safe only while a backslash in a string is
	// a backslash.
	c.RuntimeParams["standard_conforming_strings"] = "on"
	return c, nil
}

func connectSQLite(path string) (*Store, error) {
	l, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	// SQLite makes its other files as private as the first.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		l.release()
		return nil, fmt.Errorf("open database: %w", err)
	}
	f.Close()
	// One connection writes, so that writers queue here, in order, and not in
	// SQLite's busy handler, where four of them kept each other waiting for
	// half a second.
	writer, err := openSQLite(path, 1, "_txlock=immediate")
	if err != nil {
		l.release()
		return nil, err
	}
	reader, err := openSQLite(path, sqliteReaders, "_txlock=deferred&_pragma=query_only(1)")
	if err != nil {
		writer.Close()
		l.release()
		return nil, err
	}
	return &Store{
		db:      bun.NewDB(reader, sqlitedialect.New()),
		writer:  bun.NewDB(writer, sqlitedialect.New()),
		dialect: migrations.SQLite,
		lock:    l,
	}, nil
}

// openSQLite opens a pool. The pragmas ride on the DSN so that every pooled
// connection has them; busy_timeout comes first because switching to WAL may
// wait. synchronous is FULL: a grant that was used, or a token, must not be
// fresh again after the power went.
func openSQLite(path string, conns int, extra string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&" + extra
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}
