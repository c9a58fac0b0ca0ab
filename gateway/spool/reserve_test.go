package spool

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestASegmentIsLongerThanWhatIsInItUntilItEnds(t *testing.T) {
	t.Parallel()

	s := open(t, t.TempDir(), Settings{})
	grown, last := 0, int64(0)
	for i := range 400 {
		if err := s.Record(request(i)); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(s.state.segments[0].path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() < s.size || info.Size() > s.size+reserveMost {
			t.Fatalf("%d bytes for %d", info.Size(), s.size)
		}
		if info.Size() != last {
			grown, last = grown+1, info.Size()
		}
	}
	if grown > 10 {
		t.Errorf("400 entries made the file grow %d times", grown)
	}
	size, path := s.size, s.state.segments[0].path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != size {
		t.Errorf("%d bytes are left for %d, %v", info.Size(), size, err)
	}
}

// Power fails while a group is written. Any of its sectors may be missing, and
// what was acknowledged before is there.
func TestAGroupOfWhichSectorsAreMissingIsCutOff(t *testing.T) {
	t.Parallel()

	s := open(t, t.TempDir(), Settings{})
	const acked, group = 3, 12
	for i := range acked {
		if err := s.Record(request(i)); err != nil {
			t.Fatal(err)
		}
	}
	began := int(s.size)
	for i := range group {
		if err := s.Note(request(acked + i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	path := s.state.segments[0].path
	whole, err := os.ReadFile(path) // with what is reserved
	if err != nil {
		t.Fatal(err)
	}
	written := int(s.size)
	sectors := (written-1)/sector - began/sector + 1
	if sectors < 4 || sectors > 12 {
		t.Fatalf("the group is in %d sectors", sectors)
	}
	for lost := 1; lost < 1<<sectors; lost += 1 + lost/64 {
		b := append([]byte(nil), whole...)
		for i := range sectors {
			if lost&(1<<i) != 0 {
				at := (began/sector + i) * sector
				clear(b[max(at, began):min(at+sector, written)])
			}
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Open(dir, Settings{})
		if err != nil {
			t.Fatalf("without sectors %b: %v", lost, err)
		}
		if n := len(all(t, again)); n < acked || n >= acked+group {
			t.Fatalf("without sectors %b: %d entries", lost, n)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheDeliveredNumberIsNotWrittenForEveryDelivery(t *testing.T) {
	t.Parallel()

	now, dir := time.Unix(1000, 0), t.TempDir()
	s := open(t, dir, Settings{Now: func() time.Time { return now }})
	forget := func(n int64, want string) {
		t.Helper()
		if err := s.Record(request(int(n))); err != nil {
			t.Fatal(err)
		}
		if err := s.Forget(n); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, "through")); err != nil || string(b) != want {
			t.Errorf("after %d: %q, %v, want %q", n, b, err, want)
		}
	}
	forget(1, "1\n")
	forget(2, "1\n")
	now = now.Add(throughDelay)
	forget(3, "3\n")
	forget(4, "3\n")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Settings{})
	if got := s.Stats().Through; got != 4 {
		t.Errorf("%d after a proper end, want 4", got)
	}
}
