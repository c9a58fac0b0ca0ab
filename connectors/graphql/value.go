package graphql

import (
	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/rawjson"
)

// value is a literal of a document, or JSON that stands in its place.
type value struct {
	kind   valueKind
	text   string     // of the token
	fields []argument // of an object, or without names of a list
	json   []byte     // of JSON, in place of text and fields
}

type valueKind uint8

const (
	aNull valueKind = iota
	aVariable
	aNumber
	aBool
	anEnum
	aString
	aBlock
	aList
	anObject
)

// value reads any value, and returns it if it is to be kept. Constant ones
// have no variables in them.
func (p *parser) value(keep, constant bool) (v value) {
	p.deeper()
	defer func() { p.depth-- }()
	v.text = p.text()
	switch p.tok.kind {
	case integer, float:
		v.kind = aNumber
	case quoted:
		v.kind = aString
	case block:
		v.kind = aBlock
	case name:
		switch v.text {
		case "null":
		case "true", "false":
			v.kind = aBool
		default:
			v.kind = anEnum
		}
	case '$':
		p.advance()
		if constant {
			p.unexpected()
		}
		return value{kind: aVariable, text: p.name()}
	case '[':
		p.advance()
		return value{kind: aList, fields: p.list(keep, constant)}
	case '{':
		p.advance()
		return value{kind: anObject, fields: p.object(keep, constant)}
	default:
		p.unexpected()
	}
	p.advance()
	return v
}

func (p *parser) list(keep, constant bool) (elements []argument) {
	for p.err == nil && !p.eat(']') {
		v := p.value(keep, constant)
		if keep {
			elements = append(elements, argument{"", v})
		}
	}
	return elements
}

func (p *parser) object(keep, constant bool) (fields []argument) {
	for p.err == nil && !p.eat('}') {
		name := p.name()
		p.expect(':')
		v := p.value(keep, constant)
		if keep {
			fields = append(fields, argument{name, v})
		}
	}
	return fields
}

// fromJSON looks no deeper than it must.
func fromJSON(data []byte) value {
	v := value{json: data}
	switch rawjson.First(data) {
	case 'n':
	case 't', 'f':
		v.kind = aBool
	case '"':
		v.kind = aString
	case '[':
		v.kind = aList
	case '{':
		v.kind = anObject
	default:
		v.kind = aNumber
	}
	return v
}

// scalar returns v, which is neither a variable nor made of others.
func (v value) scalar() body.Value {
	if v.json != nil {
		return rawjson.Find(v.json, nil)
	}
	switch v.kind {
	case aNumber:
		return body.Value{Kind: body.Number, Text: v.text}
	case aBool:
		return body.Value{Kind: body.Bool, Text: v.text}
	case anEnum:
		return body.Value{Kind: body.String, Text: v.text}
	case aString:
		return body.Value{Kind: body.String, Text: unquote(quoted, v.text)}
	case aBlock:
		return body.Value{Kind: body.String, Text: unquote(block, v.text)}
	case aNull:
		return body.Value{Kind: body.Null}
	default:
		return body.Value{Kind: body.Other}
	}
}

// parts calls yield with the elements of a list, or the fields of an object.
func (v value) parts(yield func(name string, part value)) {
	switch {
	case v.json == nil:
		for _, f := range v.fields {
			yield(f.name, f.value)
		}
	case v.kind == aList:
		for data := range rawjson.Elements(v.json) {
			yield("", fromJSON(data))
		}
	default:
		for name, data := range rawjson.Members(v.json) {
			yield(name, fromJSON(data))
		}
	}
}
