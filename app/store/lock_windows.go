package store

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

// lock is a file that one process holds, until it ends.
type lock struct{ handle syscall.Handle }

const errorSharingViolation syscall.Errno = 32

// lockFile takes the lock by opening the file so that nobody else can. It
// fails with fault.Conflict where another process has it.
func lockFile(path string) (*lock, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errorSharingViolation) {
		return nil, fault.New(fault.Conflict, "Another tameflare-server is using this database. "+
			"Stop it first, or set DATABASE_URL to a Postgres, which several may share.", err)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &lock{h}, nil
}

func (l *lock) release() { syscall.CloseHandle(l.handle) }
