package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

// segment is a file of the spool.
type segment struct {
	path  string
	after tail  // what it continues
	last  int64 // number of its last entry; after.seq where it has none
	size  int64 // as far as it is good
}

// file is what a segment is written to.
type file interface {
	Write(b []byte) (int, error)
	Sync() error
	Close() error
}

// Open opens the spool in dir, and makes it where there is none. It fails with
// fault.Conflict where another process has it open, and with
// fault.Unavailable where it is damaged in a place that no crash explains:
// then somebody should look, and nothing is thrown away.
func Open(dir string, settings Settings) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close() // nothing was written
		return nil, fault.New(fault.Conflict, "Another gateway is running with this state directory.", fmt.Errorf("lock %s: %w", dir, err))
	}
	s := &Spool{
		dir: dir, settings: settings.withDefaults(), lock: lock, create: createFile,
		kick: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	if err := s.load(); err != nil {
		_ = lock.Close() // nothing was written
		return nil, fmt.Errorf("open spool: %w", err)
	}
	s.changed <- struct{}{} // there may be entries from before
	return s, nil
}

// load finds out where the chain ends.
func (s *Spool) load() error {
	names, err := filepath.Glob(filepath.Join(s.dir, "*.log"))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		seg, err := openSegment(name)
		if errors.Is(err, errTorn) { // not even its head was written: nothing was ever acknowledged from it
			if err := os.Remove(name); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		s.state.segments = append(s.state.segments, seg)
	}
	end := tail{s.settings.Seq, s.settings.Hash}
	if len(s.state.segments) > 0 {
		end = s.state.segments[0].after
	}
	for i := range s.state.segments {
		seg := &s.state.segments[i]
		isLast := i == len(s.state.segments)-1
		var until *tail
		if !isLast {
			until = &s.state.segments[i+1].after
		}
		if seg.after != end {
			return damaged(seg.path, fmt.Errorf("%w: it does not continue %d", errDamaged, end.seq))
		}
		if end, err = seg.check(until); err != nil {
			return damaged(seg.path, err)
		}
		s.state.bytes += seg.size
	}
	s.chain, s.state.durable = end, end
	s.state.through = s.readThrough()
	return nil
}

func damaged(path string, err error) error {
	return fault.New(fault.Unavailable, "The gateway's audit spool is damaged. Move "+path+" away to keep it for inspection, and start the gateway again.", err)
}

// openSegment reads the head of a segment.
func openSegment(path string) (segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return segment{}, err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, _ := f.ReadAt(head, 0) // what is missing shows below
	if n < headSize || allZero(head) {
		return segment{}, errTorn
	}
	after, err := parseHead(head)
	if err != nil {
		return segment{}, damaged(path, err)
	}
	return segment{path: path, after: after, last: after.seq, size: headSize}, nil
}

// check walks through the segment up to until, or where that is nil to its
// end, and returns where the chain is then. Only the end of the newest segment
// may be torn: that is cut off.
func (g *segment) check(until *tail) (tail, error) {
	b, err := os.ReadFile(g.path)
	if err != nil {
		return tail{}, err
	}
	at, offset := g.after, headSize
	for until == nil || at.seq < until.seq {
		if offset == len(b) {
			break
		}
		e, n, err := parseFrame(b[offset:], at)
		if until == nil && (errors.Is(err, errTorn) || errors.Is(err, errDamaged) && missing(b, offset, n)) {
			break // of a group that was not synced: disks write in any order
		}
		if err != nil {
			return tail{}, err
		}
		at, offset = tail{e.Seq, e.Hash}, offset+n
	}
	if until != nil && at != *until {
		return tail{}, fmt.Errorf("%w: it ends at %d and should at %d", errDamaged, at.seq, until.seq)
	}
	g.last, g.size = at.seq, int64(offset)
	if until == nil {
		// Also where nothing is cut off: what was read may be in memory only.
		if err := cut(g.path, g.size); err != nil {
			return tail{}, err
		}
	}
	return at, nil
}

func cut(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

// begin makes the next segment. The caller holds disk.
func (s *Spool) begin() error {
	path := filepath.Join(s.dir, fmt.Sprintf("%020d.log", s.chain.seq+1))
	// One of that name can only be a segment that never got an entry.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.drop(path)
	out, err := s.create(path)
	if err != nil {
		return err
	}
	_, err = out.Write(appendHead(nil, s.chain))
	if err == nil {
		err = out.Sync()
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return errors.Join(err, out.Close(), os.Remove(path))
	}
	s.out, s.size = out, headSize
	s.tracked.Lock()
	s.state.segments = append(s.state.segments, segment{path: path, after: s.chain, last: s.chain.seq, size: headSize})
	s.state.bytes += headSize
	s.tracked.Unlock()
	return nil
}

// drop forgets a segment that never got an entry.
func (s *Spool) drop(path string) {
	s.tracked.Lock()
	defer s.tracked.Unlock()
	s.state.segments = slices.DeleteFunc(s.state.segments, func(g segment) bool {
		if g.path != path {
			return false
		}
		s.state.bytes -= g.size
		return true
	})
}

// seal ends the segment that is written to. The caller holds disk.
func (s *Spool) seal() {
	_ = s.out.Close() // what was acknowledged is synced
	s.out, s.size = nil, 0
}

// Close writes what waits and lets go of the directory.
func (s *Spool) Close() error {
	err := s.Flush()
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.out != nil {
		s.seal()
	}
	if through := s.Stats().Through; through > 0 {
		err = errors.Join(err, s.writeThrough(through))
	}
	// By name, since a child of this process that is just being started has
	// the lock too until then.
	err = errors.Join(err, syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN))
	return errors.Join(err, s.lock.Close())
}

func (s *Spool) readThrough() int64 {
	b, err := os.ReadFile(filepath.Join(s.dir, "through"))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil || n < 0 || n > s.state.durable.seq {
		return 0
	}
	return n
}
