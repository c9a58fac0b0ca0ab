package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/gateway/dummy"
)

// service is what one run is served with. Nothing in it is shared with another
// run: not even connections to upstreams, so that no run can find what another
// left on one.
type service struct {
	*Proxy
	run    Run
	keys   *dummy.Keys
	who    policy.Run // as policies see the run
	limits Limits
	log    *slog.Logger

	pool  *pool
	flows flows
	h1    http.Server // never listens; HTTP/2 takes its settings and its shutdown from it
	h2    http2.Server

	mu       sync.Mutex
	conns    map[*tunnel]struct{}
	draining atomic.Bool
	tunnels  sync.WaitGroup
	holds    atomic.Int64
	kept     atomic.Int64

	inquiries inquiries
}

// ServeRun serves run on ln until ctx ends, and closes ln. When it returns,
// everything that belongs to the run has ended: requests under way have had
// Limits.Grace to finish, and were cut after that.
func (p *Proxy) ServeRun(ctx context.Context, ln net.Listener, run Run) error {
	s := p.service(run)
	// Connections outlive ctx by the grace period.
	alive, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()

	var sweeper sync.WaitGroup
	changed := s.Current.Changed() // before the first request, or its kill could be missed
	sweeper.Go(func() { s.sweep(alive, changed) })
	err := s.accept(ctx, alive, ln)
	_ = ln.Close()
	s.drain()
	cut(errRunEnded)
	s.closeTunnels(false)
	s.tunnels.Wait()
	s.pool.close()
	sweeper.Wait()
	return err
}

func (p *Proxy) service(run Run) *service {
	s := &service{Proxy: p, run: run, who: policy.Run{ID: run.ID, Principal: run.Principal}, limits: p.Limits.withDefaults(), log: p.Log, conns: map[*tunnel]struct{}{}}
	if s.keys = run.Keys; s.keys == nil {
		s.keys = new(dummy.Keys)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("run", run.ID)
	s.pool = newPool(p.Guard, p.Roots, s.limits)
	s.h1 = http.Server{
		MaxHeaderBytes:    s.limits.Head.Head,
		IdleTimeout:       s.limits.Idle,
		ReadHeaderTimeout: s.limits.Idle,              // HTTP/2 only: HTTP/1 is read by our own loop
		ErrorLog:          log.New(io.Discard, "", 0), // it would quote what clients sent
	}
	s.h2 = http2.Server{
		IdleTimeout:          s.limits.Idle,
		MaxConcurrentStreams: 250,
		WriteByteTimeout:     s.limits.Stall,
		MaxReadFrameSize:     64 << 10,
	}
	if err := http2.ConfigureServer(&s.h1, &s.h2); err != nil {
		panic("proxy: " + err.Error()) // only a bad TLS configuration, and there is none
	}
	return s
}

// now is for entries and ages that people see.
func (s *service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// accept takes connections until ctx ends. Running out of descriptors is a
// state that passes, not an end.
func (s *service) accept(ctx, alive context.Context, ln net.Listener) error {
	const longest = time.Second
	pause := 5 * time.Millisecond
	for {
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept: %w", err)
		case err != nil:
			s.log.Warn("cannot accept", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, longest)
			continue
		}
		pause = 5 * time.Millisecond
		t := s.enter(conn)
		if t == nil {
			s.turnAway(conn)
			continue
		}
		s.tunnels.Go(func() {
			defer s.leave(t)
			defer t.survive()
			t.serve(alive)
		})
	}
}

// enter makes the tunnel for conn, or nil where there are too many.
func (s *service) enter(conn net.Conn) *tunnel {
	t := &tunnel{s: s, raw: conn}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= s.limits.Tunnels {
		return nil
	}
	s.conns[t] = struct{}{}
	return t
}

func (s *service) leave(t *tunnel) {
	_ = t.raw.Close()
	s.mu.Lock()
	delete(s.conns, t)
	s.mu.Unlock()
}

const busy = "HTTP/1.1 503 Too many connections at TameFlare: try again\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

func (s *service) turnAway(conn net.Conn) {
	s.log.Warn("too many connections", "limit", s.limits.Tunnels)
	_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = io.WriteString(conn, busy)
	_ = conn.Close()
}

// drain lets what is under way finish, for as long as there is grace.
func (s *service) drain() {
	s.draining.Store(true)
	s.closeTunnels(true)
	if s.limits.Grace <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.limits.Grace)
	defer cancel()
	_ = s.h1.Shutdown(ctx) // tells HTTP/2 clients to go
	ended := make(chan struct{})
	go func() {
		s.tunnels.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// closeTunnels closes those that have no request under way, or all.
func (s *service) closeTunnels(idleOnly bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.conns {
		if !idleOnly || t.idle.Load() {
			_ = t.raw.Close()
		}
	}
}
