// Command demo shows the main job with the real programs, on embedded defaults
// and free loopback ports: a sample agent reads (allowed, with an injected
// token), tries to delete a repository (denied) and merges (held until a
// person approves). GitHub is a stand-in on loopback; no account is needed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tameflare/tameflare/integration/world"
)

func main() {
	bin := flag.String("bin", "bin", "folder with tameflare, tameflare-server and demo-agent")
	auto := flag.Bool("auto", false, "approve by itself, print a summary and exit 0 only if everything came out as expected")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends at once
	if *auto {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
	}
	if err := run(ctx, *bin, *auto); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, bin string, auto bool) (err error) {
	w, err := world.New(bin, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()

	if err := w.SetUp(ctx); err != nil {
		return err
	}
	if err := w.Apply(ctx, config, "DEMO_GITHUB_TOKEN="+w.GitHub.Token); err != nil {
		return err
	}
	agent, err := startAgent(ctx, w, bin)
	if err != nil {
		return err
	}
	if auto {
		if err := approve(ctx, w); err != nil {
			return err
		}
	} else {
		link, err := w.SignInLink(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("\n  Dashboard  %s\n  Sign in    %s   (works once)\n\n"+
			"  The agent's merge is waiting for you. Approve it in the browser.\n"+
			"  Then look around; Ctrl-C ends the demo and removes its files.\n\n", w.Base, link)
	}
	results, err := agent.wait(ctx)
	if err != nil {
		return err
	}
	if err := check(w, results); err != nil {
		return err
	}
	if auto {
		fmt.Println("All three came out as expected.")
		return nil
	}
	fmt.Println("  The agent has finished. Its requests are under Traffic.")
	<-ctx.Done()
	return nil
}
