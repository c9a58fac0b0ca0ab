package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tameflare/tameflare/app/slack/slacktest"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/integration/world"
)

const document = `version: 1
credentials:
  - {name: github-bot, connector: github, from: {env: BENCH_TOKEN}}
gateways:
  - name: bench
    connectors:
      - type: github
        credential: github-bot
        rules:
          - {action: github.repo.delete, decision: deny}
          - {action: github.pr.merge, decision: require_approval}
          - {preset: allow_all}
`

// bench is an installation with an upstream and three ways to it.
type bench struct {
	world            *world.World
	upstream, tunnel *exec.Cmd
	gateway          runs.Client
	run              *runs.Session
	paths            []path
	server           int // process ID
	chat             *slacktest.Server
}

func newBench(ctx context.Context, bin string) (*bench, error) {
	token := rand.Text()
	b := &bench{}
	var err error
	if b.world, err = world.New(bin, ""); err != nil {
		return nil, err
	}
	b.chat = slacktest.Start()
	b.world.Env = append(b.world.Env, "SLACK_API_URL="+b.chat.URL())
	upstream, addr, root, err := play(ctx, "upstream", []string{"BENCH_TOKEN=" + token})
	if err != nil {
		return nil, err
	}
	b.upstream = upstream
	var tunnel string
	if b.tunnel, tunnel, _, err = play(ctx, "tunnel", nil, addr); err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.world.Path("upstream-ca.pem"), root, 0o600); err != nil {
		return nil, err
	}
	if err := b.world.SetUp(ctx); err != nil {
		return nil, err
	}
	if err := b.world.Apply(ctx, []byte(document), "BENCH_TOKEN="+token); err != nil {
		return nil, err
	}
	if _, err := b.world.Do(ctx, "", "tameflare", "gateway", "up", "--gateway", "bench", "--no-input",
		"--connect-to", "api.github.com:443:"+addr, "--upstream-ca", b.world.Path("upstream-ca.pem")); err != nil {
		return nil, err
	}
	b.gateway = b.world.Gateway("bench")
	status, err := b.gateway.Status(ctx)
	if err != nil {
		return nil, err
	}
	if b.run, err = b.gateway.Start(ctx, runs.Start{Program: "bench"}); err != nil {
		return nil, err
	}
	mitm, err := os.ReadFile(b.run.Door.CA)
	if err != nil {
		return nil, err
	}
	b.server = b.world.ServerPID()
	b.paths = []path{
		{name: "direct", addr: addr, roots: pool(root), pid: upstream.Process.Pid},
		{name: "CONNECT tunnel", proxy: proxyURL(tunnel), roots: pool(root), pid: b.tunnel.Process.Pid},
		{name: "TameFlare", proxy: proxyURL(b.run.Door.Proxy), roots: pool(mitm), pid: status.PID, records: b.server, settle: b.delivered},
	}
	return b, nil
}

func pool(pem []byte) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

func proxyURL(addr string) *url.URL { return &url.URL{Scheme: "http", Host: addr} }

// weigh prints the programs' sizes as they were built, stripped, and what they
// hold in memory before the first request.
func (b *bench) weigh(bin string) error {
	fmt.Printf("| program | size MB | idle RSS MB |\n|---|--:|--:|\n")
	for _, p := range []struct {
		name string
		pid  int
	}{{"tameflare-server", b.server}, {"tameflare-gateway", 0}, {"tameflare", b.paths[2].pid}} {
		info, err := os.Stat(filepath.Join(bin, p.name))
		if err != nil {
			return err
		}
		idle := "" // the CLI holds the same gateway; the separate program is for servers
		if p.pid != 0 {
			mb, err := rss(p.pid)
			if err != nil {
				return err
			}
			idle = fmt.Sprintf("%.1f", mb)
		}
		fmt.Printf("| %s | %.1f | %s |\n", p.name, float64(info.Size())/(1<<20), idle)
	}
	return nil
}

// delivered returns when the server has every record.
func (b *bench) delivered(ctx context.Context) error {
	ctx, cancel := wait(ctx)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := b.gateway.Status(ctx)
		if err != nil || status.Spool.Unsent == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d records are not delivered: %w", status.Spool.Unsent, ctx.Err())
		case <-tick.C:
		}
	}
}

func (b *bench) close() error {
	b.run.Close()
	defer b.chat.Close()
	var problems []error
	for _, cmd := range []*exec.Cmd{b.upstream, b.tunnel} {
		problems = append(problems, cmd.Process.Signal(os.Interrupt), cmd.Wait())
	}
	return errors.Join(append(problems, b.world.Close())...)
}

// wait gives up after a time that no measurement should take.
func wait(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 30*time.Second)
}
