// Package run runs a command so that its requests go through a gateway.
//
// To the command it is as if it had been started directly: it has the same
// terminal, signals and exit code. Nothing is written to its standard output
// or into its directory.
package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/childenv"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/local"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/gateway/runs"
)

type options struct {
	gateway     string
	name        string
	enforce     string
	quiet       bool
	keepNoProxy bool
	ways        local.Ways
}

// Command is "tameflare run".
func Command(c *console.Console) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "run [flags] -- command [arguments]",
		Short: "Run a command through the gateway",
		Long: `Run a command so that its HTTP and HTTPS requests go through a gateway on this machine.

A request that needs a person's approval waits for it. One that waits too long
is answered with 503 and says where to ask what became of it: with the token in
TAMEFLARE_RUN_TOKEN, which is worth nothing anywhere else. See docs/agents.md.

The command gets environment variables that clients of common languages honour.
A client that ignores them goes past the gateway: this release has only that
level, which is called env. Where no gateway runs, one is started; where this
machine is none yet, it is enrolled.`,
		Example: `  tameflare run -- python agent.py
  tameflare run --gateway deploy-bot -- git push
  tameflare run --quiet -- curl -s https://api.github.com/zen`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit.Wrong("Say what to run: tameflare run -- command")
			}
			if o.gateway == "" {
				o.gateway = o.name
			}
			return o.run(cmd.Context(), c, args)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // the command's flags are its own
	f.StringVarP(&o.gateway, "gateway", "g", "", "gateway to go through (TAMEFLARE_GATEWAY)")
	f.StringVar(&o.name, "name", "", "another word for --gateway")
	f.StringVar(&o.enforce, "enforce", "auto", "auto or env; contained and require are not in this release")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but errors")
	f.BoolVar(&o.keepNoProxy, "keep-no-proxy", false, "leave your own NO_PROXY: a list of hosts that go past the gateway")
	WayFlags(cmd, c, &o.ways)
	return cmd
}

// WayFlags adds the flags that say how a gateway gets out.
func WayFlags(cmd *cobra.Command, c *console.Console, w *local.Ways) {
	var preset []string
	if list := c.Getenv("TAMEFLARE_CONNECT_TO"); list != "" {
		preset = strings.Split(list, ",")
	}
	cmd.Flags().StringSliceVar(&w.ConnectTo, "connect-to", preset, "HOST:PORT:ADDR:PORT, go there instead, as in curl (TAMEFLARE_CONNECT_TO)")
	cmd.Flags().StringVar(&w.UpstreamCA, "upstream-ca", c.Getenv("TAMEFLARE_UPSTREAM_CA"), "file with more roots to trust upstream (TAMEFLARE_UPSTREAM_CA)")
}

func (o options) run(ctx context.Context, c *console.Console, args []string) error {
	switch o.enforce {
	case "auto", "env":
	case "contained", "require":
		return exit.With(exit.Run, fault.New(fault.Invalid, "This release cannot contain a process: it only has the level env, which clients can ignore. Nothing was started.", nil))
	default:
		return exit.Wrong("--enforce is auto, env, contained or require.")
	}
	program, err := find(args[0], c.Getenv("PATH"))
	if err != nil {
		return err
	}
	if c.Getenv("TAMEFLARE") == "1" && c.Getenv("TAMEFLARE_RUN_ID") != "" {
		c.Say("tameflare: this is inside of a run already (%s), so its gateway is used.", c.Getenv("TAMEFLARE_RUN_ID"))
		return wait(ctx, c, process{program, args, c.Environ, nil})
	}
	session, err := o.open(ctx, c, args[0])
	if err != nil {
		return before(err)
	}
	defer session.Close()
	files, err := writeFiles(c, session.Door)
	if err != nil {
		return before(err)
	}
	defer files.remove()

	env := childenv.Make(c.Environ, childenv.Run{
		ID: session.Door.RunID, Token: session.Door.Token, Proxy: session.Door.Proxy, CA: session.Door.CA, Bundle: session.Door.Bundle,
		WGETRC: files.wgetrc, PHPINI: files.phpini, Trust: files.trust, Dummy: session.Door.Env, Yield: session.Door.Yield,
	}, o.keepNoProxy)
	report := newReport(c, session.Door, o.quiet)
	told := make(chan struct{})
	go func() {
		defer close(told)
		report.follow(session)
	}()
	err = wait(ctx, c, process{program, args, env, nil})
	report.end(ctx, session, told)
	return err
}

// before is err as the failure of a run whose command has not been started.
func before(err error) error {
	if _, has := errors.AsType[*exit.Error](err); has || errors.Is(err, context.Canceled) {
		return err
	}
	return exit.With(exit.Run, err)
}

// open begins a run at the gateway, which is started if need be.
func (o options) open(ctx context.Context, c *console.Console, program string) (*runs.Session, error) {
	m, err := local.On(c)
	if err != nil {
		return nil, err
	}
	ways, err := o.ways.Absolute()
	if err != nil {
		return nil, err
	}
	name, err := m.Choose(ctx, o.gateway)
	if err != nil {
		return nil, exit.With(exit.Run, err)
	}
	client, _, err := m.Ensure(ctx, name, ways, true)
	if err != nil {
		return nil, exit.With(exit.Run, err)
	}
	s, err := client.Status(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range s.Kills {
		if k.Connector == "" {
			return nil, exit.With(exit.Killed, fault.New(fault.Forbidden, "The kill switch is on for "+name+": "+console.Line(orElse(k.Reason, "no reason given"))+". Nothing was started. See: tameflare kill status", nil))
		}
	}
	// From here on a signal is the command's affair: the run goes on until it ends.
	return client.Start(context.WithoutCancel(ctx), runs.Start{
		Program: filepath.Base(program), ConnectTo: ways.ConnectTo, UpstreamCA: ways.UpstreamCA, ExtraCA: extraCA(c),
	})
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// extraCA is the bundle that the environment trusts already.
func extraCA(c *console.Console) string {
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		if path := c.Getenv(name); path != "" {
			if full, err := filepath.Abs(path); err == nil {
				if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() {
					return full
				}
			}
		}
	}
	return ""
}

// find returns the file to execute for a name, as a shell would.
func find(name, path string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, executable(name)
	}
	var denied error
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		file := filepath.Join(dir, name)
		err := executable(file)
		if err == nil {
			if !filepath.IsAbs(file) {
				return "", exit.With(exit.NotFound, fmt.Errorf("%s: %w", name, exec.ErrDot))
			}
			return file, nil
		}
		if exit.Code(err) == exit.NotExecutable {
			denied = err
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", exit.With(exit.NotFound, fault.New(fault.NotFound, name+": there is no such command.", nil))
}

func executable(file string) error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrInvalid):
		return exit.With(exit.NotFound, fault.New(fault.NotFound, file+": there is no such file.", err))
	case err != nil:
		return exit.With(exit.NotExecutable, fault.New(fault.Invalid, file+": cannot be executed.", err))
	case info.IsDir():
		return exit.With(exit.NotExecutable, fault.New(fault.Invalid, file+": is a directory.", nil))
	case info.Mode()&0o111 == 0:
		return exit.With(exit.NotExecutable, fault.New(fault.Invalid, file+": is not executable. Run: chmod +x "+file, nil))
	}
	return nil
}
