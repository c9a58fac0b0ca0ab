package document

import (
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/cel"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// cel reads an expression. What it says of places is said of those in the
// document.
func (r *reading) cel(p yamldoc.Place) *policy.Expr {
	source := r.Text(p)
	if source == "" {
		r.Bad(p, "a condition belongs here, such as params.amount > 100")
		return nil
	}
	if r.sources += len(source); r.sources > maxSources {
		r.Bad(p, "there is too much CEL in this document; make several of it")
		return nil
	}
	e, problems := cel.Parse(source)
	if len(problems) == 0 && e == nil {
		r.Bad(p, "this condition cannot be read")
		return nil
	}
	spots := r.text.spots(p, source)
	for _, one := range problems {
		at := spot{one.Line, one.Column}.in(source, spots)
		one.Line, one.Column, one.Path = at.line, at.column, p.Path
		r.Problems.All = append(r.Problems.All, one)
	}
	if len(problems) > 0 {
		return nil
	}
	walk(e, func(e *policy.Expr) {
		if e.Line == 0 {
			return
		}
		at := spot{e.Line, e.Column}.in(source, spots)
		e.Line, e.Column = at.line, at.column
		r.checkNamed(p, e)
	})
	return e
}

// walk visits e and all below it.
func walk(e *policy.Expr, visit func(*policy.Expr)) {
	visit(e)
	for i := range e.Args {
		walk(&e.Args[i], visit)
	}
}
