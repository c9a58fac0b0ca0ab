package policy_test

import (
	"time"

	"github.com/tameflare/tameflare/domain/policy"
)

// What conditions are made of, in few words.

func everyOf(args ...policy.Expr) *policy.Expr { return &policy.Expr{Op: policy.All, Args: args} }

func fieldIs(field string, value any) policy.Expr {
	return fieldHas(policy.Equals, field, constFrom(value))
}

func fieldHas(op policy.Op, field string, c policy.Const) policy.Expr {
	return policy.Expr{Op: op, Args: []policy.Expr{{Field: field}, {Value: &c}}}
}

func constText(s string) policy.Const { return policy.Const{Text: &s} }

func constWhole(n int64) policy.Const { return policy.Const{Int: &n} }

func constTexts(all ...string) policy.Const {
	c := policy.Const{IsList: true}
	for _, s := range all {
		c.List = append(c.List, constText(s))
	}
	return c
}

func constFrom(x any) policy.Const {
	switch x := x.(type) {
	case string:
		return constText(x)
	case int:
		return constWhole(int64(x))
	case float64:
		return policy.Const{Float: &x}
	case bool:
		return policy.Const{Bool: &x}
	case time.Time:
		return policy.Const{Time: &x}
	case []string:
		return constTexts(x...)
	}
	panic("no such constant")
}
