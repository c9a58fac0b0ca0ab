// Package kill pulls and lifts the kill switch.
//
// The gateways on this machine can be told over their sockets: that works
// without a server.
package kill

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/local"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/gateway/runs"
)

type scope struct {
	gateway, connector, reason string
	here                       bool
}

// Command is "tameflare kill".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kill",
		Short: "Stop agents at once, and let them go on",
		Example: `  tameflare kill on --reason "leaked prompt"
  tameflare kill on --connector github
  tameflare kill off
  tameflare kill status`,
	}
	cmd.AddCommand(on(c), off(c), status(c))
	return cmd
}

func (s *scope) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&s.gateway, "gateway", "g", "", "only this gateway")
	f.StringVar(&s.connector, "connector", "", "only this connector, by type or name")
	f.StringVar(&s.reason, "reason", "", "why; agents and the record see it")
	f.BoolVar(&s.here, "local", false, "only the gateways on this machine, without the server")
}

func (s scope) what() string {
	if s.connector != "" {
		return s.connector
	}
	return "everything"
}

func (s scope) String() string {
	what := s.what()
	switch {
	case s.gateway != "":
		return what + " at gateway " + s.gateway
	case s.here:
		return what + " on this machine"
	}
	return what + " in the team"
}

// machine pulls or lifts the kill switch of the gateways on this machine that
// are in scope, and returns how many did.
func (s scope) machine(ctx context.Context, c *console.Console, pull bool) (int, error) {
	m, err := local.On(c)
	if err != nil {
		return 0, err
	}
	running, err := m.Running(ctx)
	if err != nil {
		return 0, err
	}
	done := 0
	var problems []error
	for _, g := range running {
		if s.gateway != "" && s.gateway != g.Gateway && s.gateway != g.GatewayID {
			continue
		}
		client, err := m.Client(g.Gateway)
		if err == nil {
			_, err = client.Kill(ctx, runs.Kill{On: pull, Connector: s.connector, Reason: s.reason})
		}
		switch {
		case err == nil:
			done++
		case !pull && (fault.Of(err) == fault.NotFound || fault.Of(err) == fault.Forbidden): // it was pulled elsewhere, if at all
		default:
			problems = append(problems, fmt.Errorf("gateway %s: %w", g.Gateway, err))
		}
	}
	return done, errors.Join(problems...)
}

