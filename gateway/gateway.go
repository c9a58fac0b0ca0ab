package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/hold"
	"github.com/tameflare/tameflare/gateway/link"
	"github.com/tameflare/tameflare/gateway/mitm"
	"github.com/tameflare/tameflare/gateway/netguard"
	"github.com/tameflare/tameflare/gateway/proxy"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/gateway/spool"
	"github.com/tameflare/tameflare/gateway/state"
)

// gateway is one that runs.
type gateway struct {
	config   Config
	started  time.Time
	log      *slog.Logger
	current  *decide.Current
	link     *link.Link
	spool    *spool.Spool
	mitm     *mitm.Authority
	proxy    *proxy.Proxy
	registry *runs.Registry
	bundle   string
}

const (
	grace     = 2 * time.Second // for what is under way when a run ends
	rootCheck = 6 * time.Hour   // between looks whether the root must be replaced
	idleCheck = time.Second
)

// Run runs the gateway that StateDir was enrolled as, until ctx ends, somebody
// shuts it down or it was idle for long enough; then it returns nil. It fails
// with fault.NotFound where StateDir has not been enrolled, and with
// fault.Conflict where another process runs it already.
func Run(ctx context.Context, c Config) error {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g := &gateway{config: c, started: time.Now(), log: c.Log, current: &decide.Current{}, registry: &runs.Registry{}}
	dir, err := state.Open(c.StateDir)
	if err != nil {
		return fmt.Errorf("start gateway: %w", err)
	}
	if err := g.open(dir); err != nil {
		return fmt.Errorf("start gateway: %w", err)
	}
	socket, err := runs.SocketPath(c.RuntimeDir, g.link.Identity.Name)
	if err != nil {
		return errors.Join(fmt.Errorf("start gateway: %w", err), g.spool.Close())
	}
	ln, err := runs.Listen(ctx, socket)
	if err != nil {
		return errors.Join(fmt.Errorf("start gateway: %w", err), g.spool.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	control := &runs.Server{Gateway: g, Registry: g.registry, Shutdown: stop, Log: g.log}

	// What records must end after what there is to record, and the spool after
	// both.
	front, frontCtx := errgroup.WithContext(ctx)
	backCtx, stopBack := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBack()
	back, backCtx := errgroup.WithContext(backCtx)
	back.Go(func() error { return quiet(g.spool.Run(backCtx)) })
	back.Go(func() error { return g.link.Run(backCtx) })
	front.Go(func() error { return control.Run(frontCtx, ln) })
	front.Go(func() error { return g.keepRoot(frontCtx) })
	front.Go(func() error { return g.endWhenIdle(frontCtx, stop) })
	// If what is behind fails, nothing in front can go on.
	defer context.AfterFunc(backCtx, stop)()

	if err := g.spool.Note(audit.Traffic{Time: g.started, Step: audit.Local, Code: "started", Reason: "Version " + c.Version}); err != nil {
		g.log.Error("the start is not on record yet", "error", err)
	}
	g.log.Info("gateway ready", "gateway", g.link.Identity.Name, "socket", socket, "version", c.Version)
	debug.FreeOSMemory() // starting takes more than running
	if c.Ready != nil {
		c.Ready(socket)
	}
	err = front.Wait()
	err = errors.Join(err, g.spool.Flush())
	stopBack()
	err = errors.Join(err, back.Wait(), g.spool.Close())
	g.log.Info("gateway ended", "gateway", g.link.Identity.Name)
	return err
}

func quiet(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// open makes everything, and starts nothing.
func (g *gateway) open(dir state.Dir) error {
	connectTo, err := g.config.connectTo()
	if err != nil {
		return err
	}
	roots, err := g.config.roots()
	if err != nil {
		return err
	}
	if g.link, err = link.Open(dir, g.current, g.config.Version, g.log); err != nil {
		return err
	}
	if g.mitm, err = (mitm.Config{Name: g.link.Identity.Name}).Load(dir.Path("ca"), time.Now()); err != nil {
		return err
	}
	if err := g.writeBundle(); err != nil {
		return err
	}
	if g.spool, err = openSpool(dir, g.link.Identity, g.log); err != nil {
		return err
	}
	g.link.Spool = g.spool
	desk := &hold.Desk{Server: g.link, Log: g.log, Waiting: func(ask *wire.Ask, a wire.Approval, until time.Time) {
		if r := g.registry.Find(ask.RunID); r != nil {
			r.Waits(ask, a, until)
		}
	}}
	g.proxy = &proxy.Proxy{
		MITM: g.mitm,
		Guard: &netguard.Guard{
			Permit: func(host string) []netip.Prefix {
				st, err := g.current.Load()
				if err != nil {
					return nil
				}
				return st.Permits(host)
			},
			ConnectTo: connectTo,
			Self:      g.registry.Listens,
		},
		Current: g.current, Desk: desk, Spool: g.spool, Roots: roots, Log: g.log,
		Limits: proxy.Limits{Grace: grace},
	}
	return nil
}

// openSpool opens the gateway's spool. One that does not continue what the
// server has of this gateway is put aside: it was enrolled again because of
// that, and what is in there can be looked at, but not be delivered.
func openSpool(dir state.Dir, id link.Identity, log *slog.Logger) (*spool.Spool, error) {
	settings := spool.Settings{Seq: id.AuditThrough, Hash: id.AuditHash}
	s, err := spool.Open(dir.Path("spool"), settings)
	if err != nil {
		return nil, err
	}
	fits, err := s.Continues(id.AuditThrough, id.AuditHash)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if fits {
		return s, nil
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	aside := dir.Path("spool-" + time.Now().UTC().Format("20060102T150405.000"))
	if err := os.Rename(dir.Path("spool"), aside); err != nil {
		return nil, fmt.Errorf("put spool aside: %w", err)
	}
	log.Error("the audit spool does not continue what the server has; it was put aside", "kept", aside)
	return spool.Open(dir.Path("spool"), settings)
}

func (g *gateway) writeBundle() error {
	host, err := mitm.HostRoots()
	if err != nil {
		return err
	}
	g.bundle, err = g.mitm.WriteBundle(host, nil)
	return err
}

// keepRoot replaces the gateway's root before it ends.
func (g *gateway) keepRoot(ctx context.Context) error {
	tick := time.NewTicker(rootCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			changed, err := g.mitm.Renew(now)
			if err == nil && changed {
				err = g.writeBundle()
			}
			if err != nil {
				g.log.Error("the gateway's root could not be renewed", "until", g.mitm.Expires(), "error", err)
			}
		}
	}
}

// endWhenIdle ends a gateway that nobody has used for long enough.
func (g *gateway) endWhenIdle(ctx context.Context, stop func()) error {
	if g.config.Idle <= 0 {
		return nil
	}
	tick := time.NewTicker(idleCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if g.registry.Quiet(g.started) >= g.config.Idle {
				g.log.Info("no run for a while, so the gateway ends", "idle", g.config.Idle)
				stop()
				return nil
			}
		}
	}
}

var _ runs.Gateway = (*gateway)(nil)

// errOther is what a run gets that wants to go out another way.
func errOther(flag string) error {
	return fault.New(fault.Conflict, "The gateway was started with another "+flag+". Stop it with tameflare gateway down, and run again.", nil)
}
