package document

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

const (
	maxURL     = 8 << 10
	maxBody    = 64 << 10
	maxHeaders = 50
)

// tests reads the tests of the document, after its rules.
func (r *reading) tests(p yamldoc.Place) {
	if !p.There() {
		return
	}
	if n, ok := p.Node.(*ast.SequenceNode); ok && len(n.Values) > maxTests {
		r.Bad(p, "there are %d tests; a policy has at most %d", len(n.Values), maxTests)
		return
	}
	var rules []string
	for _, c := range r.doc.Policy.Clauses {
		rules = append(rules, c.Name)
	}
	seen := map[string]bool{}
	for _, item := range r.Items(p) {
		t, ok := r.test(item, rules)
		if ok && t.Name != "" && seen[t.Name] {
			r.Bad(item, "there is another test of the name %q before this", t.Name)
		}
		seen[t.Name] = true
		r.doc.Tests = append(r.doc.Tests, t)
	}
}

func (r *reading) test(p yamldoc.Place, rules []string) (t Test, ok bool) {
	keys := r.Mapping(p, "name", "request", "action", "action_spec", "gateway", "environment", "principal", "time", "expect", "rule")
	if keys == nil {
		return t, false
	}
	t.Line, _ = place(p)
	if t.Name = r.Need(p, keys["name"], "name"); len(t.Name) > 2*maxName || strings.ContainsFunc(t.Name, control) {
		r.Bad(keys["name"], "a test's name is 1 to %d characters in one line", 2*maxName)
	}
	subjects := slices.DeleteFunc([]string{"request", "action", "action_spec"}, func(key string) bool { return !keys[key].There() })
	switch {
	case len(subjects) == 0:
		r.Bad(p, "a test has a request or an action")
	case len(subjects) > 1:
		r.Bad(keys[subjects[1]], "a test has either a request or an action")
	case subjects[0] == "request":
		t.Request = r.request(keys["request"])
	case subjects[0] == "action":
		t.Action = r.action(keys["action"])
	default:
		t.Action = r.actionSpec(keys["action_spec"])
	}
	if a := t.Action; a != nil {
		t.Gateway, t.Environment, t.Principal = a.Gateway, a.Environment, a.Principal
	}
	for key, field := range map[string]*string{"gateway": &t.Gateway, "environment": &t.Environment, "principal": &t.Principal} {
		if keys[key].There() {
			*field = r.Text(keys[key])
		}
	}
	if keys["time"].There() {
		t.Time, _ = r.moment(keys["time"])
	}
	if !keys["expect"].There() {
		r.Bad(p, "expect is missing: allow, deny or require_approval")
	}
	r.OneOf(keys["expect"], &t.Expect, decisions[:3]...)
	if t.Rule = r.Text(keys["rule"]); t.Rule != "" && !slices.Contains(rules, t.Rule) {
		r.Bad(keys["rule"], "there is no rule %q%s", t.Rule, yamldoc.Suggest(t.Rule, rules))
	}
	return t, true
}

func (r *reading) request(p yamldoc.Place) *Request {
	keys := r.Mapping(p, "method", "url", "headers", "body", "form")
	if keys == nil {
		return nil
	}
	q := &Request{Method: "GET", URL: r.Need(p, keys["url"], "url"), Header: http.Header{}}
	if keys["method"].There() {
		q.Method = strings.ToUpper(r.Text(keys["method"]))
	}
	if len(q.URL) > maxURL {
		r.Bad(keys["url"], "a URL has at most %d bytes", maxURL)
	}
	if u, err := url.Parse(q.URL); q.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		r.Bad(keys["url"], "a whole URL belongs here, such as https://api.github.com/user")
	}
	if u, err := url.Parse(q.URL); err == nil && u.User != nil {
		r.Bad(keys["url"], "leave out what stands before the @: it is a credential, which every version of the policy would keep")
	}
	r.headers(keys["headers"], q.Header)
	if keys["body"].There() && keys["form"].There() {
		r.Bad(keys["form"], "a request has either a body or a form")
	}
	kind := ""
	switch n := keys["body"].Node.(type) {
	case nil:
	case *ast.StringNode, *ast.LiteralNode:
		q.Body = []byte(r.Text(keys["body"]))
	default:
		value, ok := r.plain(keys["body"], n)
		data, err := json.Marshal(value)
		if ok && err != nil {
			r.Bad(keys["body"], "this cannot be written as JSON")
		}
		q.Body, kind = data, "application/json"
	}
	if keys["form"].There() {
		q.Body, kind = []byte(r.form(keys["form"])), "application/x-www-form-urlencoded"
	}
	if len(q.Body) > maxBody {
		r.Bad(p, "a body has at most %d bytes here", maxBody)
	}
	if kind != "" && q.Header.Get("Content-Type") == "" {
		q.Header.Set("Content-Type", kind)
	}
	return q
}

