package views

import (
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/policy/document"
)

// Builder is the rules of a document as a form. What is written stays in the
// document; the form changes it there.
type Builder struct {
	Rules      []BuilderRule
	Left       int  // rules that are only in the text, since there are so many
	Unreadable bool // the text is nothing that a form could show
	Note       string
	Here       bool // somebody is working in it: it is open
}

// BuilderRule is one rule.
type BuilderRule struct {
	document.ClauseForm
	Mark  string // tells what the rule was when the form was made
	Spare bool   // a row for one more condition

	// Odd says that there are characters in it that nobody would see in a
	// field, or too many conditions; it is changed in the text.
	Odd bool
}

// BuilderWays are what can be done with the form, as buttons say it.
const (
	BuildApply      = "apply"
	BuildAddRule    = "add-rule"
	BuildRemoveRule = "remove-rule" // and the rule's index: "remove-rule.2"
	BuildUp         = "up"
	BuildDown       = "down"
	BuildAdd        = "add"    // a condition to a rule: "add.2"
	BuildRemove     = "remove" // "remove.2.0"
)

// builderName is the name of a field: "r.2.reason", "r.2.0.value".
func builderName(parts ...string) string { return "r." + strings.Join(parts, ".") }

func builderDo(way string, at ...int) string {
	for _, n := range at {
		way += "." + strconv.Itoa(n)
	}
	return way
}

// SplitField cuts a field into the name of a policy.Field and what stands for
// its star: "params.base" into "params.*" and "base". A field that is none of
// them is returned as it is.
func SplitField(field string) (kind, rest string) {
	for _, f := range policy.Fields() {
		if f.Name == field {
			return field, ""
		}
		prefix, star := strings.CutSuffix(f.Name, "*")
		if star && len(field) > len(prefix) && strings.HasPrefix(field, prefix) {
			return f.Name, field[len(prefix):]
		}
	}
	return field, ""
}

// JoinField undoes SplitField.
func JoinField(kind, rest string) string {
	if prefix, star := strings.CutSuffix(kind, "*"); star {
		return prefix + rest
	}
	return kind
}

// fieldOptions are the fields that a condition may have, and what it has.
func fieldOptions(has string) []Option {
	all := []Option{{"", "Choose a field"}}
	known := has == ""
	for _, f := range policy.Fields() {
		all = append(all, Option{f.Name, f.Name})
		known = known || f.Name == has
	}
	if !known {
		all = append(all, Option{has, Visible(has, 80)})
	}
	return all
}

var operatorWords = map[string]string{
	"equals": "is", "not_equals": "is not", "in": "is one of", "not_in": "is none of",
	"contains": "contains", "not_contains": "does not contain", "contains_any": "contains one of", "contains_all": "contains all of",
	"starts_with": "begins with", "not_starts_with": "does not begin with", "ends_with": "ends with", "not_ends_with": "does not end with",
	"matches": "matches (RE2)", "not_matches": "does not match (RE2)", "glob": "looks like (with *)", "not_glob": "does not look like (with *)",
	"gt": "is more than", "gte": "is at least", "lt": "is less than", "lte": "is at most",
	"between": "is between", "not_between": "is not between", "exists": "is there", "not_exists": "is not there",
	"cidr": "is in the network", "not_cidr": "is not in the network", "time_window": "is within", "not_time_window": "is not within",
	"size": "has exactly so many", "size_gt": "has more than", "size_gte": "has at least", "size_lt": "has fewer than", "size_lte": "has at most",
}

func operatorOptions(has string) []Option {
	var all []Option
	known := has == ""
	for _, name := range document.Operators() {
		all = append(all, Option{name, instead(operatorWords[name], name)})
		known = known || name == has
	}
	if !known {
		all = append(all, Option{has, Visible(has, 40)})
	}
	return all
}

func decisionOptions(has string) []Option {
	all := []Option{{"allow", "Allow"}, {"require_approval", "Require approval"}, {"deny", "Deny"}}
	for _, o := range all {
		if o.Value == has {
			return all
		}
	}
	return append(all, Option{has, instead(Visible(has, 40), "Not said")})
}

func ruleTitle(i int, c document.ClauseForm) string {
	return "Rule " + strconv.Itoa(i+1) + ": " + Visible(instead(c.Name, "unnamed"), 80)
}

// rowsOf are the conditions that the form has rows for.
func rowsOf(r BuilderRule) []document.ConditionForm {
	rows := r.Conditions
	if r.Spare {
		rows = append(rows[:len(rows):len(rows)], document.ConditionForm{Operator: "equals"})
	}
	return rows
}

// kindOf and restOf are the two parts of a field.
func kindOf(c document.ConditionForm) string {
	kind, _ := SplitField(c.Field)
	return kind
}

func restOf(c document.ConditionForm) string {
	_, rest := SplitField(c.Field)
	return rest
}

// Plain reports whether a field shows all that there is of s.
func Plain(s string) bool {
	for line := range strings.SplitSeq(s, "\n") {
		if Visible(line, len(line)+1) != line {
			return false
		}
	}
	return true
}

// lines is a text of several lines, as a person may safely read it.
func lines(s string) string {
	all := strings.Split(s, "\n")
	for i := range all {
		all[i] = Visible(all[i], longestLine)
	}
	return strings.Join(all, "\n")
}
