// Package approvals shows requests that wait for a person, and decides them.
package approvals

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
	"github.com/tameflare/tameflare/domain/wire"
)

// Command is "tameflare approvals".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "approvals",
		Aliases: []string{"approval"},
		Short:   "See what waits for a person, and decide",
		Example: `  tameflare approvals ls
  tameflare approvals approve apr_… --reason "ticket 8812"
  tameflare approvals ls --status executed --json`,
	}
	cmd.AddCommand(ls(c), show(c),
		decide(c, rest.Approve, "Approve a request: it is sent once, exactly as it was asked"),
		decide(c, rest.Deny, "Deny a request: it is not sent"))
	return cmd
}

func ls(c *console.Console) *cobra.Command {
	var (
		statuses []string
		gateway  string
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
			query := url.Values{}
			if !slices.Contains(statuses, "all") {
				query["status"] = statuses
			}
			if gateway != "" {
				query.Set("gateway", gateway)
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
			rows := [][]string{{"ID", "STATUS", "WHAT", "GATEWAY", "BY", "TIME"}}
			for _, a := range items {
				when := c.Ago(a.CreatedAt)
				if a.Status == approval.Pending {
					when = console.Span(a.ExpiresAt.Sub(c.Now())) + " left"
				}
				rows = append(rows, []string{a.ID, status(a), what(a), a.Gateway, orElse(a.Decider, a.Principal), when})
			}
			return c.Table(rows)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&statuses, "status", []string{"pending"}, "pending, approved, denied, expired, cancelled, executed, unused or all")
	f.StringVarP(&gateway, "gateway", "g", "", "only of this gateway")
	f.IntVar(&limit, "limit", 100, "at most so many")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// status is where a is in its life, and how many have agreed where several
// have to.
func status(a rest.Approval) string {
	if a.Status == approval.Pending && a.Needs > 1 {
		return fmt.Sprintf("%s, %d of %d", a.Status, len(a.Agreed), a.Needs)
	}
	return string(a.Status)
}

// needs says who has to agree; "" where anybody who decides is enough.
func needs(a rest.Approval) string {
	switch {
	case a.Needs > 1:
		return fmt.Sprintf("%d people, each at least %s", a.Needs, orElse(a.NeedsRole, "member"))
	case a.NeedsRole != "":
		return "at least " + a.NeedsRole
	}
	return ""
}

// agreed says who has: "1 of 2 agreed: Ana".
func agreed(a rest.Approval) string {
	if a.Needs < 2 {
		return ""
	}
	names := make([]string, 0, len(a.Agreed))
	for _, v := range a.Agreed {
		names = append(names, v.Name)
	}
	text := fmt.Sprintf("%d of %d agreed", len(names), a.Needs)
	if len(names) > 0 {
		text += ": " + strings.Join(names, ", ")
	}
	return text
}

func what(a rest.Approval) string {
	if a.Sentence != "" {
		return a.Sentence
	}
	return a.Action + " " + a.Resource
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func show(c *console.Console) *cobra.Command {
	var (
		asJSON bool
		wait   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show an approval",
		Long:  "Show an approval. With --wait the exit code is 6 where it is still pending in the end.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			a, err := look(cmd.Context(), client, args[0], wait)
			if err != nil {
				return err
			}
			if asJSON {
				err = c.JSON(a)
			} else {
				err = write(c, a)
			}
			if err == nil && wait > 0 && a.Status == approval.Pending {
				return exit.Silent(exit.Pending)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait so long for a decision")
	return cmd
}

const lookEvery = time.Second

// look returns an approval, once it is decided or wait is over.
func look(ctx context.Context, client *apiclient.Client, id string, wait time.Duration) (rest.Approval, error) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		a, err := apiclient.Get[rest.Approval](ctx, client, "/approvals/"+url.PathEscape(id), nil)
		if err != nil || wait <= 0 || a.Status != approval.Pending {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-deadline.C:
			return a, nil
		case <-tick.C:
		}
	}
}

func write(c *console.Console, a rest.Approval) error {
	rows := [][]string{
		{"id", a.ID}, {"status", string(a.Status)}, {"what", what(a)}, {"action", a.Action + " (" + a.Class + ", " + a.Risk + " risk)"},
		{"resource", a.Resource}, {"request", a.Method + " " + a.URL}, {"body", fmt.Sprintf("%d bytes %s", a.BodySize, a.Digest)},
		{"gateway", a.Gateway}, {"asked by", a.Principal + ", " + a.Run}, {"why", a.Reason}, {"rule", a.Rule},
		{"needs", needs(a)}, {"agreed", agreed(a)}, {"asked", c.Ago(a.CreatedAt)},
	}
	if a.Status == approval.Pending {
		rows = append(rows, []string{"time left", console.Span(a.ExpiresAt.Sub(c.Now()))})
	}
	if a.Decider != "" {
		rows = append(rows, []string{"decided by", a.Decider + " by " + a.Channel + ", " + c.Ago(a.DecidedAt)}, []string{"reason", a.Note})
	}
	if a.Upstream != 0 {
		rows = append(rows, []string{"answer", fmt.Sprint(a.Upstream)})
	}
	rows = append(rows, []string{"page", a.Page})
	return c.Table(slices.DeleteFunc(rows, func(r []string) bool { return strings.TrimSpace(r[1]) == "" }))
}

func decide(c *console.Console, verdict, short string) *cobra.Command {
	var (
		reason string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   verdict + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			a, err := apiclient.Post[rest.Approval](cmd.Context(), client, "/approvals/"+url.PathEscape(args[0])+"/decision", nil, rest.Decision{Verdict: verdict, Reason: reason})
			if answered, ok := errors.AsType[*apiclient.Error](err); ok && fault.Of(err) == fault.Conflict && answered.Problem.Approval != nil && asJSON {
				return errors.Join(c.JSON(answered.Problem.Approval), err)
			}
			if apiclient.Code(err) == wire.CodeKilled {
				return exit.With(exit.Killed, err)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return c.JSON(a)
			}
			word := "Approved"
			switch {
			case verdict == rest.Deny:
				word = "Denied"
			case a.Status == approval.Pending:
				word = "Agreed, and it waits for others (" + agreed(a) + ")"
			}
			c.Say("%s %s: %s", c.Mark(c.Err, console.Good), word, console.Line(what(a)))
			return nil
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it goes on record")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}
