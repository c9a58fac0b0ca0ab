package local

import (
	"fmt"
	"os"
	"syscall"
)

// lock waits until no other process holds the file, and holds it.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("lock: %w", err)
	}
	return func() { _ = f.Close() }, nil // which unlocks
}
