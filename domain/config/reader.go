package config

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// reader walks the tree of a document and collects what is wrong with it.
type reader struct {
	problems Problems
}

// place is a value in the document, and where it is. The zero place is one
// that is not there.
type place struct {
	node ast.Node
	path string
}

func (p place) there() bool { return p.node != nil }

// bad notes a problem at p.
func (r *reader) bad(p place, format string, args ...any) {
	var t *token.Token
	if p.node != nil {
		t = p.node.GetToken()
		if m, ok := p.node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
			t = m.Values[0].Key.GetToken()
		}
	}
	r.problems.All = append(r.problems.All, *problemAt(t, p.path, fmt.Sprintf(format, args...)))
}

// mapping returns the values at p by key. Keys that are not among known are a
// problem, and so is one that is there twice.
func (r *reader) mapping(p place, known ...string) map[string]place {
	var pairs []*ast.MappingValueNode
	switch n := p.node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.bad(p, "keys with values belong here: %s", list(known))
		return nil
	}
	values := map[string]place{}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := place{pair.Key, join(p.path, key)}
		switch {
		case !slices.Contains(known, key):
			at.path = join(p.path, shown(key))
			hint := suggest(key, known)
			if hint == "" {
				hint = "; there are " + list(known)
			}
			r.bad(at, "unknown key%s", hint)
			continue
		case values[key].there():
			r.bad(at, "the key is there twice")
			continue
		}
		value := pair.Value
		if _, null := value.(*ast.NullNode); null {
			continue // as if the key were not there
		}
		values[key] = place{value, at.path}
	}
	return values
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// shown makes a key that nobody knows fit for a message: it could be a secret
// in the wrong place.
func shown(key string) string {
	if len(key) > 24 {
		return key[:8] + "…"
	}
	return key
}

// items returns the elements of the list at p.
func (r *reader) items(p place) []place {
	if !p.there() {
		return nil
	}
	n, ok := p.node.(*ast.SequenceNode)
	if !ok {
		r.bad(p, "a list belongs here")
		return nil
	}
	var items []place
	for i, value := range n.Values {
		item := place{value, p.path + "[" + strconv.Itoa(i) + "]"}
		if _, null := value.(*ast.NullNode); null {
			r.bad(item, "there is nothing here")
			continue
		}
		items = append(items, item)
	}
	return items
}

// text returns the text at p, "" where there is none.
func (r *reader) text(p place) string {
	switch n := p.node.(type) {
	case nil:
		return ""
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	r.bad(p, "text belongs here; put quotes around it if it is a number, or true or false")
	return ""
}

// need is text that has to be there; owner is what it is missing from.
func (r *reader) need(owner place, p place, key string) string {
	if !p.there() {
		r.bad(owner, "%s is missing", key)
		return ""
	}
	text := r.text(p)
	if text == "" {
		r.bad(p, "%s is empty", key)
	}
	return text
}

func (r *reader) texts(p place) []string {
	var all []string
	for _, item := range r.items(p) {
		if text := r.text(item); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func (r *reader) yes(p place) bool {
	switch n := p.node.(type) {
	case nil:
		return false
	case *ast.BoolNode:
		return n.Value
	}
	r.bad(p, "true or false belongs here")
	return false
}

// oneOf reads a word into target. What it says when it cannot is not repeated:
// the words that there are say more.
func (r *reader) oneOf(p place, target interface{ UnmarshalText([]byte) error }, words ...string) {
	if !p.there() {
		return
	}
	if text := r.text(p); text != "" && target.UnmarshalText([]byte(text)) != nil {
		r.bad(p, "%q is not one of %s%s", shown(text), list(words), suggest(text, words))
	}
}

func (r *reader) duration(p place) (time.Duration, bool) {
	if !p.there() {
		return 0, false
	}
	text := r.text(p)
	if text == "" {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		r.bad(p, "a length of time belongs here, such as 55s or 10m")
	}
	return d, err == nil
}
