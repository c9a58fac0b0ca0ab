package document

import (
	"regexp/syntax"
	"strings"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// older is a field that documents of before have and that is no longer one of
// its own.
type older uint8

const (
	today older = iota
	branchName
	destructive
	irreversible
	production
	financial
)

var hints = map[string]older{
	"is_destructive": destructive, "irreversible": irreversible, "production_target": production, "financial_impact": financial,
}

var renamed = map[string]string{
	"type": "action", "resource.provider": "service", "resource.organization": "owner", "resource.account": "owner",
	"resource.repository": "repository", "resource.target": "resource", "resource.environment": "environment",
}

// olderField reads the path of a field in an action document of before:
// action_spec.parameters.amount, or parameters.amount.
func olderField(name string) (field, bool) {
	rest, whole := strings.CutPrefix(name, "action_spec.")
	if hint, ok := strings.CutPrefix(rest, "risk_hints."); ok {
		if old := hints[hint]; old != today {
			return field{name: name, typ: policy.Truth, old: old}, true
		}
		return field{}, false
	}
	if param, ok := strings.CutPrefix(rest, "parameters."); ok && param != "" {
		if param == "branch_name" {
			return field{name: name, typ: policy.Text, old: branchName}, true
		}
		return field{name: "params." + param}, true
	}
	if now, ok := renamed[rest]; ok && (whole || rest != "type") {
		return field{name: now, typ: policy.Text}, true
	}
	return field{}, false
}

// truth makes a condition on one of the risk hints. How is whether it has to
// be so.
func (f field) truth(how bool) policy.Expr {
	var e policy.Expr
	switch f.old {
	case destructive:
		e = leaf("class", policy.In, texts("delete", "admin"))
	case irreversible:
		return leaf("reversible", policy.Equals, truth(!how))
	case production:
		e = leaf("environment", policy.In, texts("production", "prod"))
	case financial:
		e = policy.Expr{Op: policy.All, Args: []policy.Expr{
			leaf("service", policy.Equals, text1("stripe")), leaf("class", policy.NotEquals, text1("read")),
		}}
	case today, branchName:
	}
	if how {
		return e
	}
	return policy.Expr{Op: policy.Not, Args: []policy.Expr{e}}
}

// branches are the parameters that name the branch on which something lands.
var branches = []string{"params.branch_name", "params.branch", "params.base", "params.ref", "params.refs"}

// landing are the actions by which something lands on a branch, and whose
// requests need not show on which. A push is none of them: it shows its refs,
// and without any it only asks whether it may.
var landing = []string{"*.merge", "*.branch.*", "*.branch_protection.*", "github.file.*"}

// branch makes a condition on the branch of older documents. Requests show it
// under one of several names, with refs/heads/ or without; and where one lands
// on a branch and shows none of them, it is unclear and not passed over. Op is
// one that holds where the value fits.
func branch(op policy.Op, value policy.Const) policy.Expr {
	either := policy.Expr{Op: policy.Any}
	hidden := policy.Expr{Op: policy.All, Args: []policy.Expr{
		leaf("action", policy.Glob, texts(landing...)), leaf("class", policy.NotEquals, text1("read")),
	}}
	for _, name := range branches {
		if op == policy.Exists {
			either.Args = append(either.Args, policy.Expr{Op: policy.Exists, Args: []policy.Expr{{Field: name}}, Text: name + " exists"})
		} else {
			either.Args = append(either.Args, leaf(name, op, value))
			for _, prefix := range []string{"refs/heads/", "heads/"} {
				if long, ok := asRef(op, value, prefix); ok && strings.HasPrefix(name, "params.ref") {
					either.Args = append(either.Args, leaf(name, op, long))
				}
			}
		}
		hidden.Args = append(hidden.Args, policy.Expr{Op: policy.NotExists, Args: []policy.Expr{{Field: name}}, Text: name + " not_exists"})
	}
	// CEL's == is unclear about what is not there.
	const sought = "params.branch_name"
	unseen := policy.Expr{Op: policy.Eq, Args: []policy.Expr{{Field: sought}, {Value: &policy.Const{Text: new(string)}}}, Text: "the request shows the branch"}
	hidden.Args = append(hidden.Args, unseen)
	either.Args = append(either.Args, hidden)
	return either
}

// asRef is the value for a branch that is written with a prefix.
func asRef(op policy.Op, value policy.Const, prefix string) (policy.Const, bool) {
	switch op {
	case policy.Equals, policy.StartsWith:
		return text1(prefix + *value.Text), !strings.HasPrefix(*value.Text, prefix)
	case policy.In:
		return prefixed(value, prefix), true
	case policy.Glob:
		if value.IsList {
			return prefixed(value, prefix), true
		}
		return text1(prefix + *value.Text), true
	case policy.Matches:
		re, err := syntax.Parse(*value.Text, syntax.Perl)
		if err != nil {
			return value, false
		}
		return text1(after(re, prefix).String()), true
	default:
		return value, false
	}
}

func prefixed(list policy.Const, prefix string) policy.Const {
	out := policy.Const{IsList: true}
	for _, one := range list.List {
		out.List = append(out.List, text1(prefix+*one.Text))
	}
	return out
}

// after is re for a text with a prefix: what re wants at the begin comes after that.
func after(re *syntax.Regexp, prefix string) *syntax.Regexp {
	if re.Op == syntax.OpBeginText {
		return &syntax.Regexp{Op: syntax.OpConcat, Sub: []*syntax.Regexp{re, {Op: syntax.OpLiteral, Rune: []rune(prefix)}}}
	}
	for i, sub := range re.Sub {
		re.Sub[i] = after(sub, prefix)
	}
	return re
}

// older makes the condition that an older document means.
func (r *reading) older(p yamldoc.Place, f field, o operator, value policy.Const, given bool) (policy.Expr, bool) {
	var e policy.Expr
	negated := o.not
	switch {
	case f.old != branchName:
		switch {
		case o.op == policy.Equals && value.Bool != nil:
			e = f.truth(*value.Bool)
		case o.op == policy.NotEquals && value.Bool != nil:
			e = f.truth(!*value.Bool)
		case o.op == policy.Exists && !given:
			e = policy.Expr{Op: policy.All}
		default:
			r.Bad(p, "%s is true or false; compare it with equals", f.name)
			return e, false
		}
	default:
		op, not, ok := positive(o.op)
		if !ok {
			r.Bad(p, "%s cannot be asked about the branch; use equals, in, starts_with, ends_with, contains, glob or matches", o.name)
			return e, false
		}
		negated = negated != not
		e = branch(op, value)
	}
	if negated {
		e = policy.Expr{Op: policy.Not, Args: []policy.Expr{e}}
	}
	return e, true
}

// positive splits an operator of the branch into one that holds where a value
// fits, and whether that is turned round.
func positive(op policy.Op) (_ policy.Op, not, ok bool) {
	switch op {
	case policy.NotEquals:
		return policy.Equals, true, true
	case policy.NotIn:
		return policy.In, true, true
	case policy.NotMatches:
		return policy.Matches, true, true
	case policy.NotGlob:
		return policy.Glob, true, true
	case policy.NotContains:
		return policy.Contains, true, true
	case policy.NotExists:
		return policy.Exists, true, true
	case policy.Equals, policy.In, policy.StartsWith, policy.EndsWith, policy.Contains, policy.Glob, policy.Matches, policy.Exists:
		return op, false, true
	default:
		return op, false, false
	}
}
