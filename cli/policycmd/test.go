package policycmd

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/apply"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/policies"
	"github.com/tameflare/tameflare/domain/rest"
)

// tested is what there is to say about a file. Other programs read it.
type tested struct {
	File     string               `json:"file"`
	Policy   string               `json:"policy,omitempty"`
	Problems []rest.PolicyProblem `json:"problems"`
	Notes    []rest.PolicyProblem `json:"notes"`
	Tests    []rest.PolicyTest    `json:"tests"`
}

type report struct {
	OK     bool     `json:"ok"`
	Tests  int      `json:"tests"`
	Failed int      `json:"failed"`
	Files  []tested `json:"files"`
}

func test(c *console.Console) *cobra.Command {
	var paths []string
	var config string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test -f FILE...",
		Short: "Read policies and make their tests, without a server",
		Long: `Read policies and make their tests, without a server.

Files, and all YAML files of folders, are read one by one. The exit code is 0 where
all is well, 2 where a file has something that cannot stay, and 5 where a test
fails.`,
		Example: `  tameflare policy test -f protect-main.yaml
  tameflare policy test -f policies/ --config tameflare.yaml
  tameflare policy test -f policies/ --json`,
		RunE: func(_ *cobra.Command, args []string) error {
			paths = append(paths, args...)
			if len(paths) == 0 {
				return exit.Wrong("Say which file: tameflare policy test -f protect-main.yaml")
			}
			all, err := expand(paths)
			if err != nil {
				return err
			}
			var own connectors.Own
			if config != "" {
				text, name, err := apply.Read(c, config)
				if err != nil {
					return err
				}
				if _, own, err = apply.ParseUntested(config, name, text); err != nil {
					return exit.With(exit.Usage, err)
				}
			}
			return testAll(c, all, own, asJSON)
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&paths, "file", "f", nil, "a file or a folder; - for standard input; may be repeated")
	f.StringVar(&config, "config", "", "a configuration file whose connector types the policies may be about")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func testAll(c *console.Console, paths []string, own connectors.Own, asJSON bool) error {
	var out report
	broken := 0
	for _, path := range paths {
		f, err := read(c, path, own)
		if err != nil && f.text == "" { // there is no such file
			return err
		}
		one := tested{File: f.path, Problems: []rest.PolicyProblem{}, Notes: []rest.PolicyProblem{}, Tests: []rest.PolicyTest{}}
		if err != nil {
			one.Problems, broken = policies.Problems(err), broken+1
			if !asJSON {
				c.Say("%s", exit.Message(err))
			}
		} else {
			one.Policy, one.Notes, one.Tests = f.doc.Policy.Name, policies.Shown(f.doc.Notes), policies.Tests(f.results)
			out.Tests, out.Failed = out.Tests+len(f.results), out.Failed+failed(f.results)
		}
		out.Files = append(out.Files, one)
	}
	out.OK = broken+out.Failed == 0
	write := out.print
	if asJSON {
		write = func(c *console.Console) error { return c.JSON(out) }
	}
	if err := write(c); err != nil {
		return err
	}
	switch {
	case broken > 0:
		return exit.Silent(exit.Usage)
	case out.Failed > 0:
		return exit.Silent(exit.Denied)
	}
	return nil
}

// print writes a table of the tests, and says below what is wrong.
func (r report) print(c *console.Console) error {
	rows := [][]string{{"", "POLICY", "TEST", "EXPECTED", "GOT", "RULE", "LINE"}}
	for _, f := range r.Files {
		for _, n := range f.Notes {
			c.Say("%s %s:%d:%d: %s", console.Note, f.File, n.Line, n.Column, console.Line(n.Message))
		}
		if len(f.Problems)+len(f.Tests) == 0 {
			c.Say("%s %s has no tests.", console.Note, f.File)
		}
		for _, t := range f.Tests {
			mark, line := console.Good, ""
			if !t.Passed {
				mark = console.Bad
			}
			if t.RuleLine > 0 {
				line = strconv.Itoa(t.RuleLine)
			}
			rows = append(rows, []string{mark, f.Policy, t.Name, t.Expected, t.Got, t.Rule, line})
		}
	}
	if len(rows) > 1 {
		if err := c.Table(rows); err != nil {
			return err
		}
	}
	for _, f := range r.Files {
		for _, t := range f.Tests {
			if !t.Passed {
				c.Say("%s %s:%d: %s: %s", c.Mark(c.Err, console.Bad), f.File, t.Line, console.Line(t.Name), console.Line(t.Problem))
			}
		}
	}
	broken := slices.ContainsFunc(r.Files, func(f tested) bool { return len(f.Problems) > 0 })
	switch {
	case r.Failed > 0:
		c.Say("%s %d of %s failed.", c.Mark(c.Err, console.Bad), r.Failed, many(r.Tests, "test"))
	case !broken:
		c.Say("%s %s passed.", c.Mark(c.Err, console.Good), many(r.Tests, "test"))
	}
	return nil
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
