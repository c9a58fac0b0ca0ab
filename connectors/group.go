package connectors

import (
	"slices"

	"github.com/tameflare/tameflare/connectors/body"
)

// group is the rows that method, path and query do not tell apart.
type group struct {
	rows     []*row
	finder   *body.Finder // nil where no row asks for a field of the body
	paths    []body.Path  // which fields those are
	size     int          // how many fields that are
	tops     []string     // the first word of each
	override int          // which of them is _method, -1 for none
}

// compile works out which fields of the body the rows ask for, and tells each
// of their sources where it will find its value.
func (g *group) compile(f format) {
	var paths []body.Path
	index := func(path body.Path) int {
		i := slices.IndexFunc(paths, func(p body.Path) bool { return slices.Equal(p, path) })
		if i < 0 {
			i, paths = len(paths), append(paths, path)
		}
		return i
	}
	put := func(s *source) {
		if s.in == inBody {
			s.index = index(s.path)
		}
	}
	for _, r := range g.rows {
		for i := range r.when {
			put(&r.when[i].source)
		}
		for i := range r.params {
			p := &r.params[i]
			put(&p.source)
			if p.in == inBody && p.typ == list {
				p.each = index(append(slices.Clone(p.path), body.Each))
			}
		}
		for i := range r.resource.parts {
			for j := range r.resource.parts[i].from {
				from := &r.resource.parts[i].from[j]
				put(from)
				from.many = r.listAt(from)
			}
		}
	}
	g.override = -1
	if posted := f&readsForm != 0 && g.rows[0].method == "POST"; posted || len(paths) > 0 && f&readsMultipart != 0 {
		// Some servers let a form ask for another method.
		g.override = len(paths)
		paths = append(paths, body.Path{"_method"})
	}
	if len(paths) == 0 {
		return
	}
	for _, p := range paths {
		g.tops = append(g.tops, p[0])
	}
	g.finder, g.paths, g.size = body.NewFinder(paths), paths, len(paths)
}

// listAt returns the parameter that reads as a list what s reads as one value.
func (r *row) listAt(s *source) *param {
	for i := range r.params {
		if p := &r.params[i]; p.typ == list && p.in == s.in && p.source.name == s.name {
			return p
		}
	}
	return nil
}
