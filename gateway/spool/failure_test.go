package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
)

// hookedFile fails where its hooks say so.
type hookedFile struct {
	file
	beforeWrite func(b []byte) (int, error)
	beforeSync  func() error
}

func (f *hookedFile) Write(b []byte) (int, error) {
	if f.beforeWrite != nil {
		if n, err := f.beforeWrite(b); err != nil {
			_, _ = f.file.Write(b[:n])
			return n, err
		}
	}
	return f.file.Write(b)
}

func (f *hookedFile) Sync() error {
	if f.beforeSync != nil {
		if err := f.beforeSync(); err != nil {
			return err
		}
	}
	return f.file.Sync()
}

// The k-th call to the disk fails, for every k: what was acknowledged is there
// afterwards, what was refused is not, and the spool recovers by itself.
func TestNoFailureOfTheDiskLosesOrInvents(t *testing.T) {
	t.Parallel()

	for name, fail := range map[string]error{"full": syscall.ENOSPC, "broken": syscall.EIO} {
		for k := range 24 {
			t.Run(fmt.Sprintf("%s/%d", name, k), func(t *testing.T) {
				t.Parallel()

				now := time.Unix(0, 0)
				dir := t.TempDir()
				s := open(t, dir, Settings{Segment: 600, Now: func() time.Time { return now }})
				calls := 0
				s.create = func(path string) (file, error) {
					if calls++; calls-1 == k {
						return nil, fail
					}
					f, err := createFile(path)
					return &hookedFile{file: f,
						beforeWrite: func(b []byte) (int, error) {
							if calls++; calls-1 == k {
								return len(b) / 2, fail
							}
							return 0, nil
						},
						beforeSync: func() error {
							if calls++; calls-1 == k {
								return fail
							}
							return nil
						},
					}, err
				}
				var acked []string
				failures := 0
				for i := range 8 {
					if err := s.Note(request(200 + i)); err != nil { // written with the next, and never lost
						t.Error(err)
					}
					acked = append(acked, request(200+i).Request)
					r := request(i)
					if err := s.Record(r); err != nil {
						if fault.Of(err) != fault.Unavailable || !errors.Is(err, fail) {
							t.Errorf("got %v", err)
						}
						if s.Stats().Err == nil {
							t.Error("the failure does not show")
						}
						if err := s.Note(request(100)); err == nil { // kept, all the same
							t.Error("a note while the disk fails says nothing")
						}
						failures++
						acked = append(acked, request(100).Request)
						now = now.Add(retryAfter)
						continue
					}
					acked = append(acked, r.Request)
				}
				if failures == 0 && k < 16 {
					t.Errorf("nothing failed")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir, Settings{})
				var got []string
				for _, e := range all(t, s) {
					var r audit.Traffic
					if err := json.Unmarshal(e.Entry, &r); err != nil {
						t.Fatal(err)
					}
					got = append(got, r.Request)
				}
				slices.Sort(got)
				slices.Sort(acked)
				if diff := cmp.Diff(acked, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestAFullSpoolRefusesUntilThereIsRoom(t *testing.T) {
	t.Parallel()

	now := time.Unix(0, 0)
	s := open(t, t.TempDir(), Settings{Limit: 16000, Segment: 1000, Now: func() time.Time { return now }})
	var err error
	for i := 0; err == nil; i++ {
		err = s.Record(request(i))
	}
	if fault.Of(err) != fault.Unavailable {
		t.Fatal(err)
	}
	full := s.Stats()
	if full.Bytes > 15000 || full.Bytes < 14000 {
		t.Errorf("%d bytes used of 15000", full.Bytes)
	}
	now = now.Add(retryAfter)
	if err := errors.Join(s.Note(request(1)), s.Flush()); err != nil {
		t.Errorf("an outcome has no room: %v", err)
	}
	if err := s.Forget(full.Durable / 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Record(request(2)); err != nil {
		t.Errorf("after making room: %v", err)
	}
}

func TestATornEndIsCutOff(t *testing.T) {
	t.Parallel()

	whole := t.TempDir()
	s := open(t, whole, Settings{})
	var ends []int64
	for i := range 3 {
		if err := s.Record(request(i)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, s.Stats().Bytes)
	}
	path := s.state.segments[0].path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(content) + 1 {
		want := 0
		for want < 3 && int64(size) >= ends[want] {
			want++
		}
		for name, tail := range map[string][]byte{"cut": nil, "zeroes": make([]byte, len(content)-size)} {
			dir := t.TempDir()
			b := append(append([]byte(nil), content[:size]...), tail...)
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir, Settings{})
			if err != nil {
				if name == "zeroes" && size < headSize { // half a head was never written by us
					continue
				}
				t.Fatalf("%s at %d: %v", name, size, err)
			}
			if got := len(all(t, s)); got != want && (name == "cut" || got > want+1) {
				t.Fatalf("%s at %d: %d entries, want %d", name, size, got, want)
			}
			if err := s.Record(request(9)); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDamageInTheMiddleIsNotRepaired(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	s := open(t, dir, Settings{})
	for i := range 3 {
		if err := s.Record(request(i)); err != nil {
			t.Fatal(err)
		}
	}
	path := s.state.segments[0].path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[headSize+frameHead+5] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Settings{}); !errors.Is(err, errDamaged) || fault.Of(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}
