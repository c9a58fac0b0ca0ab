package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
)

// policies are those that are in force at one gateway. They are the same
// whatever kill switches are on.
type policies struct {
	clauses []*clause // by their rank
	areas   []area
	index   index
	uses    uses
	reports bool // some of them only report
}

// area is what one policy or many are about.
type area struct {
	actions []action.Pattern
	clauses int
}

const maxScopes = 1000 // of one list

// compilePolicies fails with fault.Invalid, and says which policy, rule and
// line it is about.
func compilePolicies(s *Settings) (*policies, error) {
	out := &policies{}
	areas := map[string]int{}
	c := newCompiler()
	for i := range s.Policies {
		p := &s.Policies[i]
		in, err := p.Scope.includes(s.Gateway, s.Environment)
		if err == nil {
			err = p.check()
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, p.called()+": "+fault.Message(err), err)
		}
		c.steps = 0
		of := &ruling{id: p.ID, name: p.Name, version: p.Version, priority: p.Priority, reportOnly: p.ReportOnly, actions: p.Scope.Actions}
		out.reports = out.reports || p.ReportOnly
		if of.priority == 0 {
			of.priority = DefaultPriority
		}
		if in {
			of.area = out.area(p.Scope.Actions, areas)
			out.areas[of.area].clauses += len(p.Clauses)
		}
		all := make([]clause, len(p.Clauses))
		for n := range p.Clauses {
			if all[n], err = c.clause(p, of, n); err != nil {
				return nil, p.wrong(n, err)
			}
			if in { // those for others are read all the same, so that they cannot be broken
				out.clauses = append(out.clauses, &all[n])
			}
		}
	}
	out.rank()
	return out, nil
}

// area finds the area of these actions among those that there are by now.
func (p *policies) area(actions []action.Pattern, at map[string]int) int {
	var name strings.Builder
	for _, a := range actions {
		name.WriteString(string(a))
		name.WriteByte(' ')
	}
	i, there := at[name.String()]
	if !there {
		i = len(p.areas)
		at[name.String()] = i
		p.areas = append(p.areas, area{actions: actions})
	}
	return i
}

func (c *compiler) clause(p *Policy, of *ruling, n int) (clause, error) {
	from := &p.Clauses[n]
	if err := from.check(); err != nil {
		return clause{}, err
	}
	var program *node
	if from.If != nil {
		var err error
		if program, err = c.program(from.If); err != nil {
			return clause{}, err
		}
	}
	made := compileClause(p, of, n)
	made.program = program
	c.find(program, &made.found)
	made.look(program)
	return made, nil
}

// look notes what a clause looks at.
func (c *clause) look(n *node) {
	if n == nil {
		return
	}
	if n.code.scalar() && n.field.lists() && !slices.Contains(c.spread, n.field) {
		c.spread = append(c.spread, n.field)
	}
	c.found.body = c.found.body || n.field != nil && n.field.part == onBody
	for i := range n.args {
		c.look(&n.args[i])
	}
}

// wrong says where in a policy something is wrong.
func (p *Policy) wrong(n int, err error) error {
	c := &p.Clauses[n]
	where := fmt.Sprintf("%s, rule %q", p.called(), c.Name)
	line, message := c.Line, fault.Message(err)
	if m, ok := errors.AsType[*misuse](err); ok {
		message = m.message
		if m.line > 0 {
			line = m.line
		}
	}
	if line > 0 {
		where += fmt.Sprintf(", line %d", line)
	}
	return fault.New(fault.Invalid, where+": "+message, err)
}

func (p *Policy) called() string {
	name := p.Name
	if name == "" {
		name = p.ID
	}
	return fmt.Sprintf("Policy %q", name)
}

func (p *Policy) check() error {
	if p.Priority < 0 || p.Priority > MaxPriority {
		return fault.New(fault.Invalid, fmt.Sprintf("A priority is between 1 and %d.", MaxPriority), nil)
	}
	if len(p.Scope.Actions) > maxScopes {
		return fault.New(fault.Invalid, fmt.Sprintf("A scope names at most %d actions.", maxScopes), nil)
	}
	for _, pattern := range p.Scope.Actions {
		if err := pattern.Check(); err != nil {
			return err
		}
	}
	return nil
}

// includes reports whether a gateway is in s.
func (s *Scope) includes(gateway, environment string) (bool, error) {
	in := true
	for _, one := range [...]struct {
		globs []string
		name  string
	}{{s.Gateways, gateway}, {s.Environments, environment}} {
		if len(one.globs) > maxScopes {
			return false, fault.New(fault.Invalid, fmt.Sprintf("A scope names at most %d gateways and environments.", maxScopes), nil)
		}
		in = in && (len(one.globs) == 0 || slices.ContainsFunc(one.globs, func(g string) bool { return compileGlob(g).match(one.name) }))
	}
	return in, nil
}

func (c *Clause) check() error {
	if int(c.Effect) >= len(effects) {
		return fault.New(fault.Invalid, "A decision is allow, deny or require_approval.", nil)
	}
	if c.Risk < 0 || c.Risk > 100 {
		return fault.New(fault.Invalid, "A risk score is between 0 and 100.", nil)
	}
	if err := c.Approvers.Check(); err != nil {
		return err
	}
	return checkTimes(c.Hold, c.TTL)
}

// rank sorts the clauses, and puts them where they are found.
func (p *policies) rank() {
	slices.SortStableFunc(p.clauses, (*clause).compare)
	p.choose()
	for i := range p.clauses {
		c := p.clauses[i]
		c.rank = int32(i)
		patterns := c.found.patterns
		if patterns == nil {
			patterns, c.scoped = c.of.actions, true
		}
		if len(patterns) == 0 {
			patterns = []action.Pattern{"*"}
		}
		for n, pattern := range patterns {
			if !slices.Contains(patterns[:n], pattern) {
				p.index.add(string(pattern), c)
			}
		}
		p.uses.add(c)
	}
	p.index.settle()
	slices.Sort(p.uses.headers)
}

// choose settles by which of its keys each clause is found: the one that it
// shares with the fewest others.
func (p *policies) choose() {
	type met struct {
		field *field
		text  string
	}
	count := map[met]int{}
	for i := range p.clauses {
		for _, k := range p.clauses[i].found.keys {
			for _, s := range k.texts {
				count[met{k.field, s}]++
			}
		}
	}
	for i := range p.clauses {
		c := p.clauses[i]
		least := 0
		for n := range c.found.keys {
			k := &c.found.keys[n]
			sum := 0
			for _, s := range k.texts {
				sum += count[met{k.field, s}]
			}
			if c.found.key == nil || sum < least {
				c.found.key, least = k, sum
			}
		}
	}
}
