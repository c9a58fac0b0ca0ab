package body

import (
	"bytes"
	"slices"
)

const (
	// maxFields is how many fields a form may have. From here on readers drop
	// fields or refuse them: PHP, qs and Django do at 1000.
	maxFields = 1000

	// maxNesting is how many names a field's name may have in brackets.
	maxNesting = 32
)

// fields collects the fields of a form, whichever way they are written. The
// names are nested by brackets, as Rack, PHP and qs have it.
type fields struct {
	finding
	keys []key // of all fields within wanted ones
	last []key // by value: the one that the last element came from
	name []byte
	buf  []byte
}

func (f *Finder) fields(values []Value) fields {
	r := fields{finding: f.find(values), last: make([]key, len(f.lists))}
	r.foundObject(&f.root)
	return r
}

// place finds what is wanted of the field called name: n is nil where that is
// nothing. It is false where a reader may take name for another.
func (r *fields) place(name []byte) (n *node, k key, ok bool) {
	if !r.split(name) {
		return nil, "", false
	}
	base, rest, nested := bytes.Cut(r.name, []byte{0})
	n, ok = r.child(&r.finder.root, base)
	if n == nil || !ok {
		return nil, "", ok
	}
	k = key(r.name)
	r.keys = append(r.keys, k)
	for nested && n != nil {
		var part []byte
		part, rest, nested = bytes.Cut(rest, []byte{0})
		if n.fields[string(part)] == nil && isIndex(part) {
			r.foundArray(n)
			n = n.each
			continue
		}
		r.foundObject(n)
		if n, ok = r.child(n, part); !ok {
			return nil, "", false
		}
	}
	return n, k, true
}

// split writes name as a key into r.name. It is false where brackets are not
// in pairs after a name.
func (r *fields) split(name []byte) bool {
	end := bytes.IndexByte(name, '[')
	if end < 0 {
		end = len(name)
	}
	r.name = append(r.name[:0], name[:end]...)
	if name = name[end:]; len(name) > 0 && len(bytes.TrimFunc(r.name, unseen)) == 0 {
		return false
	}
	for depth := 0; len(name) > 0; depth++ {
		end := bytes.IndexByte(name, ']')
		if end < 0 || name[0] != '[' || depth == maxNesting {
			return false
		}
		r.name = append(append(r.name, 0), name[1:end]...)
		name = name[end+1:]
	}
	return !bytes.ContainsAny(r.name, "[]")
}

// child returns what is wanted of the field called name of n. It is false
// where name is not a wanted one, but some reader takes it for one.
func (r *fields) child(n *node, name []byte) (*node, bool) {
	if field := n.fields[string(name)]; field != nil || n.fields == nil {
		return field, true
	}
	if r.buf = loosen(r.buf[:0], name); n.loose[string(r.buf)] {
		return nil, false
	}
	// ASP.NET and Spring nest by dots.
	if dot := bytes.IndexByte(name, '.'); dot >= 0 {
		r.buf = loosen(r.buf[:0], name[:dot])
		return nil, !n.loose[string(r.buf)]
	}
	return nil, true
}

// mayName reports whether some reader takes the field called name for a wanted
// one, or for a part of one.
func (r *fields) mayName(name []byte) bool {
	if !r.split(name) {
		return true
	}
	base, _, _ := bytes.Cut(r.name, []byte{0})
	n, ok := r.child(&r.finder.root, base)
	return n != nil || !ok
}

// add says that v stands at n, by the field k. It is false where readers
// differ in where an element is in its list.
func (r *fields) add(n *node, k key, v Value) bool {
	for _, i := range n.ends {
		if r.last[i] != "" && !k.follows(r.last[i]) {
			return false
		}
		r.last[i] = k
	}
	r.foundScalar(n, v)
	return true
}

// consistent reports whether the wanted fields make one thing to all readers:
// none is there twice, none is both a text and something with fields, and none
// is a list to which some elements are appended while others have a place.
func (r *fields) consistent() bool {
	slices.Sort(r.keys)
	for i := 1; i < len(r.keys); i++ {
		before, _, differ := r.keys[i-1].fork(r.keys[i])
		if !differ && !r.keys[i].appends() || differ && before == "" {
			return false
		}
	}
	return true
}
