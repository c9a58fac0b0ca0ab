package policy

import (
	"math"
	"slices"
	"strconv"

	"github.com/tameflare/tameflare/domain/action"
)

// verdict says whether the limits of a rule hold for a request.
type verdict uint8

// The zero verdict is that it cannot be known, which takes the stricter way.
const (
	unclear verdict = iota
	fails
	holds
)

const (
	maxCombinations = 64
	maxPicks        = 6 // lists of two or more: with one more there are too many combinations
)

// subject is what the rules of one request may look at. A parameter that is a
// list is looked at as if it were one of its elements at a time.
type subject struct {
	action *action.Action
	hidden bool // nothing of it is known: the request is perhaps this action, and perhaps another
	picks  [maxPicks]pick
	n      int
}

// pick is the element that a list stands for at the moment.
type pick struct {
	key  string
	list []string
	at   int
}

// spread makes s go through every combination of the lists that the rules of
// narrow look at, beginning with the first.
func (s *subject) spread(narrow []*slots, class action.Class, end *compiled) {
	if s.hidden {
		return
	}
	combinations := 1
	for _, c := range narrow {
		for _, r := range c.narrow {
			if end != nil && r.rank > end.rank {
				break
			}
			if r.limited && r.class != class {
				continue
			}
			for i := range r.limits {
				key := r.limits[i].key
				list := s.list(key)
				if len(list) < 2 || s.picked(key) != nil {
					continue
				}
				if combinations *= len(list); combinations > maxCombinations {
					s.n = 0 // what they hold counts as unknown
					return
				}
				s.picks[s.n] = pick{key: key, list: list}
				s.n++
			}
		}
	}
}

// next goes on to the next combination, and reports whether there is one.
func (s *subject) next() bool {
	for i := range s.n {
		if s.picks[i].at++; s.picks[i].at < len(s.picks[i].list) {
			return true
		}
		s.picks[i].at = 0
	}
	return false
}

func (s *subject) list(key string) []string {
	if key == OnResource || s.unknown(key) {
		return nil
	}
	list, _ := s.action.Params[key].([]string)
	return list
}

func (s *subject) picked(key string) *pick {
	for i := range s.n {
		if s.picks[i].key == key {
			return &s.picks[i]
		}
	}
	return nil
}

func (s *subject) unknown(key string) bool {
	return s.hidden || slices.Contains(s.action.Unknown, key) || slices.Contains(s.action.Unknown, "*")
}

// walk goes through the rules with limits, in the order of their rank, until
// one certainly applies, or until end, the first without limits. It returns
// that one, nil where there is none, of those before it that may apply the
// strictest, and who has to agree whichever of them it is.
func (s *subject) walk(narrow []*slots, class action.Class, end *compiled) (last, possible *compiled, who Approvers) {
	last = end
	doubts := false
	for _, c := range narrow {
		for _, r := range c.narrow {
			if last != nil && r.rank > last.rank {
				break
			}
			if r.limited && r.class != class {
				continue
			}
			v := s.judge(r)
			if v == holds {
				last = r
				break
			}
			doubts = doubts || v == unclear
		}
	}
	if !doubts {
		return last, nil, who
	}
	if last != nil {
		who = last.decision.Approvers
	}
	for _, c := range narrow {
		for _, r := range c.narrow {
			if last != nil && r.rank >= last.rank {
				break
			}
			if (!r.limited || r.class == class) && s.judge(r) == unclear {
				possible, who = strictest(possible, r), who.and(r.decision.Approvers)
			}
		}
	}
	return last, possible, who
}

// judge says whether all the limits of r hold. One that certainly does not is
// enough for the whole.
func (s *subject) judge(r *compiled) verdict {
	v := holds
	for i := range r.limits {
		switch s.one(&r.limits[i]) {
		case fails:
			return fails
		case unclear:
			v = unclear
		case holds:
		}
	}
	return v
}

func (s *subject) one(l *limit) verdict {
	if s.unknown(l.key) {
		return unclear
	}
	if l.key == OnResource {
		if s.action.Resource == "" {
			return fails
		}
		return l.match(s.action.Resource)
	}
	value, there := s.action.Params[l.key]
	if !there {
		return fails
	}
	var buf [32]byte
	switch v := value.(type) {
	case string:
		return l.match(v)
	case bool:
		return l.match(strconv.FormatBool(v))
	case int64:
		return l.match(string(strconv.AppendInt(buf[:0], v, 10)))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return unclear
		}
		return l.match(string(appendFloat(buf[:0], v)))
	case []string:
		return s.element(l, v)
	}
	return unclear
}

func (s *subject) element(l *limit, list []string) verdict {
	switch p := s.picked(l.key); {
	case len(list) == 0:
		return fails
	case len(list) == 1:
		return l.match(list[0])
	case p != nil:
		return l.match(p.list[p.at])
	}
	return unclear // one of too many
}
