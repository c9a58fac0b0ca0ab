package main

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/connectorstest"
	"github.com/tameflare/tameflare/connectors/tables"
)

// limits are what naming a request may cost, and the tables hold.
const (
	pathTime, bodyTime, graphqlTime = 3 * time.Microsecond, 30 * time.Microsecond, 60 * time.Microsecond
	pathAllocations                 = 3
	tablesMB                        = 8.0
	tenTimes                        = 1.3
)

// naming measures what it costs to find out what a request does, and fails
// where it is more than the limits.
func naming() error {
	mb, err := weighTables()
	if err != nil {
		return err
	}
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	fmt.Printf("\nAll tables in memory: %.1f MB (limit %.0f MB)\n", mb, tablesMB)
	check(mb <= tablesMB, "the tables hold %.1f MB in memory", mb)

	fmt.Printf("\n| naming a request | body bytes | µs | limit µs | allocations |\n|---|--:|--:|--:|--:|\n")
	for _, s := range connectorstest.Samples() {
		c, err := connectors.New(connectors.Config{Type: s.Type})
		if err != nil {
			return err
		}
		if a, err := c.Read(s.Request); err != nil || a.Name != s.Action {
			return errors.Join(fmt.Errorf("%s is %s, want %s", s.Name, a.Name, s.Action), err)
		}
		limit := map[connectorstest.Kind]time.Duration{connectorstest.Path: pathTime, connectorstest.Body: bodyTime, connectorstest.GraphQL: graphqlTime}[s.Kind]
		read := func() { // as a gateway does for each request
			c.NeedsBody(s.Request)
			_, _ = c.Read(s.Request)
		}
		took, n := fastest(read), testing.AllocsPerRun(100, read)
		fmt.Printf("| %s | %d | %.2f | %.0f | %.0f |\n", s.Name, s.Size, micros(took), micros(limit), n)
		check(took <= limit, "%s takes %v, more than %v", s.Name, took, limit)
		check(s.Kind != connectorstest.Path || n <= pathAllocations, "%s makes %.0f allocations, more than %d", s.Name, n, pathAllocations)
	}

	few, more, err := grown()
	if err != nil {
		return err
	}
	ratio := float64(more) / float64(few)
	fmt.Printf("\nTen times the operations: %.2f µs instead of %.2f µs, %.2f times the time (limit %.1f)\n", micros(more), micros(few), ratio, tenTimes)
	check(ratio <= tenTimes, "ten times the operations take %.2f times the time", ratio)
	return errors.Join(problems...)
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// fastest is what one call of f takes when nothing else is in its way: the
// fastest of many short runs, since others use the machine too.
func fastest(f func()) time.Duration {
	const runs, calls = 400, 200
	best := time.Duration(1 << 62)
	for range runs {
		began := time.Now()
		for range calls {
			f()
		}
		best = min(best, time.Since(began))
	}
	return best / calls
}

// grown compares a type with another that has ten times its operations.
func grown() (few, more time.Duration, err error) {
	const n = 200
	small, ask, err := connectorstest.Many(n)
	if err != nil {
		return 0, 0, err
	}
	large, askLarge, err := connectorstest.Many(10 * n)
	if err != nil {
		return 0, 0, err
	}
	return fastest(func() { _, _ = small.Read(ask) }), fastest(func() { _, _ = large.Read(askLarge) }), nil
}

// weighTables loads every table, and says what they hold in memory: the text
// that is part of the program, and what is made of it.
func weighTables() (float64, error) {
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC() // what the first has found
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	types := connectors.Types()
	for _, t := range types {
		hosts := t.Hosts
		if len(hosts) == 0 {
			hosts = []string{"api.example.com"}
		}
		c, err := connectors.New(connectors.Config{Type: t.Name, Hosts: hosts})
		if err != nil {
			return 0, err
		}
		if _, err := c.Read(connectors.Request{Method: "GET", Host: hosts[0], Path: "/", Body: connectors.Whole(nil)}); err != nil {
			return 0, fmt.Errorf("read the table of %s: %w", t.Name, err)
		}
	}
	after := inUse()
	runtime.KeepAlive(types)
	text := len(tables.Anthropic) + len(tables.GitHub) + len(tables.OpenAI) + len(tables.Slack) + len(tables.Stripe)
	return float64(after-before+uint64(text)) / (1 << 20), nil
}
