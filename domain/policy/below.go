package policy

import "strings"

// below returns the strictest rule that matches any name of the words of
// prefix and at least one more, and whether one without limits matches all of
// them. No words are a prefix of every name.
func (b *branch) below(prefix string) (worst *compiled, all bool) {
	if b == nil {
		return nil, false
	}
	if prefix == "" {
		return b.longer(), b.tail.any != nil
	}
	// Whatever ends in a star here matches everything that is longer.
	worst, all = b.tail.worst(), b.tail.any != nil
	word, rest, _ := strings.Cut(prefix, ".")
	for _, next := range [...]*branch{b.words[word], b.star} {
		w, a := next.below(rest)
		worst, all = strictest(worst, w), all || a
	}
	return worst, all
}

// longer is the strictest rule whose pattern has words after those that led
// here.
func (b *branch) longer() *compiled {
	worst := b.tail.worst()
	for _, next := range b.words {
		worst = strictest(worst, next.worst)
	}
	if b.star != nil {
		worst = strictest(worst, b.star.worst)
	}
	return worst
}

// worst is the strictest rule of one pattern.
func (s *slots) worst() *compiled {
	worst := s.any
	for _, r := range s.class {
		worst = strictest(worst, r)
	}
	for _, r := range s.narrow {
		worst = strictest(worst, r)
	}
	return worst
}

// askedBelow is what those rules together ask for that below looks at.
func (b *branch) askedBelow(prefix string) Approvers {
	if b == nil {
		return Approvers{}
	}
	who := b.tail.asked
	if prefix == "" {
		for _, next := range b.words {
			who = who.and(next.asked)
		}
		if b.star != nil {
			who = who.and(b.star.asked)
		}
		return who
	}
	word, rest, _ := strings.Cut(prefix, ".")
	return who.and(b.words[word].askedBelow(rest)).and(b.star.askedBelow(rest))
}
