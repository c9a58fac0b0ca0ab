package cel

import (
	"cel.dev/cel-go/common/ast"
)

// span returns the first and the last token of e. The parser only keeps where
// the one token is that makes e what it is, so the rest is found from those of
// its parts and from the brackets around them.
func (t *translation) span(e ast.Expr) (first, last int) {
	first, last = -1, -1
	t.cover(e, &first, &last)
	if first < 0 {
		return 0, len(t.text.tokens) - 1
	}
	words := t.text.tokens
	if words[last].word == "." && last+1 < len(words) {
		last++
	}
	missing, open := 0, 0 // brackets that open before first, and that close after last
	for _, one := range words[first : last+1] {
		switch one.word {
		case "(", "[", "{":
			open++
		case ")", "]", "}":
			if open--; open < 0 {
				missing, open = missing+1, 0
			}
		}
	}
	for level := 0; missing > 0 && first > 0; {
		first--
		switch words[first].word {
		case ")", "]", "}":
			level++
		case "(", "[", "{":
			if level == 0 {
				missing--
			} else {
				level--
			}
		}
	}
	for open > 0 && last+1 < len(words) {
		last++
		switch words[last].word {
		case "(", "[", "{":
			open++
		case ")", "]", "}":
			open--
		}
	}
	if words[first].word == "(" && first > 0 && words[first-1].name() && words[first-1].word != "in" {
		first-- // the name of a function
	}
	return first, last
}

// cover widens first and last to the tokens of e and of its parts.
func (t *translation) cover(e ast.Expr, first, last *int) {
	if at, found := t.info.GetOffsetRange(e.ID()); found {
		i := t.text.find(int(at.Start))
		j := t.text.find(max(int(at.Stop)-1, int(at.Start)))
		// A sign belongs to its number.
		if w := t.text.tokens[i].word; e.Kind() == ast.LiteralKind && w == "-" && i+1 < len(t.text.tokens) {
			j = max(j, i+1)
		}
		if *first < 0 || i < *first {
			*first = i
		}
		*last = max(*last, j)
	}
	for _, part := range parts(e) {
		t.cover(part, first, last)
	}
}

// parts returns what e is made of.
func parts(e ast.Expr) []ast.Expr {
	switch e.Kind() {
	case ast.CallKind:
		c := e.AsCall()
		if c.IsMemberFunction() {
			return append([]ast.Expr{c.Target()}, c.Args()...)
		}
		return c.Args()
	case ast.SelectKind:
		return []ast.Expr{e.AsSelect().Operand()}
	case ast.ListKind:
		return e.AsList().Elements()
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		return []ast.Expr{c.IterRange(), c.LoopStep()}
	case ast.MapKind:
		var all []ast.Expr
		for _, entry := range e.AsMap().Entries() {
			all = append(all, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
		return all
	default:
		return nil
	}
}

// written returns e as it stands in the source.
func (t *translation) written(e ast.Expr) (offset int, source string) {
	first, last := t.span(e)
	start := t.text.tokens[first].start
	return start, string(t.text.runes[start:t.text.tokens[last].end])
}
