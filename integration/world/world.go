// Package world is a whole installation in a folder of its own: the real
// programs, embedded defaults or a given database, free loopback ports, and a
// GitHub that is a stand-in. The demo shows it, and the tests look at it.
package world

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tameflare/tameflare/gateway/runs"
	"github.com/tameflare/tameflare/integration/standin"
)

// Email is the owner's, and Password what they sign in with.
const Email = "owner@demo.localhost"

// World is one installation.
type World struct {
	Dir      string // everything it writes is in here
	Base     string // URL of the dashboard
	Env      []string
	GitHub   *standin.GitHub
	Password string
	Token    string // of the owner, for CLI and API

	bin    string
	log    string // the server's log within Dir; "" is server.log
	server *exec.Cmd
	exited chan error // receives when the server has ended
}

// New makes an installation that runs the programs in the folder bin. With an
// empty database it keeps its data in SQLite, as it does by default.
func New(bin, database string) (*World, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tameflare-")
	if err != nil {
		return nil, err
	}
	w := &World{Dir: dir, bin: bin, Password: rand.Text(), GitHub: &standin.GitHub{Token: "ghp_" + rand.Text() + rand.Text()[:10], Repos: filepath.Join(dir, "repos")}}
	ca, err := standin.NewCA()
	if err != nil {
		return nil, err
	}
	if err := w.GitHub.Start(ca); err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.Path("github-ca.pem"), ca.PEM(), 0o600); err != nil {
		return nil, err
	}
	for _, sub := range []string{"run", "home", "repos"} {
		if err := os.Mkdir(w.Path(sub), 0o700); err != nil {
			return nil, err
		}
	}
	addr, link, err := freePorts()
	if err != nil {
		return nil, err
	}
	w.Base = "http://" + addr
	w.Env = append(os.Environ(),
		"TAMEFLARE_ADDR="+addr, "TAMEFLARE_GATEWAY_ADDR="+link, "TAMEFLARE_BASE_URL="+w.Base,
		"TAMEFLARE_DATA_DIR="+w.Path("server"), "DATABASE_URL="+database, "TAMEFLARE_MASTER_KEY=",
		"XDG_CONFIG_HOME="+w.Path("config"), "XDG_STATE_HOME="+w.Path("state"), "XDG_CACHE_HOME="+w.Path("cache"), "XDG_RUNTIME_DIR="+w.Path("run"),
		"TAMEFLARE_HOST="+w.Base, "TAMEFLARE_TOKEN=", "TAMEFLARE_GATEWAY=", "TAMEFLARE_NO_KEYRING=1", "NO_COLOR=1",
	)
	return w, nil
}

// Path returns the path of name in the installation's folder.
func (w *World) Path(name string) string { return filepath.Join(w.Dir, name) }

// SetUp makes an owner, starts the server and logs the CLI in, with the
// commands that an administrator would type.
func (w *World) SetUp(ctx context.Context) error {
	if _, err := w.Do(ctx, w.Password, "tameflare-server", "user", "add", "--email", Email, "--name", "Demo Owner", "--role", "owner", "--password-stdin"); err != nil {
		return err
	}
	token, err := w.Do(ctx, "", "tameflare-server", "token", "add", "--email", Email)
	if err != nil {
		return err
	}
	w.Token = strings.TrimSpace(token)
	if err := w.StartServer(ctx); err != nil {
		return err
	}
	_, err = w.Do(ctx, w.Token, "tameflare", "login", "--host", w.Base, "--token", "-")
	return err
}

// Apply applies a configuration, with the variables that it takes secrets from.
func (w *World) Apply(ctx context.Context, document []byte, env ...string) error {
	file := w.Path("tameflare.yaml")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return err
	}
	cmd, said := w.Command(ctx, "tameflare", "apply", "-f", file)
	cmd.Env = append(cmd.Env, env...)
	return outcome(cmd.Run(), cmd, said)
}

// Command returns one of the programs, ready to run in this installation, and
// where it talks to.
func (w *World) Command(ctx context.Context, program string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, filepath.Join(w.bin, program), args...)
	said := new(bytes.Buffer)
	cmd.Env, cmd.Stderr = append([]string(nil), w.Env...), said
	cmd.WaitDelay = 5 * time.Second
	return cmd, said
}

// Do runs one of the programs and returns what it prints.
func (w *World) Do(ctx context.Context, stdin, program string, args ...string) (string, error) {
	cmd, said := w.Command(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = strings.NewReader(stdin), &out
	err := outcome(cmd.Run(), cmd, said)
	return out.String(), err
}

func outcome(err error, cmd *exec.Cmd, said *bytes.Buffer) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w\n%s", filepath.Base(cmd.Path), strings.Join(cmd.Args[1:], " "), err, said.Bytes())
}

// RunArgs returns the arguments of tameflare for running command under
// gateway, with this installation's GitHub in the place of the real one.
func (w *World) RunArgs(gateway string, command ...string) []string {
	to := w.GitHub.Addr()
	return append([]string{
		"run", "--gateway", gateway, "--no-input", "--connect-to", "api.github.com:443:" + to + ",github.com:443:" + to, "--upstream-ca", w.Path("github-ca.pem"), "--",
	}, command...)
}

// Gateway returns the control socket of a gateway that runs here.
func (w *World) Gateway(name string) runs.Client {
	return runs.Client{Socket: w.Path("run/tameflare/" + name + ".sock")}
}

// Close ends the programs and removes their files.
func (w *World) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var problems []error
	if gateways, err := filepath.Glob(w.Path("run/tameflare/*.sock")); err == nil {
		for _, socket := range gateways {
			name := strings.TrimSuffix(filepath.Base(socket), ".sock")
			if _, err := w.Do(ctx, "", "tameflare", "gateway", "down", "--gateway", name); err != nil {
				problems = append(problems, err)
			}
		}
	}
	problems = append(problems, w.StopServer(), w.GitHub.Close(), os.RemoveAll(w.Dir))
	return errors.Join(problems...)
}

// freePorts returns two loopback addresses that nobody listens on.
func freePorts() (a, b string, err error) {
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer first.Close()
	second, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer second.Close()
	return first.Addr().String(), second.Addr().String(), nil
}
