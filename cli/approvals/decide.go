package approvals

import (
	"context"
	"errors"
	"net/url"
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

// choice is one call of approve or deny.
type choice struct {
	rest.Decision
	asJSON bool
}

func approve(c *console.Console) *cobra.Command {
	o := choice{Decision: rest.Decision{Verdict: rest.Approve}}
	var lasts time.Duration
	cmd := &cobra.Command{
		Use:   "approve ID...",
		Short: "Approve a request: it is sent once, exactly as it was asked",
		Long: `Approve a request: it is sent once, exactly as it was asked.

With --for the same request, to the byte, is approved again for so long. Several
are approved at once where they are of one gateway and one action, and none of
high or critical risk.`,
		Example: `  tameflare approvals approve apr_… --reason "ticket 8812"
  tameflare approvals approve apr_… --for 15m`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: pending(c),
		RunE: func(cmd *cobra.Command, ids []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			if lasts < 0 || lasts > approval.MaxRepeat {
				return exit.Wrong("--for is like 15m or 2h, and at most 8h.")
			}
			if lasts > 0 {
				o.For = lasts.String()
			}
			if len(ids) == 1 {
				return o.one(cmd.Context(), c, client, ids[0])
			}
			return o.together(cmd.Context(), c, client, ids)
		},
	}
	cmd.Flags().DurationVar(&lasts, "for", 0, "approve the same request again for so long")
	o.flags(cmd)
	return cmd
}

func deny(c *console.Console) *cobra.Command {
	o := choice{Decision: rest.Decision{Verdict: rest.Deny}}
	cmd := &cobra.Command{
		Use:               "deny ID...",
		Short:             "Deny a request: it is not sent, and the agent hears the reason",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: pending(c),
		RunE: func(cmd *cobra.Command, ids []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			var first error
			for _, id := range ids { // no is no, whatever they are: they need not be alike
				if err := o.one(cmd.Context(), c, client, id); err != nil {
					if len(ids) == 1 || cmd.Context().Err() != nil {
						return err
					}
					c.Say("%s %s: %s", c.Mark(c.Err, console.Bad), id, exit.Message(err))
					if first == nil {
						first = err
					}
				}
			}
			return quiet(first)
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *choice) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Reason, "reason", "", "why; it goes on record, and to the agent")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "write JSON")
}

// one settles one approval.
func (o *choice) one(ctx context.Context, c *console.Console, client *apiclient.Client, id string) error {
	a, err := settle(ctx, client, id, o.Decision)
	if answered, ok := errors.AsType[*apiclient.Error](err); ok && fault.Of(err) == fault.Conflict && answered.Problem.Approval != nil && o.asJSON {
		return errors.Join(c.JSON(answered.Problem.Approval), err)
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		return c.JSON(a)
	}
	o.say(c, a)
	return nil
}

// settle decides one approval, and gives errors the code that the program ends
// with.
func settle(ctx context.Context, client *apiclient.Client, id string, d rest.Decision) (rest.Approval, error) {
	a, err := apiclient.Post[rest.Approval](ctx, client, "/approvals/"+url.PathEscape(id)+"/decision", nil, d)
	if apiclient.Code(err) == wire.CodeKilled {
		err = exit.With(exit.Killed, err)
	}
	return a, err
}

// together settles several that are alike.
func (o *choice) together(ctx context.Context, c *console.Console, client *apiclient.Client, ids []string) error {
	list, err := apiclient.Post[rest.List[rest.Outcome]](ctx, client, "/approvals/decisions", nil, rest.Decisions{IDs: ids, Decision: o.Decision})
	if err != nil {
		return err
	}
	if o.asJSON {
		if err := c.JSON(list.Items); err != nil {
			return err
		}
	}
	var first error
	for _, got := range list.Items {
		switch {
		case got.Problem != nil:
			err := apiclient.Said(client.Host, *got.Problem)
			if got.Problem.Code == wire.CodeKilled {
				err = exit.With(exit.Killed, err)
			}
			c.Say("%s %s: %s", c.Mark(c.Err, console.Bad), got.ID, exit.Message(err))
			if first == nil {
				first = err
			}
		case got.Approval != nil && !o.asJSON:
			o.say(c, *got.Approval)
		}
	}
	return quiet(first)
}

// say says what has been decided.
func (o *choice) say(c *console.Console, a rest.Approval) {
	word := "Approved"
	switch {
	case o.Verdict == rest.Deny:
		word = "Denied"
	case a.Status == approval.Pending:
		word = "Agreed, and it waits for others (" + agreed(a) + ")"
	case !a.RepeatUntil.IsZero():
		word = "Approved, and the same request until " + a.RepeatUntil.Local().Format("15:04")
	}
	c.Say("%s %s: %s", c.Mark(c.Err, console.Good), word, console.Line(what(a)))
}

// quiet is err once it has been said: only its code is left.
func quiet(err error) error {
	if err == nil {
		return nil
	}
	return exit.Silent(exit.Code(err))
}

func end(c *console.Console) *cobra.Command {
	return &cobra.Command{
		Use:   "end ID",
		Short: "End an approval that counts for the same request for a while",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			a, err := apiclient.Post[rest.Approval](cmd.Context(), client, "/approvals/"+url.PathEscape(args[0])+"/repeat/end", nil, nil)
			if err != nil {
				return err
			}
			c.Say("%s Ended: the next request like this one asks again: %s", c.Mark(c.Err, console.Good), console.Line(what(a)))
			return nil
		},
	}
}
