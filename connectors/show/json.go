package show

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

type nodeKind uint8

const (
	null nodeKind = iota
	object
	list
	text
	number
	boolean
)

// node is a value of JSON, or of a form, with everything in its place: keys in
// the order in which they are there, and as often.
type node struct {
	kind   nodeKind
	text   string // of a text; a number, true or false as it is written
	fields []field
	items  []*node
	cut    bool // the data ends in it
	shown  bool // it has a part of its own
	isForm bool // a form, whose names have their brackets in them
}

type field struct {
	name  string
	value *node
}

// get returns the first value called by one of the names, or nil.
func (n *node) get(names ...string) *node {
	if n == nil {
		return nil
	}
	for _, name := range names {
		for _, f := range n.fields {
			if f.name == name {
				return f.value
			}
		}
	}
	return nil
}

// take returns the text called by one of the names, and counts it as shown. It
// is empty where there is none, or something else.
func (n *node) take(names ...string) string {
	v := n.get(names...)
	if v == nil || v.shown || v.kind == object || v.kind == list || v.kind == null {
		return ""
	}
	v.shown = true
	return v.text
}

// walk calls each for every value in n that is no object or list, under the
// path that leads to it, but for those that have been shown.
func (n *node) walk(path string, each func(path string, n *node)) {
	if n == nil || n.shown {
		return
	}
	switch {
	case n.kind == object && len(n.fields) > 0:
		for _, f := range n.fields {
			name := f.name
			if path != "" {
				name = path + "." + name
			}
			f.value.walk(name, each)
		}
	case n.kind == list && len(n.items) > 0:
		for i, item := range n.items {
			item.walk(path+"["+strconv.Itoa(i)+"]", each)
		}
	default:
		each(path, n)
	}
}

const (
	maxDepth = 64
	maxNodes = 20000
)

// parse reads JSON. Of JSON that is not whole it reads what there is.
func parse(data []byte, whole bool) (*node, error) {
	p := &parser{data: data, whole: whole}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(data) && !n.cut {
		return nil, errors.New("there is something after its end")
	}
	return n, nil
}

type parser struct {
	data  []byte
	at    int
	whole bool
	nodes int
}

func (p *parser) space() {
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n", p.data[p.at]) >= 0 {
		p.at++
	}
}

// end is the error of data that ends too soon, where that is one.
func (p *parser) end() error {
	if p.whole {
		return errors.New("it ends in the middle")
	}
	return nil
}

func (p *parser) wrong() error {
	if p.at >= len(p.data) {
		return errors.New("it ends in the middle")
	}
	return fmt.Errorf("byte %d does not belong there", p.at+1)
}

func (p *parser) value(depth int) (*node, error) {
	p.space()
	if depth > maxDepth {
		return nil, errors.New("it nests too deep")
	}
	if p.nodes++; p.nodes > maxNodes {
		return nil, errors.New("it has more values than anybody reads")
	}
	if p.at >= len(p.data) {
		return &node{cut: true}, p.end()
	}
	switch c := p.data[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case c == '"':
		s, cut, err := p.string()
		return &node{kind: text, text: s, cut: cut}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		rest := p.data[p.at:]
		if strings.HasPrefix(string(rest[:min(len(rest), 5)]), word) {
			p.at += len(word)
			if word == "null" {
				return &node{text: word}, nil
			}
			return &node{kind: boolean, text: word}, nil
		}
		if !p.whole && strings.HasPrefix(word, string(rest)) {
			p.at = len(p.data)
			return &node{cut: true}, nil
		}
	}
	return nil, p.wrong()
}

func (p *parser) number() (*node, error) {
	start := p.at
	for p.at < len(p.data) && strings.IndexByte("+-.eE0123456789", p.data[p.at]) >= 0 {
		p.at++
	}
	n := &node{kind: number, text: string(p.data[start:p.at])}
	if p.at == len(p.data) && !p.whole {
		n.cut = true
		return n, nil
	}
	digits := strings.TrimPrefix(n.text, "-")
	if _, err := strconv.ParseFloat(n.text, 64); err != nil && !errors.Is(err, strconv.ErrRange) || digits == "" ||
		digits[0] < '0' || digits[0] > '9' || len(digits) > 1 && digits[0] == '0' && '0' <= digits[1] && digits[1] <= '9' {
		return nil, fmt.Errorf("byte %d does not begin a number", start+1)
	}
	return n, nil
}

