// Package apply is configuration as code: it applies a document and writes one
// out.
package apply

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

const maxFile = 2 << 20

type options struct {
	file          string
	dryRun, prune bool
	asJSON        bool
}

// Command is "tameflare apply".
func Command(c *console.Console) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Make the team's configuration that of a file",
		Long: `Make the team's configuration that of a file. It happens as a whole or not at all,
and applying the same file twice changes nothing the second time.`,
		Example: `  tameflare apply -f tameflare.yaml --dry-run
  tameflare apply -f tameflare.yaml
  tameflare export > tameflare.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.file == "" {
				return exit.Wrong("Say which file: tameflare apply -f tameflare.yaml")
			}
			return o.apply(cmd.Context(), c)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", "the file; - for standard input")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would change, and change nothing")
	f.BoolVar(&o.prune, "prune", false, "delete what the file does not name")
	f.BoolVar(&o.asJSON, "json", false, "write JSON")
	return cmd
}

func (o options) apply(ctx context.Context, c *console.Console) error {
	text, name, err := Read(c, o.file)
	if err != nil {
		return err
	}
	doc, client, err := o.read(ctx, c, name, text)
	if err != nil {
		return err
	}
	notes(c, name, doc)
	if doc.Described() { // the server has no files: it gets what they say
		if text, err = config.Marshal(doc); err != nil {
			return err
		}
	}
	found, err := secrets(c, doc, o)
	if err != nil {
		return err
	}
	query := url.Values{}
	if o.dryRun {
		query.Set("dry_run", "true")
	}
	if o.prune {
		query.Set("prune", "true")
	}
	done, err := apiclient.Post[rest.Changes](ctx, client, "/configuration", query, rest.Configuration{File: name, Document: string(text), Secrets: found})
	if err != nil {
		return err
	}
	if o.asJSON {
		return c.JSON(done)
	}
	marks := map[string]string{string(config.Create): "+", string(config.Update): "~", string(config.Delete): "-"}
	for _, ch := range done.Changes {
		line := marks[ch.Op] + " " + ch.Path
		if ch.Detail != "" {
			line += "  " + ch.Detail
		}
		if _, err := fmt.Fprintln(c.Out, console.Line(line)); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	switch n := len(done.Changes); {
	case n == 0:
		c.Say("%s No changes.", c.Mark(c.Err, console.Good))
	case o.dryRun:
		c.Say("%s %d to change; nothing was changed.", console.Note, n)
	default:
		c.Say("%s %d changed.", c.Mark(c.Err, console.Good), n)
	}
	return nil
}

// read reads the document that text is. Where it uses what it does not define,
// the server is asked for the team's own connector types.
func (o options) read(ctx context.Context, c *console.Console, name string, text []byte) (*config.Document, *apiclient.Client, error) {
	doc, _, err := Parse(o.file, name, text, nil)
	client, notSignedIn := c.Client()
	if err == nil || notSignedIn != nil {
		return doc, client, cmp.Or(err, notSignedIn)
	}
	if known, unknown := Known(ctx, client); unknown == nil && len(known) > 0 {
		doc, _, err = Parse(o.file, name, text, known)
	}
	return doc, client, err
}

// Read reads a document, and says what people call it.
func Read(c *console.Console, file string) (text []byte, name string, err error) {
	in := c.In
	name = "standard input"
	if file != "-" {
		name = filepath.Base(file)
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, name, fault.New(fault.NotFound, "There is no file "+file+".", err)
		}
		if err != nil {
			return nil, name, fmt.Errorf("read %s: %w", file, err)
		}
		defer f.Close()
		in = f
	}
	text, err = io.ReadAll(io.LimitReader(in, maxFile))
	if err != nil {
		return nil, name, fmt.Errorf("read %s: %w", name, err)
	}
	return text, name, nil
}

// secrets fetches the secrets from where the document says that they are. An
// error names the place and never what is in it.
func secrets(c *console.Console, doc *config.Document, o options) (map[string]string, error) {
	found := map[string]string{}
	fromIn := ""
	for _, cred := range doc.Credentials {
		for _, needed := range cred.Needs() {
			what := "credential " + needed.Name
			if needed.From.Stdin {
				if o.file == "-" || fromIn != "" {
					return nil, fault.New(fault.Invalid, "Only one thing can come from standard input: "+orElse(fromIn, "the document")+" or the "+what+".", nil)
				}
				fromIn = "the " + what
			}
			value, err := fetch(c, what, needed.From, o)
			if err != nil {
				return nil, err
			}
			if value == "" {
				return nil, fault.New(fault.Invalid, "The "+what+" is empty where it comes from. Nothing was changed.", nil)
			}
			found[needed.Name] = value
		}
	}
	return found, nil
}

// fetch reads one secret.
func fetch(c *console.Console, what string, from config.Source, o options) (string, error) {
	switch {
	case from.Env != "":
		value := c.Getenv(from.Env)
		if value == "" {
			return "", fault.New(fault.Invalid, "The "+what+" comes from the variable "+from.Env+", which is not set. Nothing was changed.", nil)
		}
		return value, nil
	case from.File != "":
		path := from.File
		if !filepath.IsAbs(path) && o.file != "-" {
			path = filepath.Join(filepath.Dir(o.file), path)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return "", fault.New(fault.Invalid, "The "+what+" comes from the file "+path+", which cannot be read. Nothing was changed.", err)
		}
		return string(bytes.TrimRight(b, "\r\n")), nil
	}
	b, err := io.ReadAll(io.LimitReader(c.In, maxFile))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// Export is "tameflare export".
func Export(c *console.Console) *cobra.Command {
	return &cobra.Command{
		Use:     "export",
		Short:   "Write the team's configuration as a file for apply, without secrets",
		Example: "  tameflare export > tameflare.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			doc, err := apiclient.Get[rest.Configuration](cmd.Context(), client, "/configuration", nil)
			if err != nil {
				return err
			}
			_, err = io.WriteString(c.Out, doc.Document)
			return err
		},
	}
}
