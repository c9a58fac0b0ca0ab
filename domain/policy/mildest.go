package policy

import (
	"time"

	"github.com/tameflare/tameflare/domain/action"
)

// Mildest says what happens at best to a request of which no more is known
// than the action of q, which has no alternatives: whatever parameters it does
// not have may be anything, and the mildest decision about any of them is the
// answer. Of the policies only counts what applies for certain. Where it denies,
// so does Decide, whatever the request turns out to be.
//
// It is for telling what there is no use in trying. No request may pass because
// of it.
func (e *Engine) Mildest(q Question) (d Decision) {
	defer func() {
		if recover() != nil {
			d = unjudged()
		}
	}()
	if e == nil || e.kills.find(q.Action.Connector, q.Type) != nil {
		return e.Decide(q)
	}
	if d = e.mildestByRules(&q.Action); d.Effect == Deny || len(e.policies.clauses) == 0 {
		return d
	}
	q.Request, q.Run, q.Time = nil, nil, time.Time{}
	asked := deciding{run: run{facts: facts{q: q, engine: e, mildest: true}}}
	asked.acting.sure = true
	asked.consult()
	if asked.acting.best == nil || asked.spent() {
		return d
	}
	return stricterOf(d, asked.acting.decision(e))
}

func (e *Engine) mildestByRules(a *action.Action) Decision {
	var buf [16]*slots
	end, narrow := e.access[a.Connector].find(a.Name, a.Class, buf[:0])
	s := subject{action: a}
	last := end
	for r := range s.reachable(narrow, a.Class, &last) {
		if s.could(r) == holds {
			last = r
		}
	}
	d := e.outcome(a.Connector, a.Name, last, nil)
	for r := range s.reachable(narrow, a.Class, &last) {
		if s.could(r) != unclear {
			continue
		}
		if o := e.outcome(a.Connector, a.Name, r, nil); stricter(d, o) {
			d = o
		}
	}
	return d
}

// reachable yields the rules of narrow that are for class and come before
// last, which may change meanwhile.
func (s *subject) reachable(narrow []*slots, class action.Class, last **compiled) func(yield func(*compiled) bool) {
	return func(yield func(*compiled) bool) {
		for _, c := range narrow {
			for _, r := range c.narrow {
				if *last != nil && r.rank >= (*last).rank {
					break
				}
				if (!r.limited || r.class == class) && !yield(r) {
					return
				}
			}
		}
	}
}

// could is judge for a request that may have more parameters than are known.
func (s *subject) could(r *compiled) verdict {
	v := holds
	for i := range r.limits {
		l := &r.limits[i]
		one := unclear
		if _, there := s.action.Params[l.key]; there || l.key == OnResource {
			one = s.one(l)
		}
		switch one {
		case fails:
			return fails
		case unclear:
			v = unclear
		case holds:
		}
	}
	return v
}
