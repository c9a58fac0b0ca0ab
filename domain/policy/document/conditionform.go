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

// ConditionForm is one condition. Of a list, Value has the elements with commas
// between them; what would not be read back as it is stands in double quotes.
type ConditionForm struct {
	Field, Operator, Value string
}

// flatConditions reads a list of conditions that a form can show.
func flatConditions(n ast.Node) (either bool, list []ConditionForm, flat bool) {
	either, items, flat := conditionNodes(n)
	if !flat {
		return false, nil, false
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

// conditionNodes are the elements of a list of conditions, or the only one.
func conditionNodes(n ast.Node) (either bool, items []ast.Node, flat bool) {
	switch n := n.(type) {
	case nil:
		return false, nil, true
	case *ast.SequenceNode:
		return false, n.Values, true
	default:
		keys := entry(n)
		group := keys["all"]
		if keys["any"] != nil {
			group, either = keys["any"], true
		}
		seq, ok := group.(*ast.SequenceNode)
		switch {
		case keys["field"] != nil && len(keys) <= 3 && group == nil:
			return false, []ast.Node{n}, true
		case len(keys) == 1 && ok:
			return either, seq.Values, true
		}
		return false, nil, false
	}
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
	if _, scalar := textOf(keys["value"]); scalar && ok && found && op.lists() && strings.Contains(c.Value, ",") && !strings.HasPrefix(c.Value, `"`) {
		c.Value = strconv.Quote(c.Value) // one value, which a form would read as several
	}
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
		if _, err := strconv.Unquote(text); strings.Contains(text, ",") && (err != nil || text[0] != '"') {
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
