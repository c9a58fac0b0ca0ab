package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// pullKillSwitch pulls it n times and prints how long it took each time from
// the call until the gateway refused: the time that people's traffic goes on.
func (b *bench) pullKillSwitch(ctx context.Context, n int) error {
	t := b.paths[2].transport(scenario{workers: 1})
	defer t.CloseIdleConnections()
	took := make([]time.Duration, 0, n)
	for range n {
		began := time.Now()
		var kill struct {
			ID string `json:"id"`
		}
		if err := b.world.API(ctx, http.MethodPost, "/kills", `{"gateway":"bench","reason":"drill"}`, &kill); err != nil {
			return err
		}
		if err := b.until(ctx, t, false); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		if err := b.world.API(ctx, http.MethodDelete, "/kills/"+kill.ID, "", nil); err != nil {
			return err
		}
		if err := b.until(ctx, t, true); err != nil {
			return err
		}
	}
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(n-1))].Microseconds()) / 1e3 }
	fmt.Printf("\nKill switch, %d pulls, from the call to the first refused request: p50 %.1f ms, p99 %.1f ms\n", n, at(0.5), at(0.99))
	return nil
}

// until asks until requests pass, or do not.
func (b *bench) until(ctx context.Context, t http.RoundTripper, pass bool) error {
	ctx, cancel := wait(ctx)
	defer cancel()
	for (ask(ctx, t, nil) == nil) != pass {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
