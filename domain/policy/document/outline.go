package document

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// outline is a document by its lines: where each key begins and ends, so that
// one can be changed and all others stay as they were written.
type outline struct {
	lines    []string
	root     ast.Node
	top      map[string]ast.Node
	clauses  []ast.Node
	comments map[int]string // what follows #, by line, with it
}

// span is some lines, the last of them left out; from 0.
type span struct{ from, to int }

// newOutline fails with fault.Invalid where there is no policy.
func newOutline(data []byte) (*outline, error) {
	r := &reading{}
	r.Problems.File = "policy"
	root, ok := r.tree(data, MaxSize)
	if !ok {
		return nil, r.Problems.Err()
	}
	o := &outline{
		lines: strings.Split(strings.TrimSuffix(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n"), "\n"),
		root:  root.Node, top: entry(root.Node), comments: map[int]string{},
	}
	if len(pairsOf(root.Node)) == 0 {
		return nil, fault.New(fault.Invalid, "This is not a policy: a document has keys such as name and rules.", nil)
	}
	if seq, ok := o.top["rules"].(*ast.SequenceNode); ok {
		o.clauses = seq.Values
	}
	for _, t := range lexer.Tokenize(string(data)) {
		if t.Type == token.CommentType && t.Position != nil {
			o.comments[t.Position.Line-1] = "#" + t.Value
		}
	}
	return o, nil
}

func pairsOf(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// block reports whether a mapping or a list has a line for each of its parts.
func block(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode:
		return !n.IsFlowStyle
	case *ast.SequenceNode:
		return !n.IsFlowStyle
	case *ast.MappingValueNode:
		return true
	}
	return false
}

func lineOf(n ast.Node) int { line, _ := place(yamldoc.Place{Node: n}); return line - 1 }

func columnOf(n ast.Node) int { _, column := place(yamldoc.Place{Node: n}); return column - 1 }

func setIn(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// end is where something ends that begins at from, set in by so much: before
// the next, or before the comments and empty lines that belong to that.
func (o *outline) end(from, in, next int) int {
	next = min(next, len(o.lines))
	for next > from+1 {
		line := o.lines[next-1]
		text := strings.TrimSpace(line)
		if text != "" && (text[0] != '#' || setIn(line) > in) {
			break
		}
		next--
	}
	return next
}

func (o *outline) has(line int) bool { return line >= 0 && line < len(o.lines) }

// key is the lines of a key of a block mapping that ends before the line end.
func (o *outline) key(n ast.Node, key string, end int) (s span, found bool) {
	pairs := pairsOf(n)
	i := slices.IndexFunc(pairs, func(p *ast.MappingValueNode) bool { return p.Key.GetToken().Value == key })
	if i < 0 || !block(n) {
		return s, false
	}
	s.from = lineOf(pairs[i].Key)
	next := end
	if i+1 < len(pairs) {
		next = lineOf(pairs[i+1].Key)
	}
	s.to = o.end(s.from, columnOf(pairs[i].Key), next)
	return s, o.has(s.from) && s.from < s.to
}

// items are the lines of each element of a block list that ends before the
// line end, and how far their dashes are set in.
func (o *outline) items(n ast.Node, end int) (spans []span, in int, ok bool) {
	seq, is := n.(*ast.SequenceNode)
	if !is || seq.IsFlowStyle || len(seq.Values) == 0 {
		return nil, 0, false
	}
	if !o.has(lineOf(seq.Values[0])) {
		return nil, 0, false
	}
	in = setIn(o.lines[lineOf(seq.Values[0])])
	for i, value := range seq.Values {
		from := lineOf(value)
		if !o.has(from) || !strings.HasPrefix(o.lines[from][min(in, len(o.lines[from])):], "-") {
			return nil, 0, false // its dash stands alone in a line
		}
		next := end
		if i+1 < len(seq.Values) {
			next = lineOf(seq.Values[i+1])
		}
		s := span{from, o.end(from, in, next)}
		if s.from >= s.to || i > 0 && s.from < spans[i-1].to {
			return nil, 0, false
		}
		spans = append(spans, s)
	}
	return spans, in, true
}

// rules are the lines of each rule.
func (o *outline) rules() (spans []span, in int, ok bool) {
	at, found := o.key(o.root, "rules", len(o.lines))
	if !found {
		return nil, 0, false
	}
	return o.items(o.top["rules"], at.to)
}

// source is how a key of a rule is written.
func (o *outline) source(i int, key string) string {
	spans, _, ok := o.rules()
	if !ok {
		return ""
	}
	at, found := o.key(o.clauses[i], key, spans[i].to)
	if !found {
		return ""
	}
	lines := slices.Clone(o.lines[at.from:at.to])
	in := columnOf(pairsOf(o.clauses[i])[0].Key)
	for j, line := range lines {
		lines[j] = line[min(in, len(line)):]
	}
	return strings.Join(lines, "\n")
}

// with is the document with other lines in the place of some.
func (o *outline) with(s span, lines ...string) []byte {
	all := slices.Concat(o.lines[:s.from], lines, o.lines[s.to:])
	return []byte(strings.Join(all, "\n") + "\n")
}

// kept are the comments in some lines, each as a line of its own.
func (o *outline) kept(s span, in int) (lines []string) {
	for i := s.from; i < s.to; i++ {
		if c := o.comments[i]; c != "" {
			lines = append(lines, strings.Repeat(" ", in)+c)
		}
	}
	return lines
}
