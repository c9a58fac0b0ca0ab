package document

import (
	"cmp"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
)

// Marshal writes a document of what stands in a form. It fails with
// fault.Invalid where a value cannot be written.
func Marshal(f Form) ([]byte, error) {
	lines := append(textLines("name", f.Name), textLines("description", f.Description)...)
	lines = append(lines, f.scopeLines()...)
	rules, err := f.ruleLines()
	if err != nil {
		return nil, err
	}
	data := []byte(strings.Join(append(lines, rules...), "\n") + "\n")
	if got, err := ReadForm(data); err != nil || !sameScope(got, f) || len(got.Clauses) != len(f.Clauses) {
		return nil, fault.New(fault.Invalid, "Something in this form cannot be written as a document.", err)
	}
	return data, nil
}

func textLines(key, text string) []string {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return []string{key + ": " + word(text)}
}

func (f Form) scopeLines() []string {
	var lines []string
	for _, one := range []struct {
		key  string
		list []string
	}{{"gateways", f.Gateways}, {"environments", f.Environments}, {"actions", f.Patterns}} {
		if len(one.list) == 0 {
			continue
		}
		var parts []string
		for _, s := range one.list {
			parts = append(parts, word(s))
		}
		lines = append(lines, "  "+one.key+": ["+strings.Join(parts, ", ")+"]")
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{"scope:"}, lines...)
}

func (f Form) ruleLines() ([]string, error) {
	if len(f.Clauses) == 0 {
		return []string{"rules: []"}, nil
	}
	lines := []string{"rules:"}
	for _, c := range f.Clauses {
		more, err := c.plain().lines(2)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

// plain is c without spaces around what people type.
func (c ClauseForm) plain() ClauseForm {
	for _, field := range []*string{&c.Name, &c.When, &c.Decision, &c.Reason, &c.Risk, &c.Timeout, &c.Hold, &c.Role, &c.Count, &c.Groups} {
		*field = strings.TrimSpace(strings.ReplaceAll(*field, "\r\n", "\n"))
	}
	c.Groups = strings.Join(typedNames(c.Groups), ", ")
	var conditions []ConditionForm
	for _, one := range c.Conditions {
		conditions = append(conditions, one.plain())
	}
	c.Conditions = conditions
	c.Any = c.Any && len(c.Conditions) > 1
	if c.Decision != "require_approval" {
		c.Timeout, c.Hold, c.Role, c.Count, c.Groups, c.NotSelf, c.StepUp = "", "", "", "", "", false, false
	}
	return c
}

// parts are the lines of each of a rule's keys, not set in.
func (c ClauseForm) parts() (map[string][]string, error) {
	parts := map[string][]string{
		"name": textLines("name", c.Name), "decision": textLines("decision", c.Decision), "reason": textLines("reason", c.Reason),
	}
	if c.Risk != "" {
		parts["risk_score"] = []string{"risk_score: " + plainOr(c.Risk)}
	}
	switch {
	case c.When == "":
	case strings.Contains(c.When, "\n"):
		parts["when"] = []string{"when: |"}
		for line := range strings.SplitSeq(c.When, "\n") {
			parts["when"] = append(parts["when"], strings.TrimRight("  "+line, " "))
		}
	default:
		parts["when"] = []string{"when: " + word(c.When)}
	}
	if len(c.Conditions) > 0 {
		group := "all"
		if c.Any {
			group = "any"
		}
		lines := []string{"conditions:", "  " + group + ":"}
		for _, one := range c.Conditions {
			text, err := one.yaml()
			if err != nil {
				return nil, err
			}
			lines = append(lines, "    - "+text)
		}
		parts["conditions"] = lines
	}
	if approval := c.approval(); len(approval) > 0 {
		parts["approval"] = []string{"approval: {" + strings.Join(approval, ", ") + "}"}
	}
	return parts, nil
}

// approval is what is said of the approval. What the older keys can say is
// written with them.
func (c ClauseForm) approval() []string {
	role := "approver_roles"
	terms := c.Groups != "" || c.NotSelf || c.StepUp
	if terms {
		role = "role"
	}
	var approval, who []string
	for _, one := range [][2]string{{"timeout", c.Timeout}, {"hold", c.Hold}, {role, c.Role}, {"group", groupList(c.Groups)}, {"count", c.Count}, {"prevent_self_approval", yes(c.NotSelf)}, {"step_up", yes(c.StepUp)}} {
		value := word(one[1])
		switch {
		case one[1] == "":
			continue
		case length(one[1]):
			value = one[1]
		case one[0] == "approver_roles":
			value = "[" + value + "]"
		case one[0] == "count":
			value = plainOr(one[1])
		case one[0] == "group" || one[0] == "prevent_self_approval" || one[0] == "step_up":
			value = one[1]
		}
		if terms && one[0] != "timeout" && one[0] != "hold" {
			who = append(who, one[0]+": "+value)
			continue
		}
		approval = append(approval, one[0]+": "+value)
	}
	if terms {
		approval = append(approval, "approvers: {"+strings.Join(who, ", ")+"}")
	}
	return approval
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func typedNames(typed string) []string {
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}

// groupList writes the names that people type, with commas or spaces between.
func groupList(typed string) string {
	names := typedNames(typed)
	for i, name := range names {
		names[i] = word(name)
	}
	if len(names) == 1 {
		return names[0]
	}
	if len(names) == 0 {
		return ""
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// length reports whether YAML reads s as a length of time, without quotes.
func length(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil && s[0] >= '0' && s[0] <= '9' && s[len(s)-1] > '9'
}

// plainOr is a number as such, and everything else as text, for Parse to
// refuse.
func plainOr(s string) string {
	if plainInt.MatchString(s) {
		return s
	}
	return word(s)
}

// lines are a rule as an element of a list whose dashes are set in by so much.
func (c ClauseForm) lines(in int) ([]string, error) {
	parts, err := c.parts()
	if err != nil {
		return nil, err
	}
	if len(parts["name"]) == 0 {
		parts["name"] = []string{`name: ""`}
	}
	var lines []string
	for _, key := range order {
		for _, line := range parts[key] {
			mark := "  "
			if len(lines) == 0 {
				mark = "- "
			}
			lines = append(lines, strings.Repeat(" ", in)+cmp.Or(mark, "")+line)
		}
	}
	return lines, nil
}
