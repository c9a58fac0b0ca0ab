// Package local finds, enrols, starts and stops the gateways on this machine.
package local

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/gateway/link"
	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/gateway/state"
)

// Machine is this machine, as one user sees it.
type Machine struct {
	Console *console.Console
	runtime string
}

// On returns the machine that the console is on.
func On(c *console.Console) (Machine, error) {
	dir, err := runs.RuntimeDir(c.Getenv)
	return Machine{c, dir}, err
}

// RuntimeDir is where control sockets are.
func (m Machine) RuntimeDir() string { return m.runtime }

const answerTime = 3 * time.Second

// Client returns a client for the gateway called name, whether or not it runs.
func (m Machine) Client(name string) (runs.Client, error) {
	if err := fleet.CheckName(name); err != nil {
		return runs.Client{}, err
	}
	socket, err := runs.SocketPath(m.runtime, name)
	return runs.Client{Socket: socket}, err
}

// Running returns the status of each gateway that runs here, by name.
func (m Machine) Running(ctx context.Context) ([]runs.Status, error) {
	sockets, err := filepath.Glob(filepath.Join(m.runtime, "*.sock"))
	if err != nil {
		return nil, err
	}
	slices.Sort(sockets)
	var out []runs.Status
	for _, socket := range sockets {
		timed, cancel := context.WithTimeout(ctx, answerTime)
		s, err := runs.Client{Socket: socket}.Status(timed)
		cancel()
		if err == nil {
			out = append(out, s)
		}
	}
	return out, ctx.Err()
}

// Dir returns the state directory of the gateway called name, of the server
// that the user is signed in to.
func (m Machine) Dir(name string) (string, error) {
	p, err := m.Console.Paths()
	if err != nil {
		return "", err
	}
	server, err := m.Console.Server()
	if err != nil {
		return "", err
	}
	return p.Gateway(server, name), nil
}

// identity returns who the gateway called name is, if it has been enrolled.
func (m Machine) identity(name string) (link.Identity, bool, error) {
	path, err := m.Dir(name)
	if err != nil {
		return link.Identity{}, false, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return link.Identity{}, false, nil
	}
	dir, err := state.Open(path)
	if err != nil {
		return link.Identity{}, false, err
	}
	id, err := link.Load(dir)
	if fault.Of(err) == fault.NotFound {
		return id, false, nil
	}
	return id, err == nil, err
}

// enrolled returns the names of the gateways that this machine has been
// enrolled as, for the server that the user is signed in to.
func (m Machine) enrolled() []string {
	p, err := m.Console.Paths()
	if err != nil {
		return nil
	}
	server, err := m.Console.Server()
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir(p.Gateways(server))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if _, there, err := m.identity(e.Name()); err == nil && there {
			names = append(names, e.Name())
		}
	}
	return names
}

// Choose returns the name of the gateway that is meant: the one that flag or
// TAMEFLARE_GATEWAY names, the only one that this machine is, or the one that
// the user chooses.
func (m Machine) Choose(ctx context.Context, flag string) (string, error) {
	for _, name := range []string{flag, m.Console.Getenv("TAMEFLARE_GATEWAY")} {
		if name != "" {
			return name, fleet.CheckName(name)
		}
	}
	names := m.enrolled()
	running, err := m.Running(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range running {
		if !slices.Contains(names, s.Gateway) {
			names = append(names, s.Gateway)
		}
	}
	if len(names) == 1 {
		return names[0], nil
	}
	if !m.Console.Interactive() {
		if len(names) > 1 {
			return "", exit.Wrong("This machine has several gateways (" + strings.Join(names, ", ") + "). Say which with --gateway NAME or TAMEFLARE_GATEWAY.")
		}
		return "", exit.Wrong("Which gateway is this machine? Say it with --gateway NAME or TAMEFLARE_GATEWAY.")
	}
	return m.ask(ctx)
}

// Here returns the name of a gateway that runs on this machine: the one that
// is named, or the only one.
func (m Machine) Here(ctx context.Context, flag string) (string, error) {
	for _, name := range []string{flag, m.Console.Getenv("TAMEFLARE_GATEWAY")} {
		if name != "" {
			return name, fleet.CheckName(name)
		}
	}
	running, err := m.Running(ctx)
	switch {
	case err != nil:
		return "", err
	case len(running) == 0:
		return "", fault.New(fault.Unavailable, "No gateway is running here. Start it with: tameflare gateway up", nil)
	case len(running) > 1:
		var names []string
		for _, s := range running {
			names = append(names, s.Gateway)
		}
		return "", exit.Wrong("Several gateways run here (" + strings.Join(names, ", ") + "). Say which with --gateway NAME.")
	}
	return running[0].Gateway, nil
}
