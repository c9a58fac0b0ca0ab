package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tameflare/tameflare/gateway/runs"
)

// BenchmarkGateway is requests through a whole gateway: real spool, real link,
// credential and rules. Client, upstream and server share the process, so
// compare its figures with each other, and look at a CPU profile for whose they
// are.
func BenchmarkGateway(b *testing.B) {
	for name, at := range map[string]int{"one at a time": 1, "32 at a time": 32} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			r := w.run(runs.Start{Program: "bench"})
			r.http.Transport.(*http.Transport).MaxIdleConnsPerHost = at
			before := uploads(w)
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var workers sync.WaitGroup
			for range at {
				workers.Go(func() {
					for left.Add(-1) >= 0 {
						if err := ask(r.http); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			workers.Wait()
			b.StopTimer()
			b.ReportMetric(float64(uploads(w)-before)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

func uploads(w *world) int {
	w.server.Lock()
	defer w.server.Unlock()
	return w.server.Uploads
}

func ask(c *http.Client) error {
	res, err := c.Get("https://api.github.com/user")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", res.Status)
	}
	return nil
}
