package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/gateway/decide"
)

// Why an exchange ends before it is through.
var (
	errClientGone = errors.New("the client went away")
	errRunEnded   = errors.New("the run has ended")
	errRevoked    = errors.New("the gateway may not act any more")
)

// killed is a kill switch that ended an exchange.
type killed struct{ decision policy.Decision }

func (killed) Error() string { return "the kill switch ended it" }

// flows are the exchanges under way, so that a kill switch can end those it
// names. The zero value is none.
type flows struct {
	mu  sync.Mutex
	all map[*exchange]struct{}
}

func (f *flows) add(x *exchange) {
	f.mu.Lock()
	if f.all == nil {
		f.all = map[*exchange]struct{}{}
	}
	f.all[x] = struct{}{}
	f.mu.Unlock()
}

func (f *flows) remove(x *exchange) {
	f.mu.Lock()
	delete(f.all, x)
	f.mu.Unlock()
}

// judge ends every exchange that st stops. With no state at all it ends them
// all: the gateway was revoked, or has lost what it acts on.
func (f *flows) judge(st *decide.State, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for x := range f.all {
		x.judge(st, err)
	}
}

// judge ends x where st stops it.
func (x *exchange) judge(st *decide.State, err error) {
	if err != nil {
		x.cancel(errRevoked)
		return
	}
	d, stopped := st.Stops(x.action.Connector, x.connector)
	if now := st.Connector(x.dest.host); !stopped && now != nil && now != x.connector {
		// A switch goes by the names of today.
		d, stopped = st.Stops(now.Name(), now)
	}
	if stopped {
		x.cancel(killed{d})
	}
}

// sweep holds the exchanges under way against every new state, and lets go of
// connections that nobody needs. It returns when ctx ends.
func (s *service) sweep(ctx context.Context, changed <-chan struct{}) {
	tick := time.NewTicker(s.limits.Idle / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			changed = s.Current.Changed() // before the look, or a change could fall between
			st, err := s.Current.Load()
			s.flows.judge(st, err)
		case <-tick.C:
			s.pool.prune(time.Now())
		}
	}
}
