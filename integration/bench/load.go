package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// path is a way to the upstream.
type path struct {
	name  string
	proxy *url.URL // nil: direct
	addr  string   // direct: where the upstream listens
	roots *x509.CertPool
	pid   int // whose CPU and memory count

	// records is the process that is sent the records of requests, and settle
	// waits until it has them all. Zero and nil: there are none.
	records int
	settle  func(context.Context) error
}

// scenario is what is asked, and how.
type scenario struct {
	name    string
	workers int
	h2      bool
	fresh   bool // a new connection for every request
	upload  int  // bytes of body
}

// result is what one measurement found. Times are in microseconds.
type result struct {
	perSecond, p50, p99, cpu, records, rss float64
}

const target = "https://api.github.com/user"

func (p path) transport(c scenario) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!c.h2)
	protocols.SetHTTP2(c.h2)
	t := &http.Transport{
		Protocols: protocols, MaxIdleConnsPerHost: c.workers, DisableKeepAlives: c.fresh, DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12},
	}
	if p.proxy != nil {
		t.Proxy = http.ProxyURL(p.proxy)
		return t
	}
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, p.addr)
	}
	return t
}

// measure asks for at most that long, after a short warm-up. CPU counts until
// everything is where it belongs, which is later than the last answer.
func measure(ctx context.Context, c scenario, p path, atMost time.Duration) (result, error) {
	t := p.transport(c)
	defer t.CloseIdleConnections()
	if _, err := load(ctx, c, t, atMost/10); err != nil {
		return result{}, err
	}
	before, err := p.spent(ctx)
	if err != nil {
		return result{}, err
	}
	if err := resetPeak(p.pid); err != nil {
		return result{}, err
	}
	began := time.Now()
	took, err := load(ctx, c, t, atMost)
	if err != nil {
		return result{}, err
	}
	elapsed := time.Since(began)
	after, err := p.spent(ctx)
	if err != nil {
		return result{}, err
	}
	rss, err := peakRSS(p.pid)
	if err != nil {
		return result{}, err
	}
	slices.Sort(took)
	n := float64(len(took))
	us := func(q float64) float64 { return float64(took[int(q*(n-1))].Nanoseconds()) / 1e3 }
	return result{
		perSecond: n / elapsed.Seconds(), p50: us(0.5), p99: us(0.99),
		cpu:     float64((after.way - before.way).Microseconds()) / n,
		records: float64((after.records - before.records).Microseconds()) / n, rss: rss,
	}, nil
}

// spent is CPU time, of the process on the way and of the one that is sent the
// records.
type spent struct{ way, records time.Duration }

func (p path) spent(ctx context.Context) (s spent, err error) {
	if p.settle != nil {
		if err := p.settle(ctx); err != nil {
			return s, err
		}
	}
	if s.way, err = cpuTime(p.pid); err != nil || p.records == 0 {
		return s, err
	}
	s.records, err = cpuTime(p.records)
	return s, err
}

// load asks with all workers until the time is over, and returns how long each
// request took. Any answer but the upstream's ends it.
func load(ctx context.Context, c scenario, t http.RoundTripper, d time.Duration) ([]time.Duration, error) {
	deadline := time.Now().Add(d)
	took, errs := make([][]time.Duration, c.workers), make([]error, c.workers)
	body := bytes.Repeat([]byte("x"), c.upload)
	var wg sync.WaitGroup
	for i := range c.workers {
		wg.Go(func() {
			for time.Now().Before(deadline) && errs[i] == nil {
				began := time.Now()
				errs[i] = ask(ctx, t, body)
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	wg.Wait()
	return slices.Concat(took...), errors.Join(errs...)
}

func ask(ctx context.Context, t http.RoundTripper, body []byte) error {
	method := http.MethodGet
	if len(body) > 0 {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer dummy")
	res, err := t.RoundTrip(req)
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
