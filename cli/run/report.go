package run

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/gateway/runs"
)

// report tells a person at a terminal what happens to the command's requests,
// and everybody else one line at the end.
type report struct {
	c      *console.Console
	door   runs.Door
	quiet  bool
	live   bool
	counts *runs.Counts
	broken bool
	since  map[string]time.Time // of the approvals that are waited for
}

func newReport(c *console.Console, door runs.Door, quiet bool) *report {
	r := &report{c: c, door: door, quiet: quiet, live: !quiet && console.Terminal(c.Err), since: map[string]time.Time{}}
	if r.live {
		c.Say("tameflare: gateway %s · env level: clients that ignore proxy variables go past it · details: tameflare status", door.Gateway)
	}
	return r
}

// follow tells until the run's events end.
func (r *report) follow(s *runs.Session) {
	for {
		e, err := s.Next()
		if err != nil {
			r.broken = r.counts == nil
			return
		}
		switch {
		case e.Kind == runs.Summarised:
			r.counts = e.Counts
		case e.Request != nil && r.live:
			r.tell(e)
		}
	}
}

func (r *report) tell(e runs.Event) {
	what := strings.TrimPrefix(e.Method+" "+strings.TrimPrefix(e.URL, "https://"), " ")
	switch e.Kind {
	case runs.Held:
		r.since[e.ApprovalID] = r.c.Now()
		within := ""
		if !e.ExpiresAt.IsZero() {
			within = ", " + console.Span(e.ExpiresAt.Sub(r.c.Now()))
		}
		r.c.Say("tameflare: %s %s needs approval (%s%s): %s %s %s", console.Wait, what, console.Line(e.ApprovalID), within, orElse(console.Line(e.Sentence), e.Action), console.Note, e.ApprovalURL)
	case runs.Decided:
		after := ""
		if at, ok := r.since[e.ApprovalID]; ok {
			after = " after " + console.Span(r.c.Now().Sub(at))
		}
		by := ""
		if e.Decider != "" {
			by = " by " + console.Line(e.Decider)
		}
		said := ""
		if e.Note != "" {
			said = " (\"" + console.Line(e.Note) + "\")"
		}
		switch e.Status {
		case approval.Approved, approval.Executed:
			r.c.Say("tameflare: %s approved%s%s%s: %s", console.Good, by, after, said, what)
		case approval.Pending:
			r.c.Say("tameflare: %s still waiting%s; the command was told to try again: %s", console.Wait, after, what)
		default:
			r.c.Say("tameflare: %s %s%s%s%s: %s", console.Bad, string(e.Status), by, after, said, what)
		}
	case runs.Denied:
		r.c.Say("tameflare: %s denied: %s (%s): %s", console.Bad, what, e.Action, console.Line(e.Reason))
	case runs.Started, runs.Summarised:
	}
}

const lastWords = 2 * time.Second

// end ends the run and tells what came of it.
func (r *report) end(ctx context.Context, s *runs.Session, told <-chan struct{}) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := s.End(ctx); err == nil {
		select {
		case <-told:
		case <-ctx.Done():
		}
	}
	s.Close()
	<-told
	if r.quiet {
		return
	}
	if r.counts == nil {
		if r.broken {
			r.c.Say("tameflare: the gateway ended before the command did; from then on its requests were refused. See: tameflare gateway status")
		}
		return
	}
	r.c.Say("tameflare: %s", summary(r.door, *r.counts))
}

// summary is the line at the end of a run.
func summary(door runs.Door, n runs.Counts) string {
	parts := []string{
		"gateway " + door.Gateway + " (env)", plural(n.Requests, "request"),
		fmt.Sprintf("%d allowed", n.Allowed), fmt.Sprintf("%d denied", n.Denied), fmt.Sprintf("%d held", n.Held),
	}
	if n.Killed > 0 {
		parts = append(parts, fmt.Sprintf("%d stopped by the kill switch", n.Killed))
	}
	line := strings.Join(parts, " · ")
	if door.BaseURL != "" {
		line += " " + console.Note + " " + strings.TrimSuffix(door.BaseURL, "/") + "/traffic?run=" + door.RunID
	}
	return line
}

func plural(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
