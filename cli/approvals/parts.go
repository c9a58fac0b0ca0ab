package approvals

import (
	"fmt"
	"io"
	"strings"

	"github.com/tameflare/tameflare/cli/console"
	"github.com/tameflare/tameflare/connectors/show"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/approval"
	"github.com/tameflare/tameflare/domain/rest"
)

// margin stands before every line that an agent wrote, so that none of them
// passes for one of ours.
const margin = "  │ "

// parts lays out what a would send.
func parts(a rest.Approval, b rest.Body) []show.Part {
	what := action.Action{Connector: a.Connector, Name: a.Action, Resource: a.Resource, Params: a.Params, Reversible: a.Reversible}
	return show.Of(approval.Approval{
		Action: what, BodyType: b.Type, BodyCoding: b.Coding, BodySize: b.Size, BodyDigest: b.Digest,
	}, approval.Body{Bytes: b.Bytes, Whole: b.Whole})
}

// writeParts writes parts, at most so many lines of them; 0 is all.
func writeParts(w io.Writer, ps []show.Part, most int) error {
	var lines []string
	for _, p := range ps {
		if p.Title != "" {
			lines = append(lines, "  "+console.Line(p.Title))
		}
		lines = append(lines, partLines(p)...)
	}
	more := 0
	if most > 0 && len(lines) > most {
		lines, more = lines[:most], len(lines)-most
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	if more > 0 {
		if _, err := fmt.Fprintf(w, "  … and %d lines more: tameflare approvals show\n", more); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

func partLines(p show.Part) []string {
	var lines []string
	switch p.Kind {
	case show.Note:
		for line := range strings.SplitSeq(p.Text, "\n") {
			lines = append(lines, "  "+console.Note+" "+console.Line(line))
		}
		return lines
	case show.Diff:
		for _, row := range p.Rows {
			mark := row[0]
			if mark == show.Same || mark == show.File || mark == show.Hunk {
				mark = " "
			}
			lines = append(lines, margin+plain(mark+row[1]))
		}
	case show.Table:
		wide := 0
		for _, row := range p.Rows {
			wide = max(wide, len([]rune(console.Line(row[0]))))
		}
		for _, row := range p.Rows {
			name := console.Line(row[0])
			for i, line := range strings.Split(row[1], "\n") {
				if i > 0 {
					name = ""
				}
				lines = append(lines, margin+name+strings.Repeat(" ", wide-len([]rune(name)))+"  "+plain(line))
			}
		}
	case show.Code, show.Prose, show.Amount:
		for line := range strings.SplitSeq(strings.TrimRight(p.Text, "\n"), "\n") {
			lines = append(lines, margin+plain(line))
		}
	}
	return lines
}

// plain is one line as a terminal can show it, with its spaces.
func plain(line string) string {
	return strings.ReplaceAll(console.Plain(strings.ReplaceAll(line, "\r", "·")), "\n", "·")
}
