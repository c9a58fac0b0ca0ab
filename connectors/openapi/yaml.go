package openapi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// What is left of YAML after shorten. It costs far more than JSON to read.
const (
	maxYAML  = 220 << 10
	maxDepth = 40
	maxKeys  = 4000
)

// fromYAML writes a YAML description as JSON.
func fromYAML(data []byte) ([]byte, error) {
	short := shorten(data)
	if len(short) > maxYAML {
		return nil, fault.New(fault.Invalid, "This description is too large to be read as YAML. Convert it to JSON: that can have 8 MB.", nil)
	}
	if n := bytes.Count(short, []byte("[")) + bytes.Count(short, []byte("{")); n > len(short)/8+1000 {
		return nil, fault.New(fault.Invalid, "This description is nested too deep.", nil)
	}
	root, problem := yamldoc.Tree(short, maxYAML, maxDepth, maxKeys)
	if problem != nil {
		where := ""
		if problem.Line > 0 && len(short) == len(data) {
			where = "Line " + strconv.Itoa(problem.Line) + ": "
		}
		return nil, fault.New(fault.Invalid, where+problem.Message, nil)
	}
	var b bytes.Buffer
	writeJSON(&b, root)
	return b.Bytes(), nil
}

// wordy are the keys whose values nothing is made of, and which are most of a
// description.
var wordy = map[string]bool{
	"description": true, "summary": true, "example": true, "examples": true, "responses": true, "externalDocs": true, "tags": true, "callbacks": true,
	"headers": true, "links": true, "discriminator": true, "xml": true, "pattern": true,
}

// shorten leaves out lines that belong to wordy keys: those that are indented
// more, and lists at the same depth. Where a service calls a parameter or a
// field of a body like one of them, that is left out with them.
func shorten(data []byte) []byte {
	out := make([]byte, 0, min(len(data), maxYAML+1))
	leave := -1 // the depth of the key whose lines are left out
	for line := range bytes.Lines(data) {
		body := bytes.TrimLeft(line, " ")
		depth := len(line) - len(body)
		if blank := len(bytes.TrimSpace(body)) == 0; blank || body[0] == '#' {
			continue
		}
		if leave >= 0 && (depth > leave || depth == leave && body[0] == '-') {
			continue
		}
		leave = -1
		key, _, ok := bytes.Cut(body, []byte(":"))
		if name := string(bytes.Trim(key, `"'`)); ok && (depth > 0 && wordy[name] || name == "tags" || strings.HasPrefix(name, "x-")) {
			leave = depth
			continue
		}
		if out = append(out, line...); len(out) > maxYAML {
			break
		}
	}
	return out
}

// writeJSON writes what a node stands for. Its depth is limited already.
func writeJSON(b *bytes.Buffer, node ast.Node) {
	switch n := node.(type) {
	case *ast.MappingNode:
		writeMapping(b, n.Values)
	case *ast.MappingValueNode:
		writeMapping(b, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		b.WriteByte('[')
		for i, v := range n.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, v)
		}
		b.WriteByte(']')
	case *ast.StringNode:
		writeText(b, n.Value)
	case *ast.LiteralNode:
		writeText(b, n.Value.Value)
	case *ast.BoolNode:
		b.WriteString(strconv.FormatBool(n.Value))
	case nil, *ast.NullNode:
		b.WriteString("null")
	default: // a number, of which the text is enough
		writeText(b, node.GetToken().Value)
	}
}

func writeMapping(b *bytes.Buffer, pairs []*ast.MappingValueNode) {
	b.WriteByte('{')
	for i, pair := range pairs {
		if i > 0 {
			b.WriteByte(',')
		}
		writeText(b, pair.Key.GetToken().Value)
		b.WriteByte(':')
		writeJSON(b, pair.Value)
	}
	b.WriteByte('}')
}

func writeText(b *bytes.Buffer, s string) {
	text, err := json.Marshal(s)
	if err != nil { // text always marshals
		text = []byte(`""`)
	}
	b.Write(text)
}
