package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/gateway/state"
)

// Ways are how a gateway gets out, where that is not the usual way.
type Ways struct {
	ConnectTo  []string
	UpstreamCA string
}

// Absolute makes the file names in w good for a process elsewhere.
func (w Ways) Absolute() (Ways, error) {
	if w.UpstreamCA == "" {
		return w, nil
	}
	path, err := filepath.Abs(w.UpstreamCA)
	if err != nil {
		return w, fmt.Errorf("find %s: %w", w.UpstreamCA, err)
	}
	if _, err := os.Stat(path); err != nil {
		return w, fault.New(fault.Invalid, "The file "+w.UpstreamCA+" for --upstream-ca cannot be read.", err)
	}
	w.UpstreamCA = path
	return w, nil
}

const (
	startTime = 20 * time.Second
	stopTime  = 20 * time.Second
	look      = 15 * time.Millisecond // between two looks at a process
	idle      = 30 * time.Minute      // for a gateway that a run has started
	maxLog    = 8 << 20
)

// Ensure returns a client for the gateway called name, which runs then: it is
// enrolled and started if need be. Auto says that nobody asked for it to go on
// by itself. Started is false where it ran already.
func (m Machine) Ensure(ctx context.Context, name string, w Ways, auto bool) (client runs.Client, started bool, err error) {
	if client, err = m.Client(name); err != nil {
		return client, false, err
	}
	if running, err := m.runs(ctx, client, name); running || err != nil {
		return client, false, err
	}
	// Of several that come at once, one enrols and starts it.
	path, err := m.Dir(name)
	if err != nil {
		return client, false, err
	}
	dir, err := state.Open(path)
	if err != nil {
		return client, false, err
	}
	unlock, err := lock(dir.Path("start.lock"))
	if err != nil {
		return client, false, err
	}
	defer unlock()
	if running, err := m.runs(ctx, client, name); running || err != nil {
		return client, false, err
	}
	var enrol bool
	if s, err := client.Status(ctx); err == nil { // it is over
		enrol = true
		if err := m.stop(ctx, client, s, name); err != nil {
			return client, false, err
		}
	} else if _, enrolled, err := m.identity(name); err != nil {
		return client, false, err
	} else {
		enrol = !enrolled
	}
	for {
		if enrol {
			if err := m.Enrol(ctx, name, dir); err != nil {
				return client, false, err
			}
		}
		s, err := m.start(ctx, client, name, w, auto)
		if err != nil {
			return client, false, err
		}
		if enrol || !over(s, m.Console.Now()) {
			return client, true, nil
		}
		enrol = true // it had been off for too long
		if err := m.stop(ctx, client, s, name); err != nil {
			return client, false, err
		}
	}
}

// runs reports whether the gateway called name runs and can go on.
func (m Machine) runs(ctx context.Context, client runs.Client, name string) (bool, error) {
	s, err := client.Status(ctx)
	if fault.Of(err) == fault.Unavailable {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !over(s, m.Console.Now()), m.same(name, s)
}

// over reports whether a gateway will not get anywhere until it is enrolled
// again.
func over(s runs.Status, now time.Time) bool {
	return s.Server.EnrolAgain || !s.Server.CertUntil.IsZero() && s.Server.CertUntil.Before(now)
}

// same refuses a gateway that has the right name and is another's: what it
// would inject and allow is not what the user is signed in for.
func (m Machine) same(name string, s runs.Status) error {
	id, enrolled, err := m.identity(name)
	if fault.Of(err) == fault.Unauthenticated {
		return nil // no server is known that it could differ from
	}
	if err != nil {
		return err
	}
	if enrolled && id.GatewayID != s.GatewayID {
		return fault.New(fault.Conflict, "A gateway "+name+" of another server runs here. Stop it with: tameflare gateway down --gateway "+name, nil)
	}
	return nil
}

// start runs this program again as a gateway, detached, and waits until runs
// can begin.
func (m Machine) start(ctx context.Context, client runs.Client, name string, w Ways, auto bool) (runs.Status, error) {
	w, err := w.Absolute()
	if err != nil {
		return runs.Status{}, err
	}
	dir, err := m.Dir(name)
	if err != nil {
		return runs.Status{}, err
	}
	server, err := m.Console.Server()
	if err != nil {
		return runs.Status{}, err
	}
	logPath := filepath.Join(dir, "gateway.log")
	log, from, err := openLog(logPath)
	if err != nil {
		return runs.Status{}, err
	}
	defer log.Close() // the gateway has its own
	args := []string{"gateway", "up", "--foreground", "--gateway", name, "--host", server}
	if auto {
		args = append(args, "--auto")
	}
	for _, to := range w.ConnectTo {
		args = append(args, "--connect-to", to)
	}
	if w.UpstreamCA != "" {
		args = append(args, "--upstream-ca", w.UpstreamCA)
	}
	cmd := exec.Command(m.Console.Program, args...) //nolint:noctx // it outlives this process
	cmd.Env = withoutSecrets(m.Console.Environ)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return runs.Status{}, fmt.Errorf("start gateway: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if s, err := client.Status(ctx); err == nil {
			return s, nil
		}
		select {
		case err := <-ended:
			// Another call may have been faster to start it.
			if s, err := client.Status(ctx); err == nil {
				return s, nil
			}
			return runs.Status{}, fault.New(fault.Unavailable, "The gateway "+name+" did not start: "+lastLine(logPath, from)+" Its log is "+logPath, err)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return runs.Status{}, ctx.Err()
			}
			return runs.Status{}, fault.New(fault.Unavailable, "The gateway "+name+" is not ready after "+startTime.String()+". Its log is "+logPath, nil)
		case <-tick.C:
		}
	}
}

