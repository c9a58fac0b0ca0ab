package yamldoc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// Problem is something in a document that cannot stay.
type Problem struct {
	File         string // "" is the document's own; another where it names one
	Line, Column int    // from 1
	Path         string // "gateways[0].connectors[0].rules[1].decision"
	Message      string // a sentence
}

// Problems is everything that is wrong with one document, from top to bottom.
type Problems struct {
	File string
	All  []Problem
}

const maxProblems = 50

// Error has one line for each problem, as compilers have it.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, one := range p.All {
		if i == maxProblems {
			fmt.Fprintf(&b, "… and %d more.\n", len(p.All)-i)
			break
		}
		file := cmp.Or(one.File, p.File)
		if one.Line > 0 {
			fmt.Fprintf(&b, "%s:%d:%d: ", file, one.Line, one.Column)
		} else {
			fmt.Fprintf(&b, "%s: ", file)
		}
		if one.Path != "" {
			b.WriteString(one.Path + ": ")
		}
		b.WriteString(one.Message + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Err returns p as a fault whose message is all of it, or nil.
func (p *Problems) Err() error {
	if len(p.All) == 0 {
		return nil
	}
	slices.SortStableFunc(p.All, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return fault.New(fault.Invalid, p.Error(), p)
}

// Suggest returns the word of known that have was probably meant to be, as the
// end of a sentence; "" where none is near.
func Suggest(have string, known []string) string {
	best, at := "", 0
	for _, word := range known {
		if d := distance(have, word); d <= min(2, 1+len(word)/5) && (best == "" || d < at) {
			best, at = word, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is how many letters have to be added, taken away, changed or
// swapped with their neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	var before, row []int
	next := make([]int, len(b)+1)
	for j := range next {
		next[j] = j
	}
	for i := range len(a) {
		before, row, next = row, next, make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
	}
	return next[len(b)]
}

// List writes words as a person would: "a, b or c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
