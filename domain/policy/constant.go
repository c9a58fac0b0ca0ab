package policy

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// taking says what Const an operator takes.
type taking uint8

const (
	nothing taking = iota
	aScalar
	scalars
	aText
	aPattern
	someGlobs
	anOrder // a number or a time
	twoOrders
	networks
	aWindow
	aNumber
)

const (
	maxConsts   = 2000 // of a list
	maxText     = 8 << 10
	maxPattern  = 1000 // bytes
	maxSteps    = 1000 // of the program that a pattern becomes
	maxAllSteps = 100_000
	perSet      = 8 // more texts than that are looked up
)

// constant makes c ready for an operator, or says what is wrong with it.
func (c *compiler) constant(from *Const, t taking) (*constant, string) {
	if bad := checkConst(from, 0); bad != "" {
		return nil, bad
	}
	switch t {
	case aPattern:
		return c.pattern(from)
	case someGlobs, networks:
		return globsOrNetworks(from, t)
	case aWindow:
		if from.Window == nil {
			return nil, "A window is needed here."
		}
		hours, bad := c.hours(from.Window)
		return &constant{hours: hours}, bad
	case scalars, twoOrders:
		return listed(from, t)
	case nothing:
		return nil, "Nothing is compared with here."
	default:
		if bad := t.refuses(from); bad != "" {
			return nil, bad
		}
		return &constant{value: from.value()}, ""
	}
}

// refuses says what is wrong with one Const, "" for nothing.
func (t taking) refuses(c *Const) string {
	number, scalar := c.Int != nil || c.Float != nil, c.Text != nil || c.Bool != nil
	switch t {
	case aScalar, scalars:
		if !number && !scalar && c.Time == nil {
			return "A text, a number, a time, true or false is needed here."
		}
	case aText:
		if c.Text == nil {
			return "A text is needed here."
		}
	case anOrder, twoOrders:
		if !number && c.Time == nil {
			return "A number or a time is needed here."
		}
	case aNumber:
		if !number {
			return "A number is needed here."
		}
	default:
		return "That cannot be compared with."
	}
	return ""
}

// checkConst says what is wrong with how a Const is made.
func checkConst(c *Const, depth int) string {
	set := 0
	for _, is := range [...]bool{c.Text != nil, c.Int != nil, c.Float != nil, c.Bool != nil, c.Time != nil, c.Duration != nil, c.IsList || c.List != nil, c.Window != nil} {
		if is {
			set++
		}
	}
	switch {
	case set != 1:
		return "A value is of exactly one type."
	case c.Float != nil && (math.IsNaN(*c.Float) || math.IsInf(*c.Float, 0)):
		return "A number is neither infinite nor none."
	case c.Text != nil && len(*c.Text) > maxText:
		return fmt.Sprintf("A text has at most %d bytes.", maxText)
	case c.Text != nil && !utf8.ValidString(*c.Text):
		return "A text is UTF-8."
	case c.Time != nil && !common(*c.Time):
		return "A time is in one of the years 1 to 9999."
	case len(c.List) > maxConsts:
		return fmt.Sprintf("A list has at most %d values.", maxConsts)
	case depth > 1 && (c.IsList || c.List != nil):
		return "There are no lists of lists of lists."
	}
	for i := range c.List {
		if bad := checkConst(&c.List[i], depth+1); bad != "" {
			return bad
		}
	}
	return ""
}

// value is c as a part of an expression. It is unknown for a Window.
func (c *Const) value() value {
	switch {
	case c.Text != nil:
		return textValue(*c.Text)
	case c.Int != nil:
		return wholeValue(*c.Int)
	case c.Float != nil:
		return doubleValue(*c.Float)
	case c.Bool != nil:
		return truthValue(*c.Bool)
	case c.Time != nil:
		return momentValue(*c.Time)
	case c.Duration != nil:
		return durationValue(*c.Duration)
	case c.Window != nil:
		return value{}
	}
	made := make([]value, 0, len(c.List))
	for i := range c.List {
		made = append(made, c.List[i].value())
	}
	return value{kind: list, ref: made}
}

func listed(from *Const, t taking) (*constant, string) {
	if !from.IsList && from.List == nil {
		return nil, "A list is needed here."
	}
	out := &constant{}
	for i := range from.List {
		if bad := t.refuses(&from.List[i]); bad != "" {
			return nil, bad
		}
		out.many = append(out.many, from.List[i].value())
	}
	if t == twoOrders {
		if len(out.many) != 2 || (out.many[0].kind == moment) != (out.many[1].kind == moment) {
			return nil, "Two numbers, or two times, are needed here."
		}
		return out, ""
	}
	out.index()
	return out, ""
}

// index makes a set of the texts of many, if they are many.
func (c *constant) index() {
	if len(c.many) <= perSet {
		return
	}
	c.texts = make(map[string]struct{}, len(c.many))
	for _, v := range c.many {
		if v.kind == text {
			c.texts[v.text] = struct{}{}
		} else {
			c.others = append(c.others, v)
		}
	}
}

func globsOrNetworks(from *Const, t taking) (*constant, string) {
	all := from.List
	if from.Text != nil {
		all = []Const{*from}
	}
	out := &constant{}
	if len(all) == 0 {
		return nil, "A text or a list of texts is needed here."
	}
	for i := range all {
		if all[i].Text == nil {
			return nil, "A text or a list of texts is needed here."
		}
		if t == someGlobs {
			out.globs = append(out.globs, compileGlob(*all[i].Text))
			continue
		}
		net, ok := network(*all[i].Text)
		if !ok {
			return nil, "A network is written like 10.0.0.0/8 or 2001:db8::/32."
		}
		out.nets = append(out.nets, net)
	}
	return out, ""
}

// network reads a network, or one address as the network of only that one.
func network(s string) (netip.Prefix, bool) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	net, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if ip := net.Addr(); ip.Is4In6() && net.Bits() >= 96 {
		net = netip.PrefixFrom(ip.Unmap(), net.Bits()-96)
	}
	return net.Masked(), true
}

// pattern compiles a regular expression. RE2 has none that runs away, but some
// that become very large programs.
func (c *compiler) pattern(from *Const) (*constant, string) {
	if from.Text == nil {
		return nil, "A regular expression is a text."
	}
	if len(*from.Text) > maxPattern {
		return nil, fmt.Sprintf("A regular expression has at most %d bytes.", maxPattern)
	}
	tree, err := syntax.Parse(*from.Text, syntax.Perl)
	if err != nil {
		return nil, "The regular expression cannot be read: " + err.Error() + "."
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, "The regular expression cannot be read: " + err.Error() + "."
	}
	steps := len(program.Inst)
	if c.steps += steps; steps > maxSteps || c.steps > maxAllSteps {
		return nil, "The regular expressions are too large. Repeat less in them."
	}
	re, err := regexp.Compile(*from.Text)
	if err != nil {
		return nil, "The regular expression cannot be read: " + err.Error() + "."
	}
	return &constant{re: re, weight: int64(1 + steps/8)}, ""
}
