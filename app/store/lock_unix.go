//go:build unix

package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

// lock is a file that one process holds. The system lets go of it when the
// process ends, however it ends, so a lock is never left behind.
type lock struct{ file *os.File }

// lockFile takes the lock. It fails with fault.Conflict, naming the holder,
// where another process has it. The file stays: a lock on a file that has been
// removed keeps nobody out.
func lockFile(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock database: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		return nil, inUse(f, path)
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintln(f, os.Getpid()) // for the sentence of whoever comes second
	}
	return &lock{f}, nil
}

func inUse(f io.Reader, path string) error {
	holder := ""
	if pid, _ := io.ReadAll(io.LimitReader(f, 20)); len(pid) > 0 {
		holder = ", process " + strings.TrimSpace(string(pid)) + ","
	}
	return fault.New(fault.Conflict, "Another tameflare-server"+holder+" is using this database. "+
		"Stop it first, or set DATABASE_URL to a Postgres, which several may share.", errors.New(path+" is locked"))
}

func (l *lock) release() { l.file.Close() }
