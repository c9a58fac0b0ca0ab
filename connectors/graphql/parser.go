package graphql

// parser reads tokens with one of them ahead. After a failure it is at the
// end, so that every loop ends.
type parser struct {
	lexer  lexer
	tok    token
	tokens int
	depth  int
	err    error
}

func (p *parser) advance() {
	if p.err != nil {
		return
	}
	if p.tokens++; p.tokens > maxTokens {
		p.fail("more than %d tokens", maxTokens)
		return
	}
	tok, ok := p.lexer.next()
	if !ok {
		p.fail("no token at %d", tok.start)
		return
	}
	p.tok = tok
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = unreadable(format, args...)
	}
	p.tok = token{}
}

func (p *parser) unexpected() { p.fail("what stands at %d", p.tok.start) }

func (p *parser) text() string { return p.lexer.src[p.tok.start:p.tok.end] }

func (p *parser) eat(kind byte) bool {
	if p.tok.kind != kind || p.err != nil {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(kind byte) {
	if !p.eat(kind) {
		p.unexpected()
	}
}

// word reports whether a name stands here, and which.
func (p *parser) word(w string) bool { return p.tok.kind == name && p.text() == w }

func (p *parser) name() string {
	if p.tok.kind != name {
		p.unexpected()
		return ""
	}
	text := p.text()
	p.advance()
	return text
}

func (p *parser) deeper() {
	if p.depth++; p.depth > maxDepth {
		p.fail("deeper than %d", maxDepth)
	}
}
