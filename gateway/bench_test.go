package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
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

// BenchmarkCrowd is 2,000 requests that wait at once, from a process of their
// own, and one decision about each. It tells what one of them takes while it
// waits, and when the last had its answer from the service behind.
func BenchmarkCrowd(b *testing.B) {
	c := newCrowd(b)
	c.hold(50)
	c.release()
	b.ResetTimer()
	var each, last float64
	for range b.N {
		heap, stacks := memory()
		c.hold(crowdSize)
		heapNow, stacksNow := memory()
		took, told := c.release()
		if want := fmt.Sprintf("map[200:%d]", crowdSize); told != want {
			b.Fatalf("they were told %s", told)
		}
		each += float64(heapNow+stacksNow) - float64(heap+stacks)
		last += took.Seconds()
	}
	b.ReportMetric(each/float64(b.N)/crowdSize/1024, "KiB/held")
	b.ReportMetric(last/float64(b.N)*1000, "ms/released")
}

// BenchmarkDecision is one request after the other that waits, and how long
// after the decision the process has its answer from the service behind.
func BenchmarkDecision(b *testing.B) {
	w := newWorld(b)
	r := w.run(runs.Start{Program: "bench"})
	took := make([]time.Duration, b.N)
	for i := range b.N {
		answered := make(chan int)
		go func() {
			status, _, _ := r.do(b, "PUT", fmt.Sprintf("/repos/acme/site/pulls/%d/merge", i+1))
			answered <- status
		}()
		id := w.waiting()
		began := time.Now()
		w.server.Settle(id, approval.Approved)
		if status := <-answered; status != http.StatusOK {
			b.Fatalf("answered %d", status)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "ms-p99")
}
