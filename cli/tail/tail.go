// Package tail shows requests as agents make them.
package tail

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

type options struct {
	filters map[string]*string
	killed  bool
	last    int
	follow  bool
	asJSON  bool
}

// Command is "tameflare tail".
func Command(c *console.Console) *cobra.Command {
	o := options{filters: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show requests as agents make them",
		Example: `  tameflare tail
  tameflare tail --decision deny --gateway deploy-bot
  tameflare tail --since 1h --follow=false --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.tail(cmd.Context(), c) },
	}
	f := cmd.Flags()
	for name, help := range map[string]string{
		"decision": "only allow, deny or require_approval", "action": "only this action; github.pr.* for several",
		"method": "only this method", "run": "only of this run", "text": "only with this text in host, path, action or resource",
		"alert": "only what raised one: any, foreign_key, dummy_elsewhere or dummy_of_another_run",
		"since": "from then on: a time, or how long ago, like 15m",
	} {
		o.filters[name] = f.String(name, "", help)
	}
	o.filters["host"] = f.String("to", "", "only to this host") // --host is the server, here as everywhere
	o.filters["gateway"] = f.StringP("gateway", "g", "", "only of this gateway")
	f.BoolVar(&o.killed, "killed", false, "only what a kill switch stopped")
	f.IntVarP(&o.last, "last", "n", 10, "begin with so many of those before")
	f.BoolVarP(&o.follow, "follow", "f", true, "go on with those to come")
	f.BoolVar(&o.asJSON, "json", false, "write JSON, one request a line")
	return cmd
}

const maxBefore = 1000

func (o options) tail(ctx context.Context, c *console.Console) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	query := url.Values{}
	for name, value := range o.filters {
		if *value != "" {
			query.Set(name, *value)
		}
	}
	if o.killed {
		query.Set("killed", "true")
	}
	p := &printer{c: c, asJSON: o.asJSON, seen: map[string]string{}}
	limit := min(max(o.last, 0), maxBefore)
	if query.Has("since") {
		limit = maxBefore
	}
	if limit > 0 {
		before, err := apiclient.All[rest.Request](ctx, client, "/requests", query, limit)
		if err != nil {
			return err
		}
		for i := len(before) - 1; i >= 0; i-- {
			if err := p.print(before[i]); err != nil {
				return err
			}
		}
		if len(before) > 0 { // what came while we asked is not lost, and not said twice
			query.Set("since", before[0].Time.Format(time.RFC3339Nano))
		}
	}
	if !o.follow {
		return nil
	}
	for {
		err := stream(ctx, client, query, p)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // Ctrl-C is how this ends
		case err != nil && fault.Of(err) != fault.Unavailable:
			return err
		case err != nil:
			c.Say("tameflare: %s", fault.Message(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
	}
}

const again = 2 * time.Second // before a stream that broke is taken up again

const maxEvent = 1 << 20

func stream(ctx context.Context, client *apiclient.Client, query url.Values, p *printer) error {
	body, err := client.Stream(ctx, "/requests/stream", query)
	if err != nil {
		return err
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var r rest.Request
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		if err := p.print(r); err != nil {
			return err
		}
		query.Set("since", r.Time.Format(time.RFC3339Nano))
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.Unavailable, "The server went away; trying again.", err)
	}
	return fault.New(fault.Unavailable, "The server ended the stream; trying again.", nil)
}

// printer writes requests, each when what came of it is known.
type printer struct {
	c      *console.Console
	asJSON bool
	seen   map[string]string // what was written of a request
}

func (p *printer) print(r rest.Request) error {
	state := r.Step + " " + fmt.Sprint(r.Status)
	if p.seen[r.ID] == state || !p.asJSON && r.Step == string(audit.Intent) {
		return nil
	}
	if len(p.seen) > 10*maxBefore {
		clear(p.seen)
	}
	p.seen[r.ID] = state
	if p.asJSON {
		b, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		_, err = fmt.Fprintln(p.c.Out, string(b))
		return err
	}
	mark, word := console.Good, "allowed"
	switch {
	case r.DecidedBy == "kill_switch":
		mark, word = console.Bad, "killed"
	case r.Step == string(audit.Refused) && r.ApprovalID != "":
		mark, word = console.Wait, "held, not sent"
	case r.Step == string(audit.Refused):
		mark, word = console.Bad, "denied"
	case r.ApprovalID != "":
		word = "approved"
	case r.Would != "" && r.Would != r.Decision:
		word = "let pass (" + r.Would + ")"
	}
	line := fmt.Sprintf("%s %s %-14s %3d %-6s %s  %s", r.Time.Local().Format("15:04:05"), p.c.Mark(p.c.Out, mark), word, r.Status, console.Line(r.Method), console.Line(r.URL), console.Line(r.Action))
	if r.Step == string(audit.Refused) && r.Reason != "" {
		line += "  " + console.Line(r.Reason)
	}
	_, err := fmt.Fprintln(p.c.Out, line)
	return err
}
