package run

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/term"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/fault"
)

// process is a command to run.
type process struct {
	file    string
	args    []string // the name it is called by, then its arguments
	env     []string
	started func(pid int) // may be nil
}

// forwarded are the signals that are passed on. Those that a terminal sends go
// to its whole foreground group, which the command is in: see atTerminal.
var forwarded = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP,
}

// fromTerminal are the signals that a terminal sends.
var fromTerminal = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGWINCH}

// wait runs p with the terminal of this process and returns how it ended: nil
// for 0, or an exit.Error that ends this process in the same way.
func wait(ctx context.Context, c *console.Console, p process) error {
	// The command is to be killed when the thread that started it ends, and
	// this one lasts until then.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	cmd := &exec.Cmd{Path: p.file, Args: p.args, Env: p.env, Stdin: c.In, Stdout: c.Out, Stderr: c.Err, SysProcAttr: dieWithParent()}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, forwarded...)
	defer signal.Stop(signals)
	restore := terminalModes(c.In)

	if err := cmd.Start(); err != nil {
		return notStarted(p.args[0], err)
	}
	if p.started != nil {
		p.started(cmd.Process.Pid)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	over := ctx.Done()
	for {
		select {
		case s := <-signals:
			pass(cmd.Process, s)
		case <-over:
			over = nil
			if errors.Is(context.Cause(ctx), console.ErrSignal) { // then it comes through signals as well
				continue
			}
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have just ended
		case err := <-ended:
			code, sig := status(cmd.ProcessState)
			if code < 0 {
				return exit.With(exit.Run, err)
			}
			if sig != 0 {
				restore()
				return &exit.Error{Code: code, Signal: sig}
			}
			if code != 0 {
				return exit.Silent(code)
			}
			return nil
		}
	}
}

// pass hands a signal on to the command, unless the terminal has sent it to
// both already.
func pass(p *os.Process, s os.Signal) {
	if !slices.Contains(fromTerminal, s) || !atTerminal() {
		_ = p.Signal(s) // it may have just ended
	}
	if s == syscall.SIGTSTP { // which we caught, and so have not obeyed
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// atTerminal reports whether this process is in the foreground of a terminal.
func atTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := foregroundGroup(int(tty.Fd()))
	return err == nil && group == syscall.Getpgrp()
}

// terminalModes remembers how the terminal is set, for a command that is
// killed before it could set it back.
func terminalModes(in any) (restore func()) {
	f, ok := in.(*os.File)
	if !ok {
		return func() {}
	}
	modes, err := term.GetState(int(f.Fd()))
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(int(f.Fd()), modes) } // nothing else can be done
}

// status returns the exit code of an ended process, and the signal that ended
// it.
func status(s *os.ProcessState) (int, syscall.Signal) {
	if s == nil {
		return -1, 0
	}
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return exit.Signalled + int(w.Signal()), w.Signal()
	}
	return s.ExitCode(), 0
}

func notStarted(name string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return exit.With(exit.NotFound, fault.New(fault.NotFound, name+": there is no such command, or its interpreter is missing.", err))
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.ENOEXEC):
		return exit.With(exit.NotExecutable, fault.New(fault.Invalid, name+": cannot be executed.", err))
	}
	return exit.With(exit.Run, err)
}
