// Package yamldoc reads YAML that people write, and says what is wrong with it
// by line, column and key, with the spelling that would be right. It reads no
// more of YAML than configurations need: no references, no tags.
package yamldoc

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Tree returns the tree of YAML with at most so many bytes, nested at most so
// deep, of mappings with at most so many keys; nil for an empty one. It has no
// anchors, aliases or tags. Nothing recursive happens before that is known.
func Tree(data []byte, size, depth, keys int) (_ ast.Node, problem *Problem) {
	defer func() {
		if recover() != nil { // the parser's, on what it did not expect
			problem = &Problem{Message: "This is not YAML that can be read."}
		}
	}()
	if len(data) > size {
		return nil, &Problem{Message: fmt.Sprintf("The file has %d bytes; it may have at most %d.", len(data), size)}
	}
	if !utf8.Valid(data) {
		return nil, &Problem{Message: "The file is not UTF-8 text."}
	}
	tokens := lexer.Tokenize(string(data))
	if problem := guard(tokens, depth, keys); problem != nil {
		return nil, problem
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if e, ok := errors.AsType[yaml.Error](err); ok {
		return nil, problemAt(e.GetToken(), "", "This is not YAML: "+e.GetMessage()+".")
	}
	if err != nil {
		return nil, &Problem{Message: "This is not YAML that can be read."}
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, problemAt(doc.Body.GetToken(), "", "There is a second document in the file; write one.")
		}
		body = doc.Body
	}
	return body, nil
}

func problemAt(t *token.Token, path, message string) *Problem {
	p := &Problem{Path: path, Message: message}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// guard refuses, before anything recursive happens, what a configuration has
// no use for: references, tags, and nesting or mappings beyond all measure.
func guard(tokens token.Tokens, maxDepth, maxKeys int) *Problem {
	type mapping struct{ column, keys int }
	var (
		flow   []int // keys of the mappings in braces or brackets that are open
		blocks []mapping
		line   struct{ number, dashes, values int }
	)
	for i, t := range tokens {
		if t.Position == nil {
			continue
		}
		if t.Position.Line != line.number {
			line.number, line.dashes, line.values = t.Position.Line, 0, 0
		}
		problem := ""
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			problem = "Anchors and aliases (&, * and <<) are not used here; write the value out, or put quotes around it."
		case token.TagType, token.DirectiveType:
			problem = "Tags and directives (! and %) are not used here; put quotes around text that begins so."
		case token.MappingKeyType:
			problem = "Keys are written as they are, without a question mark."
		case token.SequenceStartType, token.MappingStartType:
			flow = append(flow, 0)
		case token.SequenceEndType, token.MappingEndType:
			if len(flow) > 0 {
				flow = flow[:len(flow)-1]
			}
		case token.SequenceEntryType:
			for len(blocks) > 0 && blocks[len(blocks)-1].column > t.Position.Column {
				blocks = blocks[:len(blocks)-1]
			}
			line.dashes++
		case token.MappingValueType:
			if len(flow) > 0 {
				flow[len(flow)-1]++
				break
			}
			line.values++
			column := t.Position.Column
			if i > 0 && tokens[i-1].Position != nil {
				column = tokens[i-1].Position.Column
			}
			for len(blocks) > 0 && blocks[len(blocks)-1].column > column {
				blocks = blocks[:len(blocks)-1]
			}
			if n := len(blocks); n == 0 || blocks[n-1].column < column {
				blocks = append(blocks, mapping{column: column})
			}
			blocks[len(blocks)-1].keys++
		default:
		}
		switch {
		case problem != "":
		case line.values > 1:
			problem = "There are two keys in one line; put quotes around a text that has a colon in it."
		case len(flow)+len(blocks)+line.dashes > maxDepth:
			problem = "This is nested too deep."
		case len(flow) > 0 && flow[len(flow)-1] > maxKeys, len(blocks) > 0 && blocks[len(blocks)-1].keys > maxKeys:
			problem = "There are too many keys here."
		}
		if problem != "" {
			return problemAt(t, "", problem)
		}
	}
	return nil
}
