package runs

import (
	"context"
	"crypto/rand"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/wire"
	"github.com/tameflare/tameflare/gateway/dummy"
)

// Run is a process that goes through the gateway, and the door it has.
type Run struct {
	ID        string
	Program   string
	Principal string // "ana@laptop": what approvals are bound to
	UID       int    // that connections must come from
	StartedAt time.Time
	Keys      *dummy.Keys // what its process gets in place of real ones

	addr   netip.AddrPort
	cancel context.CancelFunc
	events chan Event

	mu     sync.Mutex
	counts Counts
}

// maxEvents is how many events wait for a caller that does not read. Those
// beyond are left out: nobody waits for a terminal.
const maxEvents = 256

func newRun(program, principal string, uid int, at netip.AddrPort, cancel context.CancelFunc) *Run {
	return &Run{
		ID: "run_" + strings.ToLower(rand.Text()), Program: program, Principal: principal, UID: uid, StartedAt: time.Now(),
		addr: at, cancel: cancel, events: make(chan Event, maxEvents),
	}
}

// Saw hears of an entry about one of the run's requests, and of the approval
// that the request waited for, if it did.
func (r *Run) Saw(t audit.Traffic, a wire.Approval) {
	denied := t.Step == audit.Refused
	if !denied && t.Step != audit.Intent {
		return
	}
	held := a.ID != ""
	r.mu.Lock()
	r.counts.Requests++
	switch {
	case !denied:
		r.counts.Allowed++
	case t.By == string(policy.ByKillSwitch):
		r.counts.Denied++
		r.counts.Killed++
	default:
		r.counts.Denied++
	}
	if held {
		r.counts.Held++
	}
	r.mu.Unlock()

	if !held && !denied { // what nobody hears of need not be put into words
		return
	}
	q := &Request{
		RequestID: t.Request, Method: t.Method, URL: shown(t), Action: t.Action.Name,
		Reason: t.Reason, Rule: t.Rule, Code: t.Code,
	}
	if held {
		decided := *q
		decided.ApprovalID, decided.ApprovalURL, decided.Status, decided.Decider, decided.Note = a.ID, a.URL, a.Status, a.Decider, a.Note
		if !denied { // the grant is used by now, whatever was known last
			decided.Status = approval.Approved
		}
		r.say(Event{Kind: Decided, Time: t.Time, Request: &decided})
	}
	if denied {
		r.say(Event{Kind: Denied, Time: t.Time, Request: q})
	}
}

// Waits hears that one of the run's requests begins to wait for a person.
func (r *Run) Waits(ask *wire.Ask, a wire.Approval, until time.Time) {
	r.say(Event{Kind: Held, Time: time.Now().UTC(), Request: &Request{
		RequestID: ask.RequestID, Method: ask.Method, URL: ask.URL, Action: ask.Action.Name, Sentence: ask.Sentence,
		Reason: ask.Reason, Rule: ask.RuleID, ApprovalID: a.ID, ApprovalURL: a.URL, Status: a.Status, HoldUntil: until.UTC(), ExpiresAt: a.ExpiresAt.UTC(),
	}})
}

func shown(t audit.Traffic) string {
	url := t.Scheme + "://" + t.Host + t.Path
	if t.Query != "" {
		url += "?" + t.Query
	}
	return url
}

func (r *Run) say(e Event) {
	select {
	case r.events <- e:
	default:
	}
}

func (r *Run) summary() Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	return Event{Kind: Summarised, Time: time.Now().UTC(), Counts: &counts}
}

func (r *Run) status() RunStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	return RunStatus{ID: r.ID, Program: r.Program, Principal: r.Principal, Proxy: r.addr.String(), StartedAt: r.StartedAt.UTC(), Counts: r.counts}
}

// Registry is the runs that are going on. The zero Registry is ready.
type Registry struct {
	mu    sync.RWMutex
	runs  map[string]*Run
	ended time.Time // when the last of them did; zero while there is one
}

func (g *Registry) add(r *Run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.runs == nil {
		g.runs = map[string]*Run{}
	}
	g.runs[r.ID] = r
}

func (g *Registry) remove(r *Run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.runs, r.ID)
	if len(g.runs) == 0 {
		g.ended = time.Now()
	}
}

// Find returns the run of that ID, or nil.
func (g *Registry) Find(id string) *Run {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.runs[id]
}

// Quiet returns how long there has been no run, since a time at the earliest.
func (g *Registry) Quiet(since time.Time) time.Duration {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if len(g.runs) > 0 {
		return 0
	}
	if g.ended.After(since) {
		since = g.ended
	}
	return time.Since(since)
}

// Listens reports whether one of the doors is at a. They are for the processes
// that they were made for, and never to be reached through another.
func (g *Registry) Listens(a netip.AddrPort) bool {
	if ip := a.Addr().Unmap(); !ip.IsLoopback() && !ip.IsUnspecified() {
		return false
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, r := range g.runs {
		if r.addr.Port() == a.Port() {
			return true
		}
	}
	return false
}

func (g *Registry) statuses() []RunStatus {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]RunStatus, 0, len(g.runs))
	for _, r := range g.runs {
		out = append(out, r.status())
	}
	return out
}
