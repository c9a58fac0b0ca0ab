package policycmd

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	godiff "github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/rest"
)

// trouble is the exit code of a comparison that could not be made, since 1
// says that there are differences.
const trouble = exit.Usage

func diff(c *console.Console) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "diff -f FILE [NAME]",
		Short: "Compare a file with the policy at the server",
		Long: `Compare a file with the policy at the server, by lines and in words.

The policy is that of NAME, or of the file's own name. The exit code is 0 where both
are the same, 1 where they differ, and more where they cannot be compared.`,
		Example: "  tameflare policy diff -f protect-main.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if path == "" || len(args) > 1 {
				return exit.Wrong("Say which file: tameflare policy diff -f protect-main.yaml")
			}
			differs, err := compare(cmd.Context(), c, path, args)
			if err != nil && exit.Code(err) == exit.Failure {
				return exit.With(trouble, err)
			}
			if err == nil && differs {
				return exit.Silent(exit.Failure)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&path, "file", "f", "", "the file; - for standard input")
	return cmd
}

func compare(ctx context.Context, c *console.Console, path string, args []string) (differs bool, err error) {
	client, err := c.Client()
	if err != nil {
		return false, err
	}
	f, err := read(c, path, nil)
	if f.text == "" {
		return false, err
	}
	name := ""
	if f.doc != nil { // what cannot be read can be compared by its lines all the same
		name = f.doc.Policy.Name
	} else {
		c.Say("%s", exit.Message(err))
	}
	if len(args) > 0 {
		name = args[0]
	}
	if name == "" {
		return false, exit.Wrong("Say which policy of the server: tameflare policy diff -f " + path + " NAME")
	}
	now, err := find(ctx, client, name)
	if fault.Of(err) == fault.NotFound {
		now, err = rest.Policy{Name: name}, nil
		c.Say("%s The server has no policy %s.", console.Note, console.Line(name))
	}
	if err != nil {
		return false, err
	}
	if now.Document == f.text {
		c.Say("%s No changes.", c.Mark(c.Err, console.Good))
		return false, nil
	}
	return true, show(c, now, f)
}

// show writes how a file differs from what the server has: the lines as data,
// and the words as talk.
func show(c *console.Console, now rest.Policy, f file) error {
	before := "the server's version " + strconv.FormatInt(now.Version, 10)
	if now.Version == 0 {
		before = "nothing"
	}
	lines := diffLines(before, now.Document, f.path, f.text)
	if _, err := fmt.Fprint(c.Out, console.Plain(lines)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if f.doc == nil {
		return nil
	}
	var was policy.Policy
	if old, err := document.Parse(before, []byte(now.Document), nil); err == nil {
		was = old.Policy
	}
	for _, one := range words(was, f.doc.Policy) {
		c.Say("%s %s", console.Note, console.Line(one))
	}
	return nil
}

func diffLines(oldName, old, newName, new string) string {
	out := string(godiff.Diff(oldName, []byte(old), newName, []byte(new)))
	_, out, _ = strings.Cut(out, "\n") // that it is a diff
	return out
}

// words say what the rules do otherwise.
func words(was, is policy.Policy) []string {
	var out []string
	if was.Name != is.Name && was.Name != "" {
		out = append(out, "It is called "+is.Name+" instead of "+was.Name+".")
	}
	if said(was.Scope) != said(is.Scope) {
		out = append(out, "It is about "+said(is.Scope)+"; before, about "+said(was.Scope)+".")
	}
	was.ID, is.ID = "", ""
	scope := was.Scope
	was.Scope = is.Scope // what a rule says, whatever it is about
	before := map[string]int{}
	for i, cl := range was.Clauses {
		before[cl.Name] = i
	}
	for i, cl := range is.Clauses {
		j, there := before[cl.Name]
		delete(before, cl.Name)
		switch {
		case !there:
			out = append(out, "New rule "+cl.Name+": "+cl.Effect.String()+".")
		case was.Clauses[j].Effect != cl.Effect:
			out = append(out, "Rule "+cl.Name+": "+was.Clauses[j].Effect.String()+" → "+cl.Effect.String()+".")
		case was.Key(j) != is.Key(i):
			out = append(out, "Rule "+cl.Name+" is another, and says "+cl.Effect.String()+" as before.")
		}
	}
	for _, cl := range was.Clauses {
		if _, gone := before[cl.Name]; gone {
			out = append(out, "Rule "+cl.Name+" ("+cl.Effect.String()+") is gone.")
		}
	}
	if len(out) == 0 && len(is.Clauses) > 0 && said(scope) == said(is.Scope) {
		out = append(out, "No rule changes: only comments, tests or the description do.")
	}
	return out
}

func said(s policy.Scope) string {
	var parts []string
	for _, one := range []struct {
		what string
		list []string
	}{{"gateways", s.Gateways}, {"environments", s.Environments}, {"actions", texts(s.Actions)}} {
		if len(one.list) > 0 {
			parts = append(parts, one.what+" "+strings.Join(one.list, ", "))
		}
	}
	return cmp.Or(strings.Join(parts, "; "), "everything")
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = string(one)
	}
	return out
}
