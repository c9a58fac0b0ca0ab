// Package approvals shows requests that wait for a person, and decides them.
//
// What is shown was written by agents: none of it can steer the terminal, or
// pass for a line of ours.
package approvals

import (
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/rest"
)

// Command is "tameflare approvals".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "approvals",
		Aliases: []string{"approval"},
		Short:   "See what waits for a person, and decide",
		Example: `  tameflare approvals watch
  tameflare approvals ls --risk high
  tameflare approvals approve apr_… --reason "ticket 8812"
  tameflare approvals ls --status executed --json`,
	}
	cmd.AddCommand(ls(c), showOne(c), watch(c), approve(c), deny(c), end(c))
	return cmd
}

// filters are flags that choose approvals.
type filters map[string]*string

func (f filters) add(cmd *cobra.Command, names ...string) {
	help := map[string]string{
		"connector": "only to this connector", "action": "only this action; github.pr.* for several", "risk": "only low, medium, high or critical",
		"decider": "only what this person settled", "channel": "only what was decided there: dashboard, cli, api, slack, email or inbound",
		"text": "only with this text in what it does, address, action, resource, who asks or why",
	}
	f["gateway"] = cmd.Flags().StringP("gateway", "g", "", "only of this gateway")
	for _, name := range names {
		f[name] = cmd.Flags().String(name, "", help[name])
	}
}

func (f filters) query() url.Values {
	query := url.Values{}
	for name, value := range f {
		if *value != "" {
			query.Set(name, *value)
		}
	}
	return query
}

func ls(c *console.Console) *cobra.Command {
	var (
		statuses []string
		chosen   = filters{}
		limit    int
		asJSON   bool
	)
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List approvals, by default those that are pending",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			if limit < 1 {
				return exit.Wrong("--limit is a number from 1.")
			}
			query := chosen.query()
			if !slices.Contains(statuses, "all") {
				query["status"] = statuses
			}
			items, err := apiclient.All[rest.Approval](cmd.Context(), client, "/approvals", query, limit)
			if err != nil {
				return err
			}
			if asJSON {
				return c.JSON(items)
			}
			if len(items) == 0 {
				c.Say("Nothing here. Pending requests appear as soon as an agent asks.")
				return nil
			}
			rows := [][]string{{"ID", "STATUS", "RISK", "WHAT", "GATEWAY", "BY", "TIME"}}
			for _, a := range items {
				when := c.Ago(a.CreatedAt)
				if a.Status == approval.Pending {
					when = left(c, a)
				}
				rows = append(rows, []string{a.ID, status(a), a.Risk, what(a), a.Gateway, orElse(a.Decider, a.Principal), when})
			}
			return c.Table(rows)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&statuses, "status", []string{"pending"}, "pending, approved, denied, expired, cancelled, executed, unused or all")
	chosen.add(cmd, "connector", "action", "risk", "decider", "channel", "text")
	f.IntVar(&limit, "limit", 100, "at most so many")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
