//go:build !linux

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// die ends this process by a signal, or leaves it to its exit code where the
// runtime would print a trace.
func die(by syscall.Signal) {
	switch by {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL:
		signal.Reset(by)
		_ = syscall.Kill(os.Getpid(), by)
		<-time.After(time.Second)
	}
}
