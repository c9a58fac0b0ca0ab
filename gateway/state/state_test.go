package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/state"
)

func TestEverythingIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write("x", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := d.Write("x", []byte("two")); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Read("x"); string(b) != "two" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	for _, name := range []string{"", "x"} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files left, want 1 (%v)", len(entries), err)
	}
}

func TestOpenDoorsAreRefused(t *testing.T) {
	t.Parallel()

	path := t.TempDir()
	if _, err := state.Open(path); fault.Of(err) != fault.Forbidden { // TempDir makes 0755
		t.Errorf("got %v, want forbidden", err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path, "key"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("key"); fault.Of(err) != fault.Forbidden {
		t.Errorf("got %v, want forbidden", err)
	}
	if _, err := d.Read("none"); fault.Of(err) != fault.NotFound {
		t.Errorf("got %v, want not found", err)
	}
	if err := d.Remove("none"); err != nil {
		t.Error(err)
	}
}
