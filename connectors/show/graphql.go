package show

import (
	"errors"
	"strings"

	"github.com/tameflare/tameflare/connectors/graphql"
)

// isGraphQL reports whether root is a GraphQL request, or several.
func isGraphQL(root *node) bool {
	if root.kind == list {
		return len(root.items) > 0 && isGraphQL(root.items[0])
	}
	query := root.get("query")
	return query != nil && query.kind == text && strings.Contains(query.text, "{")
}

// graphql shows what would run, with what, and then the document.
func (s *sheet) graphql(in input, root *node) {
	known := in.whole && s.operations(in.data)
	all := []*node{root}
	if root.kind == list {
		all = root.items
	}
	for _, one := range all {
		if variables := one.get("variables"); variables != nil {
			variables.walk("", func(path string, v *node) {
				if path == "contents" || strings.HasSuffix(path, ".contents") { // of files, as GitHub calls them
					s.base64(path, v)
				}
			})
			s.writing(variables.get("input"), "title", "body", "commitHeadline", "commitBody")
			s.rest("Variables", variables)
			variables.shown = true
		}
		s.code("GraphQL", one.take("query"))
		if name := one.get("operationName"); name != nil { // which is among the operations
			name.shown = known
		}
	}
	s.rest("Details", root)
}

// operations shows which fields would run. It reports false where that is not
// certain for all of them.
func (s *sheet) operations(data []byte) bool {
	requests, err := graphql.Envelope(data)
	if err != nil {
		s.note("It is not certain what the service would run of this GraphQL request.")
		return false
	}
	certain := true
	var rows [][2]string
	for _, r := range requests {
		op, err := graphql.Read(r)
		switch {
		case errors.Is(err, graphql.ErrPersisted):
			certain = false
			s.note("The service would run a document that it has already. What is in it is not known here.")
			continue
		case err != nil:
			certain = false
			s.note("It is not certain what the service would run of this GraphQL request.")
			continue
		}
		var names []string
		for _, f := range op.Fields {
			names = append(names, f.Name)
		}
		kind := op.Kind
		if r.OperationName != "" {
			kind += " " + r.OperationName
		}
		rows = append(rows, s.row(kind, strings.Join(names, ", ")))
	}
	s.table("What would run", rows)
	return certain
}
