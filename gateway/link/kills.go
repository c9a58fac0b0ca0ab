package link

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/decide"
	"github.com/tameflare/tameflare/gateway/state"
)

// Kills is the machine's own kill switch: it works at once, outlives restarts,
// and is told to the server when that can be reached.
type Kills struct {
	dir     state.Dir
	current *decide.Current

	mu      sync.Mutex
	reports []wire.KillReport // not told yet, in order
	rung    chan struct{}
}

// keptKills is what killsFile holds.
type keptKills struct {
	On      []policy.Kill     `json:"on"`
	Reports []wire.KillReport `json:"reports,omitempty"`
}

const maxReports = 1000

func openKills(dir state.Dir, current *decide.Current) *Kills {
	k := &Kills{dir: dir, current: current, rung: make(chan struct{}, 1)}
	var kept keptKills
	switch err := dir.ReadJSON(killsFile, &kept); {
	case fault.Of(err) == fault.NotFound:
		return k
	case err != nil:
		// Nobody knows what was on, so everything is.
		current.Kill("", "The record of this machine's kill switch cannot be read. Lift it when that is understood: tameflare kill off")
		return k
	}
	k.reports = kept.Reports
	if len(k.reports) > 0 {
		k.rung <- struct{}{}
	}
	current.SetLocal(kept.On)
	return k
}

// Pull stops a connector's requests, or with "" all. It is on when Pull
// returns, also where the error says that it will not outlive a restart.
func (k *Kills) Pull(connector, reason string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current.Kill(connector, reason)
	return k.keep(wire.KillReport{On: true, Connector: connector, Reason: reason, At: time.Now().UTC().Truncate(time.Microsecond)})
}

// Lift takes back what Pull did. It fails with fault.NotFound where nothing was
// pulled on this machine.
func (k *Kills) Lift(connector, reason string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.current.Lift(connector) {
		return fault.New(fault.NotFound, "No such kill switch was pulled on this machine. One that was pulled at the dashboard is lifted there.", nil)
	}
	return k.keep(wire.KillReport{Connector: connector, Reason: reason, At: time.Now().UTC().Truncate(time.Microsecond)})
}

// keep writes down what is on, and what the server has to hear. The caller
// holds mu.
func (k *Kills) keep(r wire.KillReport) error {
	if len(k.reports) < maxReports {
		k.reports = append(k.reports, r)
	}
	select {
	case k.rung <- struct{}{}:
	default:
	}
	return k.write()
}

func (k *Kills) write() error {
	if err := k.dir.WriteJSON(killsFile, keptKills{On: k.current.Local(), Reports: k.reports}); err != nil {
		return fmt.Errorf("keep kill switch: %w", err)
	}
	return nil
}

func (k *Kills) next() (wire.KillReport, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.reports) == 0 {
		return wire.KillReport{}, false
	}
	return k.reports[0], true
}

func (k *Kills) told() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reports = slices.Delete(slices.Clone(k.reports), 0, 1)
	return k.write()
}

// report tells the server of the machine's kill switch until ctx ends.
func (l *Link) report(ctx context.Context) error {
	retry := backoff{first: 200 * time.Millisecond, longest: 10 * time.Second}
	for {
		r, ok := l.Kills.next()
		if !ok {
			select {
			case <-ctx.Done():
				return nil
			case <-l.Kills.rung:
				continue
			}
		}
		err := l.usable()
		if err == nil {
			err = l.tell(ctx, r)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end, and not a failure
		}
		switch {
		case err != nil && (fault.Of(err) == fault.Invalid || fault.Of(err) == fault.NotFound || fault.Of(err) == fault.Conflict):
			l.Log.Warn("the server does not take note of a kill switch", "connector", r.Connector, "on", r.On, "error", err)
		case err != nil:
			retry.wait(ctx)
			continue
		}
		retry.reset()
		if err := l.Kills.told(); err != nil {
			l.Log.Error("the kill switch cannot be kept for the next start", "error", err)
		}
	}
}

func (l *Link) tell(ctx context.Context, r wire.KillReport) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := call[struct{}](ctx, l.client.Load(), http.MethodPost, "/v1/kills", r)
	l.heard(err)
	return err
}
