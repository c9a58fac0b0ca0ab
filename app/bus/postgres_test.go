package bus_test

import (
	"context"
	"database/sql"
	"log/slog"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // for breaking connections

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store/storetest"
)

const patience = 20 * time.Second

// server is one of several on the same database.
func server(t *testing.T, url string) *bus.Postgres {
	t.Helper()
	b := bus.NewPostgres(storetest.OpenURL(t, url), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	ready, stop := b.Subscribe("any") // rung once it listens
	defer stop()
	go func() { done <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	wait(t, ready, "listening")
	return b
}

func wait(t *testing.T, rung <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-rung:
	case <-time.After(patience):
		t.Fatalf("%s: nothing heard", what)
	}
}

func TestRingReachesOtherServers(t *testing.T) {
	t.Parallel()

	url := storetest.Postgres(t)
	one, two := server(t, url), server(t, url)
	here, stop1 := one.Subscribe("a")
	there, stop2 := two.Subscribe("a")
	defer stop1()
	defer stop2()
	one.Publish(t.Context(), "a")
	wait(t, here, "here")
	wait(t, there, "there")
}

// While the connection is broken rings are lost. Whoever waits is rung when
// there is another, and what they read then is what counts.
func TestBrokenConnectionRingsEverybody(t *testing.T) {
	t.Parallel()

	url := storetest.Postgres(t)
	one, two := server(t, url), server(t, url)
	rung, stop := two.Subscribe("a")
	defer stop()

	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// A row stands for what a lost ring is about: the ring may go, the row stays.
	for _, statement := range []string{
		"CREATE TABLE news (text TEXT)",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
		"INSERT INTO news VALUES ('in the gap')",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	one.Publish(t.Context(), "another topic") // while two may not be listening

	wait(t, rung, "after the break") // although nobody published a
	var text string
	if err := db.QueryRowContext(t.Context(), "SELECT text FROM news").Scan(&text); err != nil || text != "in the gap" {
		t.Errorf("reading again: %q, %v", text, err)
	}

	one.Publish(t.Context(), "a")
	wait(t, rung, "on the new connection")
}
