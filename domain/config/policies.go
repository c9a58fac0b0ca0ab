package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Policy is a policy document, and how it counts. The zero values are those
// that count.
type Policy struct {
	Name       string // the document's
	File       string // that the document was in; "" where it stands in the configuration
	Document   string
	Disabled   bool
	ReportOnly bool
	Priority   int // 1 to policy.MaxPriority

	Notes []yamldoc.Problem // what may stay and is worth a look
}

// PolicyReader is a Catalogue that reads policy documents. Without one, only
// their names are read, and they can be in no other files.
type PolicyReader interface {
	// OpenPolicy returns a file that the document names, as the document has
	// it. It fails with fault.Invalid.
	OpenPolicy(file string) ([]byte, error)

	// ReadPolicy looks at all there is about a document, and makes its tests.
	// It fails with fault.Invalid, by *yamldoc.Problems.
	ReadPolicy(file string, text []byte, known Catalogue) (notes []yamldoc.Problem, err error)
}

// How many policies there may be, and what one may have of YAML where only its
// name is read. Those who read the rest are stricter.
const (
	maxPolicies    = 500 // as many as a team may have
	maxPolicyDepth = 64
	maxPolicyKeys  = 2000
)

// policies reads the policies. It comes after the connector types, which they
// may be about.
func (r *parsing) policies(p yamldoc.Place) {
	for i, item := range r.Items(p) {
		if i == maxPolicies {
			r.Bad(item, "a team has at most %d policies; put what belongs together into one", maxPolicies)
			return
		}
		had := len(r.Problems.All)
		one, at := r.policy(item)
		if len(r.Problems.All) == had && slices.ContainsFunc(r.doc.Policies, func(o Policy) bool { return o.Name == one.Name }) {
			r.Bad(at, "there is another policy %q before this", yamldoc.Shown(one.Name))
		}
		r.doc.Policies = append(r.doc.Policies, one)
	}
}

func (r *parsing) policy(p yamldoc.Place) (out Policy, at yamldoc.Place) {
	keys := r.Mapping(p, "file", "document", "enabled", "report_only", "priority")
	if keys == nil {
		return out, p
	}
	out.Disabled = keys["enabled"].There() && !r.Yes(keys["enabled"])
	out.ReportOnly = r.Yes(keys["report_only"])
	out.Priority = r.priority(keys["priority"])
	switch {
	case keys["file"].There() == keys["document"].There():
		r.Bad(p, "say one of file and document")
		return out, p
	case keys["file"].There():
		at = keys["file"]
		out.File = r.Text(at)
		if strings.ContainsFunc(out.File, unicode.IsControl) || out.File == "" {
			r.Bad(at, "this is the path of a file")
			return out, at
		}
		if r.reader == nil {
			r.Bad(at, "a file can be read only where the document is applied from; write the policy under “document: |”")
			return out, at
		}
		text, err := r.reader.OpenPolicy(out.File)
		if err != nil {
			r.Bad(at, "%s", fault.Message(err))
			return out, at
		}
		out.Document = string(text)
	default:
		at = keys["document"]
		if out.Document = r.Text(at); out.Document == "" {
			r.Bad(at, "there is no policy here; begin with “document: |”, and write it into the lines below")
			return out, at
		}
	}
	r.readPolicy(&out, at)
	return out, at
}

func (r *parsing) priority(p yamldoc.Place) int {
	n, ok := p.Node.(*ast.IntegerNode)
	if !p.There() {
		return policy.DefaultPriority
	}
	if ok {
		if i, err := strconv.Atoi(n.GetToken().Value); err == nil && fleet.CheckPriority(i) == nil {
			return i
		}
	}
	r.Bad(p, "a priority is a number from 1 to %d; the lower one counts as the earlier", policy.MaxPriority)
	return 0
}

// readPolicy reads what a policy says, and puts what is wrong with it where it
// stands: in its own file, or in the lines of the configuration.
func (r *parsing) readPolicy(out *Policy, at yamldoc.Place) {
	if r.reader != nil {
		notes, err := r.reader.ReadPolicy(cmp.Or(out.File, r.Problems.File), []byte(out.Document), r.known)
		if err != nil {
			var all []yamldoc.Problem
			if found, ok := errors.AsType[*yamldoc.Problems](err); ok {
				all = found.All
			} else {
				all = []yamldoc.Problem{{Message: fault.Message(err)}}
			}
			r.Problems.All = append(r.Problems.All, r.moved(out.File, at, all)...)
			return
		}
		out.Notes = r.moved(out.File, at, notes)
	}
	name, problem := policyName([]byte(out.Document))
	if problem != nil {
		r.Problems.All = append(r.Problems.All, r.moved(out.File, at, []yamldoc.Problem{*problem})...)
	}
	out.Name = name
}

// moved are problems of a policy as problems of what its author wrote.
func (r *parsing) moved(file string, at yamldoc.Place, all []yamldoc.Problem) []yamldoc.Problem {
	literal, ok := at.Node.(*ast.LiteralNode)
	var is []string
	if ok = ok && strings.HasPrefix(literal.Start.Value, "|"); ok { // its lines are the document's
		is = strings.Split(literal.Value.Value, "\n")
	}
	line, column := 0, 0
	if t := at.Node.GetToken(); t != nil && t.Position != nil {
		line, column = t.Position.Line, t.Position.Column
	}
	var out []yamldoc.Problem
	for _, one := range all {
		if file != "" {
			one.File = file
			out = append(out, one)
			continue
		}
		if one.Path == "" {
			one.Path = at.Path
		} else {
			one.Path = at.Path + ": " + one.Path
		}
		switch {
		case one.Line == 0:
			one.Line, one.Column = line, column
		case ok:
			one.Column += r.indent(is, line, one.Line)
			one.Line += line
		default:
			one.Message = fmt.Sprintf("line %d of the policy: %s", one.Line, one.Message)
			one.Line, one.Column = line, column
		}
		out = append(out, one)
	}
	return out
}

// indent is by how much a line of a text is moved to the right where it stands
// in the configuration, below the line first.
func (r *parsing) indent(text []string, first, line int) int {
	if r.lines == nil {
		r.lines = bytes.Split(r.data, []byte("\n"))
	}
	if line < 1 || line > len(text) || first+line > len(r.lines) {
		return 0
	}
	return max(0, len(bytes.TrimSuffix(r.lines[first+line-1], []byte("\r")))-len(text[line-1]))
}

// policyName finds a policy's name, and looks at nothing else.
func policyName(text []byte) (string, *yamldoc.Problem) {
	root, problem := yamldoc.Tree(text, maxSize, maxPolicyDepth, maxPolicyKeys)
	if problem != nil {
		return "", problem
	}
	r := &yamldoc.Reader{}
	name := value(root, "name")
	if name == nil {
		name = value(value(root, "metadata"), "name")
	}
	if name == nil {
		return "", &yamldoc.Problem{Line: 1, Column: 1, Message: "name is missing"}
	}
	said := r.Text(yamldoc.Place{Node: name, Path: "name"})
	if len(r.Problems.All) > 0 {
		return "", &r.Problems.All[0]
	}
	if err := fleet.CheckPolicyName(said); err != nil {
		r.Bad(yamldoc.Place{Node: name, Path: "name"}, "%s", fault.Message(err))
		return "", &r.Problems.All[0]
	}
	return said, nil
}

// value returns what a mapping has under key, or nil.
func value(n ast.Node, key string) ast.Node {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	for _, pair := range pairs {
		if pair.Key.GetToken().Value == key {
			return pair.Value
		}
	}
	return nil
}