func (r *reading) headers(p yamldoc.Place, h http.Header) {
	for _, pair := range r.pairs(p, maxHeaders) {
		if policy.SecretHeader(pair.key) {
			r.Bad(pair.value, "leave this header out: it carries a credential, which every version of the policy would keep, and which no condition looks at")
			continue
		}
		items := []yamldoc.Place{pair.value}
		if _, several := pair.value.Node.(*ast.SequenceNode); several {
			items = r.Items(pair.value)
		}
		for _, item := range items {
			h.Add(pair.key, r.Text(item))
		}
	}
}

func (r *reading) form(p yamldoc.Place) string {
	values := url.Values{}
	for _, pair := range r.pairs(p, maxValues) {
		items := []yamldoc.Place{pair.value}
		if _, several := pair.value.Node.(*ast.SequenceNode); several {
			items = r.Items(pair.value)
		}
		for _, item := range items {
			text, ok := written(item.Node)
			if !ok {
				r.Bad(item, "text, a number, true or false belongs here")
			}
			values.Add(pair.key, text)
		}
	}
	return values.Encode()
}

// pair is a key that the document's author chose, and what it has.
type pair struct {
	key   string
	value yamldoc.Place
}

func (r *reading) pairs(p yamldoc.Place, most int) []pair {
	var nodes []*ast.MappingValueNode
	switch n := p.Node.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		nodes = n.Values
	case *ast.MappingValueNode:
		nodes = []*ast.MappingValueNode{n}
	default:
		r.Bad(p, "names with values belong here")
		return nil
	}
	if len(nodes) > most {
		r.Bad(p, "there are %d names here; there may be at most %d", len(nodes), most)
		return nil
	}
	var all []pair
	for _, n := range nodes {
		key := n.Key.GetToken().Value
		at := yamldoc.Place{Node: n.Key, Path: yamldoc.Join(p.Path, yamldoc.Shown(key))}
		if slices.ContainsFunc(all, func(other pair) bool { return other.key == key }) {
			r.Bad(at, "the key is there twice")
			continue
		}
		all = append(all, pair{key, yamldoc.Place{Node: n.Value, Path: at.Path}})
	}
	return all
}

// written is a value as a form would have it.
func written(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// plain is a value as JSON has it.
func (r *reading) plain(p yamldoc.Place, n ast.Node) (any, bool) {
	p.Node = n
	switch n := n.(type) {
	case *ast.NullNode:
		return nil, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode:
		if _, ok := number(n); !ok {
			r.Bad(p, "write this number in plain digits, or put quotes around it if it is text")
			return nil, false
		}
		return json.Number(n.GetToken().Value), true
	case *ast.SequenceNode:
		list, whole := []any{}, true
		for _, item := range n.Values {
			v, ok := r.plain(p, item)
			list, whole = append(list, v), whole && ok
		}
		return list, whole
	case *ast.MappingNode, *ast.MappingValueNode:
		object, whole := map[string]any{}, true
		for _, pair := range r.pairs(p, maxValues) {
			v, ok := r.plain(pair.value, pair.value.Node)
			object[pair.key], whole = v, whole && ok
		}
		return object, whole
	}
	r.Bad(p, "this is not a value that JSON has")
	return nil, false
}
