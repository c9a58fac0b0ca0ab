package spool

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync syncs a file's content and what is needed to find it again, without
// its times.
func datasync(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
