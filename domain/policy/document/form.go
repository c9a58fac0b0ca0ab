package document

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/tameflare/tameflare/domain/policy/terms"
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
	Groups     string // names, with commas between
	NotSelf    bool
	StepUp     bool

	// Nested says that the conditions are more than a form can show. They stay
	// as they are, whatever else of the rule is changed; Source is how they are
	// written.
	Nested bool
	Source string
	Line   int
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
	if who := approval["approvers"]; terms.IsMapping(yamldoc.Place{Node: who}) {
		c.terms(entry(who))
		return o.conditionsForm(i, keys["conditions"], c)
	}
	c.Role = lowest(plainList(approval["approver_roles"]))
	for _, key := range []string{"count", "approvers", "min_approvals"} {
		if text, ok := written(approval[key]); ok {
			c.Count = text
		}
	}
	return o.conditionsForm(i, keys["conditions"], c)
}

// terms reads who has to agree.
func (c *ClauseForm) terms(who map[string]ast.Node) {
	c.Role, _ = written(who["role"])
	c.Count, _ = written(who["count"])
	c.Groups = strings.Join(plainList(who["group"]), ", ")
	for key, is := range map[string]*bool{"prevent_self_approval": &c.NotSelf, "step_up": &c.StepUp} {
		if yes, ok := who[key].(*ast.BoolNode); ok {
			*is = yes.Value
		}
	}
}

func (o *outline) conditionsForm(i int, n ast.Node, c ClauseForm) ClauseForm {
	var flat bool
	if c.Any, c.Conditions, flat = flatConditions(n); !flat {
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
