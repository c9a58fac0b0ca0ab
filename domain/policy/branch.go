package policy

import (
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// branch is a node in a tree of pattern words. Looking up a name costs as much
// as the name has words, however many rules there are. A nil branch has no
// rules.
type branch struct {
	words map[string]*branch
	star  *branch // a star with words after it, or at the end
	rules slots   // of patterns that end here
	tail  slots   // of patterns that end here in a star: they also match longer names
}

// slots hold the first in rank of the rules of one pattern: for any class, and
// for each.
type slots struct {
	any   *compiled
	class [action.Read + 1]*compiled
}

func (s *slots) add(r *compiled) {
	slot := &s.any
	if r.limited {
		slot = &s.class[r.class]
	}
	*slot = first(*slot, r)
}

func (s *slots) find(class action.Class) *compiled { return first(s.class[class], s.any) }

func first(a, b *compiled) *compiled {
	if a == nil || b != nil && b.rank < a.rank {
		return b
	}
	return a
}

func (b *branch) add(r *compiled) {
	rest, more := string(r.pattern), true
	for more {
		var word string
		word, rest, more = strings.Cut(rest, ".")
		switch {
		case word == "*" && !more:
			b.tail.add(r)
			return
		case word == "*":
			if b.star == nil {
				b.star = &branch{}
			}
			b = b.star
		default:
			if b.words == nil {
				b.words = map[string]*branch{}
			}
			if b.words[word] == nil {
				b.words[word] = &branch{}
			}
			b = b.words[word]
		}
	}
	b.rules.add(r)
}

// find returns the rule that decides about name, or nil.
func (b *branch) find(name string, class action.Class) *compiled {
	if b == nil || !wellFormed(name) {
		return nil
	}
	return b.walk(name, true, class)
}

func (b *branch) walk(name string, more bool, class action.Class) *compiled {
	if !more {
		return b.rules.find(class)
	}
	best := b.tail.find(class)
	word, rest, more := strings.Cut(name, ".")
	if next := b.words[word]; next != nil {
		best = first(best, next.walk(rest, more, class))
	}
	if b.star != nil {
		best = first(best, b.star.walk(rest, more, class))
	}
	return best
}

// wellFormed reports whether every word of name is there. No pattern matches
// a name with an empty one, not even a star.
func wellFormed(name string) bool {
	return name != "" && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
}
