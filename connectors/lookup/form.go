package lookup

import (
	"strings"

	"github.com/tameflare/tameflare/connectors"
)

// Shape is a form as people read it.
type Shape struct {
	Kind    string // "REST", "GraphQL", "git", "HTTP"
	Method  string
	Address string // host and path
	Note    string
	ID      string
	Docs    string
}

// Shapes returns the forms of a in which a request can ask for it.
func (a *Action) Shapes() []Shape {
	all := make([]Shape, len(a.Forms))
	for i, f := range a.Forms {
		all[i] = a.shape(f)
	}
	return all
}

func (a *Action) shape(f connectors.Form) Shape {
	s := Shape{Kind: "REST", Method: f.Method, Address: f.Host + f.Path, Note: f.Note, ID: id(f), Docs: f.Docs}
	switch {
	case f.Method == "MUTATION" || f.Method == "QUERY" || f.Method == "SUBSCRIPTION":
		field := strings.ToLower(f.Method) + " " + strings.Trim(f.Path, "/")
		s.Kind, s.Method, s.Address, s.ID = "GraphQL", "POST", f.Host+"/graphql", ""
		s.Note = field
		if f.Note != "" {
			s.Note += ", " + f.Note
		}
	case strings.HasSuffix(f.Path, "/git-upload-pack") || strings.HasSuffix(f.Path, "/git-receive-pack") || strings.Contains(f.Path, "?service=git-"):
		s.Kind = "git"
	case f.Host == "":
		s.Kind = "HTTP"
	}
	return s
}

// id is the service's own name of a form. A number is only its place in a
// definition.
func id(f connectors.Form) string {
	if strings.Trim(f.ID, "0123456789") == "" {
		return ""
	}
	return f.ID
}

// Docs is where the service documents a; the type's own page where there is no
// closer one.
func (a *Action) Docs() string {
	for _, f := range a.Forms {
		if f.Docs != "" {
			return f.Docs
		}
	}
	return a.Type.Docs
}
