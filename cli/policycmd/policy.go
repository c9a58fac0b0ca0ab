// Package policycmd tests policies on this machine, and brings them to and from
// the server.
package policycmd

import (
	"context"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/rest"
)

// Command is "tameflare policy".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Test policies, and bring them to and from the server",
		Long: `Test policies, and bring them to and from the server.

A policy is a YAML document. Its tests say what it has to decide; a policy whose
tests fail is never saved.`,
		Example: `  tameflare policy test -f policies/
  tameflare policy push -f policies/protect-main.yaml -m "Merges need an admin"`,
	}
	cmd.AddCommand(test(c), list(c), diff(c), pull(c), push(c))
	return cmd
}

func list(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the team's policies",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			all, err := apiclient.Get[rest.List[rest.Policy]](cmd.Context(), client, "/policies", nil)
			if err != nil {
				return err
			}
			if asJSON {
				return c.JSON(all.Items)
			}
			rows := [][]string{{"NAME", "STATE", "PRIORITY", "RULES", "VERSION", "CHANGED"}}
			for _, p := range all.Items {
				rows = append(rows, []string{p.Name, state(p), strconv.Itoa(p.Priority), strconv.Itoa(len(p.Rules)), strconv.FormatInt(p.Version, 10), c.Ago(p.UpdatedAt)})
			}
			return c.Table(rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// state is how a policy counts, in words.
func state(p rest.Policy) string {
	switch {
	case !p.Enabled:
		return "disabled"
	case p.ReportOnly:
		return "reports only"
	}
	return "enabled"
}

// find returns the server's policy of that name. It fails with fault.NotFound.
func find(ctx context.Context, client *apiclient.Client, name string) (rest.Policy, error) {
	return apiclient.Get[rest.Policy](ctx, client, "/policies/"+url.PathEscape(name), nil)
}
