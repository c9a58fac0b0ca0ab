package approvals

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/rest"
)

const (
	completeTime = 2 * time.Second // somebody waits at a prompt
	maxCompleted = 50
)

// pending completes the IDs of what waits. A shell shows nothing where the
// server says nothing.
func pending(c *console.Console) cobra.CompletionFunc {
	return func(cmd *cobra.Command, before []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		parent := cmd.Context()
		if parent == nil {
			parent = context.Background()
		}
		ctx, cancel := context.WithTimeout(parent, completeTime)
		defer cancel()
		client, err := c.Client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		items, err := apiclient.All[rest.Approval](ctx, client, "/approvals", url.Values{"status": {"pending"}}, maxCompleted)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var ids []cobra.Completion
		for _, a := range items {
			if !slices.Contains(before, a.ID) {
				ids = append(ids, cobra.CompletionWithDesc(console.Line(a.ID), console.Line(a.Gateway+": "+what(a))))
			}
		}
		return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// onePending is pending for a command that takes one.
func onePending(c *console.Console) cobra.CompletionFunc {
	all := pending(c)
	return func(cmd *cobra.Command, before []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(before) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return all(cmd, before, typed)
	}
}
