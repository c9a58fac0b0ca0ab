package lookup

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// Query is what is looked for. The zero Query finds everything.
type Query struct {
	Words string // each must be there: in the name, what it does, a path, the service's own name of it
	Type  string
	Class *action.Class // nil: any
	Risk  *action.Risk
}

const maxWords = 12

// Find returns the actions that q is about: those that words name before those
// that they only describe, and else by type and name.
func (x *Index) Find(q Query) []*Action {
	words := strings.Fields(strings.ToLower(q.Words))
	words = words[:min(len(words), maxWords)]
	type hit struct {
		*Action
		rank, at int
	}
	var hits []hit
	for at, a := range x.actions {
		if q.Type != "" && a.Type.Name != q.Type || q.Class != nil && a.Class != *q.Class || q.Risk != nil && a.Risk != *q.Risk {
			continue
		}
		if rank, ok := a.rank(words); ok {
			hits = append(hits, hit{a, rank, at})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		shorter := 0 // has less that was not asked for
		if len(words) > 0 {
			shorter = cmp.Compare(len(a.name), len(b.name))
		}
		return cmp.Or(cmp.Compare(a.rank, b.rank), shorter, cmp.Compare(a.at, b.at))
	})
	found := make([]*Action, len(hits))
	for i, h := range hits {
		found[i] = h.Action
	}
	return found
}

// rank is how far a is from what words name; the sum of how far each is.
func (a *Action) rank(words []string) (rank int, ok bool) {
	if len(words) == 1 && a.name == words[0] {
		return -1, true
	}
	for _, word := range words {
		switch {
		case isPart(a.name, word), slices.Contains(a.ids, word):
		case strings.Contains(a.name, word):
			rank++
		case strings.Contains(a.text, word):
			rank += 2
		case strings.Contains(a.more, word):
			rank += 4
		default:
			return 0, false
		}
	}
	return rank, true
}

// isPart reports whether word is one of the words of name, or several in a row.
func isPart(name, word string) bool {
	for rest := name; ; {
		i := strings.Index(rest, word)
		if i < 0 {
			return false
		}
		before := i == 0 || rest[i-1] == '.' || rest[i-1] == '_'
		after := rest[i+len(word):]
		if before && (after == "" || after[0] == '.' || after[0] == '_') {
			return true
		}
		rest = rest[i+1:]
	}
}
