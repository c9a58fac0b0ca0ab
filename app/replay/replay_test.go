package replay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/tameflare/tameflare/app/replay"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/store/storetest"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// house is a team with one gateway that may do everything at GitHub.
type house struct {
	store   *store.Store
	owner   team.Viewer
	gateway fleet.Gateway
	replay  *replay.Service
	seq     int64
}

func newHouse(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{store: s, owner: storetest.Owner(t, s)}
	h.gateway = storetest.Gateway(t, s, h.owner, "agent")
	connector := fleet.Connector{ID: "con_" + h.gateway.ID, GatewayID: h.gateway.ID, Type: "github", Name: "github", AuthKind: "bearer"}
	rule := fleet.NewRule(policy.Rule{Pattern: "*", Effect: policy.Allow}, policy.NoPreset)
	rule.ID, rule.GatewayID, rule.ConnectorID = "rule_"+h.gateway.ID, h.gateway.ID, connector.ID
	e := audit.Event{Time: now, Type: "gateway.configured", Actor: h.owner.Actor(), Target: h.gateway.ID}
	if err := s.Configure(t.Context(), h.owner.Team.ID, h.gateway.ID, []fleet.Connector{connector}, []fleet.Rule{rule}, e); err != nil {
		t.Fatal(err)
	}
	h.replay = &replay.Service{Store: s, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	return h
}

// record writes n requests, the ith of them so long before now.
func (h *house) record(t *testing.T, n int, age func(i int) time.Duration, what func(i int) action.Action) {
	t.Helper()
	rows := make([]audit.Request, 0, 5000)
	flush := func() {
		t.Helper()
		if err := h.store.AppendTraffic(t.Context(), store.Upload{TeamID: h.owner.Team.ID, GatewayID: h.gateway.ID, Requests: rows}); err != nil {
			t.Fatal(err)
		}
		rows = rows[:0]
	}
	for i := range n {
		a := what(i)
		h.seq++
		rows = append(rows, audit.Request{
			ID: "req_" + h.gateway.ID + strconv.FormatInt(h.seq, 10), TeamID: h.owner.Team.ID, GatewayID: h.gateway.ID, Seq: h.seq, Time: now.Add(-age(i)),
			Method: "POST", Scheme: "https", Host: "api.github.com", Path: "/repos/acme/site/pulls", Connector: a.Connector,
			Action: a.Name, Class: a.Class.String(), Risk: a.Risk.String(), Resource: a.Resource, Facts: audit.Facts(a),
			Decision: "allow", Step: audit.Outcome, Status: 200,
		})
		if len(rows) == cap(rows) {
			flush()
		}
	}
	flush()
}

func minutes(i int) time.Duration { return time.Duration(i+1) * time.Minute }

func pull(base string, i int) action.Action {
	return action.Action{
		Connector: "github", Name: "github.pr.create", Class: action.Write, Risk: action.Low, Resource: fmt.Sprintf("acme/site#%d", i), Reversible: true,
		Params: map[string]any{"base": base, "head": "topic-" + strconv.Itoa(i), "title": "Change number " + strconv.Itoa(i)},
	}
}

func text(s string) *policy.Const { return &policy.Const{Text: &s} }

// baseIs is a policy about pull requests into a branch.
func baseIs(t *testing.T, branch string, effect policy.Effect) fleet.Policy {
	t.Helper()
	p := policy.Policy{
		ID: "pol_1", Name: "pulls", Version: 1, Scope: policy.Scope{Actions: []action.Pattern{"github.pr.*"}},
		Clauses: []policy.Clause{{
			Name: "into-" + branch, Effect: effect, Line: 7,
			If: &policy.Expr{Op: policy.Equals, Args: []policy.Expr{{Field: "params.base"}, {Value: text(branch)}}, Line: 8, Text: "params.base equals " + branch},
		}},
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return fleet.Policy{ID: p.ID, Name: p.Name, Version: 1, Priority: 100, Enabled: true, Compiled: string(b)}
}

func TestAReplayNamesWhatWouldBeDecidedOtherwise(t *testing.T) {
	t.Parallel()

	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		h.record(t, 100, minutes, func(i int) action.Action {
			switch i {
			case 3, 4:
				return pull("main", i)
			case 5:
				return action.Action{Connector: "github", Name: "github.pr.create", Class: action.Write, Unknown: []string{"base"}}
			case 6:
				return action.Action{} // refused before it had an action
			}
			return pull("next", i)
		})
		h.record(t, 1, func(int) time.Duration { return 8 * 24 * time.Hour }, func(i int) action.Action { return pull("main", i) })
		for effect, outcome := range map[policy.Effect]func(replay.Report) replay.Outcome{
			policy.Deny:            func(r replay.Report) replay.Outcome { return r.Denied },
			policy.RequireApproval: func(r replay.Report) replay.Outcome { return r.Held },
		} {
			var told int64
			r, err := h.replay.Compare(t.Context(), h.owner.Team.ID, replay.Change{Policies: []fleet.Policy{baseIs(t, "main", effect)}}, now.Add(-7*24*time.Hour), now,
				func(done, total int64) { told = done })
			if err != nil {
				t.Fatal(err)
			}
			got := outcome(r)
			if r.Requests != 99 || r.Same != 96 || got.N != 3 || r.Denied.N+r.Held.N+r.Allowed.N != 3 || told != 99 {
				t.Fatalf("%v: %+v, told of %d", effect, r, told)
			}
			first := got.Examples[0]
			if first.Request.Resource != "acme/site#3" || first.Was.Would != policy.Allow || first.Now.Would != effect || first.Gateway != "agent" || first.Policy != "pulls" || first.Rule != "into-main" || first.Line != 7 {
				t.Errorf("%v: the newest is %+v", effect, first)
			}
		}
	})
}

