package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
)

func open(t testing.TB, dir string, settings Settings) *Spool {
	t.Helper()
	s, err := Open(dir, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func request(n int) audit.Traffic {
	return audit.Traffic{Step: audit.Intent, Request: fmt.Sprintf("req_%06d", n), Method: "GET", Host: "api.github.com", Path: "/repos/acme/site"}
}

// all returns everything that a spool would deliver, and checks the chain.
func all(t testing.TB, s *Spool) []audit.Sealed {
	t.Helper()
	var out []audit.Sealed
	after := int64(0)
	for {
		batch, err := s.Batch(after, 7, 900)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		out = append(out, batch...)
		after = batch[len(batch)-1].Seq
	}
	if err := audit.Verify(0, "", out); err != nil {
		t.Error(err)
	}
	return out
}

func TestEverybodyIsWrittenInOneChain(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	s := open(t, dir, Settings{Segment: 4000})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i := range 50 {
				var err error
				if i%3 == 0 {
					err = s.Note(request(w*50 + i))
				} else {
					err = s.Record(request(w*50 + i))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	cancel()
	running.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir, Settings{})
	if got := len(all(t, s)); got != 800 {
		t.Errorf("%d entries, want 800", got)
	}
	if stats := s.Stats(); stats.Durable != 800 || stats.Through != 0 || stats.Err != nil {
		t.Errorf("%+v", stats)
	}
}

func TestOneGroupIsOneSync(t *testing.T) {
	t.Parallel()

	s := open(t, t.TempDir(), Settings{})
	var syncs int
	gate, entered := make(chan struct{}), make(chan struct{}, 100)
	s.create = func(path string) (file, error) {
		f, err := createFile(path)
		return &hookedFile{file: f, beforeSync: func() error { syncs++; entered <- struct{}{}; <-gate; return nil }}, err
	}
	var writers sync.WaitGroup
	writers.Go(func() { _ = s.Record(request(0)) })
	<-entered // the head of the segment is being synced: the first has the disk
	queued := func() int {
		s.queue.Lock()
		defer s.queue.Unlock()
		if s.open == nil {
			return 0
		}
		return len(s.open.entries)
	}
	for i := range 20 {
		writers.Go(func() { _ = s.Record(request(i)) })
	}
	for queued() < 20 {
		time.Sleep(time.Millisecond) // nothing tells when the last has queued
	}
	close(gate)
	writers.Wait()
	if syncs != 3 { // the head, the first, the other twenty
		t.Errorf("%d syncs, want 3", syncs)
	}
}

func TestANoteIsSoonOnDisk(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, dir, Settings{})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = s.Run(ctx) }()
		synctest.Wait()
		<-s.Changed() // what every open rings
		began := time.Now()
		if err := s.Note(request(1)); err != nil {
			t.Fatal(err)
		}
		<-s.Changed()
		if took := time.Since(began); took != noteDelay {
			t.Errorf("durable after %v, want %v", took, noteDelay)
		}
		cancel()
	})
}

func TestASecondProcessIsRefused(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	s := open(t, dir, Settings{})
	if _, err := Open(dir, Settings{}); fault.Of(err) != fault.Conflict {
		t.Errorf("got %v, want a conflict", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, Settings{})
}

func TestForgettingKeepsTheChain(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	s := open(t, dir, Settings{Segment: 1000})
	for i := range 40 {
		if err := s.Record(request(i)); err != nil {
			t.Fatal(err)
		}
	}
	before := s.Stats().Bytes
	if err := s.Forget(25); err != nil {
		t.Fatal(err)
	}
	batch, err := s.Batch(25, 100, 1<<20)
	if err != nil || len(batch) != 15 || batch[0].Seq != 26 {
		t.Fatalf("%d entries after 25, %v", len(batch), err)
	}
	if after := s.Stats(); after.Bytes >= before || after.Through != 25 {
		t.Errorf("%+v, had %d bytes before", after, before)
	}
	hash := batch[14].Hash
	if err := s.Forget(1000); err != nil { // more than there is
		t.Fatal(err)
	}
	if stats := s.Stats(); stats.Bytes != headSize || stats.Through != 40 {
		t.Errorf("%+v, want only a head left", stats)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir, Settings{})
	if stats := s.Stats(); stats.Durable != 40 || stats.Through != 40 {
		t.Errorf("after a restart %+v", stats)
	}
	if err := s.Record(request(41)); err != nil {
		t.Fatal(err)
	}
	next, err := s.Batch(40, 10, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Verify(40, hash, next); err != nil || len(next) != 1 {
		t.Errorf("%d entries, %v", len(next), err)
	}
}

func TestANewSpoolContinuesWhatTheServerHas(t *testing.T) {
	t.Parallel()

	hash := audit.Link(17, "", []byte("x"))
	s := open(t, t.TempDir(), Settings{Seq: 17, Hash: hash})
	if err := s.Record(request(1)); err != nil {
		t.Fatal(err)
	}
	batch, err := s.Batch(0, 10, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.Verify(17, hash, batch); err != nil || len(batch) != 1 {
		t.Errorf("%d entries, %v", len(batch), err)
	}
}

func FuzzSegment(f *testing.F) {
	at := tail{1, audit.Link(1, "", []byte(`{"a":1}`))}
	good := appendFrame(appendHead(nil, tail{}), at, []byte(`{"a":1}`))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(good, make([]byte, 60)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%020d.log", 1)), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, Settings{})
		if err != nil {
			return
		}
		defer s.Close()
		start := s.state.durable.seq
		if err := s.Record(request(1)); err != nil {
			t.Fatal(err)
		}
		entries, err := s.Batch(start, 10, 1<<20)
		if err != nil || len(entries) != 1 || entries[0].Seq != start+1 {
			t.Fatalf("%d entries after %d, %v", len(entries), start, err)
		}
	})
}

func BenchmarkNote(b *testing.B) {
	s := open(b, b.TempDir(), Settings{Limit: 64 << 30})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go func() { _ = s.Run(ctx) }()
	b.ReportAllocs()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		if err := s.Note(request(1)); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
}

func BenchmarkRecord(b *testing.B) {
	for _, writers := range []int{1, 32} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s := open(b, b.TempDir(), Settings{Limit: 64 << 30})
			b.SetParallelism(writers)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.Record(request(1)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
