//go:build !linux

package run

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent can do nothing here.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func foregroundGroup(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCGPGRP) }
