// Package storetest opens empty stores for tests.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // for making databases

	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/team"
)

// Each runs test against an empty store of every kind there is. Postgres is
// the server that TEST_POSTGRES_URL names; without it the test fails, since
// half of what it is about would not have been tried.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, Open(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, OpenURL(t, Postgres(t)))
	})
}

// EachURL is Each for a test that opens the store itself, perhaps more than
// once. The database behind url is empty.
func EachURL(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

// Open returns an empty SQLite store, for tests that are not about the store.
func Open(t testing.TB) *store.Store {
	t.Helper()
	bytes, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return OpenURL(t, "sqlite:"+path)
}

// migrated is a database file with every table and nothing in them. Copying it
// takes a hundredth of the time that the migrations take under the race
// detector.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	s, err := store.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil { // which writes the journal into the file
		return nil, err
	}
	return os.ReadFile(path)
})

// OpenURL opens the store at url for as long as the test runs.
func OpenURL(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Postgres creates a database of its own for t, so that tests may run side by
// side, and returns its URL.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		t.Fatal("TEST_POSTGRES_URL is not set. This test needs a PostgreSQL server on which it may create databases: run make test, which starts one.")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is not a URL")
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		defer admin.Close()
		if _, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// Owner adds a team to s and returns its owner. Tests that need another
// team call it again.
func Owner(t testing.TB, s *store.Store) team.Viewer {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	id := strings.ToLower(rand.Text())
	u := team.User{ID: "usr_" + id, Email: id + "@example.org", Name: "Ana " + id[:4], PasswordHash: "none", CreatedAt: now}
	tm := team.Team{ID: "team_" + id, Name: "Team " + id[:4], Revision: 1, DataKey: []byte("none"), CreatedAt: now}
	v := team.Viewer{User: u, Team: tm, Role: team.RoleOwner, Auth: "session", IP: "192.0.2.1"}
	if err := s.InsertTeam(t.Context(), tm, u, audit.Event{Time: now, Type: "team.created", Actor: v.Actor(), Target: tm.ID, Name: tm.Name}); err != nil {
		t.Fatalf("insert team: %v", err)
	}
	return v
}
