package show

import (
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
)

// maxSummary is how many characters a Summary has at most.
const maxSummary = 240

// Summary says what a does in one line of plain text, for places where that is
// all there is: "delete the repository acme/site (critical risk, cannot be
// undone)". It goes after "wants to", and is no markup of anything: where some
// has to be escaped, that is up to the caller.
func Summary(a action.Action) string { return summary(connectors.Sentence(a), a) }

// SummaryOf is Summary for an action that has its sentence already.
func SummaryOf(sentence string, a action.Action) string { return summary(sentence, a) }

func summary(sentence string, a action.Action) string {
	about := " (" + a.Risk.String() + " risk"
	if !a.Reversible && a.Class != action.Read {
		about += ", cannot be undone"
	}
	about += ")"
	line := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, Mask(strings.ToValidUTF8(sentence, "\uFFFD")))
	return clip(line, maxSummary-len(about)) + about
}
