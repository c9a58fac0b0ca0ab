package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/tameflare/tameflare/domain/policy"
)

// engine decides about the requests of a world, by their number.
type engine struct {
	name   string
	ours   bool
	few    bool // it is so slow that only a few requests are compared
	decide func(i int) policy.Effect
}

type maker func(context.Context, *world) (engine, error)

var errTooMany = errors.New("not built in a minute")

const (
	buildTime   = time.Minute
	fewRequests = 100
)

func build(ctx context.Context, make maker, w *world) (engine, time.Duration, error) {
	ctx, stop := context.WithTimeout(ctx, buildTime)
	defer stop()
	start := time.Now()
	e, err := make(ctx, w)
	e.few = len(w.rules) > 10_000 && !e.ours
	if ctx.Err() != nil {
		err = errTooMany
	}
	return e, time.Since(start), err
}

type measured struct {
	p50, p99    time.Duration
	allocations float64
}

const (
	roundTime = 3 * time.Second
	fewest    = 3
	atLeast   = 100
)

// measure asks all n again and again, and takes the time of every decision.
// The best round counts, as what else the machine does only adds. Reading the
// clock is in it, which is some 50 ns.
func measure(decide func(i int) policy.Effect, n int) measured {
	best := measured{p50: time.Hour, p99: time.Hour}
	took := make([]time.Duration, 0, n)
	end := time.Now().Add(roundTime)
	runtime.GC()
	for round := 0; round < fewest || time.Now().Before(end); round++ {
		took = took[:0]
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := 0; i < n && (i < atLeast || time.Now().Before(end)); i++ {
			start := time.Now()
			_ = decide(i)
			took = append(took, time.Since(start))
		}
		runtime.ReadMemStats(&after)
		if round > 0 && len(took) < n {
			break // a part of them is not what the others are
		}
		slices.Sort(took)
		best.p50, best.p99 = min(best.p50, took[len(took)/2]), min(best.p99, took[len(took)*99/100])
		best.allocations = float64(after.Mallocs-before.Mallocs) / float64(len(took))
	}
	return best
}
