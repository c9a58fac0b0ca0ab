package document

import (
	"net/netip"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

const timeLayout = time.RFC3339

// value reads what a field is compared with, and notes what the operator is
// not for. It reports false where there is none.
func (r *reading) value(owner, p yamldoc.Place, f field, o operator) (c policy.Const, given bool) {
	if !r.suits(owner, f, o) {
		return c, false
	}
	if o.takes == nothing {
		if n, ok := p.Node.(*ast.BoolNode); p.There() && (!ok || !n.Value) {
			r.Bad(p, "%s has no value; leave it out", o.name)
		}
		return c, false
	}
	if !p.There() {
		r.Bad(owner, "value is missing")
		return c, false
	}
	switch o.takes {
	case oneValue:
		return r.scalar(p, f), true
	case several:
		return r.values(p, func(item yamldoc.Place) policy.Const { return r.scalar(item, f) }), true
	case aText:
		return r.plainText(p), true
	case globs:
		return r.oneOrMore(p, r.plainText), true
	case networks:
		return r.oneOrMore(p, r.network), true
	case aRegex:
		return r.regex(p), true
	case aNumber:
		return r.amount(p, f), true
	case twoNumbers:
		return r.range2(p, f), true
	case aWindow:
		return r.window(p), true
	case aSize:
		return r.size(p, o), true
	case nothing:
	}
	return c, false
}

// suits notes where a field can never be what the operator is for.
func (r *reading) suits(p yamldoc.Place, f field, o operator) bool {
	switch {
	case o.takes == nothing, o.op == policy.Equals, o.op == policy.NotEquals, o.op == policy.In, o.op == policy.NotIn:
		if f.typ == policy.Timestamp && o.takes != nothing {
			r.Bad(p, "%s is a moment; compare it with gte, lt, between or time_window", f.name)
			return false
		}
		return true
	case o.takes == aWindow:
		if f.typ != policy.Timestamp {
			r.Bad(p, "%s is for the field time", o.name)
			return false
		}
	case o.takes == aNumber || o.takes == twoNumbers:
		switch {
		case f.name == "risk":
			r.Bad(p, "risk is a word; compare risk_level, which is 1 for low, 2 for medium, 3 for high and 4 for critical")
			return false
		case f.typ != policy.Timestamp && !f.numeric():
			r.Bad(p, "%s is text, and %s is for numbers", f.name, o.name)
			return false
		}
	case f.typ != policy.Text && f.typ != policy.Dyn:
		r.Bad(p, "%s is for texts, and %s is none", o.name, f.name)
		return false
	}
	return true
}

// scalar reads a value of the type that f has.
func (r *reading) scalar(p yamldoc.Place, f field) policy.Const {
	switch n := p.Node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		switch f.typ {
		case policy.Truth:
			r.Bad(p, "%s is true or false", f.name)
		case policy.Whole:
			r.Bad(p, "%s is a number", f.name)
		case policy.Dyn, policy.Text, policy.Timestamp:
		}
		return r.plainText(p)
	case *ast.BoolNode:
		if f.typ != policy.Dyn && f.typ != policy.Truth {
			r.Bad(p, "%s is %s; put quotes around this if it is text", f.name, called(f.typ))
		}
		if text := n.GetToken().Value; text != "true" && text != "false" {
			r.Bad(p, "write true or false in lower case, or put quotes around text")
		}
		return truth(n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		c, ok := number(n)
		switch {
		case !ok:
			r.Bad(p, "write this number in plain digits, or put quotes around it if it is text")
		case f.typ == policy.Whole && c.Int == nil:
			r.Bad(p, "%s is a whole number", f.name)
		case f.typ == policy.Whole && (*c.Int < 1 || *c.Int > 4):
			r.Bad(p, "%s is 1 for low, 2 for medium, 3 for high or 4 for critical", f.name)
		case f.typ != policy.Dyn && f.typ != policy.Whole:
			r.Bad(p, "%s is %s; put quotes around this if it is text", f.name, called(f.typ))
		}
		return c
	}
	r.Bad(p, "one value belongs here: text, a number, true or false")
	return policy.Const{}
}

func called(t policy.FieldType) string {
	switch t {
	case policy.Truth:
		return "true or false"
	case policy.Whole:
		return "a whole number"
	case policy.Timestamp:
		return "a moment"
	case policy.Dyn, policy.Text:
	}
	return "text"
}

// plainText reads a text, which may be empty.
func (r *reading) plainText(p yamldoc.Place) policy.Const {
	s := r.Text(p)
	if len(s) > maxText {
		r.Bad(p, "a value has at most %d bytes", maxText)
	}
	return text1(s)
}

func (r *reading) values(p yamldoc.Place, read func(yamldoc.Place) policy.Const) policy.Const {
	c := policy.Const{IsList: true}
	n, ok := p.Node.(*ast.SequenceNode)
	switch {
	case !ok:
		r.Bad(p, "a list belongs here, such as [a, b]")
		return c
	case len(n.Values) == 0:
		r.Bad(p, "there is nothing in this list")
	case len(n.Values) > maxValues:
		r.Bad(p, "this list has %d values; it may have at most %d", len(n.Values), maxValues)
		return c
	}
	for _, item := range r.Items(p) {
		c.List = append(c.List, read(item))
	}
	return c
}

func (r *reading) oneOrMore(p yamldoc.Place, read func(yamldoc.Place) policy.Const) policy.Const {
	if _, several := p.Node.(*ast.SequenceNode); several {
		return r.values(p, read)
	}
	return read(p)
}

func (r *reading) network(p yamldoc.Place) policy.Const {
	c := r.plainText(p)
	if _, err := netip.ParsePrefix(*c.Text); err != nil {
		if _, err := netip.ParseAddr(*c.Text); err == nil {
			r.Bad(p, "say how large the network is: %s/32 is one IPv4 address, …/128 one IPv6 address", yamldoc.Shown(*c.Text))
		} else {
			r.Bad(p, "a network is written like 10.0.0.0/8 or 2001:db8::/32")
		}
	}
	return c
}
