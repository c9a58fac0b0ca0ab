package policy

import (
	"fmt"
	"strings"
	"time"
)

const (
	maxNodes = 2000 // of a clause
	maxDepth = 64
	maxLoops = 4 // exists and its kin, one within the other
)

// compiler makes programs of conditions. What several of them have in common
// is made once.
type compiler struct {
	fields map[string]*field
	zones  map[string]*time.Location
	steps  int // of the regular expressions of a policy
	nodes  int // of a clause
	vars   []string
}

func newCompiler() *compiler {
	return &compiler{fields: map[string]*field{}, zones: map[string]*time.Location{}}
}

// misuse is what is wrong with an Expr, in a sentence, and where.
type misuse struct {
	line    int
	message string
}

func (m *misuse) Error() string { return m.message }

func (e *Expr) bad(format string, args ...any) error {
	return &misuse{e.Line, fmt.Sprintf(format, args...)}
}

// program compiles the condition of one clause.
func (c *compiler) program(e *Expr) (*node, error) {
	c.nodes, c.vars = 0, nil
	n, err := c.node(e, 1)
	return &n, err
}

func (c *compiler) node(e *Expr, depth int) (node, error) {
	if c.nodes++; c.nodes > maxNodes {
		return node{}, e.bad("A rule has at most %d conditions and parts of them. Make several rules.", maxNodes)
	}
	if depth > maxDepth {
		return node{}, e.bad("The condition is nested too deeply.")
	}
	set := 0
	for _, is := range [...]bool{e.Op != "", e.Field != "", e.Value != nil} {
		if is {
			set++
		}
	}
	switch {
	case set != 1, e.Op == "" && len(e.Args) > 0:
		return node{}, e.bad("A condition is an operator, a field or a value.")
	case e.Field != "":
		return c.fieldNode(e)
	case e.Value != nil:
		if bad := checkConst(e.Value, 0); bad != "" {
			return node{}, e.bad("%s", bad)
		}
		return node{code: theConst, c: &constant{value: e.Value.value()}, source: e}, nil
	}
	op, ok := operators[e.Op]
	if !ok {
		return node{}, e.bad("There is no operator %.40q.", e.Op)
	}
	if len(e.Args) < op.least || len(e.Args) > op.most {
		return node{}, e.bad("%s takes another number of things.", e.Op)
	}
	n := node{code: op.code, not: op.not, source: e}
	if op.code.yaml() {
		return c.yaml(e, n, op.takes)
	}
	return c.cel(e, n, op, depth)
}

// fieldNode is a field, or a variable of a loop around it.
func (c *compiler) fieldNode(e *Expr) (node, error) {
	if name, ok := strings.CutPrefix(e.Field, "$"); ok {
		for i := len(c.vars) - 1; i >= 0; i-- {
			if c.vars[i] == name {
				return node{code: theVar, slot: int8(i), source: e}, nil
			}
		}
		return node{}, e.bad("%.40s stands for nothing here.", name)
	}
	f, err := c.field(e)
	return node{code: theField, field: f, source: e}, err
}

func (c *compiler) field(e *Expr) (*field, error) {
	if f := c.fields[e.Field]; f != nil {
		return f, nil
	}
	f, ok := fieldNamed(e.Field)
	switch {
	case !ok:
		return nil, e.bad("There is no field %.60q.", e.Field)
	case f.part == onHeader && f.key != strings.ToLower(f.key):
		return nil, e.bad("A header is named in lower case: %.60s.", strings.ToLower(f.key))
	case f.part == onHeader && SecretHeader(f.key):
		return nil, e.bad("The header %.60s carries a credential, and no policy may look at it.", f.key)
	}
	c.fields[e.Field] = &f
	return &f, nil
}

// yaml compiles an operator whose Args are a field and a Const.
func (c *compiler) yaml(e *Expr, n node, takes taking) (node, error) {
	about := &e.Args[0]
	if about.Field == "" || about.Op != "" || about.Value != nil || strings.HasPrefix(about.Field, "$") {
		return node{}, e.bad("%s is about a field.", e.Op)
	}
	var err error
	if n.field, err = c.field(about); err != nil || takes == nothing {
		return n, err
	}
	with := &e.Args[1]
	if with.Value == nil || with.Op != "" || with.Field != "" {
		return node{}, e.bad("%s compares with a value.", e.Op)
	}
	var bad string
	if n.c, bad = c.constant(with.Value, takes); bad != "" {
		return node{}, e.bad("%s: %s", e.Op, bad)
	}
	return n, nil
}

// cel compiles an operator whose Args are expressions themselves.
func (c *compiler) cel(e *Expr, n node, op operator, depth int) (node, error) {
	args := e.Args
	switch {
	case op.fixed > 0:
		if args[op.fixed].Value == nil {
			return node{}, e.bad("What %s compares with has to stand there as a text.", e.Op)
		}
		var bad string
		if n.c, bad = c.constant(args[op.fixed].Value, op.takes); bad != "" {
			return node{}, e.bad("%s: %s", e.Op, bad)
		}
		args = args[:op.fixed]
	case op.code == timePart:
		var bad string
		if n.c, bad = c.clock(&args[1], &args[2]); bad != "" {
			return node{}, e.bad("%s", bad)
		}
		args = args[:1]
	case op.code == hasField:
		if of := &args[0]; of.Field == "" && of.Op != Index || strings.HasPrefix(of.Field, "$") {
			return node{}, e.bad("Only of a field can be asked whether it is there.")
		}
	}
	n.args = make([]node, 0, len(args))
	for i := range args {
		looped := i == 1 && loops(op.code)
		if looped {
			if e.Var == "" || len(c.vars) == maxLoops {
				return node{}, e.bad("Loops have a name for their element, and are at most %d deep.", maxLoops)
			}
			n.slot = int8(len(c.vars))
			c.vars = append(c.vars, e.Var)
		}
		arg, err := c.node(&args[i], depth+1)
		if err != nil {
			return node{}, err
		}
		if looped {
			c.vars = c.vars[:n.slot]
		}
		n.args = append(n.args, arg)
	}
	return n, nil
}

func loops(c code) bool {
	switch c {
	case exist, every, one, filter, mapOver:
		return true
	default:
		return false
	}
}

// clock reads which part of a time is asked for, and where.
func (c *compiler) clock(part, zone *Expr) (*constant, string) {
	if part.Value == nil || part.Value.Text == nil || zone.Value == nil || zone.Value.Text == nil {
		return nil, "The part of a time and the zone have to stand there as texts."
	}
	switch *part.Value.Text {
	case "hours", "minutes", "day_of_week", "day_of_month", "month", "year":
	default:
		return nil, "A time has no such part."
	}
	at, bad := c.zone(*zone.Value.Text)
	return &constant{part: *part.Value.Text, zone: at}, bad
}
