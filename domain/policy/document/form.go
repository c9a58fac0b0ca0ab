package document

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// Form is a document as a form shows it. What stands in it need not be right:
// people put it right in the form, and Parse says what is wrong.
type Form struct {
	Name, Description                string
	Gateways, Environments, Patterns []string
	Clauses                          []ClauseForm
}

// ClauseForm is a rule as a form shows it. All is text, as people type it; what
// is empty is left out of the document.
type ClauseForm struct {
	Name       string
	Any        bool // one condition has to hold, and not all of them
	Conditions []ConditionForm
	When       string // CEL
	Decision   string
	Reason     string
	Risk       string
	Timeout    string
	Hold       string
	Role       string
	Count      string

	// Nested says that the conditions are more than a form can show. They stay
	// as they are, whatever else of the rule is changed; Source is how they are
	// written.
	Nested bool
	Source string
	Line   int
}

// ConditionForm is one condition. Of a list, Value has the elements with commas
// between them; what would not be read back as it is stands in double quotes.
type ConditionForm struct {
	Field, Operator, Value string
}

// ReadForm returns what a form shows of a document. It fails with
// fault.Invalid where the text is not YAML that can be read, or not a policy
// at all.
func ReadForm(data []byte) (Form, error) {
	o, err := newOutline(data)
	if err != nil {
		return Form{}, err
	}
	return o.form(), nil
}

func (o *outline) form() Form {
	f := Form{Name: o.head("name"), Description: o.head("description")}
	if scope := entry(o.headNode("scope")); scope != nil {
		f.Gateways = append(plainList(scope["gateways"]), plainList(scope["agents"])...)
		f.Environments = plainList(scope["environments"])
		f.Patterns = append(plainList(scope["actions"]), plainList(scope["action_types"])...)
	}
	for i := range o.clauses {
		f.Clauses = append(f.Clauses, o.clauseForm(i))
	}
	return f
}

func (o *outline) headNode(key string) ast.Node {
	if n := o.top[key]; n != nil {
		return n
	}
	return entry(o.top["metadata"])[key]
}

func (o *outline) head(key string) string {
	text, _ := written(o.headNode(key))
	return strings.TrimSpace(text)
}

func (o *outline) clauseForm(i int) (c ClauseForm) {
	n := o.clauses[i]
	keys := entry(n)
	c.Line, _ = place(yamldoc.Place{Node: n})
	for key, field := range map[string]*string{
		"name": &c.Name, "when": &c.When, "decision": &c.Decision, "reason": &c.Reason, "risk_score": &c.Risk,
	} {
		text, _ := written(keys[key])
		*field = strings.TrimSpace(text)
	}
	if c.Decision == "requires_approval" {
		c.Decision = "require_approval"
	}
	approval := entry(keys["approval"])
	c.Timeout = seconds(approval, "timeout", "ttl", "timeout_seconds")
	c.Hold = seconds(approval, "hold", "hold_seconds")
	c.Role = lowest(plainList(approval["approver_roles"]))
	for _, key := range []string{"count", "approvers", "min_approvals"} {
		if text, ok := written(approval[key]); ok {
			c.Count = text
		}
	}
	flat := true
	c.Any, c.Conditions, flat = flatConditions(keys["conditions"])
	if !flat {
		c.Any, c.Conditions, c.Nested = false, nil, true
		c.Source = o.source(i, "conditions")
	}
	return c
}

// seconds reads a length of time as a form shows it.
func seconds(keys map[string]ast.Node, names ...string) string {
	for _, name := range names {
		n := keys[name]
		text, ok := written(n)
		if !ok {
			continue
		}
		if _, number := n.(*ast.IntegerNode); number {
			return text + "s"
		}
		return text
	}
	return ""
}

func lowest(roles []string) string {
	for _, rank := range ranks {
		for _, role := range roles {
			if role == rank {
				return rank
			}
		}
	}
	return ""
}

// flatConditions reads a list of conditions that a form can show.
func flatConditions(n ast.Node) (either bool, list []ConditionForm, flat bool) {
	items := []ast.Node{}
	switch n := n.(type) {
	case nil:
		return false, nil, true
	case *ast.SequenceNode:
		items = n.Values
	default:
		keys := entry(n)
		group := keys["all"]
		if keys["any"] != nil {
			group, either = keys["any"], true
		}
		seq, ok := group.(*ast.SequenceNode)
		switch {
		case keys["field"] != nil && len(keys) <= 3 && group == nil:
			items = []ast.Node{n}
		case len(keys) == 1 && ok:
			items = seq.Values
		default:
			return false, nil, false
		}
	}
	for _, item := range items {
		c, ok := conditionForm(item)
		if !ok {
			return false, nil, false
		}
		list = append(list, c)
	}
	return either && len(list) > 1, list, true
}

func conditionForm(n ast.Node) (c ConditionForm, ok bool) {
	keys := entry(n)
	c.Field, ok = written(keys["field"])
	if !ok {
		return c, false
	}
	c.Operator, ok = written(keys["operator"])
	for key := range keys {
		if key != "field" && key != "operator" && key != "value" {
			return c, false
		}
	}
	op, found := operatorNamed(c.Operator)
	if found {
		c.Operator = op.name
	}
	if !ok || keys["value"] == nil {
		return c, ok
	}
	c.Value, ok = typed(keys["value"])
	return c, ok
}

