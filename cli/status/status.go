// Package status shows on one screen how everything is.
package status

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/gatewaycmd"
	"github.com/tameflare/tameflare/cli/local"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/gateway/runs"
)

// report is what "status --json" writes.
type report struct {
	Healthy  bool          `json:"healthy"`
	Host     string        `json:"host,omitempty"`
	Server   *rest.Status  `json:"server,omitempty"`
	Problem  string        `json:"problem,omitempty"` // why the server says nothing
	Gateways []runs.Status `json:"gateways"`          // on this machine
}

// Command is "tameflare status".
func Command(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how everything is: sign-in, server, gateways, approvals, kill switch",
		Long:  "Show how everything is. The exit code is 3 where something needs attention. It works without a server.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			m, err := local.On(c)
			if err != nil {
				return err
			}
			r := report{Gateways: []runs.Status{}}
			running, err := m.Running(ctx)
			if err != nil {
				return err
			}
			r.Gateways = append(r.Gateways, running...)
			client, err := c.Client()
			if err == nil {
				r.Host = client.Host
				var s rest.Status
				if s, err = apiclient.Get[rest.Status](ctx, client, "/status", nil); err == nil {
					r.Server = &s
				}
			}
			if err != nil {
				r.Problem = exit.Message(err)
			}
			r.Healthy = err == nil && len(r.Server.Kills) == 0
			for _, s := range running {
				r.Healthy = r.Healthy && gatewaycmd.Problem(s, c.Now()) == ""
			}
			if asJSON {
				if err := c.JSON(r); err != nil {
					return err
				}
			} else if err := show(c, r); err != nil {
				return err
			}
			switch {
			case r.Healthy:
				return nil
			case exit.Code(err) == exit.Auth && len(running) == 0:
				return exit.Silent(exit.Auth)
			}
			return exit.Silent(exit.Degraded)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// pending says how many requests wait for a person, and where to decide.
func pending(n int) string {
	switch n {
	case 0:
		return "no approvals"
	case 1:
		return "1 approval; see tameflare approvals watch"
	}
	return strconv.Itoa(n) + " approvals; see tameflare approvals watch"
}

func show(c *console.Console, r report) error {
	bad := c.Mark(c.Out, console.Bad)
	if r.Server == nil {
		fmt.Fprintf(c.Out, "%s %s\n", bad, console.Line(r.Problem))
	} else {
		s := r.Server
		kills := "off"
		if len(s.Kills) > 0 {
			kills = "ON (" + strconv.Itoa(len(s.Kills)) + "); see tameflare kill status"
		}
		if err := c.Table([][]string{
			{"server", r.Host + " (" + s.Version + ")"},
			{"signed in", s.Me.User.Email + ", team " + s.Me.Team.Name + ", role " + s.Me.Role},
			{"pending", pending(s.Pending)}, {"kill switch", kills},
			{"gateways", strconv.Itoa(len(s.Gateways)) + " in the team"},
		}); err != nil {
			return err
		}
	}
	if len(r.Gateways) == 0 {
		_, err := fmt.Fprintln(c.Out, "No gateway is running on this machine.")
		return err
	}
	fmt.Fprintln(c.Out)
	return gatewaycmd.Show(c, r.Gateways)
}
