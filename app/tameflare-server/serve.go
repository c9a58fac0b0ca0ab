package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/app/oauth"
)

// shutdownBudget is what requests under way have to finish. It is less than
// the kill_timeout in fly.toml.
const shutdownBudget = 20 * time.Second

// serve is the command "serve".
func (p program) serve(ctx context.Context, args []string) int {
	if code, ok := p.parse(p.flags("serve"), args); !ok {
		return code
	}
	c, err := LoadConfig(p.getenv)
	if err != nil {
		return p.failed(err)
	}
	log := newLog(c, p.stderr)
	// Smallstep writes to the standard library's log, in places that nothing
	// else reaches. This takes its lines over.
	slog.SetDefault(log)
	if err := Serve(ctx, c, log, p.stdout); err != nil {
		return p.failed(err)
	}
	return 0
}

// Serve runs the server until ctx ends, and then lets requests under way
// finish: long polls and streams end at once, everything else has the
// shutdown budget. It writes to out where the server is to be found.
func Serve(ctx context.Context, c Config, log *slog.Logger, out io.Writer) error {
	st, master, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer st.Close()

	dashboard, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	defer dashboard.Close()
	link, err := net.Listen("tcp", c.GatewayAddr)
	if err != nil {
		return fmt.Errorf("gateways' port: %w", err)
	}
	defer link.Close()

	at := locate(c, dashboard.Addr(), link.Addr())
	// What serves requests needs lives until the last of them has ended.
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	h, err := furnish(alive, st, master, &oauth.Client{Allow: c.OAuthAllow}, at, log)
	if err != nil {
		return err
	}
	h.open(c, at)
	tlsConfig, err := h.authority.ServerTLS(alive)
	if err != nil {
		return fmt.Errorf("gateways' port: %w", err)
	}
	if err := h.announce(ctx, c, at, out); err != nil {
		return err
	}

	g, failed := errgroup.WithContext(ctx)
	servers, stopping := errgroup.WithContext(failed) // one that fails takes the other along
	people := newServer(alive, h.handler(stopping, c, at), log)
	servers.Go(func() error { return serveUntil(stopping, people, func() error { return people.Serve(dashboard) }) })
	// The link ends polls, and nothing else, with its requests' context.
	machines := newServer(stopping, h.link.Handler(), log)
	machines.TLSConfig = tlsConfig
	servers.Go(func() error {
		return serveUntil(stopping, machines, func() error { return machines.ServeTLS(link, "", "") })
	})

	g.Go(func() error {
		defer end() // the rooms go when nobody is in them any more
		return servers.Wait()
	})
	for _, run := range h.running {
		g.Go(func() error { return run(alive) })
	}
	for _, run := range h.working {
		g.Go(func() error { return run(failed) })
	}
	return g.Wait()
}

// newServer has no WriteTimeout and no ReadTimeout: they would cut streams and
// held polls. Its requests live no longer than ctx.
func newServer(ctx context.Context, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' handshakes
	}
}

// serveUntil serves until stopping ends, and then shuts down within the budget.
func serveUntil(stopping context.Context, s *http.Server, serve func() error) error {
	served := make(chan error, 1)
	go func() { served <- serve() }()
	select {
	case err := <-served:
		return err
	case <-stopping.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stopping), shutdownBudget)
	defer cancel()
	err := s.Shutdown(ctx)
	if err != nil {
		s.Close() // whoever is still there has had their time
	}
	if serr := <-served; !errors.Is(serr, http.ErrServerClosed) {
		return serr
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
