// Command policies measures what a decision by policies costs, side by side
// with cel-go used naively, OPA and Cedar for Go on the same rules, and fails
// where ours is over its limits.
//
// It is a module of its own so that the others stay out of go.mod.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

// What ours may cost.
var limits = map[int]time.Duration{10: 2 * time.Microsecond, 1000: 20 * time.Microsecond, 100_000: 50 * time.Microsecond}

const (
	maxAllocations = 4
	compiled       = 10_000 // rules
	maxCompile     = time.Second
	maxMemory      = 50.0 // MB
	maxSlower      = 1.5  // p99 while engines are swapped
)

func main() {
	alone := flag.Bool("ours", false, "measure ours alone, which is a matter of seconds")
	flag.Parse()
	makers := []maker{ours, celNaive, opaPrepared, cedarSet}
	if *alone {
		makers = makers[:1]
	}
	if err := run(context.Background(), makers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, makers []maker) error {
	runtime.GOMAXPROCS(1)
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	fmt.Printf("\nA decision by policies, one core, the same rules for all; p99 is that of single decisions.\n\n")
	fmt.Printf("| rules | engine | built in | p50 µs | p99 µs | allocations | limit of p99 |\n|--:|---|--:|--:|--:|--:|--:|\n")
	for _, n := range []int{10, 1000, 100_000} {
		w := newWorld(n)
		for _, make := range makers {
			e, built, err := build(ctx, make, w)
			if errors.Is(err, errTooMany) {
				fmt.Printf("| %d | %s | %v | | | | |\n", n, e.name, err)
				continue
			}
			if err != nil {
				return fmt.Errorf("%s with %d rules: %w", e.name, n, err)
			}
			if err := w.agree(e); err != nil {
				return fmt.Errorf("%s with %d rules: %w", e.name, n, err)
			}
			m := measure(e.decide, len(w.asked))
			limit := ""
			if e.ours {
				limit = fmt.Sprintf("%.0f", micros(limits[n]))
				check(m.p99 <= limits[n], "%d rules: p99 is %v, more than %v", n, m.p99, limits[n])
				check(m.allocations <= maxAllocations, "%d rules: %.1f allocations, more than %d", n, m.allocations, maxAllocations)
			}
			fmt.Printf("| %d | %s | %.1f ms | %.2f | %.2f | %.1f | %s |\n", n, e.name, float64(built.Microseconds())/1000, micros(m.p50), micros(m.p99), m.allocations, limit)
		}
	}

	took, mb, err := compiling(compiled)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d rules compile in %.0f ms (limit %.0f ms) and hold %.1f MB (limit %.0f MB).\n", compiled, float64(took.Microseconds())/1000, float64(maxCompile.Milliseconds()), mb, maxMemory)
	check(took <= maxCompile, "%d rules compile in %v, more than %v", compiled, took, maxCompile)
	check(mb <= maxMemory, "%d rules hold %.1f MB, more than %.0f", compiled, mb, maxMemory)

	quiet, swapped, swaps, err := swapping(ctx, compiled)
	if err != nil {
		return err
	}
	fmt.Printf("p99 of a decision is %.2f µs, and %.2f µs while another goroutine compiles %d rules and swaps them in (%d times; limit %.1f times as much).\n", micros(quiet), micros(swapped), compiled, swaps, maxSlower)
	check(swapped <= time.Duration(float64(quiet)*maxSlower)+time.Microsecond, "p99 is %v while engines are swapped, and %v otherwise", swapped, quiet)
	return errors.Join(problems...)
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
