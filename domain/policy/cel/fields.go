package cel

import (
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

const (
	body    = "request.body"
	headers = "request.headers"
	params  = "params"

	maxField = 300 // bytes
)

// rootOf cuts the ".*" off a field that stands for every name below.
func rootOf(name string) (root string, open bool) { return strings.CutSuffix(name, ".*") }

// words returns the names of a chain of dots and of texts in brackets that
// begins with a name: params.a["b c"] has params, a and b c.
func words(e ast.Expr) []string {
	switch e.Kind() {
	case ast.IdentKind:
		return []string{e.AsIdent()}
	case ast.SelectKind:
		s := e.AsSelect()
		if above := words(s.Operand()); above != nil && !s.IsTestOnly() {
			return append(above, s.FieldName())
		}
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() != "_[_]" {
			return nil
		}
		name, ok := constantText(c.Args()[1])
		if above := words(c.Args()[0]); above != nil && ok {
			return append(above, name)
		}
	default:
	}
	return nil
}

func constantText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// field makes the field that names stand for, and whatever is taken out of it.
// Where there is none it notes that at e, and whole is the field that has to be
// asked for one of its parts where that is all that is missing.
func (t *translation) field(e ast.Expr, names []string) (x policy.Expr, whole string) {
	for _, f := range policy.Fields() {
		root, open := rootOf(f.Name)
		n := 1 + strings.Count(root, ".")
		if n > len(names) || strings.Join(names[:n], ".") != root {
			continue
		}
		rest := names[n:]
		switch {
		case !open && len(rest) == 0:
			return policy.Expr{Field: root}, ""
		case !open:
			t.bad(e, "%s is %s; there is nothing below it.", root, shownType(celType(f.Type)))
			return policy.Expr{}, ""
		case len(rest) == 0:
			return policy.Expr{}, root
		}
		return t.below(e, root, rest), ""
	}
	t.unknown(e, names)
	return policy.Expr{}, ""
}

// below makes the field of that name below root.
func (t *translation) below(e ast.Expr, root string, rest []string) policy.Expr {
	switch {
	case slices.Contains(rest, ""):
		t.bad(e, "A name below %s cannot be empty.", root)
		return policy.Expr{}
	case len(root)+len(strings.Join(rest, "."))+1 > maxField:
		t.bad(e, "The name of a field has at most %d bytes.", maxField)
		return policy.Expr{}
	case rest[len(rest)-1] == "*":
		t.bad(e, "A field is named in full; a star stands for nothing here.")
		return policy.Expr{}
	}
	switch root {
	case headers:
		name := strings.ToLower(rest[0])
		switch {
		case len(rest) > 1:
			t.bad(e, `A header is a text; there is nothing below it. A name with a dot in it is written %s["%s"].`, root, strings.Join(rest, "."))
		case policy.SecretHeader(name):
			t.bad(e, "The header %s carries a credential, which policies do not look at.", shown(name))
		case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") != "":
			t.bad(e, "%s cannot be the name of a header.", shown(name))
		}
		rest = []string{name}
	case body:
		// A dot is a level there, so a name that has one is looked up by itself.
		if i := slices.IndexFunc(rest, dotted); i == 0 {
			t.bad(e, "A field at the top of a body whose name has a dot in it cannot be looked at.")
		} else if i > 0 {
			x := policy.Expr{Field: root + "." + strings.Join(rest[:i], ".")}
			for _, name := range rest[i:] {
				x = policy.Expr{Op: policy.Index, Args: []policy.Expr{x, textConst(name)}}
			}
			return x
		}
	case params:
	default:
		if len(rest) > 1 {
			t.bad(e, `A name with a dot in it is written %s["%s"].`, root, strings.Join(rest, "."))
		}
	}
	return policy.Expr{Field: root + "." + strings.Join(rest, ".")}
}

func dotted(name string) bool { return strings.Contains(name, ".") }

// unknown says which field was probably meant.
func (t *translation) unknown(e ast.Expr, names []string) {
	var all, below, ends []string
	for _, f := range policy.Fields() {
		root, _ := rootOf(f.Name)
		all = append(all, root)
		if strings.HasPrefix(root, names[0]+".") {
			below = append(below, root)
		}
		if _, end, ok := strings.Cut(root, "."); ok && end == names[0] {
			ends = append(ends, root)
		}
	}
	name := strings.Join(names[:min(2, len(names))], ".")
	switch {
	case len(below) > 0 && len(names) == 1:
		t.bad(e, "Say what of %s; it has %s.", names[0], yamldoc.List(below))
	case len(below) > 0:
		hint := yamldoc.Suggest(name, below)
		if hint == "" {
			hint = "; it has " + yamldoc.List(below)
		}
		t.bad(e, "There is no %s%s", shown(name), sentence(hint))
	case len(ends) > 0:
		t.bad(e, "There is no field %s; did you mean %q?", shown(names[0]), ends[0])
	default:
		hint := yamldoc.Suggest(names[0], all)
		if hint == "" {
			hint = "; a parameter of the action is written params.NAME, and the fields are " + yamldoc.List(all)
		}
		t.bad(e, "There is no field %s%s", shown(names[0]), sentence(hint))
	}
}

// sentence ends one.
func sentence(s string) string {
	if strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// shown makes a name that nobody knows fit for a message: it could be a secret
// in the wrong place.
func shown(name string) string {
	if r := []rune(name); len(r) > 24 {
		name = string(r[:8]) + "…"
	}
	return strconv.Quote(name)
}
