package views

import (
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// diffLine is a line of two texts beside each other. The zero number is that
// of a line that the text does not have.
type diffLine struct {
	Old, New int
	Text     string
	Gap      bool // lines between that are the same in both
}

// around is how many lines are shown around those that differ.
const around = 3

// diffLines compares two texts. It is empty where they are the same.
func diffLines(old, next string) []diffLine {
	edits := udiff.Lines(ended(old), ended(next))
	if len(edits) == 0 {
		return nil
	}
	diff, err := udiff.ToUnifiedDiff("", "", ended(old), edits, around)
	if err != nil { // edits that it has just made itself fit
		return nil
	}
	var out []diffLine
	for _, h := range diff.Hunks {
		if h.FromLine > 1 {
			out = append(out, diffLine{Gap: true})
		}
		from, to := h.FromLine, h.ToLine
		for _, l := range h.Lines {
			line := diffLine{Text: strings.TrimSuffix(l.Content, "\n")}
			if l.Kind != udiff.Insert {
				line.Old, from = from, from+1
			}
			if l.Kind != udiff.Delete {
				line.New, to = to, to+1
			}
			out = append(out, line)
		}
	}
	return out
}

func ended(s string) string {
	if s == "" || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}

// kind is the class of a line; sign says the same without colour.
func (l diffLine) kind() string {
	switch {
	case l.Gap:
		return "gap"
	case l.Old == 0:
		return "add"
	case l.New == 0:
		return "del"
	}
	return ""
}

func (l diffLine) sign() string {
	switch l.kind() {
	case "add":
		return "+"
	case "del":
		return "−"
	}
	return ""
}

func lineNumber(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// textLines are the lines of a document.
func textLines(s string) []string {
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

const longestLine = 2000 // characters that are shown
