package decide

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

// LocalKill is what the IDs of kill switches pulled on this machine begin
// with.
const LocalKill = "kill_local_"

// Current is the State that counts, as long as it may be acted on. The zero
// Current has none and denies.
type Current struct {
	// Now is the clock; time.Now where it is nil.
	Now func() time.Time

	held   atomic.Pointer[held]
	lapsed atomic.Bool

	mu      sync.Mutex // over changes; Load does not take it
	base    *State     // as it came from the server
	server  []policy.Kill
	local   []policy.Kill
	changed chan struct{}
}

// held is what Load looks at.
type held struct {
	state *State
	until time.Time // with its monotonic reading
	wall  time.Time // the same by the clock on the wall, which goes on during sleep
	right time.Time // when the server said last that it is the newest
	err   error     // why state does not count; nil where it does
}

var (
	errNone    = fault.New(fault.Unavailable, "This gateway has not got its configuration from the server yet, so it refuses everything.", nil)
	errStale   = fault.New(fault.Unavailable, "This gateway has not reached the server for too long to go on by itself, so it refuses everything until it does.", nil)
	errRevoked = fault.New(fault.Unavailable, "The server does not accept this gateway any more, so it refuses everything. Enrol it again: run tameflare gateway up", nil)
)

var errLapsed = fault.New(fault.Unavailable, "This gateway's certificate has expired, so it cannot reach its server and refuses everything. Enrol it again: run tameflare gateway up", nil)

// ErrKilled is in the chain of a fault.Forbidden by which the server stops one
// request, since a kill switch was pulled there of which this gateway has not
// heard yet. It says nothing about the gateway itself.
var ErrKilled = errors.New("kill switch")

// Load returns the State that counts. It fails with fault.Unavailable, and a
// sentence, where there is none, where it is too old and where the gateway was
// revoked. It allocates nothing.
func (c *Current) Load() (*State, error) {
	h := c.held.Load()
	if h == nil {
		return nil, c.because(errNone)
	}
	if h.err != nil {
		return nil, h.err
	}
	// Either clock will do: one stands still while the machine sleeps, the
	// other can be set back.
	now := c.now()
	if now.After(h.until) || now.Round(0).After(h.wall) {
		return nil, c.because(errStale)
	}
	return h.state, nil
}

func (c *Current) because(err error) error {
	if c.lapsed.Load() {
		return errLapsed
	}
	return err
}

// Lapse says that the certificate has expired. What is here goes on counting
// for as long as it may; after that Load says what to do.
func (c *Current) Lapse() { c.lapsed.Store(true) }

// Use makes st the State that counts, as of its IssuedAt. Requests under way
// keep the one they began with.
func (c *Current) Use(st *State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server = st.snapshot.Kills
	c.install(st, st.snapshot.IssuedAt)
}

// Confirm says that the State was still the newest at that time, by the
// server's clock. Its age counts from there.
func (c *Current) Confirm(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.held.Load()
	if h == nil || h.err != nil {
		return
	}
	next := c.valid(h.state, at)
	if next.wall.After(h.wall) {
		c.held.Store(next)
	}
}

// Stop turns the server's kill switches on that come with a snapshot which
// cannot be used otherwise. Those of the State before it stay.
func (c *Current) Stop(kills []policy.Kill) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range kills {
		if !slices.ContainsFunc(c.server, func(has policy.Kill) bool { return has.ID == k.ID }) {
			c.server = append(slices.Clone(c.server), k)
		}
	}
	c.pull()
}

// Kill pulls the machine's own kill switch, for one connector or, with "", for
// everything. It is on when Kill returns.
func (c *Current) Kill(connector, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.local = slices.DeleteFunc(slices.Clone(c.local), func(k policy.Kill) bool { return k.Connector == connector })
	c.local = append(c.local, policy.Kill{
		ID: LocalKill + connector, Connector: connector, Reason: reason, Since: c.now().UTC().Truncate(time.Microsecond),
	})
	c.pull()
}

// Lift takes the machine's own kill switch back. One that was pulled at the
// server stays on. It reports whether there was one to lift.
func (c *Current) Lift(connector string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.local)
	c.local = slices.DeleteFunc(slices.Clone(c.local), func(k policy.Kill) bool { return k.Connector == connector })
	c.pull()
	return len(c.local) < before
}

// SetLocal makes kills the machine's own, as they were before a restart.
func (c *Current) SetLocal(kills []policy.Kill) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.local = slices.Clone(kills)
	c.pull()
}

// Local returns the machine's own kill switches.
func (c *Current) Local() []policy.Kill {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.local)
}

// Kills returns every kill switch that is on, also while there is no State.
func (c *Current) Kills() []policy.Kill {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kills()
}

// IsLocal reports whether k was pulled on this machine.
func IsLocal(k policy.Kill) bool { return strings.HasPrefix(k.ID, LocalKill) }

// Revoke drops the State and what it knows: the server does not accept the
// gateway any more. Only Use ends that.
func (c *Current) Revoke() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base = nil
	c.held.Store(&held{err: errRevoked})
	c.announce()
}

// Until returns how long the State may be acted on without a word from the
// server, when that last said that it is the newest, and whether there is one.
func (c *Current) Until() (until, confirmed time.Time, ok bool) {
	h := c.held.Load()
	if h == nil || h.err != nil {
		return time.Time{}, time.Time{}, false
	}
	return h.wall, h.right, true
}

// Changed returns a channel that is closed at the next change of what Load
// returns, age apart.
func (c *Current) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// announce tells whoever listens. The caller holds mu, and has made the change.
func (c *Current) announce() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

func (c *Current) kills() []policy.Kill { return append(slices.Clone(c.local), c.server...) }

// install makes base count, with the kill switches there are. The caller holds
// mu.
func (c *Current) install(base *State, from time.Time) {
	c.base = base
	c.held.Store(c.valid(base.with(c.kills()), from))
	c.announce()
}

// pull puts changed kill switches into the State. The caller holds mu.
func (c *Current) pull() {
	h := c.held.Load()
	if c.base == nil || h == nil {
		return // everything is refused as it is
	}
	c.held.Store(&held{state: c.base.with(c.kills()), until: h.until, wall: h.wall, right: h.right})
	c.announce()
}

// valid returns st with the time until which it counts, when it was right at a
// time by the server's clock. A server whose clock is ahead of ours gains
// nothing by it.
func (c *Current) valid(st *State, at time.Time) *held {
	now := c.now()
	age := max(now.Round(0).Sub(at.Round(0)), 0)
	until := now.Add(min(st.snapshot.ValidFor, MaxValid) - age)
	return &held{state: st, until: until, wall: until.Round(0), right: at}
}

func (c *Current) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
