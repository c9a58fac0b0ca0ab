package policycmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

// pushed is how policies go to the server. Nil is as the policy is.
type pushed struct {
	message    string
	dryRun     bool
	enabled    *bool
	reportOnly *bool
	priority   *int
}

func push(c *console.Console) *cobra.Command {
	var paths []string
	var o pushed
	var enabled, reportOnly bool
	var priority int
	cmd := &cobra.Command{
		Use:   "push -f FILE...",
		Short: "Make a file the server's policy of its name",
		Long: `Make a file the server's policy of its name: its next version, or a new policy.

Its tests are made first; where one fails, nothing is sent. A file that is as the
server has it changes nothing.`,
		Example: `  tameflare policy push -f protect-main.yaml -m "Merges need an admin"
  tameflare policy push -f new.yaml --report-only
  tameflare policy push -f policies/ --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			paths = append(paths, args...)
			if len(paths) == 0 {
				return exit.Wrong("Say which file: tameflare policy push -f protect-main.yaml")
			}
			f := cmd.Flags()
			if f.Changed("enabled") {
				o.enabled = &enabled
			}
			if f.Changed("report-only") {
				o.reportOnly = &reportOnly
			}
			if f.Changed("priority") {
				o.priority = &priority
			}
			return o.all(cmd.Context(), c, paths)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&paths, "file", "f", nil, "a file or a folder; - for standard input; may be repeated")
	f.StringVarP(&o.message, "message", "m", "", "why, for the policy's history")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, and change nothing")
	f.BoolVar(&enabled, "enabled", true, "whether it counts; as it is, or true for a new one, where left out")
	f.BoolVar(&reportOnly, "report-only", false, "record what it would decide, and decide nothing")
	f.IntVar(&priority, "priority", 100, "of two policies that say the same, the lower one is named")
	return cmd
}

// all reads every file before the first one is sent.
func (o pushed) all(ctx context.Context, c *console.Console, paths []string) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	if paths, err = expand(paths); err != nil {
		return err
	}
	var files []file
	for _, path := range paths {
		f, err := ready(ctx, c, client, path)
		if err != nil {
			return err
		}
		for _, n := range f.doc.Notes {
			c.Say("%s %s:%d:%d: %s", console.Note, f.path, n.Line, n.Column, console.Line(n.Message))
		}
		files = append(files, f)
	}
	for _, f := range files {
		if err := o.one(ctx, c, client, f); err != nil {
			return err
		}
	}
	return nil
}

func (o pushed) one(ctx context.Context, c *console.Console, client *apiclient.Client, f file) error {
	name := f.doc.Policy.Name
	now, err := find(ctx, client, name)
	if err != nil && fault.Of(err) != fault.NotFound {
		return err
	}
	if err == nil && now.Document == f.text && o.same(now) {
		c.Say("%s %s: No changes.", c.Mark(c.Err, console.Good), console.Line(name))
		return nil
	}
	if now.Document != f.text {
		if err := show(c, now, f); err != nil {
			return err
		}
	}
	done, err := apiclient.Post[rest.PolicySaved](ctx, client, "/policies", nil, rest.PolicyDraft{
		Policy: now.ID, Base: now.Version, Document: f.text, Enabled: o.enabled, ReportOnly: o.reportOnly, Priority: o.priority,
		Message: o.message, DryRun: o.dryRun,
	})
	if err != nil {
		return err
	}
	p := done.Policy
	switch {
	case o.dryRun:
		c.Say("%s %s would change; nothing was changed.", console.Note, console.Line(name))
	case !done.Changed:
		c.Say("%s %s: No changes.", c.Mark(c.Err, console.Good), console.Line(name))
	default:
		c.Say("%s %s is version %d now (%s, priority %d).", c.Mark(c.Err, console.Good), console.Line(p.Name), p.Version, state(p), p.Priority)
	}
	return nil
}

// same reports whether a policy counts as it is to.
func (o pushed) same(p rest.Policy) bool {
	return (o.enabled == nil || *o.enabled == p.Enabled) && (o.reportOnly == nil || *o.reportOnly == p.ReportOnly) && (o.priority == nil || *o.priority == p.Priority)
}