func TestWhatAGatewayCouldNotUseIsNotReplayed(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t))
	broken := baseIs(t, "main", policy.Deny)
	broken.Compiled = `{"id":"pol_1","rules":[{"name":"x","if":{"op":"sings"},"decision":"deny"}]}`
	_, err := h.replay.Compare(t.Context(), h.owner.Team.ID, replay.Change{Policies: []fleet.Policy{broken}}, now.Add(-time.Hour), now, nil)
	if fault.Of(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

// TestAMillionRequestsAreReplayedInTime prints what it took. REPLAY_ROWS says
// how many requests there are.
func TestAMillionRequestsAreReplayedInTime(t *testing.T) {
	t.Parallel()

	n := 20_000
	if s := os.Getenv("REPLAY_ROWS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("REPLAY_ROWS: %v", err)
		}
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		h.record(t, n, func(i int) time.Duration { return time.Duration(i+1) * 500 * time.Millisecond }, func(i int) action.Action {
			if i%10 == 0 {
				return pull("main", i)
			}
			return pull("next", i)
		})
		began := time.Now()
		r, err := h.replay.Compare(t.Context(), h.owner.Team.ID, replay.Change{Policies: []fleet.Policy{baseIs(t, "main", policy.Deny)}}, now.Add(-7*24*time.Hour), now, nil)
		took := time.Since(began)
		t.Logf("%d requests in %v, %.1f µs each", n, took.Round(time.Millisecond), float64(took.Microseconds())/float64(n))
		if err != nil || r.Requests != int64(n) || r.Denied.N != int64(n/10) || len(r.Denied.Examples) != 50 {
			t.Fatalf("%d requests, %d newly denied, %d examples, %v", r.Requests, r.Denied.N, len(r.Denied.Examples), err)
		}
		if limit := 20 * time.Second; n == 1_000_000 && took > limit {
			t.Errorf("longer than %v", limit)
		}
	})
}

func TestAJobIsMadeAndCanBeCancelled(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t))
	h.record(t, 5, minutes, func(i int) action.Action { return pull("main", i) })
	change := replay.Change{Policies: []fleet.Policy{baseIs(t, "main", policy.Deny)}}
	first, err := h.replay.Start(h.owner.Team.ID, change)
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.replay.Start(h.owner.Team.ID, change)
	if err != nil {
		t.Fatal(err)
	}
	h.replay.Cancel("team_other", second)
	h.replay.Cancel(h.owner.Team.ID, second)
	if p, ok := h.replay.Status(h.owner.Team.ID, second); !ok || fault.Of(p.Err) != fault.Conflict {
		t.Errorf("cancelled: %+v, %v", p, ok)
	}
	if _, ok := h.replay.Status("team_other", first); ok {
		t.Error("another team sees it")
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.replay.Run(ctx) }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var p replay.Progress
	for !p.Over() {
		<-tick.C
		var ok bool
		if p, ok = h.replay.Status(h.owner.Team.ID, first); !ok {
			t.Fatal("the job is gone")
		}
	}
	if p.Err != nil || p.Report.Denied.N != 5 || p.Done != 5 || p.Total != 5 {
		t.Errorf("%+v", p)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestATeamHasFewJobsAtATime(t *testing.T) {
	t.Parallel()

	h := newHouse(t, storetest.Open(t))
	for range 4 {
		if _, err := h.replay.Start(h.owner.Team.ID, replay.Change{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.replay.Start(h.owner.Team.ID, replay.Change{}); fault.Of(err) != fault.Limited {
		t.Errorf("a fifth: %v", err)
	}
	if _, err := h.replay.Start("team_other", replay.Change{}); err != nil {
		t.Errorf("another team: %v", err)
	}
}
