package cli_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tameflare/tameflare/gateway/runs"
)

// counter is a command that counts the signals it gets, and ends at a line on
// its standard input. It waits for them in a thread: Python would call a
// handler for one that comes just before a read only after that read.
const counter = `
import os, signal, sys, threading
def say(text):
    os.write(1, (text + "\n").encode())
signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
def count():
    got = {}
    while True:
        s = signal.sigwait(signals)
        got[s] = got.get(s, 0) + 1
        say("got %s %d" % (signal.Signals(s).name, got[s]))
threading.Thread(target=count, daemon=True).start()
say("ready")
sys.stdin.readline()
say("end")
`

// running is the program with a command under it.
type running struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
}

func start(t *testing.T, s *site, args ...string) *running {
	t.Helper()
	r := &running{t: t, cmd: exec.CommandContext(t.Context(), program, append([]string{"run", "--quiet", "--"}, args...)...), lines: make(chan string, 100)}
	r.cmd.Env, r.cmd.Stderr = s.env(), os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go read(out, r.lines)
	return r
}

func read(out io.Reader, lines chan<- string) {
	defer close(lines)
	for scan := bufio.NewScanner(out); scan.Scan(); {
		lines <- strings.TrimSpace(scan.Text())
	}
}

// next waits for a line and fails where it is another.
func next(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	select {
	case got := <-lines:
		if got != want {
			t.Fatalf("line %q, want %q", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("no line, want %q", want)
	}
}

func TestSignalsReachTheCommandOnce(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	r := start(t, s, "python3", "-c", counter)
	next(t, r.lines, "ready")
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH} {
		for n := 1; n <= 2; n++ {
			if err := r.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			next(t, r.lines, "got "+unix.SignalName(sig)+" "+strconv.Itoa(n))
		}
	}
	// They are the command's affair: its way out stays open.
	status, err := runs.Client{Socket: filepath.Join(s.dir, "tameflare", "box.sock")}.Status(t.Context())
	if err != nil || len(status.Runs) != 1 {
		t.Errorf("%d runs at the gateway (%v), want 1", len(status.Runs), err)
	}
	if err := r.in.Close(); err != nil {
		t.Fatal(err)
	}
	next(t, r.lines, "end")
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want 0", err)
	}
}

func TestTheProgramEndsAsTheCommandDid(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGPIPE, syscall.SIGUSR1} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			t.Parallel()

			r := start(t, s, "sh", "-c", "kill -"+strconv.Itoa(int(sig))+" $$; exit 9")
			err := r.cmd.Wait()
			exited, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				t.Fatalf("ended with %v, want a signal", err)
			}
			if w := exited.Sys().(syscall.WaitStatus); !w.Signaled() || w.Signal() != sig || w.CoreDump() {
				t.Errorf("ended with %v, want %v and no core", exited, sig)
			}
		})
	}
}

func TestTheCommandDoesNotOutliveTheProgram(t *testing.T) {
	t.Parallel()

	r := start(t, newSite(t), "sh", "-c", "echo $$; exec sleep 1000")
	pid, err := strconv.Atoi(<-r.lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // where it goes on after all
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the command goes on alone")
		case <-tick.C:
		}
	}
}

// terminal opens a pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() }) // closed twice is closed
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func TestAtATerminalCtrlCReachesTheCommandOnce(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	master, slave := terminal(t)
	look := "say(str(all(os.isatty(i) for i in range(3)) and os.tcgetpgrp(0) == os.getpgrp()))\nsay(\"ready\")"
	cmd := exec.CommandContext(t.Context(), program, "run", "--", "python3", "-c", strings.Replace(counter, `say("ready")`, look, 1))
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.env(), slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	go read(master, lines)
	said := <-lines
	if !strings.HasPrefix(said, "tameflare: gateway box · env level") {
		t.Errorf("said %q, want which gateway and which level", said)
	}
	next(t, lines, "True")
	next(t, lines, "ready")
	for n, key := range []string{"\x03", "\x1c", "\x03"} { // Ctrl-C, Ctrl-\, Ctrl-C
		if _, err := io.WriteString(master, key); err != nil {
			t.Fatal(err)
		}
		next(t, lines, []string{"^Cgot SIGINT 1", "^\\got SIGQUIT 1", "^Cgot SIGINT 2"}[n])
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 10, Col: 90}); err != nil {
		t.Fatal(err)
	}
	next(t, lines, "got SIGWINCH 1")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil { // this one is not the terminal's
		t.Fatal(err)
	}
	next(t, lines, "got SIGTERM 1")
	if _, err := io.WriteString(master, "\n"); err != nil {
		t.Fatal(err)
	}
	next(t, lines, "")
	next(t, lines, "end")
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want 0", err)
	}
}

func TestStoppingStopsBothAndContinuingContinuesBoth(t *testing.T) {
	t.Parallel()

	r := start(t, newSite(t), "sh", "-c", "echo $$; read x; echo end")
	pid, err := strconv.Atoi(<-r.lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTSTP); err != nil {
		t.Fatal(err)
	}
	state(t, r.cmd.Process.Pid, "T")
	if err := r.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	state(t, pid, "S")
	state(t, r.cmd.Process.Pid, "S")
	if err := r.in.Close(); err != nil {
		t.Fatal(err)
	}
	next(t, r.lines, "end")
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("ended with %v, want 0", err)
	}
}

// state waits until a process is in a state, as the kernel writes it.
func state(t *testing.T, pid int, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), ") "+want+" ") {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("process %d is %s, want %s", pid, b, want)
		case <-tick.C:
		}
	}
}
