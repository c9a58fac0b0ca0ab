package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// Settings are what an Engine is made of: everything that is configured for
// one gateway about what its requests may do.
type Settings struct {
	Gateway     string // its name
	Environment string
	Enforcement Enforcement
	Rules       []Rule   // their order has no meaning
	Policies    []Policy // those that are enabled; those for other gateways and environments are left out
	Kills       []Kill   // those that are on
}

// Engine decides. It never changes, so any number of goroutines may ask it at
// once, and a new configuration is a new Engine. A nil Engine denies.
//
// A decision goes through stages, and each may end it: the kill switch, then
// the access rules, then the policies, which only make it stricter. What each
// says is tempered by the enforcement level, which the kill switch is above.
type Engine struct {
	gateway     string
	environment string
	level       Enforcement
	kills       killed
	access      map[string]*branch // by the configured connector's name
	policies    *policies
}

// Compile makes an Engine. It fails with fault.Invalid where a rule or a policy
// cannot be used as it stands, and then there is no Engine: the caller keeps the
// one it had.
func Compile(s Settings) (*Engine, error) {
	if int(s.Enforcement) >= len(levels) {
		return nil, fault.New(fault.Invalid, "An enforcement level is monitor, soft_enforce or full_enforce.", nil)
	}
	e := &Engine{gateway: s.Gateway, environment: s.Environment, level: s.Enforcement, kills: compileKills(s.Kills), access: map[string]*branch{}}
	rules := make([]*compiled, 0, len(s.Rules))
	for _, r := range s.Rules {
		err := r.Check()
		if err == nil && r.Connector == "" {
			err = fault.New(fault.Invalid, "A rule belongs to a connector.", nil)
		}
		if err != nil {
			return nil, fmt.Errorf("compile rule %q of connector %q: %w", r.ID, r.Connector, err)
		}
		rules = append(rules, compile(r))
	}
	slices.SortFunc(rules, compare)
	for rank, r := range rules {
		r.rank = rank
		root := e.access[r.connector]
		if root == nil {
			root = &branch{}
			e.access[r.connector] = root
		}
		root.add(r)
	}
	var err error
	if e.policies, err = compilePolicies(&s); err != nil {
		return nil, err
	}
	return e, nil
}

// WithKills is e with these kill switches on, and no others. It costs next to
// nothing.
func (e *Engine) WithKills(kills []Kill) *Engine {
	if e == nil {
		return nil
	}
	next := *e
	next.kills = compileKills(kills)
	return &next
}

// Decide says what happens to what q is about. It always answers, and whatever
// goes wrong on the way denies.
func (e *Engine) Decide(q Question) (d Decision) {
	defer func() {
		if recover() != nil {
			d = unjudged()
		}
	}()
	if e == nil {
		return Decision{By: ByDefault, Reason: "This gateway has no configuration yet, so it refuses everything."}
	}
	a := q.Action
	if k := e.kills.find(a.Connector, q.Type); k != nil {
		return Decision{By: ByKillSwitch, Rule: k.ID, Reason: k.Reason}
	}
	if d = e.byRules(&a); d.Effect == Deny {
		return d
	}
	return e.refine(d, q)
}

// byRules is what the access rules say about everything that a request may be.
func (e *Engine) byRules(a *action.Action) Decision {
	d := e.judge(a, a.Name, a.Class, false)
	for _, other := range a.Or {
		d = strictestOf(d, e.judge(a, other.Name, other.Class, true))
	}
	return d
}

// judge is the stage of the access rules, for one of the actions that the
// request may be. Hidden says that what else is known of the request is not of
// this one.
func (e *Engine) judge(a *action.Action, name string, class action.Class, hidden bool) Decision {
	if prefix, some := anyBelow(name); some {
		return e.judgeAny(a.Connector, name, prefix)
	}
	var buf [16]*slots
	end, narrow := e.access[a.Connector].find(name, class, buf[:0])
	if len(narrow) == 0 {
		return e.outcome(a.Connector, name, end, nil)
	}
	s := subject{action: a, hidden: hidden}
	s.spread(narrow, class, end)
	last, possible, who := s.walk(narrow, class, end)
	d := e.outcome(a.Connector, name, last, possible).asking(who)
	for s.next() {
		last, possible, who = s.walk(narrow, class, end)
		d = strictestOf(d, e.outcome(a.Connector, name, last, possible).asking(who))
	}
	return d
}

// outcome is what the rule that ends the walk says, none for the default, or
// what a rule says that came before it and may be the one, where that is not
// less strict.
func (e *Engine) outcome(connector, name string, last, possible *compiled) Decision {
	d := Decision{By: ByDefault}
	if last != nil {
		d = last.decision
	}
	d = e.temper(d)
	if possible != nil {
		o := possible.decision
		o.Reason = possible.doubt
		if o = e.temper(o); !stricter(d, o) {
			return o
		}
	}
	if last == nil {
		d.Reason = e.unmatched(connector, name)
	}
	return d
}

// anyBelow reports whether name stands for every action of a prefix, as
// "github.*" does.
func anyBelow(name string) (prefix string, some bool) {
	if name == "*" {
		return "", true
	}
	return strings.CutSuffix(name, ".*")
}

// judgeAny is judge for a request of which no more is known than how its
// action begins. Every rule that could match counts, whatever it is limited
// to, and so does that there may be none.
func (e *Engine) judgeAny(connector, name, prefix string) Decision {
	if name != "*" && !wellFormed(prefix) {
		return e.outcome(connector, name, nil, nil)
	}
	worst, all := e.access[connector].below(prefix)
	var d Decision
	if worst != nil {
		d = worst.decision
		d.Reason += worst.unread
		d = e.temper(d).asking(e.access[connector].askedBelow(prefix))
	}
	if none := e.outcome(connector, name, nil, nil); worst == nil || !all && stricter(none, d) {
		return none
	}
	return d
}

func (e *Engine) unmatched(connector, name string) string {
	gateway := "this gateway"
	if e.gateway != "" {
		gateway = "gateway " + e.gateway
	}
	if connector == "" {
		return "No connector of " + gateway + " answers for this host. Add one for it, or leave the host out."
	}
	return "No rule of " + gateway + " allows " + name + ". Add an access rule for it to connector " + connector + ", or do without."
}

// temper applies the enforcement level to what a stage has said.
func (e *Engine) temper(d Decision) Decision {
	d.Effect = d.Would
	if d.Would == Allow || d.Would == Deny && d.By != ByDefault && e.level == SoftEnforce {
		return d
	}
	if e.level == SoftEnforce || e.level == Monitor {
		d.Effect, d.Flagged = Allow, true
	}
	return d
}

// stricter orders two decisions about the same request.
func stricter(d, than Decision) bool {
	return cmp.Or(cmp.Compare(d.Effect, than.Effect), cmp.Compare(d.Would, than.Would)) < 0
}
