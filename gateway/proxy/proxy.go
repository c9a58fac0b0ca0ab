// Package proxy carries the requests of one run to the services they are for,
// and decides on the way.
//
// Every request goes through the same stages, whichever protocol brought it:
// bind it to one destination, find out what it would do, decide, hold it where
// a person must agree, put its intent on record, give it the credential, send
// it, and put on record what came of it. A stage that fails refuses the
// request, and whatever is not known for certain fails. The path reads from top
// to bottom in exchange.go; around it are the two protocols that bring requests
// (h1.go, h2.go) and the two that take them on (send_h1.go, send_h2.go).
//
// One request runs on one goroutine where it can. That is what keeps a request
// cheap, and it is why the HTTP/1 side does not use http.Server and
// http.Transport: those also repair what they should refuse, and send again
// what should be sent once.
package proxy

import (
	"context"
	"crypto/x509"
	"log/slog"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/dummy"
	"github.com/tameflare/tameflare/gateway/mitm"
	"github.com/tameflare/tameflare/gateway/netguard"
	"github.com/tameflare/tameflare/gateway/strict"
)

// Current knows the configuration that counts now.
type Current interface {
	// Load fails where there is none that may be acted on.
	Load() (*decide.State, error)
	// Changed is closed when Load may give something else than before.
	Changed() <-chan struct{}
}

// Desk is where requests wait for a person.
type Desk interface {
	// Hold returns when there is a decision, when hold has passed (then the
	// approval is still pending) or when ctx ends.
	Hold(ctx context.Context, ask *wire.Ask, hold time.Duration) (wire.Approval, error)
	// Use redeems a grant. Of all who try one succeeds.
	Use(ctx context.Context, id string, use wire.Use) error
	// Look returns an approval of the gateway's as it is, once it is not
	// pending any more or wait is over.
	Look(ctx context.Context, id string, wait time.Duration) (wire.Approval, error)
}

// Spool is where requests go on record.
type Spool interface {
	// Record returns once the entry would survive a crash.
	Record(t audit.Traffic) error
	// Note returns before that; the entry still comes after all earlier ones.
	Note(t audit.Traffic) error
}

// Proxy is what all runs of a gateway share. Its fields are set before the
// first run and not changed after.
type Proxy struct {
	MITM    *mitm.Authority
	Guard   *netguard.Guard
	Current Current
	Desk    Desk
	Spool   Spool
	Roots   *x509.CertPool // that upstream certificates must lead to; nil for the system's
	Log     *slog.Logger
	Now     func() time.Time // for entries; nil for time.Now

	// Limits of one run. A zero field means its default.
	Limits Limits
}

// Run is one governed process, from the side of the proxy.
type Run struct {
	ID        string // "run_…"
	Principal string // who runs it: what approvals are bound to

	// Keys are what the process was given in place of real ones. Nil is none,
	// and then every key that looks like ours is another run's.
	Keys *dummy.Keys

	// UID is the user that connections must come from, where the system can
	// tell. Less than zero is anybody, which is for listeners that are fenced
	// in another way.
	UID int

	// Tell hears of the run's requests as they go on record and when one
	// begins to wait. It must not block. May be nil.
	Tell func(Event)
}

// Event is something that happened to a request. One that begins to wait for a
// person has Held set, and no entry is written of it yet.
type Event struct {
	Held     bool
	Entry    audit.Traffic
	Approval wire.Approval
}

// Limits keep one run from using up the gateway. A zero field means its
// default.
type Limits struct {
	Head    strict.Limits
	Tunnels int // connections at once; 8192
	Holds   int // requests that wait for a person at once; 5000
	Look    int // bytes of body read to find out what a request does; 1 MiB
	Body    int // bytes of body kept for a request that waits; 8 MiB
	Kept    int // bytes of bodies kept at once, all requests of the run together; 64 MiB
	List    int // bytes of an answer, or of one event in it, that is looked through for tools; 4 MiB

	Handshake time.Duration // until TLS is there; 10 s
	Header    time.Duration // from the first byte of a request to the end of its head; 10 s
	Idle      time.Duration // between requests, on either side; 5 min
	Stall     time.Duration // that a peer may take to accept or send the next byte of a body; 2 min
	Answer    time.Duration // that an upstream may be silent, before and within an answer; 10 min
	Stream    time.Duration // that an upgraded connection may be silent; 1 h
	Grace     time.Duration // for requests under way when the run ends; 0 is none
}

func (l Limits) withDefaults() Limits {
	count := func(n *int, d int) {
		if *n <= 0 {
			*n = d
		}
	}
	count(&l.Tunnels, 8192)
	count(&l.Holds, 5000)
	count(&l.Look, 1<<20)
	count(&l.Body, 8<<20)
	count(&l.Kept, 64<<20)
	count(&l.List, 4<<20)
	last := func(t *time.Duration, d time.Duration) {
		if *t <= 0 {
			*t = d
		}
	}
	last(&l.Handshake, 10*time.Second)
	last(&l.Header, 10*time.Second)
	last(&l.Idle, 5*time.Minute)
	last(&l.Stall, 2*time.Minute)
	last(&l.Answer, 10*time.Minute)
	last(&l.Stream, time.Hour)
	return l
}
