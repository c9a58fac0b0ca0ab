package yamldoc

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Reader walks the tree of a document and collects what is wrong with it.
type Reader struct {
	Problems Problems
}

// Place is a value in the document, and where it is. The zero Place is one
// that is not there.
type Place struct {
	Node ast.Node
	Path string // "gateways[0].name"
}

// There reports whether p is in the document.
func (p Place) There() bool { return p.Node != nil }

// Bad notes a problem at p.
func (r *Reader) Bad(p Place, format string, args ...any) {
	var t *token.Token
	if p.Node != nil {
		t = p.Node.GetToken()
		if m, ok := p.Node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
			t = m.Values[0].Key.GetToken()
		}
	}
	r.Problems.All = append(r.Problems.All, *problemAt(t, p.Path, fmt.Sprintf(format, args...)))
}

// Mapping returns the values at p by key. Keys that are not among known are a
// problem, and so is one that is there twice.
func (r *Reader) Mapping(p Place, known ...string) map[string]Place {
	var pairs []*ast.MappingValueNode
	switch n := p.Node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.Bad(p, "keys with values belong here: %s", List(known))
		return nil
	}
	values := map[string]Place{}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := Place{pair.Key, Join(p.Path, key)}
		switch {
		case !slices.Contains(known, key):
			at.Path = Join(p.Path, Shown(key))
			hint := Suggest(key, known)
			if hint == "" {
				hint = "; there are " + List(known)
			}
			r.Bad(at, "unknown key%s", hint)
			continue
		case values[key].There():
			r.Bad(at, "the key is there twice")
			continue
		}
		value := pair.Value
		if _, null := value.(*ast.NullNode); null {
			continue // as if the key were not there
		}
		values[key] = Place{value, at.Path}
	}
	return values
}

// Join is the path of a key below path.
func Join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Shown makes a key that nobody knows fit for a message: it could be a secret
// in the wrong place.
func Shown(key string) string {
	if len(key) > 24 {
		return key[:8] + "…"
	}
	return key
}

// Items returns the elements of the list at p.
func (r *Reader) Items(p Place) []Place {
	if !p.There() {
		return nil
	}
	n, ok := p.Node.(*ast.SequenceNode)
	if !ok {
		r.Bad(p, "a list belongs here")
		return nil
	}
	var items []Place
	for i, value := range n.Values {
		item := Place{value, p.Path + "[" + strconv.Itoa(i) + "]"}
		if _, null := value.(*ast.NullNode); null {
			r.Bad(item, "there is nothing here")
			continue
		}
		items = append(items, item)
	}
	return items
}

// Text returns the text at p, "" where there is none.
func (r *Reader) Text(p Place) string {
	switch n := p.Node.(type) {
	case nil:
		return ""
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.MappingNode, *ast.MappingValueNode: // perhaps by mistake: [a:b] within braces is one
		r.Bad(p, "text belongs here; put quotes around it if it has a colon in it")
		return ""
	}
	r.Bad(p, "text belongs here; put quotes around it if it is a number, or true or false")
	return ""
}

// Need is text that has to be there; owner is what it is missing from.
func (r *Reader) Need(owner Place, p Place, key string) string {
	if !p.There() {
		r.Bad(owner, "%s is missing", key)
		return ""
	}
	text := r.Text(p)
	if text == "" {
		r.Bad(p, "%s is empty", key)
	}
	return text
}

func (r *Reader) Texts(p Place) []string {
	var all []string
	for _, item := range r.Items(p) {
		if text := r.Text(item); text != "" {
			all = append(all, text)
		}
	}
	return all
}

func (r *Reader) Yes(p Place) bool {
	switch n := p.Node.(type) {
	case nil:
		return false
	case *ast.BoolNode:
		return n.Value
	}
	r.Bad(p, "true or false belongs here")
	return false
}

// OneOf reads a word into target. What it says when it cannot is not repeated:
// the words that there are say more.
func (r *Reader) OneOf(p Place, target interface{ UnmarshalText([]byte) error }, words ...string) {
	if !p.There() {
		return
	}
	if text := r.Text(p); text != "" && target.UnmarshalText([]byte(text)) != nil {
		r.Bad(p, "%q is not one of %s%s", Shown(text), List(words), Suggest(text, words))
	}
}

func (r *Reader) Duration(p Place) (time.Duration, bool) {
	if !p.There() {
		return 0, false
	}
	text := r.Text(p)
	if text == "" {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		r.Bad(p, "a length of time belongs here, such as 55s or 10m")
	}
	return d, err == nil
}
