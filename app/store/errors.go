package store

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/tameflare/tameflare/domain/fault"
)

// translate gives the few driver errors that mean something to callers a
// kind. Faults, and all other errors, pass unchanged.
func translate(err error) error {
	switch {
	case err == nil, fault.Of(err) != fault.Internal:
		return err
	case errors.Is(err, sql.ErrNoRows):
		return fault.New(fault.NotFound, "There is no such record.", err)
	case taken(err):
		return fault.New(fault.Conflict, "That name is taken.", err)
	case dangling(err):
		return fault.New(fault.Conflict, "Something else still refers to this, or what it refers to is gone.", err)
	case busy(err):
		return fault.New(fault.Unavailable, "The database is busy. Try again in a moment.", err)
	}
	return err
}

func taken(err error) bool {
	return postgresCode(err) == "23505" || // unique_violation
		sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE || sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

func dangling(err error) bool {
	return postgresCode(err) == "23503" || sqliteCode(err) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
}

// busy reports whether the same statement may succeed in a moment.
func busy(err error) bool {
	switch postgresCode(err) {
	case "40001", "40P01", "53300", "57P01", "57P03": // serialization, deadlock, too many connections, shutting down, starting up
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	return sqliteCode(err)&0xff == sqlite3.SQLITE_BUSY
}

func postgresCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
