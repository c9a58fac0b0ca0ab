package document

import (
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/tameflare/tameflare/domain/yamldoc"
)

// text is a document as it was written.
type text struct {
	all   string
	lines []int // where each begins
}

func newText(data []byte) text {
	t := text{all: string(data), lines: []int{0}}
	for i, c := range data {
		if c == '\n' || c == '\r' && !(i+1 < len(data) && data[i+1] == '\n') {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// from is what is written from a place on.
func (t text) from(s spot) cursor {
	c := cursor{spot: s}
	if s.line < 1 || s.line > len(t.lines) {
		return c
	}
	c.rest = t.all[t.lines[s.line-1]:]
	for range s.column - 1 {
		_, n := utf8.DecodeRuneInString(c.rest)
		c.rest = c.rest[n:]
	}
	return c
}

// place is where a value stands; of a mapping, its first key.
func place(p yamldoc.Place) (line, column int) {
	var t *token.Token
	switch n := p.Node.(type) {
	case nil:
		return 0, 0
	case *ast.MappingNode:
		t = n.GetToken()
		if !n.IsFlowStyle && len(n.Values) > 0 {
			t = n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		t = n.Key.GetToken()
	case *ast.LiteralNode:
		t = n.Start
	default:
		t = n.GetToken()
	}
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

// spot is a place in a document, in lines and characters from 1.
type spot struct{ line, column int }

// spots says where each character of a value is written, and one past the
// last. A text may be in quotes, or spread over several lines.
func (t text) spots(p yamldoc.Place, value string) []spot {
	line, column := place(p)
	at := t.from(spot{line, column})
	quote := at.next()
	switch quote {
	case '"', '\'':
		at.advance()
	case '|', '>':
		at, quote = t.from(spot{line + 1, 1}), 0
	default:
		quote = 0
	}
	spots := make([]spot, 0, len(value)+1)
	for _, c := range value {
		at.blank(c)
		spots = append(spots, at.spot)
		at.take(c, quote)
	}
	return append(spots, at.spot)
}

// in turns a place within value, from 1, into one in the document.
func (s spot) in(value string, spots []spot) spot {
	line, column := 1, 1
	i := 0
	for _, c := range value {
		if line == s.line && column >= s.column || line > s.line {
			break
		}
		if i++; c == '\n' {
			line, column = line+1, 1
			continue
		}
		column++
	}
	return spots[min(i, len(spots)-1)]
}

// cursor goes through a text as it was written.
type cursor struct {
	rest string
	spot
}

// next is the character here; 0 at the end.
func (c *cursor) next() rune {
	if c.rest == "" {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(c.rest)
	return r
}

func (c *cursor) advance() {
	if c.rest == "" {
		return
	}
	r, n := utf8.DecodeRuneInString(c.rest)
	c.rest = c.rest[n:]
	c.column++
	if r == '\n' {
		c.line, c.column = c.line+1, 1
	}
}

func blank(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }

// blank passes over how a value is broken into lines and set in, up to want.
func (c *cursor) blank(want rune) {
	for !blank(want) && blank(c.next()) {
		c.advance()
	}
}

// take passes over one character of the value.
func (c *cursor) take(want, quote rune) {
	switch have := c.next(); {
	case blank(want):
		if blank(have) {
			c.advance()
		}
	case quote == '"' && have == '\\':
		c.advance()
		for range 1 + map[rune]int{'x': 2, 'u': 4, 'U': 8}[c.next()] {
			c.advance()
		}
	case quote == '\'' && have == '\'':
		c.advance()
		c.advance()
	case have == want:
		c.advance()
	}
}
