// Command bench measures what it costs to name a request, with limits that it
// fails on, and then the gateway on loopback: direct, through a plain
// CONNECT tunnel, and through the real gateway with rules on, durable records
// and injection on, all in one run. It also prints what the programs weigh and
// how fast the kill switch is. Compare within a table, not between machines.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"time"
)

func main() {
	bin := flag.String("bin", "bin", "folder with the programs")
	each := flag.Duration("each", 3*time.Second, "how long each measurement lasts at most")
	pulls := flag.Int("pulls", 100, "how often the kill switch is pulled")
	only := flag.Bool("naming", false, "measure only what it costs to name requests")
	people := flag.Bool("approvals", false, "measure only how long approving takes")
	role := flag.String("role", "", "upstream or tunnel: what this process plays for another one")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch *role {
	case "upstream":
		err = serveUpstream(ctx)
	case "tunnel":
		err = serveTunnel(ctx, flag.Arg(0))
	default:
		if *people {
			err = approvalsOnly(ctx, *bin)
		} else if err = naming(); !*only { // first, while there is nothing else in memory
			err = errors.Join(err, run(ctx, *bin, *each, *pulls))
		}
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// approvalsOnly measures nothing but approving.
func approvalsOnly(ctx context.Context, bin string) (err error) {
	b, err := newBench(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return b.approving(ctx)
}

func run(ctx context.Context, bin string, each time.Duration, pulls int) (err error) {
	b, err := newBench(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()

	if err := b.weigh(bin); err != nil {
		return err
	}
	fmt.Printf("\nEverything shares %d cores: client, upstream, what is between them, and the server. CPU is that of the process\n"+
		"between them alone; at the server a request costs what the last column says, later and in batches.\n", runtime.NumCPU())
	fmt.Printf("\n| case | path | req/s | p50 µs | p99 µs | p50 over direct | p99 over direct | CPU µs/req | peak RSS MB | server CPU µs/req |\n" +
		"|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range []scenario{
		{name: "HTTP/1.1, keep-alive, 1 connection", workers: 1},
		{name: "HTTP/1.1, keep-alive, 32 connections", workers: 32},
		{name: "HTTP/2, 1 stream", workers: 1, h2: true},
		{name: "HTTP/2, 32 streams", workers: 32, h2: true},
		{name: "new connection per request, 1 at a time", workers: 1, fresh: true},
		{name: "new connection per request, 32 at a time", workers: 32, fresh: true},
		{name: "1 MB upload, 1 connection", workers: 1, upload: 1 << 20},
	} {
		var direct result
		for i, p := range b.paths {
			r, err := measure(ctx, c, p, each)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", c.name, p.name, err)
			}
			over, records := "| |", "" // two columns
			if i == 0 {
				direct = r
			} else {
				over = fmt.Sprintf("| %+.0f | %+.0f", r.p50-direct.p50, r.p99-direct.p99)
			}
			if p.records != 0 {
				records = fmt.Sprintf("%.1f", r.records)
			}
			fmt.Printf("| %s | %s | %.0f | %.0f | %.0f %s | %.1f | %.1f | %s |\n",
				c.name, p.name, r.perSecond, r.p50, r.p99, over, r.cpu, r.rss, records)
		}
	}
	return errors.Join(b.pullKillSwitch(ctx, pulls), b.approving(ctx))
}
