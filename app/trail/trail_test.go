package trail_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/bus"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/app/trail"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/team"
)

type fixture struct {
	*trail.Service
	store *store.Store
	bus   *bus.Local
	owner team.Viewer
	gw    fleet.Gateway
}

func open(t testing.TB, s *store.Store) fixture {
	t.Helper()
	b := new(bus.Local)
	owner := storetest.Owner(t, s)
	return fixture{
		&trail.Service{Store: s, Bus: b, Now: time.Now, Log: slog.New(slog.DiscardHandler)},
		s, b, owner, storetest.Gateway(t, s, owner, "deploy-bot"),
	}
}

func each(t *testing.T, test func(t *testing.T, f fixture)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { test(t, open(t, s)) })
}

// chain is what a gateway writes.
type chain struct {
	seq  int64
	hash string
}

func (c *chain) seal(entries ...[]byte) []audit.Sealed {
	out := make([]audit.Sealed, len(entries))
	for i, b := range entries {
		c.seq++
		c.hash = audit.Link(c.seq, c.hash, b)
		out[i] = audit.Sealed{Seq: c.seq, Hash: c.hash, Entry: b}
	}
	return out
}

func (c *chain) traffic(ts ...audit.Traffic) []audit.Sealed {
	entries := make([][]byte, len(ts))
	for i, t := range ts {
		entries[i] = t.Bytes()
	}
	return c.seal(entries...)
}

func intent(id string) audit.Traffic {
	return audit.Traffic{
		Time: time.Now(), Step: audit.Intent, Request: "req_" + id, Run: "run_1", Method: "GET", Scheme: "https", Host: "api.github.com",
		Path: "/repos/acme/site", Proto: "h2", Decision: "allow", By: "rule", Rule: "rule_1", Snapshot: 3,
		Action: action.Action{Connector: "github", Name: "github.repo.get", Class: action.Read, Risk: action.Low, Resource: "acme/site"},
	}
}

func outcome(id string, status int) audit.Traffic {
	return audit.Traffic{Time: time.Now(), Step: audit.Outcome, Request: "req_" + id, Status: status, Received: 17, TotalMS: 12, UpstreamMS: 11}
}

func (f fixture) append(t *testing.T, entries []audit.Sealed, through int64) {
	t.Helper()
	answer, err := f.Append(t.Context(), f.gw, entries)
	if err != nil || answer.Through != through || answer.Expected != 0 {
		t.Fatalf("append: %+v, %v, want through %d", answer, err, through)
	}
}

func (f fixture) request(t *testing.T, id string) audit.Request {
	t.Helper()
	r, err := f.Request(t.Context(), f.owner.Team.ID, "req_"+id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestIntentAndOutcomeMakeOneRequest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		rung, stop := f.bus.Subscribe(bus.Traffic(f.gw.TeamID))
		defer stop()
		f.append(t, c.traffic(intent("aaaa"), outcome("aaaa", 200), intent("bbbb")), 3)
		select {
		case <-rung:
		default:
			t.Error("nobody was told")
		}
		if r := f.request(t, "aaaa"); r.Step != audit.Outcome || r.Status != 200 || r.Action != "github.repo.get" || r.Decision != "allow" || r.Received != 17 || r.Class != "read" {
			t.Errorf("both in one batch: %+v", r)
		}
		if r := f.request(t, "bbbb"); r.Step != audit.Intent || r.Status != 0 {
			t.Errorf("the intent alone: %+v", r)
		}
		f.append(t, c.traffic(outcome("bbbb", 404)), 4)
		if r := f.request(t, "bbbb"); r.Step != audit.Outcome || r.Status != 404 || r.Host != "api.github.com" || r.Seq != 4 || r.Snapshot != 3 {
			t.Errorf("the outcome in a later batch: %+v", r)
		}
		g, err := f.store.Gateway(t.Context(), f.gw.ID)
		if err != nil || g.FirstSeenAt.IsZero() {
			t.Errorf("the gateway's first request is not noted: %+v, %v", g, err)
		}
	})
}

func TestEntriesArriveOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		all := c.traffic(intent("aaaa"), outcome("aaaa", 200), intent("bbbb"), outcome("bbbb", 200), intent("cccc"))
		f.append(t, all[:2], 2)
		f.append(t, all[:2], 2)
		f.append(t, all[1:4], 4)
		f.append(t, nil, 4)
		answer, err := f.Append(t.Context(), f.gw, c.traffic(outcome("cccc", 200)))
		if err != nil || answer.Through != 4 || answer.Expected != 5 {
			t.Errorf("a gap: %+v, %v, want 5 to be expected", answer, err)
		}
		f.append(t, all[4:], 5)
		stored, err := f.store.Traffic(t.Context(), f.gw.ID, 1, 10, true)
		if err != nil || len(stored) != 5 {
			t.Fatalf("%d stored, %v, want 5", len(stored), err)
		}
		if err := audit.Verify(0, "", stored); err != nil {
			t.Error(err)
		}
		if rs, _, err := f.Requests(t.Context(), f.owner.Team.ID, trail.Filter{}, trail.Cursor{}, 0); err != nil || len(rs) != 3 {
			t.Errorf("%d requests, %v, want 3", len(rs), err)
		}
	})
}

func TestSameBatchManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		all := c.traffic(intent("aaaa"), outcome("aaaa", 200), intent("bbbb"))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				answer, err := f.Append(t.Context(), f.gw, all)
				if err != nil && fault.Of(err) != fault.Unavailable || err == nil && answer.Through != 3 {
					t.Errorf("append: %+v, %v", answer, err)
				}
			})
		}
		wg.Wait()
		if stored, err := f.store.Traffic(t.Context(), f.gw.ID, 1, 10, true); err != nil || len(stored) != 3 {
			t.Errorf("%d stored, %v, want 3", len(stored), err)
		}
	})
}

func TestChangedEntriesAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c, forged chain
		f.append(t, c.traffic(intent("aaaa"), outcome("aaaa", 200)), 2)
		if _, err := f.Append(t.Context(), f.gw, forged.traffic(intent("zzzz"))); fault.Of(err) != fault.Conflict {
			t.Errorf("another entry under a stored number: %v, want a conflict", err)
		}
		next := c.traffic(intent("bbbb"), outcome("bbbb", 200))
		for name, change := range map[string]func(e []audit.Sealed){
			"a changed byte":   func(e []audit.Sealed) { e[0].Entry = bytes.Replace(e[0].Entry, []byte("allow"), []byte("denyy"), 1) },
			"a changed hash":   func(e []audit.Sealed) { e[1].Hash = strings.Repeat("0", 64) },
			"no hash":          func(e []audit.Sealed) { e[1].Hash = "" },
			"two swapped":      func(e []audit.Sealed) { e[0], e[1] = e[1], e[0] },
			"a number skipped": func(e []audit.Sealed) { e[1].Seq++ },
			"a number of zero": func(e []audit.Sealed) { e[0].Seq, e[1].Seq = 0, 1 },
		} {
			batch := append([]audit.Sealed(nil), next...)
			change(batch)
			if _, err := f.Append(t.Context(), f.gw, batch); fault.Of(err) != fault.Invalid {
				t.Errorf("%s: %v, want invalid", name, err)
			}
		}
		f.append(t, next, 4)
	})
}

