package body

import (
	"bytes"
	"slices"
	"strconv"
)

// DecodeForm returns what data is, which is application/x-www-form-urlencoded:
// a map whose values are texts, lists and maps, nested by brackets as in Form.
// It fails with ErrAmbiguous where data has a semicolon; where a field is there
// twice, has no =, or is a text and has fields too; where a list is not in
// order from 0 on, or of both kinds; where what is appended has fields, which
// some would join; where a name has a dot or a space, or is another but for its
// case; and otherwise where Form does.
func DecodeForm(data []byte) (map[string]any, error) {
	var t formTree
	if bytes.IndexByte(data, ';') >= 0 || !t.read(data) {
		return nil, ErrAmbiguous
	}
	out, ok := t.root.value()
	m, flat := out.(map[string]any)
	if !ok || !flat {
		return nil, ErrAmbiguous
	}
	return m, nil
}

// formTree is a form whose names have been taken apart.
type formTree struct {
	root branch
	urlencoded
}

// branch is a place in a form: a text, or more places.
type branch struct {
	said  bool
	text  string
	names []string // in the order in which they come; "" appends
	below map[string]*branch
	list  []*branch // what was appended
}

func (t *formTree) read(data []byte) bool {
	for _, c := range data {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	count := 0
	for piece := range bytes.SplitSeq(data, []byte("&")) {
		if len(piece) == 0 {
			continue
		}
		if count++; count > maxFields || !t.add(piece) {
			return false
		}
	}
	return true
}

func (t *formTree) add(piece []byte) bool {
	name, text, said := bytes.Cut(piece, []byte("="))
	var ok bool
	if t.field, ok = decode(t.field[:0], name, true); !ok || !said || len(t.field) == 0 {
		return false
	}
	if t.text, ok = decode(t.text[:0], text, true); !ok || !charset(t.field, t.text) || !t.split(t.field) {
		return false
	}
	b := &t.root
	for part := range bytes.SplitSeq(t.name, []byte{0}) {
		if bytes.ContainsFunc(part, func(r rune) bool { return r == '.' || unseen(r) }) {
			return false // some nest by dots, some trim, and some make an underscore of it
		}
		b = b.at(string(part), b == &t.root)
	}
	if b.said || len(b.names) > 0 {
		return false
	}
	b.said, b.text = true, string(t.text)
	return true
}

// at returns the place called name below b. One without a name is a new one
// each time, save at the root, where it is a name as any other.
func (b *branch) at(name string, root bool) *branch {
	if name == "" && !root {
		next := &branch{}
		b.names, b.list = append(b.names, name), append(b.list, next)
		return next
	}
	next := b.below[name]
	if next == nil {
		if b.below == nil {
			b.below = map[string]*branch{}
		}
		next = &branch{}
		b.below[name] = next
		b.names = append(b.names, name)
	}
	return next
}

// value is what b stands for. It is false where readers would not agree.
func (b *branch) value() (any, bool) {
	switch {
	case b.said:
		return b.text, len(b.names) == 0
	case len(b.list) > 0 && len(b.below) > 0:
		return nil, false
	case len(b.list) > 0:
		if slices.ContainsFunc(b.list, func(one *branch) bool { return !one.said }) {
			return nil, false
		}
		return elements(b.list)
	case b.indexed():
		list := make([]*branch, 0, len(b.names))
		for i, name := range b.names {
			if name != strconv.Itoa(i) {
				return nil, false
			}
			list = append(list, b.below[name])
		}
		return elements(list)
	}
	m := make(map[string]any, len(b.names))
	for _, name := range b.names {
		v, ok := b.below[name].value()
		if !ok {
			return nil, false
		}
		m[name] = v
	}
	return m, unlike(m)
}

// indexed reports whether b is a list whose elements say their place.
func (b *branch) indexed() bool {
	return len(b.names) > 0 && !slices.ContainsFunc(b.names, func(name string) bool { return name == "" || !isIndex([]byte(name)) })
}

// elements is the list of what the branches stand for.
func elements(branches []*branch) (any, bool) {
	list := make([]any, 0, len(branches))
	for _, b := range branches {
		v, ok := b.value()
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}
