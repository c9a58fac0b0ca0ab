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
)

func showOne(c *console.Console) *cobra.Command {
	var (
		asJSON, raw bool
		wait        time.Duration
	)
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show an approval: what would be sent, why it was asked, who has to agree",
		Long: `Show an approval: what would be sent, why it was asked, who has to agree.

Secrets in the body are masked. With --body exactly its bytes are written, and
nothing else. Who reads a body is on record. With --wait the exit code is 6 where
the approval is still pending in the end.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: onePending(c),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			if raw {
				return writeBytes(cmd.Context(), c, client, args[0])
			}
			a, err := look(cmd.Context(), client, args[0], wait)
			if err != nil {
				return err
			}
			if asJSON {
				err = c.JSON(a)
			} else {
				err = write(cmd.Context(), c, client, a)
			}
			if err == nil && wait > 0 && a.Status == approval.Pending {
				return exit.Silent(exit.Pending)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON, without the body")
	cmd.Flags().BoolVar(&raw, "body", false, "write the body's bytes, as they would be sent")
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

func readBody(ctx context.Context, client *apiclient.Client, id string) (rest.Body, error) {
	return apiclient.Get[rest.Body](ctx, client, "/approvals/"+url.PathEscape(id)+"/body", nil)
}

// writeBytes writes a body as it would be sent. A terminal gets what it can
// show of it.
func writeBytes(ctx context.Context, c *console.Console, client *apiclient.Client, id string) error {
	b, err := readBody(ctx, client, id)
	if err != nil {
		return err
	}
	if !b.Whole {
		c.Say("%s This is the beginning: %d of %d bytes.", c.Mark(c.Err, console.Note), len(b.Bytes), b.Size)
	}
	if console.Terminal(c.Out) {
		b.Bytes = []byte(console.Plain(string(b.Bytes)) + "\n")
	}
	if _, err := c.Out.Write(b.Bytes); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// write writes all that there is to know of a.
func write(ctx context.Context, c *console.Console, client *apiclient.Client, a rest.Approval) error {
	if err := c.Table(facts(c, a)); err != nil {
		return err
	}
	if err := writeHistory(c, a.History); err != nil {
		return err
	}
	if a.BodySize == 0 || a.Status != approval.Pending && a.Status != approval.Approved {
		return nil
	}
	b, err := readBody(ctx, client, a.ID)
	switch {
	case fault.Of(err) == fault.NotFound: // it has none, or none any more
		return nil
	case fault.Of(err) == fault.Forbidden:
		c.Say("%s The body is for people who decide.", c.Mark(c.Err, console.Note))
		return nil
	case err != nil:
		return err
	}
	if _, err := fmt.Fprintln(c.Out, "\nWould be sent:"); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return writeParts(c.Out, parts(a, b), 0)
}

// facts are the rows about a.
func facts(c *console.Console, a rest.Approval) [][]string {
	rows := [][]string{
		{"id", a.ID}, {"status", string(a.Status)}, {"what", what(a)}, {"action", a.Action + " (" + a.Class + ")"}, {"risk", risk(a)},
		{"resource", a.Resource}, {"request", a.Method + " " + a.URL}, {"body", body(a)},
		{"gateway", strings.TrimSuffix(a.Gateway+", "+a.Environment, ", ")}, {"asked by", strings.Trim(a.Principal+", "+a.Run, ", ")},
		{"why", a.Reason}, {"rule", a.Rule}, {"needs", needs(a)}, {"agreed", agreed(a)}, {"asked", c.Ago(a.CreatedAt)},
	}
	if a.Status == approval.Pending {
		rows = append(rows, []string{"time left", console.Span(a.ExpiresAt.Sub(c.Now()))})
	} else {
		rows = append(rows, []string{"became", became(a)})
	}
	if a.RepeatUntil.After(c.Now()) {
		rows = append(rows, []string{"counts until", a.RepeatUntil.Local().Format("15:04") + " for the same request; tameflare approvals end " + a.ID})
	}
	rows = append(rows, []string{"because of", a.Repeats}, []string{"before", before(a.History)}, []string{"fingerprint", a.Fingerprint}, []string{"page", a.Page})
	return slices.DeleteFunc(rows, func(r []string) bool { return strings.TrimSpace(r[1]) == "" })
}

func body(a rest.Approval) string {
	if a.BodySize == 0 {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprintf("%d bytes %s %s", a.BodySize, a.BodyType, a.Digest))
}

// writeHistory writes how what is like it ended.
func writeHistory(c *console.Console, h *rest.History) error {
	if h == nil || len(h.Last) == 0 {
		return nil
	}
	rows := [][]string{{"BEFORE", "STATUS", "WHAT", "BY", "WHEN"}}
	for _, a := range h.Last {
		rows = append(rows, []string{a.ID, string(a.Status), what(a), a.Decider, c.Ago(a.CreatedAt)})
	}
	_, err := fmt.Fprintln(c.Out)
	if err = errors.Join(err, c.Table(rows)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if h.Suggest > 0 {
		c.Say("%s Approved %d times in a row. A rule would ask less: see its page.", c.Mark(c.Err, console.Note), h.Suggest)
	}
	return nil
}