// What a gateway may send is bounded only by what is JSON. Whatever it is, the
// chain goes on, and what other gateways have recorded stays as it is.
func TestHostileEntriesBreakNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var mine chain
		f.append(t, mine.traffic(intent("mine")), 1)
		other := f
		other.gw = storetest.Gateway(t, f.store, f.owner, "hostile-bot")
		var c chain
		raw := []string{
			`null`, `[]`, `"x"`, `{}`, `{"time":"never"}`, `{"step":"intent"}`, `{"step":"intent","request":"req_"}`,
			`{"step":"intent","request":"` + strings.Repeat("x", 5000) + `"}`,
			`{"time":"9999-12-31T23:59:59Z","step":"intent","request":"req_late"}`,
			`{"time":"0001-01-01T00:00:00Z","step":"refused","request":"req_early","decision":"\u0000"}`,
			`{"step":"intent","request":"req_nulls","host":"a\u0000b","path":"\u0000","action":{"action":"x\u0000","resource":"\ud800"}}`,
			`{"step":"intent","request":"req_newer","action":{"action":"x","class":"nuclear"}}`,
			`{"step":"outcome","request":"req_mine","status":500,"error":"not yours"}`,
			`{"step":"outcome","request":"req_alone","status":-5,"sent":9223372036854775807,"total_ms":-9223372036854775808}`,
			`{"step":"explosion","request":"req_boom"}`,
			`{"step":"outcome","request":"req_cred","credential":"cred_\u0000","approval":"apr_\u0000","status":200}`,
			`{"step":"intent","request":"req_cred","credential":"cred_\u0000","approval":"apr_\u0000"}`,
			`{"step":"outcome","request":"req_cred","status":200}`,
			`{"step":"intent","request":"req_twice"}`, `{"step":"intent","request":"req_twice","host":"b"}`,
			"not even JSON \xff\x00",
		}
		entries := make([][]byte, len(raw))
		for i, s := range raw {
			entries[i] = []byte(s)
		}
		other.append(t, c.seal(entries...), int64(len(raw)))
		if r := f.request(t, "mine"); r.Status != 0 || r.Error != "" || r.GatewayID != f.gw.ID {
			t.Errorf("another gateway's request was changed: %+v", r)
		}
		for id, near := range map[string]time.Time{"late": time.Now(), "early": time.Now()} {
			if r := f.request(t, id); r.Time.Sub(near).Abs() > time.Minute {
				t.Errorf("%s: at %v, want about now", id, r.Time)
			}
		}
		if r := f.request(t, "early"); r.Decision != "deny" {
			t.Errorf("an unknown decision is %q, want deny", r.Decision)
		}
		stored, err := f.store.Traffic(t.Context(), other.gw.ID, 1, 1000, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.Verify(0, "", stored); err != nil || len(stored) != len(raw) {
			t.Errorf("%d stored, %v", len(stored), err)
		}
		if _, _, err := f.Requests(t.Context(), f.owner.Team.ID, trail.Filter{Text: "\x00%_!'", Host: "\x00", Action: "\x00*"}, trail.Cursor{}, 0); err != nil {
			t.Errorf("an ugly search: %v", err)
		}
	})
}

