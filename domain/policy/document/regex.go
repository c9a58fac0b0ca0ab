package document

import (
	"errors"
	"regexp/syntax"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// What regular expressions may weigh: about as many steps as their programs
// have, one by one and all of a document.
const (
	maxWeight      = 1_000
	maxWholeWeight = 100_000
)

func (r *reading) regex(p yamldoc.Place) policy.Const {
	had := len(r.Problems.All)
	c := r.plainText(p)
	if len(r.Problems.All) > had || r.weight > maxWholeWeight {
		return c
	}
	re, err := syntax.Parse(*c.Text, syntax.Perl)
	if err != nil {
		what := "it cannot be read"
		if e, ok := errors.AsType[*syntax.Error](err); ok {
			what = e.Code.String() + " " + quoted(yamldoc.Shown(e.Expr))
		}
		r.Bad(p, "this is not a regular expression: %s", what)
		return c
	}
	w := weight(re)
	if r.weight += w; w > maxWeight || r.weight > maxWholeWeight {
		r.Bad(p, "this regular expression repeats too much; use smaller numbers in braces")
	}
	return c
}

// weight estimates how large the program of re is, without making it.
func weight(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	if re.Op == syntax.OpCharClass { // one step, with a table to look into
		n = 1 + len(re.Rune)/100
	}
	for _, sub := range re.Sub {
		n = min(n+weight(sub), 1<<20)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min, re.Max, 1)
	}
	return min(n, 1<<20)
}