// withoutSecrets is env without what a gateway has no use for.
func withoutSecrets(env []string) []string {
	var out []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if name != "TAMEFLARE_TOKEN" && name != "TAMEFLARE_MASTER_KEY" {
			out = append(out, v)
		}
	}
	return out
}

// openLog opens a gateway's log to append to it, and says where its end is. A
// large one begins anew; the one before it is kept.
func openLog(path string) (*os.File, int64, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, 0, fmt.Errorf("turn over log: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("open log: %w", err)
	}
	end, err := f.Seek(0, io.SeekEnd)
	return f, end, err
}

// lastLine is what a gateway said last after a place in its log.
func lastLine(path string, from int64) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, from, 64<<10))
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return strings.TrimPrefix(string(lines[len(lines)-1]), "tameflare: ")
}

// Stop ends the gateway called name and returns once its process is gone. One
// that does not run has ended already.
func (m Machine) Stop(ctx context.Context, name string) error {
	client, err := m.Client(name)
	if err != nil {
		return err
	}
	s, err := client.Status(ctx)
	if fault.Of(err) == fault.Unavailable {
		return nil
	}
	if err != nil {
		return err
	}
	return m.stop(ctx, client, s, name)
}

func (m Machine) stop(ctx context.Context, client runs.Client, s runs.Status, name string) error {
	if err := client.Shutdown(ctx); err != nil && fault.Of(err) != fault.Unavailable {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if gone(s.PID) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Unavailable, fmt.Sprintf("The gateway %s (process %d) has not ended after %s.", name, s.PID, stopTime), ctx.Err())
		case <-tick.C:
		}
	}
}

// gone reports whether a process has ended. One that nobody has waited for yet
// has.
func gone(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil {
		return errors.Is(err, syscall.ESRCH)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return bytes.HasPrefix(rest, []byte("Z"))
}

// Serve is the gateway itself, in this process.
func (m Machine) Serve(ctx context.Context, name string, w Ways, auto bool, ready func(socket string)) error {
	w, err := w.Absolute()
	if err != nil {
		return err
	}
	dir, err := m.Dir(name)
	if err != nil {
		return err
	}
	c := gateway.Config{
		StateDir: dir, RuntimeDir: m.runtime, ConnectTo: w.ConnectTo, UpstreamCA: w.UpstreamCA, Version: m.Console.Version,
		Log: slog.New(slog.NewTextHandler(m.Console.Err, nil)), Ready: ready,
	}
	if auto {
		c.Idle = idle
	}
	return gateway.Run(ctx, c)
}

// Foreground is Serve for somebody who wants to see it: the machine is enrolled
// first if need be.
func (m Machine) Foreground(ctx context.Context, name string, w Ways, auto bool) error {
	_, enrolled, err := m.identity(name)
	if err != nil {
		return err
	}
	if !enrolled {
		path, err := m.Dir(name)
		if err != nil {
			return err
		}
		dir, err := state.Open(path)
		if err != nil {
			return err
		}
		if err := m.Enrol(ctx, name, dir); err != nil {
			return err
		}
	}
	return m.Serve(ctx, name, w, auto, nil)
}
