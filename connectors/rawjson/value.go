package rawjson

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
)

// Find returns what stands at path below data, in the words of package body.
// It differs from a Finder in two things: a list of scalars is a List also
// where path does not say body.Each, and a name that differs only in case from
// one on the path makes what is found body.Other, but nothing else.
func Find(data []byte, path []string) body.Value {
	for i, name := range path {
		switch First(data) {
		case 'n':
			return body.Value{Kind: body.Null}
		case '[':
			if name != body.Each {
				return body.Value{Kind: body.Other}
			}
			return list(data, path[i+1:])
		case '{':
			if name == body.Each {
				return body.Value{Kind: body.Other}
			}
		default:
			return body.Value{Kind: body.Other}
		}
		member, kind := member(data, name)
		if kind != body.String {
			return body.Value{Kind: kind}
		}
		data = member
	}
	return scalar(data)
}

// member finds a field: body.String says that it is there, and body.Other that
// one is whose name differs only in case, which some readers ignore.
func member(data []byte, name string) (value []byte, kind body.Kind) {
	for key, v := range Members(data) {
		switch {
		case key == name && kind == body.Absent:
			value, kind = v, body.String
		case strings.EqualFold(key, name):
			return nil, body.Other
		}
	}
	return value, kind
}

func scalar(data []byte) body.Value {
	switch c := First(data); c {
	case '"':
		return body.Value{Kind: body.String, Text: Text(data)}
	case 't', 'f':
		return body.Value{Kind: body.Bool, Text: strings.TrimSpace(string(data))}
	case 'n':
		return body.Value{Kind: body.Null}
	case '[':
		return list(data, nil)
	case '{', 0:
		return body.Value{Kind: body.Other}
	}
	return body.Value{Kind: body.Number, Text: strings.TrimSpace(string(data))}
}

func list(data []byte, path []string) body.Value {
	var l List
	for element := range Elements(data) {
		if First(element) == '[' && len(path) == 0 {
			return body.Value{Kind: body.Other}
		}
		l.Add(Find(element, path))
	}
	return l.Value()
}

// List puts the values of elements together. The zero List is empty.
type List struct {
	text  []string
	other bool
}

// Add adds an element. One that is not there is left out; one that is neither
// a scalar nor a list of such makes the whole a body.Other.
func (l *List) Add(v body.Value) {
	switch v.Kind {
	case body.Absent:
	case body.String, body.Number, body.Bool:
		l.text = append(l.text, v.Text)
	case body.List:
		l.text = append(l.text, v.List...)
	default:
		l.other = true
	}
}

// Value returns the list, or body.Other.
func (l *List) Value() body.Value {
	if l.other {
		return body.Value{Kind: body.Other}
	}
	return body.Value{Kind: body.List, List: l.text}
}
