package document

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// field is something that a condition looks at.
type field struct {
	name string // as policy.Fields has it, with the name below it
	typ  policy.FieldType
	old  older // how an older document means it; the zero older where it has a name of today
}

// words are what a field of few values may be.
var words = map[string][]string{
	"class":          {"read", "write", "delete", "admin"},
	"risk":           {"low", "medium", "high", "critical"},
	"request.scheme": {"https", "http"},
}

// numeric reports whether f may be a number.
func (f field) numeric() bool {
	return f.typ == policy.Dyn || f.typ == policy.Whole || strings.HasPrefix(f.name, "request.headers.")
}

const maxField = 200

// field reads the name of a field.
func (r *reading) field(p yamldoc.Place, name string) (field, bool) {
	if f, ok := olderField(name); ok {
		return f, true
	}
	if len(name) > maxField || strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }) {
		r.Bad(p, "a field's name is at most %d characters that can be seen", maxField)
		return field{}, false
	}
	for _, f := range policy.Fields() {
		prefix, open := strings.CutSuffix(f.Name, "*")
		switch {
		case !open && f.Name == name:
			return field{name: name, typ: f.Type}, true
		case !open || !strings.HasPrefix(name, prefix):
			continue
		case len(name) == len(prefix):
			r.Bad(p, "say which one: %sNAME", prefix)
			return field{}, false
		}
		return r.below(p, prefix, name[len(prefix):], f.Type)
	}
	r.Bad(p, "there is no field %q%s", yamldoc.Shown(name), r.meant(name))
	return field{}, false
}

// below is a field whose name ends as the request has it.
func (r *reading) below(p yamldoc.Place, prefix, name string, typ policy.FieldType) (field, bool) {
	switch prefix {
	case "params.":
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "" {
			r.Bad(p, "a parameter's name is letters, digits, dot, dash and underscore")
			return field{}, false
		}
	case "request.headers.":
		name = strings.ToLower(name)
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" {
			r.Bad(p, "a header's name is letters, digits, dash and underscore")
			return field{}, false
		}
		if policy.SecretHeader(name) {
			r.Bad(p, "this header carries a credential, which policies do not look at; look at run.principal or connector")
			return field{}, false
		}
	case "request.body.":
		if slices.Contains(strings.Split(name, "."), "") {
			r.Bad(p, "a field of the body is names with dots between them, such as request.body.user.id")
			return field{}, false
		}
	}
	return field{name: prefix + name, typ: typ}, true
}

// meant says which field name was probably meant to be, as the end of a
// sentence.
func (r *reading) meant(name string) string {
	var closed, open []string
	for _, f := range policy.Fields() {
		if prefix, ok := strings.CutSuffix(f.Name, ".*"); ok {
			open = append(open, prefix)
			continue
		}
		closed = append(closed, f.Name)
	}
	if hint := yamldoc.Suggest(name, closed); hint != "" {
		return hint
	}
	for i := len(name) - 1; i > 0; i-- { // parms.amount
		if name[i] != '.' {
			continue
		}
		for _, prefix := range open {
			if yamldoc.Suggest(name[:i], []string{prefix}) != "" {
				return "; did you mean " + quoted(prefix+name[i:]) + "?"
			}
		}
	}
	first, _, _ := strings.Cut(name, ".")
	switch first {
	case "method", "scheme", "host", "path", "query", "headers", "body":
		return "; did you mean " + quoted("request."+name) + "?"
	case "header":
		return "; did you mean " + quoted("request.headers."+strings.TrimPrefix(name, "header.")) + "?"
	case "principal":
		return `; did you mean "run.principal"?`
	}
	if r.known.hasParam(name) {
		return "; did you mean " + quoted("params."+name) + "?"
	}
	return "; there are " + yamldoc.List(append(closed, "params.NAME", "request.query.NAME", "request.headers.NAME", "request.body.NAME"))
}

func quoted(s string) string { return `"` + s + `"` }
