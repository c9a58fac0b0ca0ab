package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
)

// Run writes the notes that no Record takes along, until ctx ends.
func (s *Spool) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.kick:
		}
		if !sleep(ctx, noteDelay) {
			return ctx.Err()
		}
		for s.Flush() != nil { // they are kept; try until the disk takes them
			if !sleep(ctx, retryAfter) {
				return ctx.Err()
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Flush writes what waits, and returns once it would survive a crash.
func (s *Spool) Flush() error {
	s.queue.Lock()
	g := s.open
	if g == nil || len(g.entries) == 0 {
		s.queue.Unlock()
		return nil
	}
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

// cursor is where the last Batch ended: the next usually begins there.
type cursor struct {
	path   string
	at     tail
	offset int64
}

const readAhead = 64 << 10

// Batch returns up to count entries after number after, of about at most size
// bytes, and none where there are no more. What is older than the spool
// reaches back is left out.
func (s *Spool) Batch(after int64, count, size int) ([]audit.Sealed, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.tracked.Lock()
	segments := append([]segment(nil), s.state.segments...)
	s.tracked.Unlock()

	var out []audit.Sealed
	for _, g := range segments {
		if g.last <= after {
			continue
		}
		from := cursor{g.path, g.after, headSize}
		if s.cursor.path == g.path && s.cursor.at.seq <= after {
			from = s.cursor
		}
		for from.at.seq < g.last && len(out) < count && size > 0 {
			entries, next, err := g.read(from, size+readAhead)
			if err != nil {
				return nil, fmt.Errorf("read spool: %s: %w", g.path, err)
			}
			from = next
			for _, e := range entries {
				if e.Seq <= after {
					continue
				}
				if len(out) == count || size <= 0 {
					return out, nil // the cursor stays behind: read again
				}
				out = append(out, e)
				size -= len(e.Entry)
			}
			if len(out) == 0 || out[len(out)-1].Seq == next.at.seq {
				s.cursor = next
			}
		}
		if len(out) == count || size <= 0 {
			break
		}
	}
	return out, nil
}

// read returns the entries in the next n bytes, and at least one.
func (g segment) read(from cursor, n int) ([]audit.Sealed, cursor, error) {
	f, err := os.Open(g.path)
	if err != nil {
		return nil, from, err
	}
	defer f.Close()
	for {
		rest := g.size - from.offset
		b := make([]byte, min(int64(n), rest))
		if _, err := f.ReadAt(b, from.offset); err != nil {
			return nil, from, err
		}
		var out []audit.Sealed
		next := from
		for len(b) > 0 {
			e, used, err := parseFrame(b, next.at)
			if errors.Is(err, errTorn) && int64(n) < rest { // by us
				break
			}
			if err != nil {
				return nil, from, err
			}
			out = append(out, e)
			next.at, next.offset, b = tail{e.Seq, e.Hash}, next.offset+int64(used), b[used:]
		}
		if len(out) > 0 || rest == 0 {
			return out, next, nil
		}
		if n >= maxEntry+frameHead {
			return nil, from, errDamaged
		}
		n = maxEntry + frameHead
	}
}

// Continues reports whether the entry number seq can have been the one with
// that hash here, which is where somebody else's record of this chain ends.
func (s *Spool) Continues(seq int64, hash string) (bool, error) {
	s.tracked.Lock()
	durable := s.state.durable
	segments := append([]segment(nil), s.state.segments...)
	s.tracked.Unlock()
	switch {
	case seq > durable.seq:
		return false, nil
	case seq == durable.seq:
		return hash == durable.hash, nil
	}
	for _, g := range segments {
		if g.after.seq == seq {
			return g.after.hash == hash, nil
		}
	}
	e, err := s.Batch(seq-1, 1, 1)
	if err != nil || len(e) == 0 || e[0].Seq != seq { // long delivered, and gone from here
		return err == nil, err
	}
	return e[0].Hash == hash, nil
}

// Forget says that the server has every entry up to number through. Segments
// that hold nothing else are removed; the chain goes on from where it is.
func (s *Spool) Forget(through int64) error {
	gone, err := s.forget(through)
	errs := []error{err}
	for _, g := range gone { // while requests go on record
		errs = append(errs, os.Remove(g.path))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forget delivered entries: %w", err)
	}
	return nil
}

// forget returns the segments that are not needed any more.
func (s *Spool) forget(through int64) (gone []segment, err error) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.closed {
		return nil, nil
	}
	s.tracked.Lock()
	through = min(through, s.state.durable.seq)
	if through > s.state.through {
		s.state.through = through
	}
	whole := through == s.state.durable.seq
	s.tracked.Unlock()

	// The segment that is written to holds the end of the chain. It may go
	// too once it has grown, when another has taken over from it.
	if whole && s.out != nil && s.size > s.settings.Segment/4 {
		s.seal()
	}
	if s.out == nil && whole && s.chain.seq > 0 {
		if err := s.begin(); err != nil {
			return nil, unwritable(err)
		}
	}
	if now := s.settings.Now(); now.Sub(s.noted) >= throughDelay {
		s.noted = now
		err = s.writeThrough(through)
	}
	s.tracked.Lock()
	defer s.tracked.Unlock()
	for len(s.state.segments) > 1 && s.state.segments[0].last <= through {
		gone = append(gone, s.state.segments[0])
		s.state.bytes -= s.state.segments[0].size
		s.state.segments = s.state.segments[1:]
	}
	return gone, err
}

// throughDelay is how old the number on disk may be. It is written over, which
// file systems make durable at once, and that is dear.
const throughDelay = 5 * time.Second

// writeThrough keeps the number for the next start. It need not survive a
// crash: the server skips what it has.
func (s *Spool) writeThrough(through int64) error {
	return os.WriteFile(filepath.Join(s.dir, "through"), fmt.Appendf(nil, "%d\n", through), 0o600)
}
