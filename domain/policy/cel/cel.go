// Package cel reads conditions written in CEL.
//
// Parsing and the check of types are cel-go's; what comes of it is the same
// tree as of conditions in YAML, so both are judged by one program. What the
// tree has no word for is refused here, with what to write instead.
package cel

import (
	"fmt"
	"unicode/utf8"

	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// What an expression may be.
const (
	maxSource   = 4 << 10 // bytes
	maxNesting  = 24      // of brackets, and of the tree
	maxNodes    = 500     // of the tree; a list of constants is one
	maxList     = 500     // elements that are written out
	maxLoops    = 2       // exists, all and their kin inside each other
	maxProblems = 20
)

// Parse reads an expression that is true or false. What is wrong with it comes
// as problems whose lines and columns are those of source, from 1; then there
// is no Expr.
func Parse(source string) (*policy.Expr, []yamldoc.Problem) {
	if len(source) > maxSource {
		return nil, []yamldoc.Problem{{Line: 1, Column: 1, Message: fmt.Sprintf("An expression has at most %d bytes; write several rules.", maxSource)}}
	}
	if !utf8.ValidString(source) {
		return nil, []yamldoc.Problem{{Line: 1, Column: 1, Message: "The expression is not UTF-8."}}
	}
	text := scan(source)
	if p := text.guard(); p != nil {
		return nil, []yamldoc.Problem{*p}
	}
	l, err := loaded()
	if err != nil {
		return nil, []yamldoc.Problem{{Line: 1, Column: 1, Message: "CEL cannot be read here: " + err.Error() + "."}}
	}
	input := common.NewTextSource(source)
	parsed, errs := l.parser.Parse(input)
	if found := errs.GetErrors(); len(found) > 0 {
		return nil, []yamldoc.Problem{text.syntax(found[0])}
	}
	t := &translation{text: text, info: parsed.SourceInfo()}
	tree := t.condition(parsed.Expr(), true)
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	t.measure(&tree)
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	// The check comes last, because it changes the tree that it looks at.
	checked, errs := checker.Check(parsed, input, l.env)
	t.types(checked, errs.GetErrors())
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return &tree, nil
}

// measure notes what is too large about what came out.
func (t *translation) measure(tree *policy.Expr) {
	nodes, depth := 0, 0
	var walk func(e *policy.Expr, level int)
	walk = func(e *policy.Expr, level int) {
		nodes++
		depth = max(depth, level)
		for i := range e.Args {
			walk(&e.Args[i], level+1)
		}
	}
	walk(tree, 1)
	switch {
	case nodes > maxNodes:
		t.problems = append(t.problems, yamldoc.Problem{Line: 1, Column: 1, Message: fmt.Sprintf("The expression has %d parts, and %d are the most; write several rules.", nodes, maxNodes)})
	case depth > maxNesting:
		t.problems = append(t.problems, yamldoc.Problem{Line: 1, Column: 1, Message: "The expression is nested too deep; write several rules."})
	}
}

// bad notes a problem at e.
func (t *translation) bad(e ast.Expr, format string, args ...any) {
	first, _ := t.span(e)
	t.badAt(t.text.start(first), format, args...)
}

func (t *translation) badAt(offset int, format string, args ...any) {
	if len(t.problems) < maxProblems {
		line, column := t.text.position(offset)
		t.problems = append(t.problems, yamldoc.Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
	}
}
