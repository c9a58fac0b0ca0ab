package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"
)

// digest tells what a clause says, and what about. It is of what they mean, and
// not of where and how they are written.
func (p *Policy) digest(clause int) string {
	var d digester
	d.b = make([]byte, 0, 256)
	for _, globs := range [...][]string{p.Scope.Gateways, p.Scope.Environments} {
		d.number(int64(len(globs)))
		for _, g := range globs {
			d.text(g)
		}
	}
	d.number(int64(len(p.Scope.Actions)))
	for _, a := range p.Scope.Actions {
		d.text(string(a))
	}
	c := &p.Clauses[clause]
	d.text(c.Name)
	d.number(int64(c.Effect))
	d.text(c.Reason)
	d.number(int64(c.Risk))
	d.flag(c.Hold != nil)
	if c.Hold != nil {
		d.number(int64(*c.Hold))
	}
	d.number(int64(c.TTL))
	d.text(c.Approvers.Role)
	d.number(int64(c.Approvers.Count))
	d.flag(c.If != nil)
	if c.If != nil {
		d.expr(c.If)
	}
	if c.Approvers.HasTerms() { // a clause without has the digest that it always had
		d.text(c.Approvers.Group)
		d.flag(c.Approvers.NotSelf)
		d.flag(c.Approvers.StepUp)
	}
	sum := sha256.Sum256(d.b)
	return hex.EncodeToString(sum[:6])
}

// digester writes things so that no two that differ are written alike.
type digester struct{ b []byte }

func (d *digester) number(n int64) { d.b = binary.AppendVarint(d.b, n) }

func (d *digester) text(s string) {
	d.number(int64(len(s)))
	d.b = append(d.b, s...)
}

func (d *digester) flag(is bool) {
	n := int64(0)
	if is {
		n = 1
	}
	d.number(n)
}

func (d *digester) expr(e *Expr) {
	d.text(string(e.Op))
	d.text(e.Field)
	d.text(e.Var)
	d.flag(e.Value != nil)
	if e.Value != nil {
		d.constant(e.Value)
	}
	d.number(int64(len(e.Args)))
	for i := range e.Args {
		d.expr(&e.Args[i])
	}
}

// constant writes the type first, as a letter.
func (d *digester) constant(c *Const) {
	switch {
	case c.Text != nil:
		d.text("s")
		d.text(*c.Text)
	case c.Int != nil:
		d.text("i")
		d.number(*c.Int)
	case c.Float != nil:
		d.text("f")
		d.number(int64(math.Float64bits(*c.Float)))
	case c.Bool != nil:
		d.text("b")
		d.flag(*c.Bool)
	case c.Time != nil:
		d.text("t")
		d.text(c.Time.UTC().Format(time.RFC3339Nano))
	case c.Duration != nil:
		d.text("d")
		d.number(int64(*c.Duration))
	case c.Window != nil:
		d.text("w")
		d.number(int64(len(c.Window.Days)))
		for _, day := range c.Window.Days {
			d.number(int64(day))
		}
		d.number(int64(c.Window.From))
		d.number(int64(c.Window.To))
		d.text(c.Window.Zone)
	default:
		d.text("l")
		d.number(int64(len(c.List)))
		for i := range c.List {
			d.constant(&c.List[i])
		}
	}
}
