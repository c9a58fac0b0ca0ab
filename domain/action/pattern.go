package action

import (
	"cmp"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
)

// Pattern matches action names: "github.pr.merge", "github.pr.*",
// "github.*.get", "*". A star stands for one word, or at the end for one word
// or more.
type Pattern string

const maxPattern = 200

// Check fails with fault.Invalid where p is not a pattern. Its author should
// see that when they write it, and nobody when it is used.
func (p Pattern) Check() error {
	bad := fault.New(fault.Invalid, "A pattern is words with dots between them, such as github.pr.merge; a star stands for a whole word, as in github.pr.*.", nil)
	if len(p) > maxPattern {
		return bad
	}
	for word := range strings.SplitSeq(string(p), ".") {
		if word == "" || word != "*" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return bad
		}
	}
	return nil
}

// Matches reports whether p stands for name.
func (p Pattern) Matches(name string) bool {
	rest, have := string(p), name
	for {
		want, moreWant, wantMore := strings.Cut(rest, ".")
		word, moreHave, haveMore := strings.Cut(have, ".")
		switch {
		case word == "" || want == "":
			return false
		case want == "*" && !wantMore:
			return true
		case want != "*" && want != word:
			return false
		case !wantMore && !haveMore:
			return true
		case !wantMore || !haveMore:
			return false
		}
		rest, have = moreWant, moreHave
	}
}

// Exact reports whether p has no star.
func (p Pattern) Exact() bool { return !strings.Contains(string(p), "*") }

// Compare orders patterns by how specific they are: negative where p is more
// specific than q. Exact comes before fewer stars, and then the longer literal
// beginning comes first. Patterns of the same specificity compare as 0.
func (p Pattern) Compare(q Pattern) int {
	return cmp.Or(
		cmp.Compare(strings.Count(string(p), "*"), strings.Count(string(q), "*")),
		cmp.Compare(q.literal(), p.literal()),
	)
}

func (p Pattern) literal() int {
	if i := strings.IndexByte(string(p), '*'); i >= 0 {
		return i
	}
	return len(p)
}
