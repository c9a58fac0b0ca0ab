package approvals

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/apiclient"
	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/cli/exit"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/rest"
)

// mode says what the next line that a person types is.
type mode uint8

const (
	idle       mode = iota // nothing is put to them
	choosing               // what to do with the current request
	reasoning              // why they deny it
	confirming             // that they mean to approve it
	settled                // for nothing: the current request was settled by others while they looked
)

// asking is the talk with a person: one request at a time, and a line that was
// begun for one is never taken for another.
type asking struct {
	queue   []string // IDs of what waits and was not put to them yet
	left    []string // that they have left
	current string
	mode    mode
	choice  rest.Decision // that waits for a reason, or to be confirmed
	shown   time.Time     // when current was
	prompt  bool          // one stands on the line
}

const (
	glance    = 500 * time.Millisecond // nobody reads a request in less
	maxBodied = 60                     // lines of a body
)

// interactive reports whether somebody is asked.
func (w *watcher) interactive() bool { return w.lines != nil }

// arrives takes in a request that is new.
func (w *watcher) arrives(a rest.Approval) error {
	if w.bell {
		fmt.Fprint(w.c.Err, "\a")
	}
	if w.interactive() {
		w.queue = append(w.queue, a.ID)
		if w.mode == idle {
			return nil // it is put to them presently
		}
	}
	return w.print("%s %s %s  %s, %s, %s: %s", w.c.Now().Local().Format("15:04:05"), w.c.Mark(w.c.Out, console.Wait), console.Line(a.ID),
		console.Line(a.Gateway), console.Line(risk(a)), left(w.c, a), console.Line(what(a)))
}

// leaves takes in that a does not wait any more.
func (w *watcher) leaves(a rest.Approval) { w.drop(a.ID) }

// drop takes id off what is put to people. Where it is what they look at, the
// next line that they type is for nothing.
func (w *watcher) drop(id string) {
	is := func(other string) bool { return other == id }
	w.queue, w.left = slices.DeleteFunc(w.queue, is), slices.DeleteFunc(w.left, is)
	if w.current == id && w.mode != idle {
		w.mode = settled
	}
}

// goOn puts the next request to them, or asks again what they were asked.
func (w *watcher) goOn(ctx context.Context) error {
	if !w.interactive() {
		return nil
	}
	if w.mode == idle && len(w.queue) > 0 {
		return w.present(ctx)
	}
	w.ask()
	return nil
}

// present puts the oldest request to them.
func (w *watcher) present(ctx context.Context) error {
	w.current, w.queue = w.queue[0], w.queue[1:]
	a, err := w.desk.Get(ctx, w.current) // with its history
	switch {
	case fault.Of(err) == fault.Unauthenticated:
		return err
	case err != nil:
		a = w.known[w.current]
	}
	if err := w.print("\n%s %s  %s wants to %s", w.c.Mark(w.c.Out, console.Wait), console.Line(a.ID), console.Line(a.Gateway), console.Line(what(a))); err != nil {
		return err
	}
	for _, row := range [][2]string{
		{"request", a.Method + " " + a.URL}, {"risk", risk(a)}, {"why", a.Reason}, {"asked by", strings.Trim(a.Principal+", "+a.Run, ", ")},
		{"needs", needs(a)}, {"agreed", agreed(a)}, {"before", before(a.History)}, {"body", body(a)}, {"time", left(w.c, a)}, {"page", a.Page},
	} {
		if strings.TrimSpace(row[1]) == "" {
			continue
		}
		if err := w.print("  %-9s %s", row[0], console.Line(row[1])); err != nil {
			return err
		}
	}
	w.mode, w.shown = choosing, w.c.Now()
	w.ask()
	return nil
}

// ask writes the prompt for the next line.
func (w *watcher) ask() {
	w.clear()
	text := ""
	switch w.mode {
	case choosing:
		text = w.current + ": a approve, d deny, s show body, n next, q quit > "
		if n := len(w.queue); n > 0 {
			text = fmt.Sprintf("(%d more) ", n) + text
		}
	case reasoning:
		text = "Why? The agent hears it. Enter for no reason > "
	case confirming:
		text = "This is of " + w.known[w.current].Risk + " risk. Type approve to go on > "
	case settled:
		text = "Enter for the next > "
	case idle:
		if len(w.left) > 0 {
			text = fmt.Sprintf("%d left undecided. Enter to see them again, q to quit > ", len(w.left))
		} else {
			text = "Nothing waits. q to quit > "
		}
	}
	fmt.Fprint(w.c.Err, console.Plain(text))
	w.prompt = true
}

