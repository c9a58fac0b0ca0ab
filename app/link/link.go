// Package link is what gateways call, over mTLS.
//
// Every call is authorised anew, against the certificate and the gateway's row
// as they are at that moment: a connection outlives a decision. Whoever is at
// the other end may be hostile, so what is read is bounded before it is
// understood. The types, and what each call means, are those of package wire.
package link

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/wire"
)

var _ Fleet = (*gateways.Service)(nil)

// Fleet knows who calls, and gives certificates.
type Fleet interface {
	Peer(ctx context.Context, state tls.ConnectionState) (fleet.Gateway, error)
	Saw(ctx context.Context, g fleet.Gateway, version string) error
	Enrol(ctx context.Context, r wire.EnrolRequest) (wire.EnrolAnswer, error)
	Renew(ctx context.Context, state tls.ConnectionState, r wire.RenewRequest) (wire.RenewAnswer, error)
}

// Rollout knows what gateways act on.
type Rollout interface {
	Snapshot(ctx context.Context, gw fleet.Gateway, after int64, wait time.Duration) (wire.SnapshotAnswer, error)
}

// Approvals puts requests before people.
type Approvals interface {
	Ask(ctx context.Context, gw fleet.Gateway, ask wire.Ask) (approval.Approval, error)
	Wait(ctx context.Context, gw fleet.Gateway, id string, seq int64, wait time.Duration) (approval.Approval, error)
	Use(ctx context.Context, gw fleet.Gateway, id string, use wire.Use) (approval.Approval, error)
	Changes(ctx context.Context, gw fleet.Gateway, after int64, wait time.Duration) (as []approval.Approval, through int64, err error)
}

// Trail keeps what gateways record.
type Trail interface {
	Append(ctx context.Context, gw fleet.Gateway, entries []audit.Sealed) (wire.AuditAnswer, error)
}

// Kills notes kill switches on gateways' machines.
type Kills interface {
	Report(ctx context.Context, gw fleet.Gateway, r wire.KillReport) error
}

// Server answers gateways. It does not listen: Handler belongs on an
// http.Server with the authority's TLS configuration, without a WriteTimeout,
// and with a BaseContext that ends when the server begins to stop. Polls return
// "nothing new" then; everything else is finished.
type Server struct {
	Fleet     Fleet
	Rollout   Rollout
	Approvals Approvals
	Trail     Trail
	Kills     Kills
	BaseURL   string // of the dashboard, for links to approvals
	Version   string // of this program
	Log       *slog.Logger

	enrolments limiter
	mu         sync.Mutex
	busy       map[string]int // calls under way, by gateway, and uploads among them
}

// caller is who is at the other end.
type caller struct {
	gw    fleet.Gateway // zero for a route that is open
	state tls.ConnectionState
}

type endpoint func(s *Server, r *http.Request, c caller) (answer any, err error)

// routes is everything that can be called. A route that is not open is for
// gateways with a certificate.
var routes = []struct {
	pattern string
	open    bool
	serve   endpoint
}{
	{"POST /v1/enrol", true, (*Server).enrol},
	{"POST /v1/renew", false, (*Server).renew},
	{"GET /v1/whoami", false, (*Server).whoami},
	{"GET /v1/snapshot", false, (*Server).snapshot},
	{"POST /v1/approvals", false, (*Server).ask},
	{"GET /v1/approvals/changes", false, (*Server).changes},
	{"GET /v1/approvals/{id}", false, (*Server).wait},
	{"POST /v1/approvals/{id}/use", false, (*Server).use},
	{"POST /v1/audit", false, (*Server).audit},
	{"POST /v1/kills", false, (*Server).kill},
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range routes {
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, route.open, route.serve) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.write(w, fault.NotFound.Status(), problem(fault.New(fault.NotFound, "There is nothing here. Is the gateway newer than the server?", nil)))
	})
	return mux
}

const (
	bodyPatience = 30 * time.Second
	maxBusy      = 1000 // calls of one gateway at once: each held request has one
	maxUploads   = 2    // of one gateway at once: each may unpack to maxPlain
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request, open bool, do endpoint) {
	if r.Method == http.MethodPost {
		// A poll lasts for long; a body may not. A connection that knows no
		// deadlines is one of a test.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyPatience))
	}
	ctx := r.Context()
	answer, err := s.call(r, open, do)
	switch {
	case err != nil:
		p := problem(err)
		if p.Code == fault.Internal.String() && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "a gateway's call failed", "route", r.Pattern, "error", err)
		} else {
			s.Log.DebugContext(ctx, "a gateway's call was refused", "route", r.Pattern, "error", err)
		}
		if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		s.write(w, p.Status, p)
	case answer == nil:
		s.stamp(w)
		w.WriteHeader(http.StatusNoContent)
	default:
		s.write(w, http.StatusOK, answer)
	}
}

func (s *Server) call(r *http.Request, open bool, do endpoint) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(r.Context(), "a gateway's call panicked", "route", r.Pattern, "panic", p, "stack", string(debug.Stack()))
			answer, err = nil, errors.New("panic")
		}
	}()
	var c caller
	if r.TLS != nil {
		c.state = *r.TLS
	}
	if open {
		if !s.enrolments.allow(r.RemoteAddr, time.Now()) {
			return nil, fault.New(fault.Limited, "Too many enrolments from this address. Try again in a minute.", nil)
		}
		return do(s, r, c)
	}
	if c.gw, err = s.Fleet.Peer(whole(r), c.state); err != nil {
		return nil, err
	}
	if !s.enter(c.gw.ID, maxBusy) {
		return nil, fault.New(fault.Limited, "This gateway makes too many calls at once.", nil)
	}
	defer s.leave(c.gw.ID)
	if err := s.Fleet.Saw(whole(r), c.gw, r.Header.Get(wire.VersionHeader)); err != nil {
		s.Log.WarnContext(r.Context(), "a gateway's sign of life was not kept", "gateway", c.gw.ID, "error", err)
	}
	return do(s, r, c)
}

// enter counts what is under way for id, unless that is limit already. Who was
// let in calls leave.
func (s *Server) enter(id string, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] >= limit {
		return false
	}
	if s.busy == nil {
		s.busy = map[string]int{}
	}
	s.busy[id]++
	return true
}

func (s *Server) leave(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id]--; s.busy[id] == 0 {
		delete(s.busy, id)
	}
}
