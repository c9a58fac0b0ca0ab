package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/gateway/runs"
)

const crowdAt = "GATEWAY_TEST_CROWD"

func TestMain(m *testing.M) {
	if at := os.Getenv(crowdAt); at != "" {
		if err := crowd(at, os.Getenv(crowdAt+"_CA"), os.Getenv(crowdAt+"_FIRST"), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crowd is many agents in a process of their own, so that what they take is not
// counted among what the gateway takes. For each number that it reads it makes
// as many connections, sends a merge on each, and when all are answered writes
// what they were told, and when the last was.
func crowd(proxy, ca, first string, in io.Reader, out io.Writer) error {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	var number, from int
	if _, err := fmt.Sscan(first, &from); err != nil {
		return err
	}
	for {
		if _, err := fmt.Fscan(in, &number); err != nil {
			return nil //nolint:nilerr // the test is over
		}
		var all sync.WaitGroup
		told := make([]string, number)
		late := make([]time.Time, number)
		shaking := make(chan struct{}, 64)
		for i := range number {
			all.Go(func() {
				shaking <- struct{}{}
				told[i], late[i] = merge(proxy, pool, from+i, func() { <-shaking })
			})
		}
		all.Wait()
		from += number
		counts := map[string]int{}
		for _, t := range told {
			counts[t]++
		}
		slices.SortFunc(late, time.Time.Compare)
		fmt.Fprintln(out, late[number-1].UnixNano(), strings.ReplaceAll(fmt.Sprint(counts), " ", "_"))
	}
}

// merge asks for one merge and returns the status that it is answered with.
func merge(proxy string, pool *x509.CertPool, number int, sent func()) (status string, at time.Time) {
	sent = sync.OnceFunc(sent)
	defer sent()
	raw, err := net.Dial("tcp", proxy)
	if err != nil {
		return err.Error(), time.Now()
	}
	defer raw.Close()
	const host = "api.github.com"
	fmt.Fprintf(raw, "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n", host, host)
	br := bufio.NewReader(raw)
	if res, err := http.ReadResponse(br, &http.Request{Method: "CONNECT"}); err != nil || res.StatusCode != 200 {
		return fmt.Sprint("no tunnel: ", err), time.Now()
	}
	conn := tls.Client(raw, &tls.Config{ServerName: host, RootCAs: pool})
	fmt.Fprintf(conn, "PUT /repos/acme/site/pulls/%d/merge HTTP/1.1\r\nHost: %s\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}", number, host)
	sent()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err.Error(), time.Now()
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return fmt.Sprint(res.StatusCode), time.Now()
}

// crowded is a gateway with a crowd in front of it.
type crowded struct {
	*world
	in  io.Writer
	out *bufio.Scanner
}

func newCrowd(t testing.TB) *crowded {
	t.Helper()
	w := newWorld(t)
	r := w.run(runs.Start{Program: "crowd"})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crowdAt+"="+r.Door.Proxy, crowdAt+"_CA="+r.Door.CA, crowdAt+"_FIRST=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		cancel()
		_ = cmd.Wait() // it ends with its input, or by that
	})
	return &crowded{world: w, in: in, out: bufio.NewScanner(out)}
}

// hold lets n requests begin to wait, and returns when all do.
func (c *crowded) hold(n int) {
	c.t.Helper()
	fmt.Fprintln(c.in, n)
	eventually(c.t, "all are held", func() bool { c.server.Lock(); defer c.server.Unlock(); return len(c.server.Asked) == n })
	c.server.Lock()
	c.server.Asked = nil // which is the test's, and not the gateway's
	c.server.Unlock()
}

// release decides about all that waits, one at a time, and returns how long it
// took until the last had its answer, and what they were answered.
func (c *crowded) release() (took time.Duration, told string) {
	c.t.Helper()
	c.server.Lock()
	var ids []string
	for id, a := range c.server.Approvals {
		if a.Status == approval.Pending {
			ids = append(ids, id)
		}
	}
	c.server.Unlock()
	began := time.Now()
	for _, id := range ids {
		c.server.Settle(id, approval.Approved)
	}
	if !c.out.Scan() {
		c.t.Fatal("the crowd is gone")
	}
	var last int64
	if _, err := fmt.Sscan(c.out.Text(), &last, &told); err != nil {
		c.t.Fatal(err)
	}
	return time.Unix(0, last).Sub(began), told
}

// memory is what the process uses for its heap and its goroutines' stacks.
func memory() (heap, stacks uint64) {
	for range 3 { // stacks shrink while nobody runs on them, a half each time
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse, m.StackInuse
}

func TestACrowdWaitsAtOnce(t *testing.T) { //nolint:paralleltest // the memory of others would be counted
	c := newCrowd(t)
	c.hold(50)
	c.release()
	heap, stacks := memory()
	c.hold(crowdSize)
	heapNow, stacksNow := memory()
	took, told := c.release()
	each := float64(heapNow+stacksNow-heap-stacks) / crowdSize / 1024
	c.server.Lock()
	polls, used := c.server.Polls, len(c.server.Used)
	c.server.Unlock()
	t.Logf("each of %d takes %.1f KiB (heap %.1f, stacks %.1f); released after %v, with %d polls", crowdSize, each,
		float64(heapNow-heap)/crowdSize/1024, float64(stacksNow-stacks)/crowdSize/1024, took, polls)
	if want := fmt.Sprintf("map[200:%d]", crowdSize); told != want {
		t.Errorf("they were told %s, want %s", told, want)
	}
	if n := c.upstream.count("PUT"); n != crowdSize+50 || used != n {
		t.Errorf("%d arrived, with %d grants", n, used)
	}
	if each > 40 && !raced {
		t.Errorf("each takes %.1f KiB, want 40 at most", each)
	}
}
