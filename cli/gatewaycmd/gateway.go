// Package gatewaycmd starts, stops and looks at the gateways on this machine.
package gatewaycmd

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/local"
	"github.com/tameflare/tameflare/cli/run"
	"github.com/tameflare/tameflare/gateway/runs"
)

// Command is "tameflare gateway".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Start, stop and look at the gateway on this machine",
		Example: `  tameflare gateway up --gateway laptop
  tameflare gateway status
  tameflare gateway down`,
	}
	cmd.AddCommand(up(c), down(c), status(c), enrolment(c))
	return cmd
}

func up(c *console.Console) *cobra.Command {
	var (
		name             string
		foreground, auto bool
		ways             local.Ways
	)
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the gateway; enrol this machine if it is none yet",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			m, err := local.On(c)
			if err != nil {
				return err
			}
			chosen, err := m.Choose(ctx, name)
			if err != nil {
				return err
			}
			if foreground {
				return m.Foreground(ctx, chosen, ways, auto)
			}
			client, started, err := m.Ensure(ctx, chosen, ways, auto)
			if err != nil {
				return err
			}
			s, err := client.Status(ctx)
			if err != nil {
				return err
			}
			word := "runs already"
			if started {
				word = "is up"
			}
			c.Say("%s The gateway %s %s (process %d).", c.Mark(c.Err, console.Good), chosen, word, s.PID)
			if started {
				c.Say("  Next:  tameflare run --gateway %s -- your-command", chosen)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&name, "gateway", "g", "", "which gateway this machine is (TAMEFLARE_GATEWAY)")
	f.StringVar(&name, "name", "", "another word for --gateway")
	f.BoolVar(&foreground, "foreground", false, "stay in the foreground and log to standard error, for services and containers")
	f.BoolVar(&auto, "auto", false, "end by itself after half an hour without a run")
	if err := f.MarkHidden("auto"); err != nil {
		panic(err) // there is such a flag
	}
	run.WayFlags(cmd, c, &ways)
	return cmd
}

func down(c *console.Console) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the gateway; what runs through it can send nothing more",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			m, err := local.On(c)
			if err != nil {
				return err
			}
			running, err := m.Running(ctx)
			if err != nil {
				return err
			}
			if name == "" && len(running) == 0 {
				c.Say("No gateway is running here.")
				return nil
			}
			chosen, err := m.Here(ctx, name)
			if err != nil {
				return err
			}
			if err := m.Stop(ctx, chosen); err != nil {
				return err
			}
			c.Say("%s The gateway %s is down.", c.Mark(c.Err, console.Good), chosen)
			return nil
		},
	}
	cmd.Flags().StringVarP(&name, "gateway", "g", "", "which gateway (TAMEFLARE_GATEWAY)")
	return cmd
}

func status(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the gateways that run on this machine",
		Long:  "Show the gateways that run on this machine. The exit code is 3 where something needs attention.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := local.On(c)
			if err != nil {
				return err
			}
			running, err := m.Running(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				if running == nil {
					running = []runs.Status{}
				}
				if err := c.JSON(running); err != nil {
					return err
				}
			} else if err := Show(c, running); err != nil {
				return err
			}
			for _, s := range running {
				if Problem(s, c.Now()) != "" {
					return exit.Silent(exit.Degraded)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// Show writes a line for each gateway, and below it what is wrong.
func Show(c *console.Console, running []runs.Status) error {
	if len(running) == 0 {
		c.Say("No gateway is running here. Start one with: tameflare gateway up")
		return nil
	}
	rows := [][]string{{"GATEWAY", "STATE", "SERVER", "CONFIGURATION", "UNSENT", "RUNS"}}
	for _, s := range running {
		state := "ok"
		if Problem(s, c.Now()) != "" {
			state = "needs attention"
		}
		server := "connected"
		if !s.Server.Reachable {
			server = "not reachable"
		}
		snapshot := "none"
		if s.Snapshot.Version > 0 {
			snapshot = fmt.Sprintf("v%d, %s old", s.Snapshot.Version, console.Span(time.Duration(s.Snapshot.AgeSeconds)*time.Second))
		}
		rows = append(rows, []string{s.Gateway, state, server, snapshot, fmt.Sprint(s.Spool.Unsent), fmt.Sprint(len(s.Runs))})
	}
	if err := c.Table(rows); err != nil {
		return err
	}
	for _, s := range running {
		if p := Problem(s, c.Now()); p != "" {
			c.Say("%s %s: %s", c.Mark(c.Err, console.Bad), s.Gateway, p)
		}
	}
	return nil
}

// Problem says what is wrong with a gateway, "" where nothing is.
func Problem(s runs.Status, now time.Time) string {
	all := func(k runs.KillStatus) bool { return k.Connector == "" }
	switch {
	case slices.ContainsFunc(s.Kills, all):
		return "the kill switch is on"
	case len(s.Kills) > 0:
		return "the kill switch is on for " + s.Kills[0].Connector
	case s.Spool.Problem != "":
		return s.Spool.Problem
	case s.Snapshot.Problem != "":
		return s.Snapshot.Problem
	case s.Server.Problem != "":
		return s.Server.Problem
	case !s.Server.CertUntil.IsZero() && s.Server.CertUntil.Before(now):
		return "the certificate has expired; enrol again: tameflare gateway up --gateway " + s.Gateway
	case !s.Server.Reachable:
		return "the server cannot be reached; what needs an approval is refused until it can"
	}
	return ""
}