// clear ends the line that a prompt stands on.
func (w *watcher) clear() {
	if w.prompt {
		fmt.Fprintln(w.c.Err)
		w.prompt = false
	}
}

// answer takes a line that a person typed, and reports whether they have
// enough.
func (w *watcher) answer(ctx context.Context, line string) (done bool, err error) {
	w.prompt = false // they have ended it
	line = strings.TrimSpace(line)
	switch w.mode {
	case idle:
		if quits(line) {
			return true, nil
		}
		w.queue, w.left = append(w.queue, w.left...), nil
	case settled:
		w.mode = idle
	case reasoning:
		w.choice.Reason = line
		return false, w.decide(ctx)
	case confirming:
		if line == rest.Approve {
			return false, w.decide(ctx)
		}
		w.talk("Not approved.")
		w.mode = choosing
	case choosing:
		if w.c.Now().Sub(w.shown) < glance {
			w.talk("%s That came before anybody could have read this request. Type it again.", console.Note)
			break
		}
		return w.choose(ctx, line)
	}
	return false, w.goOn(ctx)
}

func quits(line string) bool { return line == "q" || line == "quit" }

// choose does what a person wants done with the current request.
func (w *watcher) choose(ctx context.Context, line string) (done bool, err error) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case quits(line):
		return true, nil
	case line == "n" || line == "next":
		w.left, w.mode = append(w.left, w.current), idle
	case line == "s" || line == "show":
		if err := w.showBody(ctx); err != nil {
			return false, err
		}
	case word == "a" || word == "approve":
		return false, w.approves(ctx, rest)
	case word == "d" || word == "deny":
		w.choice, w.mode = denial(rest), reasoning
		if rest != "" {
			return false, w.decide(ctx)
		}
	case line != "":
		w.talk("%s a approves once, a 15m the same request for 15 minutes; d denies; s shows the body; n is the next; q ends.", console.Note)
	}
	return false, w.goOn(ctx)
}

func denial(reason string) rest.Decision { return rest.Decision{Verdict: rest.Deny, Reason: reason} }

// approves begins to approve the current request, once or for a while. What
// can break much is to be confirmed.
func (w *watcher) approves(ctx context.Context, lasts string) error {
	w.choice = rest.Decision{Verdict: rest.Approve}
	if lasts != "" {
		d, err := time.ParseDuration(lasts)
		if err != nil || d <= 0 || d > approval.MaxRepeat {
			w.talk("%s a approves once; a 15m approves the same request for 15 minutes, and at most for 8h.", console.Note)
			return w.goOn(ctx)
		}
		w.choice.For = d.String()
	}
	switch w.known[w.current].Risk {
	case action.Low.String(), action.Medium.String():
		return w.decide(ctx)
	}
	w.mode = confirming
	return w.goOn(ctx)
}

// decide makes the choice, and goes on. Where it cannot be made, it says why
// and asks again.
func (w *watcher) decide(ctx context.Context) error {
	a, err := w.desk.Settle(ctx, w.current, w.choice)
	switch answered, _ := errors.AsType[*apiclient.Error](err); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		w.known[a.ID] = a
		o := choice{Decision: w.choice}
		o.say(w.c, a)
		w.mode = idle
	case fault.Of(err) == fault.Unauthenticated:
		return err
	case answered != nil && answered.Problem.Approval != nil && answered.Problem.Approval.Status != approval.Pending:
		w.mode = idle
		if err := w.learn(*answered.Problem.Approval); err != nil {
			return err
		}
	case fault.Of(err) == fault.NotFound:
		w.talk("%s %s", console.Bad, exit.Message(err))
		w.drop(w.current)
		w.mode = idle
	default:
		w.talk("%s %s", console.Bad, exit.Message(err))
		w.mode = choosing
	}
	return w.goOn(ctx)
}

// showBody shows what the current request would send.
func (w *watcher) showBody(ctx context.Context) error {
	b, err := w.desk.Body(ctx, w.current)
	if fault.Of(err) == fault.Unauthenticated {
		return err
	}
	if err != nil {
		w.talk("%s %s", console.Note, exit.Message(err))
		return nil
	}
	return writeParts(w.c.Out, parts(w.known[w.current], b), maxBodied)
}
