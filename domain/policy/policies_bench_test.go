package policy_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// realistic are n clauses as many teams would have them: each policy is about
// the actions of one service and one repository or customer.
func realistic(n int) []policy.Policy {
	var all []policy.Policy
	for i := 0; len(all)*5 < n; i++ {
		p := policy.Policy{ID: fmt.Sprint("pol_", i), Name: fmt.Sprint("policy ", i), Scope: policy.Scope{Actions: []action.Pattern{"github.*"}}}
		repository := fmt.Sprintf("acme%d/site%d", i/20, i)
		p.Clauses = []policy.Clause{
			{Name: "main", Effect: policy.RequireApproval, If: everyOf(fieldIs("action", "github.pr.merge"), fieldIs("resource", repository+"#12"), fieldIs("params.base", "main"))},
			{Name: "delete", Effect: policy.Deny, Risk: 90, If: everyOf(fieldIs("class", "delete"), fieldHas(policy.StartsWith, "resource", constText(repository+"/")))},
			{Name: "large", Effect: policy.Deny, If: everyOf(fieldIs("owner", fmt.Sprint("acme", i/20)), fieldIs("repository", fmt.Sprint("site", i)), fieldHas(policy.GT, "params.files", constWhole(100)))},
			{Name: "night", Effect: policy.RequireApproval, If: everyOf(fieldIs("repository", fmt.Sprint("site", i)), fieldHas(policy.InWindow, "time", policy.Const{Window: &policy.Window{From: 22 * 60, To: 6 * 60, Zone: "Europe/Berlin"}}))},
			{Name: "force", Effect: policy.Deny, If: everyOf(fieldHas(policy.In, "action", constTexts("github.repo.push", "github.ref.update")), fieldIs("params.force", true), fieldIs("resource", repository))},
		}
		all = append(all, p)
	}
	return all
}

func merge() policy.Question {
	return policy.Question{
		Action: action.Action{Connector: "github", Name: "github.pr.merge", Class: action.Write, Risk: action.Medium, Resource: "acme0/site1#12", Params: map[string]any{"base": "main", "files": int64(3)}},
		Type:   "github", Time: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
		Request: &policy.Request{Method: "PUT", Scheme: "https", Host: "api.github.com", Path: "/repos/acme0/site3/pulls/12/merge"},
	}
}

func withPolicies(t interface {
	Helper()
	Fatal(args ...any)
}, all []policy.Policy) *policy.Engine {
	t.Helper()
	e, err := policy.Compile(policy.Settings{Gateway: "g", Rules: []policy.Rule{{ID: "r", Connector: "github", Pattern: "*", Effect: policy.Allow}, {ID: "r2", Connector: "gh", Pattern: "*", Effect: policy.Allow}}, Policies: all})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func BenchmarkDecideByManyPolicies(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, q := withPolicies(b, realistic(n)), merge()
			if d := e.Decide(q); d.Effect != policy.RequireApproval || d.By != policy.ByPolicy {
				b.Fatalf("%+v", d)
			}
			var took []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				begin := time.Now()
				e.Decide(q)
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
		})
	}
}

func BenchmarkExplainByManyPolicies(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, q := withPolicies(b, realistic(n)), merge()
			b.ReportAllocs()
			for b.Loop() {
				e.Explain(q)
			}
		})
	}
}

func BenchmarkCompileManyPolicies(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := policy.Settings{Policies: realistic(n)}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			e, err := policy.Compile(s)
			if err != nil {
				b.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			runtime.GC()
			runtime.ReadMemStats(&after)
			kept := int64(after.HeapAlloc) - int64(before.HeapAlloc)
			runtime.KeepAlive(e)
			for b.Loop() {
				if _, err := policy.Compile(s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(allocated)/(1<<20), "MB-allocated")
			b.ReportMetric(float64(kept)/(1<<20), "MB-kept")
		})
	}
}
