package approvals

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

func watch(c *console.Console) *cobra.Command {
	var (
		chosen  = filters{}
		timeout time.Duration
		asJSON  bool
		bell    bool
	)
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show requests as they begin to wait, and decide them",
		Long: `Show requests as they begin to wait, and decide them.

At a terminal one request after the other is put to you. Type a letter, then Enter:
  a       approve it once; a 15m approves the same request for 15 minutes
  d       deny it; you are asked why, or type the reason after it
  s       show its body
  n       leave it, and see the next; Enter brings back what was left
  q       end
Elsewhere, or with --json, each change is a line, and nothing is asked. With
--timeout the exit code is 6 where something still waits in the end.`,
		Example: `  tameflare approvals watch
  tameflare approvals watch --gateway deploy-bot --bell
  tameflare approvals watch --json --timeout 10m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			at := remote{client, chosen.query()}
			w := newWatcher(c, at)
			w.asJSON, w.bell = asJSON, bell && console.Terminal(c.Err)
			if c.Interactive() && console.Terminal(c.Out) && !asJSON {
				w.lines = readLines(cmd.Context(), c.In)
			}
			return w.run(cmd.Context(), at, timeout)
		},
	}
	chosen.add(cmd, "connector", "action", "risk", "text")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "end after so long")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON, one approval a line, whenever one changes")
	cmd.Flags().BoolVar(&bell, "bell", false, "ring the terminal's bell for each new request")
	return cmd
}

// readLines returns what is typed, line by line. It ends with the input.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

// desk is where approvals are looked at and settled.
type desk interface {
	Get(ctx context.Context, id string) (rest.Approval, error)
	Body(ctx context.Context, id string) (rest.Body, error)
	Settle(ctx context.Context, id string, d rest.Decision) (rest.Approval, error)
}

// watcher shows what waits.
type watcher struct {
	c      *console.Console
	desk   desk
	lines  <-chan string // that a person types; nil where nobody is asked
	asJSON bool
	bell   bool

	known map[string]rest.Approval
	away  bool  // the server is
	heard bool  // it has said what waits
	fault error // why it is away
	asking
}

func newWatcher(c *console.Console, at desk) *watcher {
	return &watcher{c: c, desk: at, known: map[string]rest.Approval{}}
}

// run watches until ctx ends, a person has enough, or timeout is over; 0 is
// never.
func (w *watcher) run(ctx context.Context, s source, timeout time.Duration) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var over <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		over = timer.C
	}
	news := make(chan batch)
	go follow(ctx, s, news)
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-news:
			err = w.hear(ctx, b)
		case line, more := <-w.lines:
			if !more {
				return nil
			}
			var done bool
			if done, err = w.answer(ctx, line); done {
				return err
			}
		case <-over:
			return w.late()
		}
		if err != nil {
			return err
		}
	}
}

// late is how a watch ends whose time is over.
func (w *watcher) late() error {
	if !w.heard {
		if w.fault != nil {
			return w.fault
		}
		return fault.New(fault.Unavailable, "The server has not answered in time.", nil)
	}
	waiting := 0
	for _, a := range w.known {
		if a.Status == approval.Pending {
			waiting++
		}
	}
	if waiting == 0 {
		return nil
	}
	w.c.Say("%s", fmt.Sprintf("Still waiting: %d.", waiting))
	return exit.Silent(exit.Pending)
}

// hear takes in what the server says. It fails where the server refuses.
func (w *watcher) hear(ctx context.Context, b batch) error {
	if b.err != nil {
		if !passes(b.err) {
			return b.err
		}
		if !w.away {
			w.away, w.fault = true, b.err
			w.talk("%s %s Trying again.", console.Note, exit.Message(b.err))
		}
		return nil
	}
	if w.away {
		w.away = false
		w.talk("%s The server is back.", console.Good)
	}
	w.heard = true
	if b.whole { // what is not among them any more has been settled meanwhile
		for _, id := range w.gone(b.items) {
			a, err := w.desk.Get(ctx, id)
			switch {
			case fault.Of(err) == fault.NotFound:
				delete(w.known, id)
				w.drop(id)
			case err != nil && !passes(err):
				return err
			case err == nil:
				b.items = append(b.items, a)
			}
		}
	}
	for _, a := range b.items {
		if err := w.learn(a); err != nil {
			return err
		}
	}
	return w.goOn(ctx)
}

// gone are the IDs of what waited, and is not among items.
func (w *watcher) gone(items []rest.Approval) []string {
	var ids []string
	for id, a := range w.known {
		if a.Status == approval.Pending && !slices.ContainsFunc(items, func(a rest.Approval) bool { return a.ID == id }) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

const maxKnown = 10_000 // approvals; those that have ended are forgotten first

// learn takes in how one approval is now, and tells what is new of it.
func (w *watcher) learn(a rest.Approval) error {
	was, seen := w.known[a.ID]
	if seen && a.Seq <= was.Seq {
		return nil
	}
	if len(w.known) > maxKnown {
		for id, old := range w.known {
			if old.Status != approval.Pending {
				delete(w.known, id)
			}
		}
	}
	w.known[a.ID] = a
	if w.asJSON {
		b, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return w.print("%s", b)
	}
	switch {
	case a.Status == approval.Pending && !seen:
		return w.arrives(a)
	case a.Status == approval.Pending:
		return w.tells(a, console.Wait)
	}
	w.leaves(a)
	mark := console.Good
	if !slices.Contains([]approval.Status{approval.Approved, approval.Executed}, a.Status) {
		mark = console.Bad
	}
	return w.tells(a, mark)
}

// tells writes a line about what has become of a.
func (w *watcher) tells(a rest.Approval, mark string) error {
	return w.print("%s %s %s  %s: %s", w.c.Now().Local().Format("15:04:05"), w.c.Mark(w.c.Out, mark), console.Line(a.ID), console.Line(became(a)), console.Line(what(a)))
}

// print writes a line as data. Whatever an agent wrote is made plain before.
func (w *watcher) print(format string, args ...any) error {
	w.clear()
	if _, err := fmt.Fprintf(w.c.Out, format+"\n", args...); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// talk writes a line that is no data.
func (w *watcher) talk(format string, args ...any) {
	w.clear()
	w.c.Say(format, args...)
}
