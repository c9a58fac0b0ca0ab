// Package terms is how people write who has to agree to a request. It is the
// same in policies and in tameflare.yaml:
//
//	approvers: {role: admin, group: release, count: 2, prevent_self_approval: true, step_up: true}
//
// or a number alone, which is how many.
package terms

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Roles are those that may decide, the lowest first.
func Roles() []string { return []string{"member", "admin", "owner"} }

// Read reads who has to agree, and notes what is wrong. Where nothing is there
// it is whoever may decide.
func Read(r *yamldoc.Reader, p yamldoc.Place) (a policy.Approvers) {
	switch p.Node.(type) {
	case nil:
		return a
	case *ast.IntegerNode:
		a.Count = count(r, p)
		return a
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		r.Bad(p, "how many people belongs here, or who: {role: admin, count: 2}")
		return a
	}
	keys := r.Mapping(p, "role", "group", "count", "prevent_self_approval", "step_up")
	a.Role = role(r, keys["role"])
	a.Group = groups(r, keys["group"])
	a.Count = count(r, keys["count"])
	a.NotSelf, a.StepUp = r.Yes(keys["prevent_self_approval"]), r.Yes(keys["step_up"])
	return a
}

// IsMapping reports whether p says more than a number.
func IsMapping(p yamldoc.Place) bool {
	switch p.Node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func role(r *yamldoc.Reader, p yamldoc.Place) string {
	text := r.Text(p)
	switch {
	case text == "" || slices.Contains(Roles(), text):
		return text
	case text == "viewer":
		r.Bad(p, "a viewer cannot approve; name member, admin or owner")
	default:
		r.Bad(p, "%q is not one of %s%s", yamldoc.Shown(text), yamldoc.List(Roles()), yamldoc.Suggest(text, Roles()))
	}
	return ""
}

// groups reads a group, or a list of them.
func groups(r *yamldoc.Reader, p yamldoc.Place) string {
	items := []yamldoc.Place{p}
	if _, list := p.Node.(*ast.SequenceNode); list {
		items = r.Items(p)
		if len(items) == 0 {
			r.Bad(p, "there is nothing in this list; leave it out for everybody who may decide")
		}
	}
	if len(items) > policy.MaxGroups {
		r.Bad(p, "a rule names at most %d approver groups", policy.MaxGroups)
		return ""
	}
	var names []string
	for _, item := range items {
		name := r.Text(item)
		switch err := policy.CheckGroupName(name); {
		case name == "":
		case err != nil:
			r.Bad(item, "%s", fault.Message(err))
		case slices.Contains(names, name):
			r.Bad(item, "the group %s is named twice", name)
		default:
			names = append(names, name)
		}
	}
	return policy.JoinGroups(names...)
}

func count(r *yamldoc.Reader, p yamldoc.Place) int {
	if !p.There() {
		return 0
	}
	n := 0
	if _, whole := p.Node.(*ast.IntegerNode); whole {
		n, _ = strconv.Atoi(p.Node.GetToken().Value)
	}
	if n < 1 || n > policy.MaxApprovers {
		r.Bad(p, "how many people have to agree is a number from 1 to %d", policy.MaxApprovers)
		return 0
	}
	return n
}

// Write writes a as Read reads it, in one line. The zero Approvers is "".
func Write(a policy.Approvers) string {
	if a == (policy.Approvers{Count: a.Count}) {
		if a.Count == 0 {
			return ""
		}
		return strconv.Itoa(a.Count)
	}
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+": "+value)
		}
	}
	add("role", a.Role)
	add("group", Names(a.Groups()))
	if a.Count > 0 {
		add("count", strconv.Itoa(a.Count))
	}
	if a.NotSelf {
		add("prevent_self_approval", "true")
	}
	if a.StepUp {
		add("step_up", "true")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

var (
	plain    = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	reserved = regexp.MustCompile(`^(true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// Names writes one name as it is, and several as a list.
func Names(names []string) string {
	var parts []string
	for _, name := range names {
		if !plain.MatchString(name) || reserved.MatchString(name) {
			name = strconv.Quote(name)
		}
		parts = append(parts, name)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	if len(parts) == 0 {
		return ""
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
