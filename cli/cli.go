// Package cli is the command line: it puts the commands together and says how
// the program ends.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apply"
	"github.com/tameflare/tameflare/cli/approvals"
	"github.com/tameflare/tameflare/cli/ca"
	"github.com/tameflare/tameflare/cli/connectorscmd"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/explain"
	"github.com/tameflare/tameflare/cli/gatewaycmd"
	"github.com/tameflare/tameflare/cli/kill"
	"github.com/tameflare/tameflare/cli/login"
	"github.com/tameflare/tameflare/cli/policycmd"
	"github.com/tameflare/tameflare/cli/run"
	"github.com/tameflare/tameflare/cli/status"
	"github.com/tameflare/tameflare/cli/tail"
)

// Main runs the program with its arguments and returns its exit code, and the
// signal that it should end by instead, 0 for none.
func Main(ctx context.Context, c *console.Console, args []string) (code int, by syscall.Signal) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(stopped, func() {
		cancel(console.ErrSignal)
		stop() // a second one ends the program at once, unless run passes it on
	})()

	root, begun := Root(c)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exit.OK, 0
	}
	if e, ok := errors.AsType[*exit.Error](err); ok && e.Signal != 0 {
		return e.Code, e.Signal
	}
	if _, has := errors.AsType[*exit.Error](err); !has && !*begun { // it came from reading the command line
		err = exit.With(exit.Usage, err)
	}
	if message := exit.Message(err); message != "" {
		c.Say("%s %s", c.Mark(c.Err, console.Bad), message)
	}
	return exit.Code(err), 0
}

// Root returns the tree of commands. Begun turns true once the command line
// has been understood.
func Root(c *console.Console) (root *cobra.Command, begun *bool) {
	begun = new(bool)
	root = &cobra.Command{
		Use:   "tameflare",
		Short: "Run agents behind a gateway that decides what they may do",
		Long: `Run agents behind a gateway that decides what they may do.

Requests of whatever runs under "tameflare run" are allowed with a credential that
it never sees, denied, or held until a person approves; each is recorded.`,
		Example: `  tameflare login --host https://flare.example.com
  tameflare run -- python agent.py
  tameflare approvals ls`,
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		PersistentPreRun:           func(*cobra.Command, []string) { *begun = true },
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	f := root.PersistentFlags()
	f.StringVar(&c.Host, "host", "", "address of the server (TAMEFLARE_HOST)")
	f.BoolVar(&c.NoInput, "no-input", false, "never ask; fail instead")
	f.BoolVar(&c.NoColor, "no-color", false, "no colours (NO_COLOR)")
	for _, g := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Run agents:", []*cobra.Command{login.Command(c), run.Command(c), gatewaycmd.Command(c)}},
		{"Decide and stop:", []*cobra.Command{approvals.Command(c), kill.Command(c)}},
		{"See what happens:", []*cobra.Command{status.Command(c), tail.Command(c), explain.Command(c), connectorscmd.Command(c), ca.Command(c)}},
		{"Configure:", []*cobra.Command{apply.Command(c), apply.Export(c), policycmd.Command(c)}},
		{"Your account:", []*cobra.Command{login.Whoami(c), login.Logout(c)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(version(c), exitCodes(c))
	for _, cmd := range append(root.Commands(), root) {
		if cmd.HasSubCommands() {
			group(cmd)
		}
	}
	root.SetOut(c.Out)
	root.SetErr(c.Err)
	root.SetIn(c.In)
	return root, begun
}

// group makes a command that only holds others refuse what it does not know.
// A guess is named and never run.
func group(cmd *cobra.Command) {
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		text := fmt.Sprintf("There is no command %q.", console.Line(cmd.CommandPath()+" "+args[0]))
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += " Did you mean " + strings.Join(near, " or ") + "?"
		}
		return exit.Wrong(text + " See: " + cmd.CommandPath() + " --help")
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	if cmd.SuggestionsMinimumDistance == 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
}

func version(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return c.JSON(map[string]string{"version": c.Version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			_, err := fmt.Fprintln(c.Out, "tameflare "+c.Version)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func exitCodes(*console.Console) *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exit.Help}
}
