// Package explain says what a request would do, and what would be decided about
// it, without sending anything.
package explain

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/connectors/curl"
	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
)

type options struct {
	headers         []string
	body, curl      string
	asJSON, jsonl   bool
	config, gateway string
	at              string
}

// Command is "tameflare explain".
func Command(c *console.Console) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "explain METHOD URL",
		Short: "Say what a request would do, and what would be decided",
		Long: `Say which connector, action, class, risk, resource and parameters a request has.
Nothing is sent, and without --gateway no server is needed.

With --config or --gateway it also says what would be decided, by which of the rules
and policies that were considered, and what would have to be otherwise for another
decision. Who makes the request counts as unknown.

With --curl it reads a curl command, as documentation and browsers write them. What
the command would read from files or variables counts as unknown.

With --jsonl it reads one request a line, {"method","url","headers","body"}, and
answers one line each, in order.`,
		Example: `  tameflare explain PUT https://api.github.com/repos/acme/site/pulls/12/merge
  tameflare explain PATCH https://api.github.com/repos/acme/site/issues/3 --body '{"state":"closed"}' --json
  tameflare explain --config tameflare.yaml DELETE https://api.github.com/repos/acme/site
  tameflare explain --curl 'curl -X DELETE https://api.github.com/repos/acme/site'
  tameflare explain --jsonl < requests.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.jsonl && o.curl != "" {
				return exit.Wrong("Give --curl or --jsonl, and not both.")
			}
			if instead := o.jsonl || o.curl != ""; instead && len(args) > 0 || !instead && len(args) != 2 {
				return exit.Wrong("Say a method and an address: tameflare explain GET https://api.github.com/user")
			}
			return o.explain(cmd.Context(), c, args)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.headers, "header", "H", nil, "a header, as in Content-Type: application/json")
	f.StringVarP(&o.body, "body", "d", "", "the body; @FILE reads it from a file, @- from standard input")
	f.StringVar(&o.curl, "curl", "", "a curl command; - reads it from standard input")
	f.BoolVar(&o.asJSON, "json", false, "write JSON")
	f.BoolVar(&o.jsonl, "jsonl", false, "read requests from standard input, one a line")
	f.StringVar(&o.config, "config", "", "decide by a configuration file")
	f.StringVarP(&o.gateway, "gateway", "g", "", "decide by the configuration of a gateway")
	f.StringVar(&o.at, "at", "", "decide as at a time, like 2026-11-23T22:00:00Z; now otherwise")
	return cmd
}

func (o options) explain(ctx context.Context, c *console.Console, args []string) error {
	e, err := o.explainer(ctx, c)
	if err != nil {
		return err
	}
	if o.jsonl {
		return e.lines(ctx, c)
	}
	in, err := o.request(c, args)
	if err != nil {
		return err
	}
	answer := e.answer(in)
	if answer.Error != "" && !o.asJSON {
		return exit.With(exit.Failure, fault.New(fault.Invalid, answer.Error, nil))
	}
	if o.asJSON {
		return c.JSON(answer)
	}
	return answer.print(c)
}

// request is what the arguments describe.
func (o options) request(c *console.Console, args []string) (described.Request, error) {
	if o.curl != "" {
		return o.readCurl(c)
	}
	in := described.Request{Method: args[0], URL: args[1], Header: http.Header{}}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return in, exit.Wrong("A header is like Content-Type: application/json.")
		}
		in.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	var err error
	in.Body, err = o.readBody(c)
	return in, err
}

// readCurl reads a curl command, and says what it has left out.
func (o options) readCurl(c *console.Console) (described.Request, error) {
	if len(o.headers) > 0 || o.body != "" {
		return described.Request{}, exit.Wrong("Write headers and body into the curl command.")
	}
	command := o.curl
	if command == "-" {
		b, err := io.ReadAll(io.LimitReader(c.In, curl.Max+1))
		if err != nil {
			return described.Request{}, fmt.Errorf("read command: %w", err)
		}
		command = string(b)
	}
	r, err := curl.Parse(command)
	for _, note := range r.Notes {
		c.Say("%s %s", c.Mark(c.Err, console.Note), note)
	}
	return r.Request, err
}

func (o options) readBody(c *console.Console) ([]byte, error) {
	path, file := strings.CutPrefix(o.body, "@")
	switch {
	case !file:
		return []byte(o.body), nil
	case path == "-":
		return io.ReadAll(io.LimitReader(c.In, maxLine))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The file "+path+" for --body cannot be read.", err)
	}
	return b, nil
}

const maxLine = 16 << 20

// lines answers one line for each that comes in.
func (e *explainer) lines(ctx context.Context, c *console.Console) error {
	in := bufio.NewReaderSize(c.In, 64<<10)
	out := bufio.NewWriterSize(c.Out, 64<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for ctx.Err() == nil {
		line, err := in.ReadBytes('\n')
		if text := strings.TrimSpace(string(line)); text != "" {
			var answer Answer
			if r, perr := parse([]byte(text)); perr != nil {
				answer = e.malformed("", perr)
			} else {
				answer = e.answer(r)
			}
			if err := enc.Encode(answer); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		if in.Buffered() == 0 || err != nil {
			if err := out.Flush(); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read requests: %w", err)
		}
	}
	return ctx.Err()
}

func (a Answer) print(c *console.Console) error {
	connector := a.Connector
	if connector == "" {
		connector = "none answers for this host"
	}
	rows := [][]string{
		{"connector", connector}, {"action", a.Action}, {"class", a.Class.String()}, {"risk", a.Risk.String()}, {"resource", a.Resource},
		{"sentence", a.sentence},
	}
	for _, name := range sorted(a.Params) {
		rows = append(rows, []string{"  " + name, fmt.Sprint(a.Params[name])})
	}
	if len(a.Unknown) > 0 {
		rows = append(rows, []string{"unknown", strings.Join(a.Unknown, ", ")})
	}
	rows = append(rows, a.decisionRows()...)
	return c.Table(slices.DeleteFunc(rows, func(r []string) bool { return r[1] == "" }))
}

func sorted(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
