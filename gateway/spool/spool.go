// Package spool keeps what happened on disk until the server has it.
//
// Entries form one chain, in the order in which they are written. Those who
// must not go on before theirs would survive a crash wait for it together:
// one of them writes and syncs for all, while the next group gathers. What
// cannot be written is refused and never dropped: whoever gets an error has
// to refuse, too.
//
// A directory holds segments that are only ever appended to. Each names the
// number and the hash that it continues, so a segment that ends in rubbish,
// because a write failed, needs no repair: the next one says where it ended.
package spool

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
)

// Settings bound a spool. Zero values are the defaults.
type Settings struct {
	Limit   int64 // bytes on disk; 1 GiB
	Segment int64 // bytes after which the next segment begins; 4 MiB

	// Seq and Hash are what an empty spool continues: the end of the chain
	// that the server has of this gateway.
	Seq  int64
	Hash string

	// Now is the clock; time.Now where it is nil.
	Now func() time.Time
}

const (
	noteDelay  = 50 * time.Millisecond  // within which a Note is on its way to the disk
	retryAfter = 100 * time.Millisecond // between attempts while the disk fails
	maxEntry   = 1 << 20
	maxWaiting = 4 << 20 // bytes of entries that wait in memory
)

// Spool is an open spool. Its methods may be called from many goroutines.
type Spool struct {
	dir      string
	settings Settings
	lock     *os.File
	create   func(path string) (file, error)

	queue sync.Mutex // guards what follows
	open  *group     // gathers
	bytes int        // of the entries in open
	sick  error      // why the last write failed; nil after one that did not
	again time.Time  // when to try again, where sick

	disk    sync.Mutex // held while writing; guards what follows
	out     file       // nil where the next write has to begin a segment
	size    int64      // of out, as far as it is synced
	frames  []byte     // reused
	chain   tail       // of the newest entry that is durable
	closed  bool
	noted   time.Time  // when the number of what is delivered was written last
	reading sync.Mutex // guards what follows
	cursor  cursor

	tracked sync.Mutex // guards what follows; never held during I/O
	state   state

	kick    chan struct{} // to Run: there are notes
	changed chan struct{} // to whoever uploads: there is something new
}

// tail is the end of a chain.
type tail struct {
	seq  int64
	hash string
}

// state is what readers see.
type state struct {
	segments []segment // in order; the last one is written to
	durable  tail
	through  int64 // acknowledged by the server
	bytes    int64 // of all segments
}

// group is entries that are written together.
type group struct {
	entries []entry
	leader  bool // somebody has taken on to write it
	done    chan struct{}
	err     error // after done
}

type entry struct {
	bytes  []byte
	waited bool // somebody waits for it, and drops it where it fails
}

// Record writes t and returns once it would survive a crash. It fails with
// fault.Unavailable where that cannot be: then t is not in the spool, and what
// it speaks of must not happen.
func (s *Spool) Record(t audit.Traffic) error {
	b, err := encode(t)
	if err != nil {
		return err
	}
	s.queue.Lock()
	if err := s.refusal(); err != nil {
		s.queue.Unlock()
		return err
	}
	g := s.add(entry{b, true})
	lead := !g.leader
	g.leader = true
	s.queue.Unlock()
	if lead {
		s.write(g)
	} else {
		<-g.done
	}
	return g.err
}

// Note puts t into its place in the order and has it written soon. It fails
// with fault.Unavailable while the spool cannot be written; t is kept then as
// long as there is room in memory, since what it speaks of has happened.
func (s *Spool) Note(t audit.Traffic) error {
	b, err := encode(t)
	if err != nil {
		return err
	}
	s.queue.Lock()
	sick := s.refusal()
	if s.bytes+len(b) > maxWaiting {
		s.queue.Unlock()
		if sick != nil {
			return sick
		}
		return s.Record(t) // as slow as the disk, and not faster
	}
	s.add(entry{b, false})
	s.queue.Unlock()
	ring(s.kick)
	return sick
}

func encode(t audit.Traffic) ([]byte, error) {
	b := t.Bytes()
	if len(b) > maxEntry {
		return nil, fault.New(fault.Unavailable, "What is to be recorded of this request is too large.", nil)
	}
	return b, nil
}

// refusal returns why nothing can be recorded, while it is too early to try
// again. The caller holds queue.
func (s *Spool) refusal() error {
	if s.sick != nil && s.settings.Now().Before(s.again) {
		return s.sick
	}
	return nil
}

// add appends to the group that gathers. The caller holds queue.
func (s *Spool) add(e entry) *group {
	if s.open == nil {
		s.open = &group{done: make(chan struct{})}
	}
	s.open.entries = append(s.open.entries, e)
	s.bytes += len(e.bytes)
	return s.open
}