// looksOther matches texts that YAML, or a list, would read as something else.
var looksOther = regexp.MustCompile(`^(-?[0-9.].*|true|false|null|~|)$`)

// typed writes a value as people type it into a form.
func typed(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.SequenceNode:
		var parts []string
		for _, item := range n.Values {
			text, ok := typed(item)
			if _, inner := item.(*ast.SequenceNode); !ok || inner {
				return "", false
			}
			if _, isText := written(item); isText && strings.Contains(text, ",") && !strings.HasPrefix(text, `"`) {
				text = strconv.Quote(text)
			}
			parts = append(parts, text)
		}
		return strings.Join(parts, ", "), true
	case *ast.StringNode, *ast.LiteralNode:
		text, _ := written(n)
		if looksOther.MatchString(text) || strings.HasPrefix(text, `"`) || strings.TrimSpace(text) != text || strings.Contains(text, "\n") {
			return strconv.Quote(text), true
		}
		return text, true
	case *ast.MappingNode:
		keys := entry(n)
		from, _ := written(keys["from"])
		to, _ := written(keys["to"])
		zone, _ := written(keys["zone"])
		if from == "" || to == "" {
			return "", false
		}
		return strings.TrimSpace(strings.Join(plainList(keys["days"]), ",") + " " + from + "-" + to + " " + zone), true
	}
	return written(n)
}

// entry returns the values of a mapping by key.
func entry(n ast.Node) map[string]ast.Node {
	values := map[string]ast.Node{}
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	}
	for _, pair := range pairs {
		if _, null := pair.Value.(*ast.NullNode); !null {
			values[pair.Key.GetToken().Value] = pair.Value
		}
	}
	return values
}

// plainList returns the texts of a list, or the one text that stands for it.
func plainList(n ast.Node) (all []string) {
	items := []ast.Node{n}
	if seq, ok := n.(*ast.SequenceNode); ok {
		items = seq.Values
	}
	for _, item := range items {
		if text, ok := written(item); ok {
			all = append(all, text)
		}
	}
	return all
}

// yaml writes a condition on one line.
func (c ConditionForm) yaml() (string, error) {
	s := "{field: " + word(c.Field) + ", operator: " + word(c.Operator)
	o, _ := operatorNamed(c.Operator)
	if o.takes == nothing && o.name != "" || strings.TrimSpace(c.Value) == "" {
		return s + "}", nil
	}
	value, err := c.value(o)
	if err != nil {
		return "", err
	}
	return s + ", value: " + value + "}", nil
}

// plain is c as it would be read back.
func (c ConditionForm) plain() ConditionForm {
	text, err := c.yaml()
	if err != nil {
		return c
	}
	node, problem := yamldoc.Tree([]byte(text), MaxSize, maxDepth, maxKeys)
	if problem != nil {
		return c
	}
	if back, ok := conditionForm(node); ok {
		return back
	}
	return c
}

// value writes what was typed as the operator and the field want it.
func (c ConditionForm) value(o operator) (string, error) {
	text := strings.TrimSpace(c.Value)
	switch o.takes {
	case several, twoNumbers:
		return c.list(text)
	case globs, networks:
		if strings.Contains(text, ",") {
			return c.list(text)
		}
	case oneValue, aText, aRegex, aNumber, aWindow, aSize, nothing:
	}
	return c.scalar(text)
}

func (c ConditionForm) list(text string) (string, error) {
	var parts []string
	for text != "" {
		var one string
		if strings.HasPrefix(text, `"`) {
			quoted, err := strconv.QuotedPrefix(text)
			if err != nil {
				return "", fault.New(fault.Invalid, "The double quotes in the value of "+c.Field+" do not end.", err)
			}
			one, text = quoted, strings.TrimSpace(text[len(quoted):])
			if text != "" && text[0] != ',' {
				return "", fault.New(fault.Invalid, "The double quotes in the value of "+c.Field+" do not end where the value does.", nil)
			}
			text = strings.TrimPrefix(text, ",")
		} else {
			one, text, _ = strings.Cut(text, ",")
		}
		text = strings.TrimSpace(text)
		value, err := c.scalar(strings.TrimSpace(one))
		if err != nil {
			return "", err
		}
		parts = append(parts, value)
	}
	return "[" + strings.Join(parts, ", ") + "]", nil
}

// scalar writes one value: a number or a truth value as such where the field
// may be one.
func (c ConditionForm) scalar(text string) (string, error) {
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		if err != nil {
			return "", fault.New(fault.Invalid, "The double quotes in the value of "+c.Field+" do not end where the value does.", err)
		}
		return quote(s), nil
	}
	plain := plainInt.MatchString(text) || plainFloat.MatchString(text) || text == "true" || text == "false"
	if plain && c.typ() != policy.Text {
		return text, nil
	}
	return word(text), nil
}

func (c ConditionForm) typ() policy.FieldType {
	var r reading
	f, ok := r.field(yamldoc.Place{}, c.Field)
	if !ok || f.numeric() {
		return policy.Dyn
	}
	return f.typ
}