func on(c *console.Console) *cobra.Command {
	var s scope
	cmd := &cobra.Command{
		Use:   "on",
		Short: "Pull the kill switch: requests are refused and what is in flight is cut",
		Long: `Pull the kill switch: requests are refused and what is in flight is cut.

The server tells every gateway. Where it does not answer at once, or with
--local, the gateways on this machine are told directly; the exit code is 3
where only they could be.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			var told chan error
			if !s.here {
				told = make(chan error, 1)
				go func() { told <- s.tell(ctx, c) }()
				select {
				case err := <-told:
					if err == nil {
						c.Say("%s Killed: %s. Lift it with: tameflare kill off", c.Mark(c.Err, console.Good), s.String())
						return nil
					}
					told <- err
				case <-time.After(patience):
				}
			}
			here, herr := s.machine(ctx, c, true)
			if here > 0 {
				c.Say("%s Killed at %s on this machine: %s.", c.Mark(c.Err, console.Good), gateways(here), s.what())
			}
			if s.here {
				if herr == nil && here == 0 {
					return fault.New(fault.NotFound, "No such gateway runs on this machine. Nothing was stopped.", nil)
				}
				return herr
			}
			err := <-told
			switch {
			case err == nil:
				c.Say("%s Killed: %s. Lift it with: tameflare kill off", c.Mark(c.Err, console.Good), s.String())
				return herr
			case here > 0:
				c.Say("%s The server could not be told, so other machines go on: %s", c.Mark(c.Err, console.Bad), exit.Message(err))
				return degraded(herr)
			}
			return errors.Join(err, herr)
		},
	}
	s.flags(cmd)
	return cmd
}

// degraded is the end of a command that has done a part of what it was to do;
// err is what else went wrong, and may be nil.
func degraded(err error) error {
	if err != nil {
		return exit.With(exit.Degraded, err)
	}
	return exit.Silent(exit.Degraded)
}

// patience is how long the server may take before this machine's gateways are
// told directly.
const patience = 2 * time.Second

func (s scope) tell(ctx context.Context, c *console.Console) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	_, err = apiclient.Post[rest.Kill](ctx, client, "/kills", nil, rest.NewKill{Gateway: s.gateway, Connector: s.connector, Reason: s.reason})
	return err
}

func gateways(n int) string {
	if n == 1 {
		return "1 gateway"
	}
	return fmt.Sprintf("%d gateways", n)
}

func off(c *console.Console) *cobra.Command {
	var s scope
	cmd := &cobra.Command{
		Use:   "off",
		Short: "Lift the kill switch of the same scope",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			lifted, herr := s.machine(ctx, c, false)
			if s.here {
				if herr == nil && lifted == 0 {
					c.Say("No kill switch of this machine's own is on for %s.", s.String())
				} else if herr == nil {
					c.Say("%s Lifted: %s.", c.Mark(c.Err, console.Good), s.String())
				}
				return herr
			}
			n, err := s.server(ctx, c)
			if err != nil && lifted > 0 {
				c.Say("%s Lifted at %s on this machine: %s.", c.Mark(c.Err, console.Good), gateways(lifted), s.what())
				c.Say("%s It may still be on at the server: %s", c.Mark(c.Err, console.Bad), exit.Message(err))
				return degraded(herr)
			}
			if err = errors.Join(err, herr); err != nil {
				return err
			}
			if lifted+n == 0 {
				c.Say("No kill switch is on for %s. See: tameflare kill status", s.String())
				return nil
			}
			c.Say("%s Lifted: %s.", c.Mark(c.Err, console.Good), s.String())
			return nil
		},
	}
	s.flags(cmd)
	return cmd
}

// server lifts the kill switches of exactly the scope, and returns how many
// there were.
func (s scope) server(ctx context.Context, c *console.Console) (int, error) {
	client, err := c.Client()
	if err != nil {
		return 0, err
	}
	list, err := apiclient.Get[rest.List[rest.Kill]](ctx, client, "/kills", nil)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, k := range list.Items {
		if k.Connector != s.connector || k.Gateway != s.gateway && (s.gateway == "" || k.GatewayID != s.gateway) {
			continue
		}
		err := apiclient.Delete(ctx, client, "/kills/"+url.PathEscape(k.ID))
		if err != nil && fault.Of(err) != fault.Conflict { // somebody else has lifted it
			return n, err
		}
		n++
	}
	return n, nil
}

// state is what "kill status --json" writes.
type state struct {
	Server  []rest.Kill            `json:"server"`
	Machine map[string][]runs.Kill `json:"machine"` // by gateway
	Problem string                 `json:"problem,omitempty"`
}

func status(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the kill switches that are on; the exit code is 7 where there are any",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			st, err := look(cmd.Context(), c)
			if err != nil {
				return err
			}
			if asJSON {
				err = c.JSON(st)
			} else {
				err = show(c, st)
			}
			if err == nil && len(st.Server)+len(st.Machine) > 0 {
				return exit.Silent(exit.Killed)
			}
			if err == nil && st.Problem != "" {
				return exit.Silent(exit.Degraded)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func look(ctx context.Context, c *console.Console) (state, error) {
	st := state{Server: []rest.Kill{}, Machine: map[string][]runs.Kill{}}
	m, err := local.On(c)
	if err != nil {
		return st, err
	}
	running, err := m.Running(ctx)
	if err != nil {
		return st, err
	}
	for _, g := range running {
		for _, k := range g.Kills {
			if k.Local {
				st.Machine[g.Gateway] = append(st.Machine[g.Gateway], runs.Kill{On: true, Connector: k.Connector, Reason: k.Reason})
			}
		}
	}
	client, err := c.Client()
	if err == nil {
		var list rest.List[rest.Kill]
		if list, err = apiclient.Get[rest.List[rest.Kill]](ctx, client, "/kills", nil); err == nil {
			st.Server = append(st.Server, list.Items...)
		}
	}
	if err != nil {
		if len(running) == 0 {
			return st, err
		}
		st.Problem = exit.Message(err)
	}
	return st, nil
}

func show(c *console.Console, st state) error {
	if st.Problem != "" {
		c.Say("%s Only this machine is known: %s", c.Mark(c.Err, console.Bad), st.Problem)
	}
	if len(st.Server)+len(st.Machine) == 0 {
		c.Say("%s No kill switch is on.", c.Mark(c.Err, console.Good))
		return nil
	}
	rows := [][]string{{"WHERE", "CONNECTOR", "REASON", "SINCE"}}
	every := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	for _, k := range st.Server {
		rows = append(rows, []string{every(k.Gateway, "team"), every(k.Connector, "all"), k.Reason, c.Ago(k.PulledAt)})
	}
	for name, ks := range st.Machine {
		for _, k := range ks {
			rows = append(rows, []string{name + " (this machine)", every(k.Connector, "all"), k.Reason, ""})
		}
	}
	return c.Table(rows)
}
