package approvals_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/app/approvals"
	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/kills"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/domain/wire"
)

// town is a store with a team in it, for one run after the other.
type town struct {
	store  *store.Store
	raw    *sql.DB // for what the store has no method for
	bus    bus.Local
	clock  clock
	people [4]team.Viewer // an owner and three others
	// What they are between two runs.
	nowRoles   [4]team.Role
	nowRelease [4]bool
}

func settle(t testing.TB, url string) *town {
	t.Helper()
	w := &town{store: storetest.OpenURL(t, url), clock: clock{now: audit.Time(time.Now())}}
	driver, at := "pgx", url
	if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, at = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=synchronous(0)"
	}
	var err error
	if w.raw, err = sql.Open(driver, at); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.raw.Close() })
	w.people[0] = storetest.Owner(t, w.store)
	w.nowRoles = [4]team.Role{team.RoleOwner, team.RoleAdmin, team.RoleMember, team.RoleMember}
	for i := 1; i < len(w.people); i++ {
		w.people[i] = storetest.Member(t, w.store, w.people[0], fmt.Sprintf("Person %d", i), w.nowRoles[i])
	}
	w.do(t, fmt.Sprintf("INSERT INTO approver_groups (id, team_id, name, created_at) VALUES ('grp', '%s', 'release', '2026-01-01 00:00:00')", w.people[0].Team.ID))
	return w
}

type failer interface{ Fatalf(string, ...any) }

func (w *town) do(t failer, statement string) {
	if _, err := w.raw.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// world is one run: a gateway, its approvals, and what should become of them.
type world struct {
	*town
	oracle
	desk    *approvals.Service
	kills   *kills.Service
	gw      fleet.Gateway
	on      map[kills.Scope]string // kill switches, by what they stop
	known   []*card                // which the gateway remembers
	seq     int64                  // of the last event that was looked at
	hash    string
	was     map[string][]string // events so far, by approval
	started time.Time
}

var ctx = context.Background()

func (w *town) begin(t failer) *world {
	run := &world{town: w, on: map[kills.Scope]string{}, was: map[string][]string{}, started: w.clock.Now()}
	run.roles, run.release, run.own = w.nowRoles, w.nowRelease, 2
	run.gw = fleet.Gateway{
		ID: "gw_" + strings.ToLower(rand.Text()), TeamID: w.people[0].Team.ID, Name: strings.ToLower(rand.Text()), Status: fleet.Active,
		CreatedAt: run.started, EnrolledAt: run.started, EnrolledBy: w.people[2].User.ID,
	}
	if err := w.store.InsertGateway(ctx, run.gw, audit.Event{Time: run.started, Type: "gateway.created", Actor: w.people[0].Actor(), Target: run.gw.ID}); err != nil {
		t.Fatalf("insert gateway: %v", err)
	}
	last, err := w.store.Events(ctx, run.gw.TeamID, 0, 1)
	if err != nil {
		t.Fatalf("events: %v", err)
	}
	run.seq, run.hash = last[0].Seq, last[0].Hash
	run.restart()
	return run
}

// restart is the server after a crash: nothing is left but the store.
func (w *world) restart() {
	w.desk = &approvals.Service{Store: w.store, Bodies: envelope{}, Bus: &w.bus, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler)}
	w.kills = &kills.Service{Store: w.store, Bus: &w.bus, Now: w.clock.Now}
}

// end leaves the town as the next run wants it, and looks a last time where the
// run was well so far.
func (w *world) end(t failer, ok bool) {
	for scope := range w.on {
		w.lift(t, scope)
	}
	if !w.revoked {
		w.revoke(t)
	}
	if ok {
		w.check(t)
	}
	if now := w.clock.Now(); now.Before(w.started) { // the next run is later
		w.clock.Add(w.started.Sub(now))
	}
	w.clock.Add(24 * time.Hour)
	w.nowRoles, w.nowRelease = w.roles, w.release
}

var terms = []policy.Approvers{
	{}, {}, {Count: 2}, {Role: "admin"}, {Group: "release"}, {NotSelf: true}, {StepUp: true},
	{Count: 2, Group: "release", NotSelf: true}, {Count: 3, StepUp: true},
}

func (w *world) question(t *rapid.T) wire.Ask {
	q := question(rapid.SampledFrom([]byte("aabcd")).Draw(t, "request"))
	q.Approvers = rapid.SampledFrom(terms).Draw(t, "terms")
	q.TTL = rapid.SampledFrom([]time.Duration{30 * time.Second, 10 * time.Minute}).Draw(t, "ttl")
	q.Action.Risk = action.Low
	if q.Fingerprint[0] == 'd' {
		q.Action.Risk = action.Critical
	}
	q.Body, q.BodySize = []byte("{}"), 2
	return q
}

func (w *world) lift(t failer, scope kills.Scope) {
	if err := w.kills.Lift(ctx, w.people[0], w.on[scope]); err != nil {
		t.Fatalf("lift: %v", err)
	}
	delete(w.on, scope)
	w.killed = false
	for s := range w.on {
		w.killed = w.killed || s.Connector != "stripe"
	}
}

func (w *world) revoke(t failer) {
	e := audit.Event{Time: w.clock.Now(), Type: "gateway.revoked", Actor: w.people[0].Actor(), Target: w.gw.ID}
	if err := w.store.RevokeGateway(ctx, w.gw, "The gateway was revoked.", e); err != nil {
		t.Fatalf("revoke: %v", err)
	}
	w.stop(w.clock.Now())
	w.revoked = true
}
