package main

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

const clausesEach = 10 // rules of one policy

func ours(_ context.Context, w *world) (engine, error) {
	out := engine{name: "TameFlare", ours: true}
	e, err := policy.Compile(w.settings())
	if err != nil {
		return out, err
	}
	questions := w.questions()
	out.decide = func(i int) policy.Effect { return e.Decide(questions[i]).Effect }
	return out, nil
}

func (w *world) questions() []policy.Question {
	var all []policy.Question
	for _, q := range w.asked {
		all = append(all, q.question())
	}
	return all
}

// settings are the rules in policies as people have them: all of one team's
// for one service, with conditions as the YAML has them.
func (w *world) settings() policy.Settings {
	s := policy.Settings{Gateway: "deploy-bot", Environment: "production", Rules: []policy.Rule{{ID: "rule_all", Connector: "all", Pattern: "*", Effect: policy.Allow}}}
	for i, r := range w.rules {
		if i%clausesEach == 0 {
			n := i / clausesEach
			s.Policies = append(s.Policies, policy.Policy{
				ID: fmt.Sprintf("pol_%d", n), Name: fmt.Sprintf("policy-%d", n), Version: 1,
				Scope: policy.Scope{Gateways: []string{"deploy-*"}, Actions: []action.Pattern{"github.*", "stripe.*"}},
			})
		}
		p := &s.Policies[len(s.Policies)-1]
		p.Clauses = append(p.Clauses, policy.Clause{Name: fmt.Sprintf("rule-%d", i), Effect: r.effect(), If: r.condition(), Risk: 50})
	}
	return s
}

func (r ruleOf) condition() *policy.Expr {
	args := []policy.Expr{is("action", r.action)}
	switch r.kind {
	case branch:
		args = append(args, is("owner", r.owner), is("repository", r.repository()), is("params.base", "main"))
	case several:
		list := policy.Const{IsList: true}
		for i := range r.resources {
			list.List = append(list.List, policy.Const{Text: &r.resources[i]})
		}
		args = append(args, policy.Expr{Op: policy.In, Args: []policy.Expr{{Field: "resource"}, {Value: &list}}}, is("class", "write"))
	case amount:
		args = append(args, is("params.account", r.account), policy.Expr{Op: policy.GT, Args: []policy.Expr{{Field: "params.amount"}, {Value: &policy.Const{Int: &r.over}}}})
	}
	return &policy.Expr{Op: policy.All, Args: args}
}

func is(field, text string) policy.Expr {
	return policy.Expr{Op: policy.Equals, Args: []policy.Expr{{Field: field}, {Value: &policy.Const{Text: &text}}}}
}

// compiling says how long it takes to compile n rules, and what they hold.
func compiling(n int) (time.Duration, float64, error) {
	s := newWorld(n).settings()
	best := time.Hour
	var e *policy.Engine
	before := heap()
	for range 3 {
		start := time.Now()
		one, err := policy.Compile(s)
		if err != nil {
			return 0, 0, err
		}
		best, e = min(best, time.Since(start)), one
	}
	mb := float64(heap()-before) / (1 << 20)
	runtime.KeepAlive(e)
	runtime.KeepAlive(s)
	return best, mb, nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// swapping measures p99 without, and with engines that are compiled and
// swapped in meanwhile.
func swapping(ctx context.Context, n int) (quiet, swapped time.Duration, swaps int64, err error) {
	w := newWorld(n)
	s := w.settings()
	first, err := policy.Compile(s)
	if err != nil {
		return 0, 0, 0, err
	}
	var current atomic.Pointer[policy.Engine]
	current.Store(first)
	questions := w.questions()
	decide := func(i int) policy.Effect { return current.Load().Decide(questions[i]).Effect }
	quiet = measure(decide, len(questions)).p99

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // who compiles does not take the core from who decides
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error)
	var count atomic.Int64
	go func() {
		for ctx.Err() == nil {
			e, err := policy.Compile(s)
			if err != nil {
				done <- err
				return
			}
			current.Store(e)
			count.Add(1)
		}
		done <- nil
	}()
	swapped = measure(decide, len(questions)).p99
	stop()
	return quiet, swapped, count.Load(), <-done
}
