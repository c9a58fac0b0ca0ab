package runs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/dummy"
)

// Gateway is what stands behind the control socket.
type Gateway interface {
	// Door returns what a run needs to know, with dummy keys out of keys, or
	// why there cannot be one. What it returns besides is called when the run
	// has ended.
	Door(s Start, keys *dummy.Keys) (Door, func(), error)
	// Serve serves a run until ctx ends.
	Serve(ctx context.Context, ln net.Listener, r *Run) error
	// Status returns everything but the runs.
	Status() Status
	Kill(k Kill) ([]KillStatus, error)
	CA() CA
}

// Server serves the control socket.
type Server struct {
	Gateway  Gateway
	Registry *Registry
	Shutdown func() // ends the gateway
	Log      *slog.Logger
}

const (
	headerTimeout = 5 * time.Second
	maxRequest    = 64 << 10
	goodbye       = 3 * time.Second // for runs to end and streams to say their last line
)

type peerKey struct{}

// Run serves until ctx ends, and closes ln. Runs that are going on then end
// with their summary.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(ctx context.Context, w http.ResponseWriter, r *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(ctx, w, r); err != nil {
				s.fail(w, r, err)
			}
		})
	}
	handle("POST /runs", s.start)
	handle("DELETE /runs/{id}", s.end)
	handle("GET /status", s.showStatus)
	handle("POST /kill", s.kill)
	handle("GET /ca", s.showCA)
	handle("POST /shutdown", s.shutdown)
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: headerTimeout,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			from, ok := c.(peer)
			if !ok {
				return ctx // start refuses it
			}
			return context.WithValue(ctx, peerKey{}, from.uid)
		},
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(guarded{ln}) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve control socket: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		_ = server.Close() // whoever is left does not read
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve control socket: %w", err)
	}
	return nil
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := fault.Of(err)
	if kind == fault.Internal {
		s.Log.Error("control call failed", "call", r.Method+" "+r.URL.Path, "error", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(kind.Status())
	_ = json.NewEncoder(w).Encode(wire.Problem{ // whoever is gone does not hear it
		Title: http.StatusText(kind.Status()), Status: kind.Status(), Detail: fault.Message(err), Code: kind.String(),
	})
}

func read(w http.ResponseWriter, r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fault.New(fault.Invalid, "The gateway does not understand this call. Is it of another version? Stop it with: tameflare gateway down", err)
	}
	return nil
}

func write(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever is gone does not hear it
	return nil
}

// start opens a door for a run, and keeps telling of it until it ends.
func (s *Server) start(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	var in Start
	if err := read(w, r, &in); err != nil {
		return err
	}
	uid, known := r.Context().Value(peerKey{}).(int)
	if !known {
		return fault.New(fault.Forbidden, "Nobody can tell who asks for this run.", nil)
	}
	keys := new(dummy.Keys)
	door, done, err := s.Gateway.Door(in, keys)
	if err != nil {
		return err
	}
	defer done()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open a door: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(r.Context(), cancel) // the caller is gone
	defer stop()

	at, err := netip.ParseAddrPort(ln.Addr().String())
	if err != nil {
		return fmt.Errorf("open a door: %w", errors.Join(err, ln.Close()))
	}
	run := newRun(cmp.Or(in.Program, "process"), principal(uid), uid, at, cancel)
	run.Keys = keys
	s.Registry.add(run)
	defer s.Registry.remove(run)
	door.RunID, door.Principal, door.Proxy = run.ID, run.Principal, run.addr.String()
	s.Log.Info("run begins", "run", run.ID, "program", run.Program, "principal", run.Principal)
	defer s.Log.Info("run ended", "run", run.ID)

	served := make(chan error, 1)
	go func() { served <- s.Gateway.Serve(ctx, ln, run) }()

	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	say := func(e Event) {
		if err := out.Encode(e); err == nil {
			err = flush.Flush()
			_ = err // the request's context tells when the caller has gone
		}
	}
	say(Event{Kind: Started, Time: run.StartedAt.UTC(), Door: &door})
	for {
		select {
		case e := <-run.events:
			say(e)
		case err := <-served:
			if err != nil && !errors.Is(err, context.Canceled) {
				s.Log.Error("run cannot be served", "run", run.ID, "error", err)
			}
			for len(run.events) > 0 {
				say(<-run.events)
			}
			say(run.summary())
			return nil
		}
	}
}

func (s *Server) end(_ context.Context, w http.ResponseWriter, r *http.Request) error {
	run := s.Registry.Find(r.PathValue("id"))
	if run == nil {
		return fault.New(fault.NotFound, "There is no such run.", nil)
	}
	run.cancel()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) showStatus(_ context.Context, w http.ResponseWriter, _ *http.Request) error {
	status := s.Gateway.Status()
	status.Runs = s.Registry.statuses()
	slices.SortFunc(status.Runs, func(a, b RunStatus) int { return a.StartedAt.Compare(b.StartedAt) })
	if status.Kills == nil {
		status.Kills = []KillStatus{}
	}
	return write(w, status)
}

func (s *Server) kill(_ context.Context, w http.ResponseWriter, r *http.Request) error {
	var in Kill
	if err := read(w, r, &in); err != nil {
		return err
	}
	kills, err := s.Gateway.Kill(in)
	if err != nil {
		return err
	}
	if kills == nil {
		kills = []KillStatus{}
	}
	return write(w, kills)
}

func (s *Server) showCA(_ context.Context, w http.ResponseWriter, _ *http.Request) error {
	return write(w, s.Gateway.CA())
}

func (s *Server) shutdown(_ context.Context, w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	s.Shutdown()
	return nil
}

// principal names who runs something, for people and for approvals.
func principal(uid int) string {
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return name + "@" + host
}
