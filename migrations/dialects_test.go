package migrations_test

import (
	"database/sql"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/migrations"
)

// schema is table.column → whether it may be NULL.
func schema(t *testing.T, db *sql.DB, query string) map[string]bool {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var name string
		var nullable bool
		if err := rows.Scan(&name, &nullable); err != nil {
			t.Fatal(err)
		}
		out[name] = nullable
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func connect(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// One code runs on both, so both have the same columns, and the same of them
// may be empty.
func TestDialectsEndAtTheSameSchema(t *testing.T) {
	t.Parallel()

	lite := connect(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "test.db"))
	if err := migrations.Apply(t.Context(), lite, migrations.SQLite); err != nil {
		t.Fatal(err)
	}
	pg := connect(t, "pgx", storetest.Postgres(t))
	if err := migrations.Apply(t.Context(), pg, migrations.Postgres); err != nil {
		t.Fatal(err)
	}
	// SQLite does not call a key's column NOT NULL where the key says it.
	got := schema(t, lite, `SELECT m.name || '.' || c.name, c."notnull" = 0 AND c.pk = 0
		FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%'`)
	want := schema(t, pg, `SELECT table_name || '.' || column_name, is_nullable = 'YES'
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'`)
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 100 {
		t.Errorf("%d columns; -postgres +sqlite\n%s", len(got), diff)
	}
	indexes := func(db *sql.DB, query string) map[string]bool { return schema(t, db, query) }
	got = indexes(lite, "SELECT name, sql LIKE 'CREATE UNIQUE%' FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
	want = indexes(pg, `SELECT indexname, indexdef LIKE 'CREATE UNIQUE%' FROM pg_indexes i
		WHERE schemaname = 'public' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = i.indexname)`)
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Errorf("%d indexes; -postgres +sqlite\n%s", len(got), diff)
	}
}

// Several servers start at once on a fresh Postgres.
func TestManyMigrateAtOnce(t *testing.T) {
	t.Parallel()

	url := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		db := connect(t, "pgx", url)
		wg.Go(func() {
			if err := migrations.Apply(t.Context(), db, migrations.Postgres); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
