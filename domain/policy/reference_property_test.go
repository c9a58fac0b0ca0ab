package policy_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

const (
	boundedPairs = 20_000 // of settings and request, where CASES does not ask for more
	perSettings  = 20     // requests
	maxDiffering = 5
)

// TestPoliciesAnswerAsAskingEveryClauseWould asks the engine and the reference
// about random requests under random settings, and looks whether what must not
// matter does not. CASES says about how many; a case is the same in every run.
func TestPoliciesAnswerAsAskingEveryClauseWould(t *testing.T) {
	t.Parallel()

	pairs := int64(boundedPairs)
	if s := os.Getenv("CASES"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("CASES: %v", err)
		}
		pairs = n
	}
	var next, asked, byPolicy, denied, differing atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for differing.Load() < maxDiffering {
				n := next.Add(1) - 1
				if n*perSettings >= pairs {
					return
				}
				d := dice{rand.New(rand.NewPCG(uint64(n), 4))}
				s := d.settings()
				e, err := policy.Compile(s)
				if err != nil {
					differing.Add(1)
					t.Errorf("settings %d: %v\n%s", n, err, shownSettings(s))
					continue
				}
				for i := range perSettings {
					q := d.question()
					got := e.Decide(q)
					asked.Add(1)
					if got.By == policy.ByPolicy {
						byPolicy.Add(1)
					}
					if got.Effect == policy.Deny {
						denied.Add(1)
					}
					problem := disagrees(s, q, got)
					alone, _ := e.DecideByPolicies(q)
					if want := (reference{s}).byPolicies(q); problem == "" && (said{alone.Effect, alone.Would}) != want.said {
						problem = fmt.Sprintf("by policies alone %v, want %v", alone, want)
					}
					if problem == "" && i == 0 {
						problem = d.matters(s, q, got)
					}
					if problem != "" {
						differing.Add(1)
						small, question := shrink(s, q)
						t.Errorf("settings %d, request %d: %s\nat the smallest: %s\n%s%s", n, i, problem, stillDisagrees(small, question), shownSettings(small), shownQuestion(question))
						break
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d decisions, %d of them by policies, %d denied", asked.Load(), byPolicy.Load(), denied.Load())
	if asked.Load() < pairs || byPolicy.Load()*10 < pairs || denied.Load()*5 > 4*pairs {
		t.Errorf("%d decisions, %d of them by policies, %d denied: that shows too little", asked.Load(), byPolicy.Load(), denied.Load())
	}
}

func stillDisagrees(s policy.Settings, q policy.Question) string {
	e, err := policy.Compile(s)
	if err != nil {
		return err.Error()
	}
	return disagrees(s, q, e.Decide(q))
}

// disagrees says how d differs from what the reference answers.
func disagrees(s policy.Settings, q policy.Question, d policy.Decision) string {
	want := reference{s}.decide(q)
	var all []string
	differ := func(what string, got, want any) {
		if got != want {
			all = append(all, fmt.Sprintf("%s %v, want %v", what, got, want))
		}
	}
	differ("effect", d.Effect, want.effect)
	differ("would", d.Would, want.would)
	differ("flagged", d.Flagged, want.effect != want.would)
	if want.by == policy.ByKillSwitch {
		differ("by", d.By, want.by)
		return strings.Join(all, "; ")
	}
	if want.by == policy.ByPolicy || want.alone {
		differ("by", d.By, want.by)
		differ("rule", d.Rule, want.rule)
	}
	if len(q.Action.Or) == 0 {
		differ("risk", d.Risk, want.risk)
	}
	differ("reported", d.Reported, want.reported)
	if want.reported != "" {
		differ("reported as", d.ReportedAs, want.as)
	}
	if d.Would == policy.RequireApproval {
		got := d.Approvers
		got.Count, want.approver.Count = max(got.Count, 1), max(want.approver.Count, 1)
		differ("approvers", got, want.approver)
	}
	if c := want.clause; c != nil && d.Would == policy.RequireApproval {
		ttl, hold := policy.DefaultTTL, policy.DefaultHold
		if c.TTL != 0 {
			ttl = c.TTL
		}
		if c.Hold != nil {
			hold = *c.Hold
		}
		differ("ttl", d.TTL, ttl)
		differ("hold", d.Hold, hold)
	}
	return strings.Join(all, "; ")
}

// matters says what changed the decision that must not have, or not to a
// milder one.
func (d dice) matters(s policy.Settings, q policy.Question, was policy.Decision) string {
	decide := func(s policy.Settings, q policy.Question) policy.Decision {
		e, err := policy.Compile(s)
		if err != nil {
			panic(err)
		}
		return e.Decide(q)
	}
	milder := func(d policy.Decision) bool { return d.Effect > was.Effect || d.Would > was.Would }

	permuted := s
	permuted.Policies = slices.Clone(s.Policies)
	d.Shuffle(len(permuted.Policies), func(i, j int) {
		permuted.Policies[i], permuted.Policies[j] = permuted.Policies[j], permuted.Policies[i]
	})
	if got := decide(permuted, q); got != was {
		return fmt.Sprintf("other order of policies: %+v, was %+v", got, was)
	}
	for i := range permuted.Policies {
		permuted.Policies[i].Clauses = slices.Clone(permuted.Policies[i].Clauses)
		clauses := permuted.Policies[i].Clauses
		d.Shuffle(len(clauses), func(i, j int) { clauses[i], clauses[j] = clauses[j], clauses[i] })
	}
	if got := decide(permuted, q); got.Effect != was.Effect || got.Would != was.Would || got.Approvers != was.Approvers || got.Risk != was.Risk {
		return fmt.Sprintf("other order of clauses: %+v, was %+v", got, was)
	}
	more := s
	added := policy.Policy{ID: "pol_more", Name: "more", Clauses: []policy.Clause{d.clause(0)}}
	if d.onceIn(2) {
		added.Clauses[0].Effect = policy.Deny
	}
	more.Policies = append(slices.Clone(s.Policies), added)
	if got := decide(more, q); milder(got) {
		return fmt.Sprintf("a clause more (%v if %s): %+v, was %+v", added.Clauses[0].Effect, written(added.Clauses[0].If), got, was)
	}
	how, hidden := d.hide(q)
	if got := decide(s, hidden); milder(got) {
		return fmt.Sprintf("%s unknown: %+v, was %+v", how, got, was)
	}
	return ""
}

// hide returns q with a part of it unknown.
func (d dice) hide(q policy.Question) (string, policy.Question) {
	how := pick(d, "a", "b", "n", "list", "ip", "resource", "*", "request", "run", "time", "query", "headers", "body", "or", "below")
	switch how {
	case "request":
		q.Request = nil
	case "run":
		q.Run = nil
	case "time":
		q.Time = time.Time{}
	case "query", "headers", "body":
		if q.Request != nil {
			r := *q.Request
			r.Hidden = append(slices.Clone(r.Hidden), how)
			q.Request = &r
		}
	case "or", "below":
		other := action.Alternative{Name: pick(d, dicedActions...)}
		if how == "below" {
			other.Name += ".*"
		}
		q.Action.Or = append(slices.Clone(q.Action.Or), other)
	default:
		q.Action.Unknown = append(slices.Clone(q.Action.Unknown), how)
	}
	return how, q
}

func TestZeroValuesDenyWithPolicies(t *testing.T) {
	t.Parallel()

	always := policy.Policy{ID: "pol_a", Name: "a", Clauses: []policy.Clause{{Name: "c"}}}
	e, err := policy.Compile(policy.Settings{Rules: []policy.Rule{{ID: "r", Connector: "github", Pattern: "*", Effect: policy.Allow}}, Policies: []policy.Policy{always}})
	if err != nil {
		t.Fatal(err)
	}
	var none *policy.Engine
	for name, d := range map[string]policy.Decision{
		"a question with nothing in it":       e.Decide(policy.Question{}),
		"a clause with nothing in it":         e.Decide(somewhere()),
		"no engine":                           none.Decide(somewhere()),
		"an engine with nothing in it":        new(policy.Engine).Decide(somewhere()),
		"an action that nobody knows by name": e.Decide(policy.Question{Action: action.Action{Connector: "github"}}),
	} {
		if d.Effect != policy.Deny || d.Would != policy.Deny {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