// write makes g durable, or fails it. Until it has the disk, g goes on
// gathering: that is what groups come from.
func (s *Spool) write(g *group) {
	s.disk.Lock()
	s.queue.Lock()
	if s.open == g {
		s.open, s.bytes = nil, 0
	}
	s.queue.Unlock()
	before := s.chain.seq
	err := s.append(g.entries)
	wrote := s.chain.seq > before
	s.disk.Unlock()

	s.queue.Lock()
	if s.sick = err; err != nil {
		s.again = s.settings.Now().Add(retryAfter)
		s.keep(g)
	}
	s.queue.Unlock()
	g.err = err
	close(g.done)
	if wrote {
		ring(s.changed)
	}
}

// ring wakes whoever listens to c, now or when it next does.
func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// keep puts the entries that nobody waited for back in front. The caller holds
// queue.
func (s *Spool) keep(g *group) {
	var kept []entry
	size := 0
	for _, e := range g.entries {
		if !e.waited && s.bytes+size+len(e.bytes) <= maxWaiting {
			kept = append(kept, e)
			size += len(e.bytes)
		}
	}
	if len(kept) == 0 {
		return
	}
	if s.open == nil {
		s.open = &group{done: make(chan struct{})}
	}
	s.open.entries = append(kept, s.open.entries...)
	s.bytes += size
	ring(s.kick)
}

// append writes entries and syncs. The caller holds disk.
func (s *Spool) append(entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	if s.closed {
		return fault.New(fault.Unavailable, "The gateway is stopping.", nil)
	}
	if err := s.room(entries); err != nil {
		return err
	}
	if s.out != nil && s.size >= s.settings.Segment {
		s.seal()
	}
	if s.out == nil {
		if err := s.begin(); err != nil {
			return unwritable(err)
		}
	}
	next := s.chain
	s.frames = s.frames[:0]
	for _, e := range entries {
		next.seq, next.hash = next.seq+1, audit.Link(next.seq+1, next.hash, e.bytes)
		s.frames = appendFrame(s.frames, next, e.bytes)
	}
	_, err := s.out.Write(s.frames)
	if err == nil {
		err = s.out.Sync()
	}
	if err != nil {
		// What the kernel still holds of this file nobody knows: it is never
		// written or synced again.
		s.seal()
		return unwritable(err)
	}
	s.size += int64(len(s.frames))
	s.chain = next
	s.tracked.Lock()
	s.state.durable = next
	s.state.bytes += int64(len(s.frames))
	last := &s.state.segments[len(s.state.segments)-1]
	last.size, last.last = s.size, next.seq
	s.tracked.Unlock()
	if cap(s.frames) > maxWaiting { // one great group should not cost memory for ever
		s.frames = nil
	}
	return nil
}

// room reports whether entries fit under the limit. The last sixteenth is for
// what nobody waits for: outcomes of what was let through before.
func (s *Spool) room(entries []entry) error {
	limit := s.settings.Limit
	need := int64(0)
	for _, e := range entries {
		need += int64(len(e.bytes)) + frameHead
		if e.waited {
			limit = s.settings.Limit / 16 * 15
		}
	}
	s.tracked.Lock()
	have := s.state.bytes
	s.tracked.Unlock()
	if have+need > limit {
		return fault.New(fault.Unavailable, "The gateway's audit spool is full: too much waits for the server to be reachable again.",
			fmt.Errorf("%d of %d bytes used", have, s.settings.Limit))
	}
	return nil
}

func unwritable(err error) error {
	return fault.New(fault.Unavailable, "The gateway's audit spool cannot be written. Look for a full disk.", fmt.Errorf("write spool: %w", err))
}

// Stats are a spool's numbers.
type Stats struct {
	Durable int64 // number of the newest entry on disk
	Through int64 // number of the newest that the server has
	Bytes   int64 // on disk
	Err     error // why nothing can be recorded
}

// Stats returns the numbers as they are now.
func (s *Spool) Stats() Stats {
	s.queue.Lock()
	sick := s.sick
	s.queue.Unlock()
	s.tracked.Lock()
	defer s.tracked.Unlock()
	return Stats{s.state.durable.seq, s.state.through, s.state.bytes, sick}
}

// Changed is rung when there are entries to deliver.
func (s *Spool) Changed() <-chan struct{} { return s.changed }

var zeroes = make([]byte, 4096)

func allZero(b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(zeroes))
		if !bytes.Equal(b[:n], zeroes[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}

func (s Settings) withDefaults() Settings {
	s.Limit = cmp.Or(s.Limit, 1<<30)
	s.Segment = cmp.Or(s.Segment, 4<<20)
	if s.Now == nil {
		s.Now = time.Now
	}
	return s
}
