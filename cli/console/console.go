// Package console is what every command has at hand: the terminal, the
// environment, and the server that the user is signed in to.
//
// Data goes to Out, talk to Err. Nothing asks a question unless In is a
// terminal, and every question has a flag that answers it.
package console

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/tameflare/tameflare/cli/account"
	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/cli/paths"
	"github.com/tameflare/tameflare/domain/fault"
)

// ErrSignal is the cause of a context that a signal to this program has ended.
var ErrSignal = errors.New("ended by a signal")

// Console is one call of the program.
type Console struct {
	In       io.Reader
	Out, Err io.Writer
	Environ  []string // as os.Environ has it
	Program  string   // path of this program, to start it again
	Version  string
	Now      func() time.Time

	// Flags of every command.
	Host    string
	NoInput bool
	NoColor bool
}

// Getenv returns a variable of the environment.
func (c *Console) Getenv(name string) string {
	for _, v := range c.Environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// Terminal reports whether stream is a terminal.
func Terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Interactive reports whether questions may be asked.
func (c *Console) Interactive() bool {
	return !c.NoInput && Terminal(c.In) && Terminal(c.Err)
}

// Say writes a line of talk.
func (c *Console) Say(format string, args ...any) {
	fmt.Fprintf(c.Err, Plain(format)+"\n", clean(args)...)
}

// clean makes what came from elsewhere fit for a terminal.
func clean(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		if s, ok := a.(string); ok {
			a = Plain(s)
		}
		out[i] = a
	}
	return out
}

// Plain takes out of text what a terminal would act on: an agent must not be
// able to write what a person then takes for ours.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
			return '·'
		}
		return r
	}, strings.ToValidUTF8(text, "·"))
}

// Line is Plain on one line.
func Line(text string) string {
	return strings.Join(strings.Fields(Plain(text)), " ")
}

// Marks say in colour, where there is any, what a word beside them says too.
const (
	Good = "✓"
	Bad  = "✗"
	Wait = "⏸"
	Note = "→"
)

// Marked is a mark with its colour, of ours alone: Say leaves it as it is.
type Marked string

// Mark returns a mark for a stream.
func (c *Console) Mark(stream io.Writer, mark string) Marked {
	force := c.Getenv("CLICOLOR_FORCE")
	if c.NoColor || c.Getenv("NO_COLOR") != "" || (!Terminal(stream) || c.Getenv("TERM") == "dumb") && (force == "" || force == "0") {
		return Marked(mark)
	}
	colour := map[string]string{Good: "32", Bad: "31", Wait: "33", Note: "36"}[mark]
	return Marked("\x1b[" + colour + "m" + mark + "\x1b[0m")
}

// Ask asks a question and returns the answer. It fails with exit.Usage where
// nobody is there to answer, naming the flag that would.
func (c *Console) Ask(question, flag string) (string, error) {
	if !c.Interactive() {
		return "", exit.Wrong("Nobody can be asked here. Give " + flag + ".")
	}
	fmt.Fprint(c.Err, question)
	line, err := bufio.NewReader(c.In).ReadString('\n')
	if err != nil {
		return "", exit.With(exit.Usage, fmt.Errorf("cancelled: %w", err))
	}
	return strings.TrimSpace(line), nil
}

// JSON writes v as data.
func (c *Console) JSON(v any) error {
	enc := json.NewEncoder(c.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// Table writes rows as data, the first being the heads.
func (c *Console) Table(rows [][]string) error {
	w := tabwriter.NewWriter(c.Out, 0, 4, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Line(cell)
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t ")); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// Paths returns where files are kept.
func (c *Console) Paths() (paths.Paths, error) { return paths.Find(c.Getenv) }

// Account returns where the sign-in is kept.
func (c *Console) Account() (account.Store, error) {
	p, err := c.Paths()
	return account.Store{Dir: p.Config, Getenv: c.Getenv}, err
}

// Server returns the address of the server to talk to.
func (c *Console) Server() (string, error) {
	a, err := c.Account()
	if err != nil {
		return "", err
	}
	return c.server(a)
}

func (c *Console) server(a account.Store) (string, error) {
	host, err := a.Host(c.Host)
	if fault.Of(err) == fault.Invalid {
		return "", exit.With(exit.Usage, err)
	}
	return host, err
}

// Client returns a client for the server that the user is signed in to.
func (c *Console) Client() (*apiclient.Client, error) {
	a, err := c.Account()
	if err != nil {
		return nil, err
	}
	host, err := c.server(a)
	if err != nil {
		return nil, err
	}
	token, err := a.Token(host)
	if err != nil {
		return nil, err
	}
	return apiclient.New(host, token, c.Version), nil
}

// Ago says how long ago t was, in words.
func (c *Console) Ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return Span(c.Now().Sub(t)) + " ago"
}

// Span says how long d is, roughly.
func Span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