func TestSearches(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		held, denied, killed, flagged := intent("held"), intent("deny"), intent("kill"), intent("flag")
		held.Decision, held.Action.Name, held.Host = "require_approval", "github.pr.merge", "api.github.com"
		denied.Step, denied.Decision, denied.By, denied.Host, denied.Path = audit.Refused, "deny", "default", "evil.example", "/100%_SURE"
		killed.Step, killed.Decision, killed.By = audit.Refused, "deny", "kill_switch"
		flagged.Would, flagged.Method = "deny", "DELETE"
		f.append(t, c.traffic(intent("aaaa"), held, denied, killed, flagged), 5)
		for name, tt := range map[string]struct {
			filter trail.Filter
			want   string
		}{
			"everything":         {trail.Filter{}, "aaaa deny flag held kill"},
			"a decision":         {trail.Filter{Decision: "require_approval"}, "held"},
			"a host":             {trail.Filter{Host: "evil.example"}, "deny"},
			"an action":          {trail.Filter{Action: "github.pr.merge"}, "held"},
			"actions like it":    {trail.Filter{Action: "github.pr.*"}, "held"},
			"a method":           {trail.Filter{Method: "DELETE"}, "flag"},
			"text, in any case":  {trail.Filter{Text: "100%_sure"}, "deny"},
			"text of wildcards":  {trail.Filter{Text: "1__%"}, ""},
			"stopped by a kill":  {trail.Filter{Killed: true}, "kill"},
			"let pass":           {trail.Filter{Flagged: true}, "flag"},
			"another gateway":    {trail.Filter{GatewayID: "gw_other"}, ""},
			"a run":              {trail.Filter{Run: "run_1", Decision: "deny"}, "deny kill"},
			"before it happened": {trail.Filter{Until: time.Now().Add(-time.Hour)}, ""},
			"since then":         {trail.Filter{Since: time.Now().Add(-time.Hour), Decision: "deny"}, "deny kill"},
		} {
			rs, next, err := f.Requests(t.Context(), f.owner.Team.ID, tt.filter, trail.Cursor{}, 0)
			if err != nil || !next.IsZero() {
				t.Errorf("%s: %v, next %v", name, err, next)
			}
			got := map[string]bool{}
			for _, r := range rs {
				got[strings.TrimPrefix(r.ID, "req_")] = true
			}
			var sorted []string
			for _, id := range []string{"aaaa", "deny", "flag", "held", "kill"} {
				if got[id] {
					sorted = append(sorted, id)
				}
			}
			if strings.Join(sorted, " ") != tt.want {
				t.Errorf("%s: %v, want %q", name, sorted, tt.want)
			}
		}
		stranger := storetest.Owner(t, f.store)
		if rs, _, err := f.Requests(t.Context(), stranger.Team.ID, trail.Filter{}, trail.Cursor{}, 0); err != nil || len(rs) != 0 {
			t.Errorf("another team sees %d, %v", len(rs), err)
		}
		if _, err := f.Request(t.Context(), stranger.Team.ID, "req_aaaa"); fault.Of(err) != fault.NotFound {
			t.Errorf("another team looks: %v, want not found", err)
		}
		sum, err := f.Summary(t.Context(), f.owner.Team.ID, time.Now().Add(-24*time.Hour))
		want := audit.Tally{Allowed: 1, Denied: 1, Held: 1, Killed: 1, Flagged: 1}
		if err != nil || sum.Tally != want || len(sum.Buckets) != 24 || sum.Buckets[23].Tally != want {
			t.Errorf("summary: %+v, %v", sum, err)
		}
	})
}

func TestPagesOfRequests(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		var c chain
		now := time.Now().Add(-time.Hour)
		var all []audit.Traffic
		for i := range 7 {
			r := intent(fmt.Sprintf("%04d", i))
			r.Time = now.Add(time.Duration(i/2) * time.Second) // two at a time
			all = append(all, r)
		}
		f.append(t, c.traffic(all...), 7)
		var ids []string
		var last time.Time
		var after trail.Cursor
		for range 4 {
			rs, next, err := f.Requests(t.Context(), f.owner.Team.ID, trail.Filter{}, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rs {
				ids = append(ids, r.ID)
				if !last.IsZero() && r.Time.After(last) {
					t.Errorf("%s is newer than the one before", r.ID)
				}
				last = r.Time
			}
			after = next
		}
		if !after.IsZero() || len(ids) != 7 || len(uniq(ids)) != 7 {
			t.Errorf("pages: %v, then %v", ids, after)
		}
	})
}

func uniq(ss []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range ss {
		m[s] = true
	}
	return m
}

func BenchmarkAppend(b *testing.B) {
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + b.TempDir() + "/bench.db" },
		"postgres": func() string { return storetest.Postgres(b) },
	} {
		b.Run(name, func(b *testing.B) {
			f := open(b, storetest.OpenURL(b, url()))
			var c chain
			const batch = 1000
			n := 0
			for b.Loop() {
				b.StopTimer()
				ts := make([]audit.Traffic, 0, batch)
				for range batch / 2 {
					n++
					id := fmt.Sprintf("%08d", n)
					ts = append(ts, intent(id), outcome(id, 200))
				}
				entries := c.traffic(ts...)
				b.StartTimer()
				if _, err := f.Append(b.Context(), f.gw, entries); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
