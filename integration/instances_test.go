package integration_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // to look at the servers' connections

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/integration/world"
)

// agent is a process under the gateway, in this process: it saves starting a
// program for each request.
type agent struct {
	http *http.Client
}

func startAgent(t *testing.T, w *world.World) *agent {
	t.Helper()
	to := w.GitHub.Addr()
	if _, err := w.Do(t.Context(), "", "tameflare", "gateway", "up", "--gateway", "agent", "--no-input",
		"--connect-to", "api.github.com:443:"+to+",github.com:443:"+to, "--upstream-ca", w.Path("github-ca.pem")); err != nil {
		t.Fatal(err)
	}
	run, err := w.Gateway("agent").Start(t.Context(), runs.Start{Program: "agent"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.Close)
	root, err := os.ReadFile(run.Door.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: run.Door.Proxy}),
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &agent{http: &http.Client{Transport: transport}}
}

// outcome is how a request of the agent ended, and when.
type outcome struct {
	status int
	body   string
	err    error
	at     time.Time
}

// merge asks for the merge of a pull request, and tells how that ended.
func (a *agent) merge(ctx context.Context, number int) <-chan outcome {
	ended := make(chan outcome, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("https://api.github.com/repos/acme/site/pulls/%d/merge", number), strings.NewReader(`{}`))
		if err != nil {
			ended <- outcome{err: err}
			return
		}
		res, err := a.http.Do(req)
		if err != nil {
			ended <- outcome{err: err, at: time.Now()}
			return
		}
		at := time.Now() // the agent goes on from here
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		ended <- outcome{res.StatusCode, string(body), err, at}
	}()
	return ended
}

// waiting returns the one approval that waits, as server w has it.
func waiting(t *testing.T, w *world.World) world.Approval {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var list struct {
			Items []world.Approval `json:"items"`
		}
		if err := w.API(t.Context(), http.MethodGet, "/approvals?status=pending", "", &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 0 {
			return list.Items[0]
		}
		select {
		case <-t.Context().Done():
			t.Fatal("no request was held")
		case <-tick.C:
		}
	}
}

// TestWhatOneServerHoldsTheOtherApproves has two servers on one Postgres. The
// gateway is linked to the first of them, and people decide at the second.
func TestWhatOneServerHoldsTheOtherApproves(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	one := newWorld(t, database, standard)
	two, err := one.StartTwin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := two.StopServer(); err != nil {
			t.Errorf("the second server: %v\n%s", err, two.ServerLog())
		}
	})
	agent := startAgent(t, one)

	page, err := two.OpenPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	number := 1000
	ended := agent.merge(t.Context(), number)
	if _, err := page.Await(t.Context(), "approvals", "/approvals/cards", "acme/site#1000"); err != nil {
		t.Fatalf("an open page of the other server: %v", err)
	}
	held := waiting(t, two)
	if err := two.API(t.Context(), http.MethodPost, "/approvals/"+held.ID+"/decision", `{"verdict":"deny","reason":"Not today."}`, nil); err != nil {
		t.Fatal(err)
	}
	if got := <-ended; got.status != http.StatusForbidden || !strings.Contains(got.body, "Not today.") {
		t.Errorf("denied at the other server: %d %s, %v", got.status, got.body, got.err)
	}

	round := func() time.Duration {
		number++
		ended := agent.merge(t.Context(), number)
		held := waiting(t, two)
		decided := time.Now()
		if err := two.API(t.Context(), http.MethodPost, "/approvals/"+held.ID+"/decision", `{"verdict":"approve"}`, nil); err != nil {
			t.Fatal(err)
		}
		got := <-ended
		if got.err != nil || got.status != http.StatusOK {
			t.Fatalf("round %d: %d %s, %v", number, got.status, got.body, got.err)
		}
		return got.at.Sub(decided)
	}
	round() // the first makes the connections
	took := make([]time.Duration, 0, 50)
	for range 50 {
		took = append(took, round())
	}
	slices.Sort(took)
	t.Logf("approved at one server, sent on by the other's gateway: p50 %v, p99 %v", took[25], took[49])
	if p90 := took[45]; p90 > 500*time.Millisecond {
		t.Errorf("of 50 rounds 5 took over %v, want 500ms at most", p90)
	}

	// Now the connection breaks on which each server hears of the other.
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var cut int
	if err := db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`).Scan(&cut); err != nil {
		t.Fatal(err)
	}
	if cut != 2 {
		t.Fatalf("cut %d connections that listen, want one of each server", cut)
	}
	first := round()
	t.Logf("right after the cut: %v", first)
	if first > 2*time.Second {
		t.Errorf("right after the cut it took %v", first)
	}
	listening(t, db, 2)
	for range 10 {
		if again := round(); again > 1500*time.Millisecond {
			t.Errorf("after the servers listen again it took %v", again)
		}
	}
}

// listening returns once n connections of the database listen.
func listening(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var have int
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`).Scan(&have); err != nil {
			t.Fatal(err)
		}
		if have >= n {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%d of %d servers listen again", have, n)
		case <-tick.C:
		}
	}
}
