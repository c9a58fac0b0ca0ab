package graphql

// document is what is needed of one to know its root fields. What is below
// them is checked and forgotten.
type document struct {
	operations []operation
	fragments  map[string]*fragment
}

type operation struct {
	kind       string
	name       string // or none
	variables  map[string]value
	selections []selection
}

type fragment struct {
	selections []selection
	state      state
}

// state is how far a fragment has been followed.
type state uint8

const (
	untouched state = iota
	open
	done
)

type selection struct {
	kind       selectionKind
	name       string // of the field or the fragment
	args       []argument
	selections []selection // of an inline fragment
}

type selectionKind uint8

const (
	aField selectionKind = iota
	inline
	spread
)

// argument is one of a field, or a field of an object.
type argument struct {
	name  string
	value value
}

// parse reads a whole document.
func parse(src string) (*document, error) {
	p := parser{lexer: lexer{src: src}}
	doc := &document{fragments: map[string]*fragment{}}
	p.advance()
	for p.tok.kind != end {
		if p.tok.kind == '{' {
			doc.operations = append(doc.operations, operation{kind: "query", selections: p.selections(true)})
			continue
		}
		switch word := p.name(); word {
		case "query", "mutation", "subscription":
			doc.operations = append(doc.operations, p.operation(word))
		case "fragment":
			name, f := p.fragment()
			if doc.fragments[name] != nil || len(doc.fragments) == maxFragments {
				p.fail("the fragment %q again, or one too many", name)
			}
			doc.fragments[name] = f
		default:
			p.unexpected()
		}
	}
	return doc, p.err
}

func (p *parser) operation(kind string) operation {
	op := operation{kind: kind}
	if p.tok.kind == name {
		op.name = p.name()
	}
	if p.eat('(') {
		op.variables = p.variables()
	}
	p.directives()
	op.selections = p.selections(true)
	return op
}

func (p *parser) variables() map[string]value {
	defaults := map[string]value{}
	declared := map[string]bool{}
	for first := true; first || !p.eat(')'); first = false {
		p.expect('$')
		name := p.name()
		p.expect(':')
		p.typed()
		if declared[name] {
			p.fail("the variable %q again", name)
		}
		declared[name] = true
		if p.eat('=') {
			defaults[name] = p.value(true, true)
		}
		p.directives()
		if p.err != nil {
			break
		}
	}
	return defaults
}

func (p *parser) typed() {
	p.deeper()
	if p.eat('[') {
		p.typed()
		p.expect(']')
	} else {
		p.name()
	}
	p.eat('!')
	p.depth--
}

func (p *parser) fragment() (string, *fragment) {
	if p.word("on") {
		p.unexpected()
	}
	name := p.name()
	p.on()
	p.directives()
	return name, &fragment{selections: p.selections(true)}
}

func (p *parser) on() {
	if !p.word("on") {
		p.unexpected()
	}
	p.advance()
	p.name()
}

// directives are checked only: @skip and @include may or may not leave a field
// out, and what may run counts.
func (p *parser) directives() {
	for p.eat('@') {
		p.name()
		p.arguments(false)
	}
}

// selections reads a set in braces, and returns it if it is to be kept.
func (p *parser) selections(keep bool) (all []selection) {
	p.deeper()
	p.expect('{')
	for first := true; p.err == nil && (first || !p.eat('}')); first = false {
		s := p.selection(keep)
		if keep {
			all = append(all, s)
		}
	}
	p.depth--
	return all
}

func (p *parser) selection(keep bool) (s selection) {
	if !p.eat(spreading) {
		return p.field(keep)
	}
	if p.tok.kind == name && !p.word("on") {
		s = selection{kind: spread, name: p.name()}
		p.directives()
		return s
	}
	if p.tok.kind == name {
		p.on()
	}
	p.directives()
	return selection{kind: inline, selections: p.selections(keep)}
}

func (p *parser) field(keep bool) (s selection) {
	s.name = p.name()
	if p.eat(':') {
		s.name = p.name()
	}
	s.args = p.arguments(keep)
	p.directives()
	if p.tok.kind == '{' {
		p.selections(false)
	}
	return s
}

func (p *parser) arguments(keep bool) (args []argument) {
	if !p.eat('(') {
		return nil
	}
	for first := true; p.err == nil && (first || !p.eat(')')); first = false {
		name := p.name()
		p.expect(':')
		v := p.value(keep, false)
		if keep {
			args = append(args, argument{name, v})
		}
	}
	return args
}
