package approvals_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/page"
)

const (
	perCheck = 100 // runs that rapid makes of a check
	perTown  = 5   // checks in one database, so that none grows old
)

// models is how many runs there are on a database. APPROVAL_MODELS says it for
// SQLite; Postgres has a tenth of them.
func models(t *testing.T, postgres bool) int {
	n := 30 // under the race detector a run takes a second
	if s := os.Getenv("APPROVAL_MODELS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("APPROVAL_MODELS: %v", err)
		}
	}
	if postgres {
		n /= 10
	}
	return max((n+perCheck-1)/perCheck, 1)
}

// Whatever happens in whatever order, an action is sent at most once for a
// grant and never without one, and every end is on record.
func TestApprovalsKeepTheirPromises(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + t.TempDir() + "/test.db" },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checks := models(t, name == "postgres")
			for first := 0; first < checks; first += perTown {
				t.Run(strconv.Itoa(first*perCheck), func(t *testing.T) {
					t.Parallel()
					w := settle(t, open(t))
					for range min(perTown, checks-first) {
						rapid.Check(t, func(rt *rapid.T) {
							run := w.begin(rt)
							defer func() { run.end(rt, !rt.Failed()) }()
							rt.Repeat(run.steps())
						})
					}
				})
			}
		})
	}
}

// life is what can be recorded of an approval, in order.
var life = regexp.MustCompile(`^opened( agreed)*( denied| expired| cancelled| approved( repeat_ended)?( executed| unused| cancelled)?( repeat_ended)?)?$`)

// check compares what is stored with what the oracle says.
func (w *world) check(t failer) {
	list, err := w.store.Approvals(context.Background(), w.gw.TeamID, approval.Filter{GatewayID: w.gw.ID}, page.Cursor{}, 1000)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	if len(list) != len(w.cards) {
		t.Fatalf("%d approvals, want %d", len(list), len(w.cards))
	}
	stored := make(map[string]approval.Approval, len(list))
	open := map[string]string{}
	for _, a := range list {
		stored[a.ID] = a
		if !a.Status.Final() {
			if open[a.Fingerprint] != "" {
				t.Fatalf("%s and %s are open for the same request", a.ID, open[a.Fingerprint])
			}
			open[a.Fingerprint] = a.ID
		}
	}
	for _, c := range w.cards {
		a := stored[c.id]
		by := ""
		if c.by >= 0 {
			by = w.people[c.by].User.ID
		}
		if a.Status != c.status || a.DecidedBy != by || len(a.Agreed) != len(c.agreed) || !a.RepeatUntil.Equal(c.until) || !a.ExpiresAt.Equal(c.expires) || a.Repeats != c.repeats {
			t.Fatalf("%s is %s by %q with %d votes, until %v, ends %v; want %s by %q with %d votes, until %v, ends %v",
				c.id, a.Status, a.DecidedBy, len(a.Agreed), a.RepeatUntil, a.ExpiresAt, c.status, by, len(c.agreed), c.until, c.expires)
		}
	}
	w.checkEvents(t)
	w.checkBodies(t)
}

func (w *world) checkEvents(t failer) {
	fresh, err := w.store.EventChain(context.Background(), w.gw.TeamID, w.seq, 1000)
	if err != nil {
		t.Fatalf("events: %v", err)
	}
	if len(fresh) == 0 {
		return
	}
	if err := audit.Verify(w.seq, w.hash, fresh); err != nil {
		t.Fatalf("the chain: %v", err)
	}
	last := fresh[len(fresh)-1]
	w.seq, w.hash = last.Seq, last.Hash
	for _, e := range fresh {
		ev, err := (audit.EventRow{Entry: e.Entry}).Event()
		if err != nil {
			t.Fatalf("event: %v", err)
		}
		if ev.Gateway == w.gw.ID && strings.HasPrefix(ev.Type, "approval.") {
			w.was[ev.Target] = append(w.was[ev.Target], ev.Type)
		}
	}
	for _, c := range w.cards {
		got := w.was[c.id]
		if !slices.Equal(got, c.events) {
			t.Fatalf("%s: recorded %v, want %v", c.id, got, c.events)
		}
		if told := strings.ReplaceAll(strings.Join(got, " "), "approval.", ""); !life.MatchString(told) {
			t.Fatalf("%s: no approval lives like that: %s", c.id, told)
		}
	}
}

// checkBodies looks for bodies that are kept too long, or not long enough.
func (w *world) checkBodies(t failer) {
	rows, err := w.raw.QueryContext(context.Background(), "SELECT b.approval_id FROM approval_bodies AS b JOIN approvals AS a ON a.id = b.approval_id WHERE a.gateway_id = '"+w.gw.ID+"'")
	if err != nil {
		t.Fatalf("bodies: %v", err)
	}
	defer rows.Close()
	kept := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatalf("bodies: %v", err)
		}
		kept[id] = true
	}
	for _, c := range w.cards {
		if want := c.open() && c.repeats == ""; kept[c.id] != want {
			t.Fatalf("%s is %s, and its body kept: %v, want %v", c.id, c.status, kept[c.id], want)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("bodies: %v", err)
	}
}