func (p *parser) list(depth int) (*node, error) {
	n := &node{kind: list}
	p.at++
	for first := true; ; first = false {
		p.space()
		switch {
		case p.at >= len(p.data):
			n.cut = true
			return n, p.end()
		case p.data[p.at] == ']' && (first || len(n.items) == 0):
			p.at++
			return n, nil
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
		if item.cut {
			n.cut = true
			return n, nil
		}
		if more, err := p.more(']'); err != nil || !more {
			n.cut = err == nil && p.at > len(p.data)
			return n, err
		}
	}
}

func (p *parser) object(depth int) (*node, error) {
	n := &node{kind: object}
	p.at++
	for {
		p.space()
		switch {
		case p.at >= len(p.data):
			n.cut = true
			return n, p.end()
		case p.data[p.at] == '}' && len(n.fields) == 0:
			p.at++
			return n, nil
		case p.data[p.at] != '"':
			return nil, p.wrong()
		}
		name, cut, err := p.string()
		if err != nil {
			return nil, err
		}
		p.space()
		if cut || p.at >= len(p.data) {
			n.fields, n.cut = append(n.fields, field{name, &node{cut: true}}), true
			return n, p.end()
		}
		if p.data[p.at] != ':' {
			return nil, p.wrong()
		}
		p.at++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.fields = append(n.fields, field{name, v})
		if v.cut {
			n.cut = true
			return n, nil
		}
		if more, err := p.more('}'); err != nil || !more {
			n.cut = err == nil && p.at > len(p.data)
			return n, err
		}
	}
}

// more goes past a comma, or past what closes. Past the end of data that is
// not whole it says that there is no more, and stands beyond it.
func (p *parser) more(closing byte) (bool, error) {
	p.space()
	switch {
	case p.at >= len(p.data):
		p.at = len(p.data) + 1
		return false, p.end()
	case p.data[p.at] == ',':
		p.at++
		p.space()
		if p.at < len(p.data) && p.data[p.at] == closing {
			return false, p.wrong()
		}
		return true, nil
	case p.data[p.at] == closing:
		p.at++
		return false, nil
	}
	return false, p.wrong()
}

// string reads a string, or its beginning where the data ends in it.
func (p *parser) string() (s string, cut bool, err error) {
	p.at++
	var b strings.Builder
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			p.at++
			return b.String(), false, nil
		case c < ' ':
			return "", false, p.wrong()
		case c == '\\':
			if !p.escape(&b) {
				if p.whole || p.at+12 < len(p.data) {
					return "", false, p.wrong()
				}
				p.at = len(p.data)
				return b.String(), true, nil
			}
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return b.String(), true, p.end()
}

const escapes = "\"\\/bfnrt"

func (p *parser) escape(b *strings.Builder) bool {
	rest := p.data[p.at:]
	if len(rest) < 2 {
		return false
	}
	if i := strings.IndexByte(escapes, rest[1]); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		p.at += 2
		return true
	}
	r, ok := hex4(rest)
	if !ok {
		return false
	}
	p.at += 6
	if utf16.IsSurrogate(r) {
		low, ok := hex4(p.data[p.at:])
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			p.at, r = p.at+6, pair
		} else {
			r = utf8.RuneError
		}
	}
	b.WriteRune(r)
	return true
}

func hex4(data []byte) (rune, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return rune(n), err == nil
}

// looksJSON reports whether data begins like an object or a list.
func looksJSON(data []byte) bool {
	s := strings.TrimLeft(string(data[:min(len(data), 256)]), " \t\r\n")
	return s != "" && (s[0] == '{' || s[0] == '[')
}
