// Package connectorscmd shows what the connectors know: the actions that rules
// can name. Nothing but the program is needed.
package connectorscmd

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/connectors/lookup"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// Command is "tameflare connectors".
func Command(c *console.Console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "connectors",
		Aliases: []string{"connector"},
		Short:   "Show the actions that rules can name",
		Example: `  tameflare connectors ls
  tameflare connectors show github --class delete
  tameflare connectors show stripe --search refund`,
	}
	cmd.AddCommand(ls(c), show(c))
	return cmd
}

// typeLine is a type as other programs read it.
type typeLine struct {
	Type    string         `json:"type"`
	Title   string         `json:"title"`
	Hosts   []string       `json:"hosts"`
	Docs    string         `json:"docs"`
	Actions int            `json:"actions"`
	Classes map[string]int `json:"classes"`
}

func ls(c *console.Console) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the types of connectors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			types := lookup.New(connectors.Types()).Types()
			if asJSON {
				lines := make([]typeLine, len(types))
				for i, t := range types {
					lines[i] = typeLine{Type: t.Name, Title: t.Title, Hosts: append([]string{}, t.Hosts...), Docs: t.Docs, Actions: t.Actions, Classes: map[string]int{}}
					for _, class := range classes {
						lines[i].Classes[class.String()] = t.Class[class]
					}
				}
				return c.JSON(lines)
			}
			rows := [][]string{{"TYPE", "TITLE", "ACTIONS", "READ", "WRITE", "DELETE", "ADMIN", "HOSTS"}}
			for _, t := range types {
				row := []string{t.Name, t.Title, strconv.Itoa(t.Actions)}
				for _, class := range classes {
					row = append(row, strconv.Itoa(t.Class[class]))
				}
				hosts := strings.Join(t.Hosts, " ")
				if hosts == "" {
					hosts = "those that you name"
				}
				rows = append(rows, append(row, hosts))
			}
			return c.Table(rows)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

var classes = []action.Class{action.Read, action.Write, action.Delete, action.Admin}

// actionLine is an action as other programs read it.
type actionLine struct {
	Action     string       `json:"action"`
	Class      action.Class `json:"class"`
	Risk       action.Risk  `json:"risk"`
	Reversible bool         `json:"reversible"`
	Does       string       `json:"does"`
	Params     []string     `json:"params"`
	Forms      []formLine   `json:"forms"`
	Docs       string       `json:"docs"`
}

type formLine struct {
	Kind    string `json:"kind"`
	Method  string `json:"method"`
	Address string `json:"address"`
	Note    string `json:"note,omitempty"`
	ID      string `json:"operation,omitempty"`
}

func show(c *console.Console) *cobra.Command {
	var class, risk, search string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show TYPE",
		Short: "List the actions of a type",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.Wrong("Say which type: tameflare connectors show github")
			}
			t := connectors.TypeNamed(args[0])
			if t == nil {
				return fault.New(fault.NotFound, "There is no connector type "+console.Line(args[0])+". There are "+strings.Join(connectors.Catalogue{}.Types(), ", ")+".", nil)
			}
			q := lookup.Query{Words: search}
			if class != "" {
				q.Class = new(action.Class)
				if err := q.Class.UnmarshalText([]byte(class)); err != nil {
					return exit.With(exit.Usage, err)
				}
			}
			if risk != "" {
				q.Risk = new(action.Risk)
				if err := q.Risk.UnmarshalText([]byte(risk)); err != nil {
					return exit.With(exit.Usage, err)
				}
			}
			found := lookup.New([]*connectors.Type{t}).Find(q)
			if asJSON {
				return c.JSON(actionLines(found))
			}
			rows := [][]string{{"ACTION", "CLASS", "RISK", "UNDO", "FORMS", "WHAT IT DOES"}}
			for _, a := range found {
				undo := "no"
				if a.Reversible {
					undo = "yes"
				}
				rows = append(rows, []string{a.Operation.Action, a.Class.String(), a.Risk.String(), undo, strconv.Itoa(len(a.Forms)), a.Words})
			}
			return c.Table(rows)
		},
	}
	f := cmd.Flags()
	f.StringVar(&class, "class", "", "only read, write, delete or admin")
	f.StringVar(&risk, "risk", "", "only low, medium, high or critical")
	f.StringVar(&search, "search", "", "only what has all of these words: in its name, what it does, a path, the service's own name of it")
	f.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

func actionLines(found []*lookup.Action) []actionLine {
	lines := make([]actionLine, len(found))
	for i, a := range found {
		lines[i] = actionLine{
			Action: a.Operation.Action, Class: a.Class, Risk: a.Risk, Reversible: a.Reversible, Does: a.Words,
			Params: append([]string{}, a.Params...), Forms: []formLine{}, Docs: a.Docs(),
		}
		for _, s := range a.Shapes() {
			lines[i].Forms = append(lines[i].Forms, formLine{Kind: s.Kind, Method: s.Method, Address: s.Address, Note: s.Note, ID: s.ID})
		}
	}
	return lines
}
