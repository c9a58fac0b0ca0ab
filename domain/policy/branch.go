package policy

import (
	"cmp"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
)

// branch is a node in a tree of pattern words. Looking up a name costs as much
// as the name has words, however many rules there are. A nil branch has no
// rules.
type branch struct {
	words map[string]*branch
	star  *branch   // a star with words after it, or at the end
	rules slots     // of patterns that end here
	tail  slots     // of patterns that end here in a star: they also match longer names
	worst *compiled // the strictest of all rules from here on
	asked Approvers // what all of them together ask for
}

// slots hold the rules of one pattern: of those without limits the first in
// rank, for any class and for each, since no later one is ever reached; of
// those with limits all, in the order of their rank.
type slots struct {
	any    *compiled
	class  [action.Read + 1]*compiled
	narrow []*compiled
	asked  Approvers // what all of them together ask for
}

func (s *slots) add(r *compiled) {
	s.asked = s.asked.and(r.decision.Approvers)
	if len(r.limits) > 0 {
		s.narrow = append(s.narrow, r)
		return
	}
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

// strictest is of two rules the one with the stricter effect, and of two with
// the same the first in rank.
func strictest(a, b *compiled) *compiled {
	if a == nil || b != nil && cmp.Or(cmp.Compare(b.decision.Effect, a.decision.Effect), cmp.Compare(b.rank, a.rank)) < 0 {
		return b
	}
	return a
}

// add takes in the next rule in rank.
func (b *branch) add(r *compiled) {
	rest, more := string(r.pattern), true
	for more {
		b.note(r)
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
	b.note(r)
	b.rules.add(r)
}

func (b *branch) note(r *compiled) {
	b.worst, b.asked = strictest(b.worst, r), b.asked.and(r.decision.Approvers)
}

// find returns the first rule without limits that matches name, or nil, and
// adds to narrow where those with limits are.
func (b *branch) find(name string, class action.Class, narrow []*slots) (*compiled, []*slots) {
	if b == nil || !wellFormed(name) {
		return nil, narrow
	}
	return b.walk(name, true, class, narrow)
}

func (b *branch) walk(name string, more bool, class action.Class, narrow []*slots) (*compiled, []*slots) {
	here := &b.tail
	if !more {
		here = &b.rules
	}
	if len(here.narrow) > 0 {
		narrow = append(narrow, here)
	}
	best := here.find(class)
	if !more {
		return best, narrow
	}
	var other *compiled
	word, rest, more := strings.Cut(name, ".")
	if next := b.words[word]; next != nil {
		other, narrow = next.walk(rest, more, class, narrow)
		best = first(best, other)
	}
	if b.star != nil {
		other, narrow = b.star.walk(rest, more, class, narrow)
		best = first(best, other)
	}
	return best, narrow
}

// wellFormed reports whether every word of name is there. No pattern matches
// a name with an empty one, not even a star, and no action has a star in it.
func wellFormed(name string) bool {
	return name != "" && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..") && strings.IndexByte(name, '*') < 0
}
