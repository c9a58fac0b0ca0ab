package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// digest tells what a clause says, and what about.
func (p *Policy) digest(clause int) string {
	c := p.Clauses[clause]
	c.Line = 0
	b, err := json.Marshal(struct {
		Scope  Scope
		Clause Clause
		If     string
	}{p.Scope, Clause{Name: c.Name, Effect: c.Effect, Reason: c.Reason, Risk: c.Risk, Hold: c.Hold, TTL: c.TTL, Approvers: c.Approvers}, c.If.said()})
	if err != nil {
		panic(fmt.Sprintf("policy: %v", err)) // texts and numbers
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// said is e without where it stands.
func (e *Expr) said() string {
	if e == nil {
		return ""
	}
	b, err := json.Marshal(e.bare())
	if err != nil {
		panic(fmt.Sprintf("policy: %v", err)) // as above; a float is never other than finite
	}
	return string(b)
}

func (e *Expr) bare() Expr {
	out := Expr{Op: e.Op, Field: e.Field, Value: e.Value, Var: e.Var}
	for i := range e.Args {
		out.Args = append(out.Args, e.Args[i].bare())
	}
	return out
}
