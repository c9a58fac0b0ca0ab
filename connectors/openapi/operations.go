package openapi

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/definition"
	"github.com/tameflare/tameflare/domain/fault"
)

// found is an operation of the description, before it has a name.
type found struct {
	definition.Operation
	id string
}

var (
	methods   = []string{"get", "put", "post", "delete", "options", "patch", "query"}
	mixed     = regexp.MustCompile(`\{([^{}]*)\}`)
	notInName = regexp.MustCompile(`[^A-Za-z0-9_-]`)
)

// paths reads all operations, and leaves out those that nobody could tell
// apart: a request for one of them is unknown then, and counts as the worst.
func (r *reading) paths(v value) error {
	n := 0
	err := r.each(v, func(path string, item value) (bool, error) {
		if n++; n > maxPaths {
			return false, fault.New(fault.Invalid, fmt.Sprintf("The description has more than %d paths.", maxPaths), nil)
		}
		if !strings.HasPrefix(path, "/") {
			if path != "" && !strings.HasPrefix(path, "x-") {
				r.note("", "%s is left out: a path begins with a slash.", oneLine(path))
			}
			return true, nil
		}
		item, err := r.resolve(item)
		if err != nil {
			return false, err
		}
		return true, r.path(path, item)
	})
	if err != nil {
		return err
	}
	shapes := map[string][]int{}
	for i, f := range r.found {
		key := definition.Shape(f.Method, r.d.Base+f.Path) + " " + f.When
		shapes[key] = append(shapes[key], i)
	}
	r.found = slices.DeleteFunc(r.found, func(f found) bool {
		same := shapes[definition.Shape(f.Method, r.d.Base+f.Path)+" "+f.When]
		if len(same) > 1 {
			r.note("", "%s is left out: there are %d operations of this form, and a request does not say which of them it is.", f.Form(), len(same))
		}
		return len(same) > 1
	})
	return nil
}

func (r *reading) path(path string, item value) error {
	plain, when, captures, sentence := plainPath(path)
	if sentence != "" {
		r.note("", "%s is left out: %s", oneLine(path), sentence)
		return nil
	}
	shared, err := r.get(item, "parameters", "servers")
	if err != nil {
		return err
	}
	if shared[1] != nil {
		r.note("", "%s names servers of its own; those are not taken over.", oneLine(path))
	}
	ops, err := r.get(item, methods...)
	if err != nil {
		return err
	}
	for i, op := range ops {
		if op == nil {
			continue
		}
		if len(r.found) == maxOperations {
			return fault.New(fault.Invalid, fmt.Sprintf("The description has more than %d operations.", maxOperations), nil)
		}
		f := found{Operation: definition.Operation{Method: strings.ToUpper(methods[i]), Path: plain, When: when}}
		if err := r.operation(&f, op, shared[0], captures); err != nil {
			return err
		}
		r.found = append(r.found, f)
	}
	return nil
}

// plainPath spells a path as definitions have it. A segment that is partly a
// name is one as a whole.
func plainPath(path string) (plain, when string, captures []string, sentence string) {
	path, _, _ = strings.Cut(path, "#")
	path, query, _ := strings.Cut(path, "?")
	if query != "" {
		if strings.ContainsAny(query, "{}&") {
			return "", "", nil, "its query cannot be told from others."
		}
		when = "?" + query
	}
	var segments []string
	for s := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/") {
		names := mixed.FindAllStringSubmatch(s, -1)
		switch {
		case s == "" && path != "/":
			return "", "", nil, "it has two slashes together."
		case len(names) == 0:
			text, err := url.PathUnescape(s)
			if err != nil || strings.ContainsAny(text, "{}/\\;%") {
				return "", "", nil, "it has a part that no path can have."
			}
			segments = append(segments, text)
		default:
			name := notInName.ReplaceAllString(names[0][1], "_")
			if name == "" || !letter(name[0]) {
				name = "p_" + name
			}
			name = name[:min(len(name), 40)]
			for i, base := 2, name; slices.Contains(captures, name); i++ {
				name = base + strconv.Itoa(i)
			}
			captures = append(captures, name)
			segments = append(segments, "{"+name+"}")
		}
	}
	if len(captures) > 8 {
		return "", "", nil, "it has more than 8 names."
	}
	plain = "/" + strings.Join(segments, "/")
	if sentence := definition.CheckPath(plain); sentence != "" {
		return "", "", nil, sentence
	}
	return plain, when, captures, ""
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

func (r *reading) operation(f *found, op, shared value, captures []string) error {
	v, err := r.get(op, "operationId", "parameters", "requestBody", "servers")
	if err != nil {
		return err
	}
	f.id = text(v[0])
	if v[3] != nil {
		r.note(f.Form(), "It names servers of its own; those are not taken over.")
	}
	o, look := f.Operation.Usual(f.id, false, false)
	if look != "" {
		r.note(f.Form(), "%s", look)
	}
	f.Operation = o
	f.Reversible = f.Class == action.Read
	var parts []string
	for _, name := range captures {
		parts = append(parts, "{"+name+"}")
	}
	f.Resource = strings.Join(parts, "/")
	if definition.SecretName(strings.Join(captures, " ")) { // shown to people
		f.Resource = ""
		captures = slices.DeleteFunc(slices.Clone(captures), definition.SecretName)
	}
	f.Params, err = r.params(f.Operation, captures, []value{shared, v[1]}, v[2])
	return err
}
