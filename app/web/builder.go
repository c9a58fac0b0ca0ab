package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

const (
	builderRules      = 40  // that are shown as a form
	builderConditions = 200 // of a rule that is shown as a form
)

// built is what came of the form of a document's rules.
type built struct {
	text  string
	note  string // what was left out, in a sentence
	spare int    // the rule that gets a row for one more condition, from 1; 0 for none
	here  bool   // the form is what somebody is working in
}

// buildPolicy puts what was changed in the form into the text, and shows both
// again. Nothing is saved.
func (s *Server) buildPolicy(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	d, err := s.readDraft(r, v)
	if err != nil {
		return err
	}
	d.built.here = true
	status := http.StatusOK
	if d.built.note != "" {
		status = http.StatusUnprocessableEntity
	}
	return s.showEditor(w, r, v, status, d)
}

// build puts what was changed in a form into a text. A rule that was changed
// in the text since the form was made keeps what the text says.
func build(text string, f url.Values) built {
	out := built{text: text}
	rules := readRules(f)
	way, at := readWay(f.Get("do"))
	if way == views.BuildRemove && len(at) == 2 && at[0] < len(rules) && at[1] < len(rules[at[0]].Conditions) {
		c := &rules[at[0]]
		c.Conditions = slices.Delete(c.Conditions, at[1], at[1]+1)
	}
	now, err := document.ReadForm([]byte(text))
	if err != nil {
		if slices.ContainsFunc(rules, builderRule.changed) {
			out.note = "The text cannot be read, so nothing of the form was put into it."
		}
		return out
	}
	data := []byte(text)
	for i, c := range rules {
		c.drop()
		stale := i >= len(now.Clauses) || mark(now.Clauses[i]) != c.mark
		switch {
		case stale && (c.changed() || len(at) > 0 && at[0] == i):
			out.add("Rule " + strconv.Itoa(i+1) + " was changed in the text meanwhile, so the text counts.")
		case c.changed():
			next, err := document.SetClause(data, i, c.ClauseForm)
			if err != nil {
				out.add("Rule " + strconv.Itoa(i+1) + ": " + fault.Message(err))
				continue
			}
			data = next
		}
	}
	if out.text = string(data); out.note == "" {
		out.arrange(way, at)
	}
	return out
}

// arrange adds, removes and moves rules.
func (b *built) arrange(way string, at []int) {
	data, err := []byte(b.text), error(nil)
	switch one := len(at) == 1; {
	case way == views.BuildAddRule:
		var f document.Form
		if f, err = document.ReadForm(data); err == nil {
			data, err = document.AddClause(data, document.ClauseForm{Name: freshName(f), Decision: "require_approval"})
			b.spare = len(f.Clauses) + 1
		}
	case way == views.BuildAdd && one:
		b.spare = at[0] + 1
	case way == views.BuildRemoveRule && one:
		data, err = document.RemoveClause(data, at[0])
	case way == views.BuildUp && one:
		data, err = document.MoveClause(data, at[0], at[0]-1)
	case way == views.BuildDown && one:
		data, err = document.MoveClause(data, at[0], at[0]+1)
	}
	if err != nil {
		b.spare = 0
		b.add(fault.Message(err))
		return
	}
	b.text = string(data)
}

func (b *built) add(sentence string) { b.note = strings.TrimSpace(b.note + " " + sentence) }

// freshName is a name that no rule has.
func freshName(f document.Form) string {
	for n := len(f.Clauses) + 1; ; n++ {
		name := "rule-" + strconv.Itoa(n)
		if !slices.ContainsFunc(f.Clauses, func(c document.ClauseForm) bool { return c.Name == name }) {
			return name
		}
	}
}

// builderRule is a rule as the form was sent, and what it was when the form
// was made.
type builderRule struct {
	document.ClauseForm
	mark string
}

// changed is false for one that the form has not shown.
func (r builderRule) changed() bool {
	r.drop()
	return r.mark != "" && mark(r.ClauseForm) != r.mark
}

// drop leaves out conditions that nobody has filled in.
func (r *builderRule) drop() {
	r.Conditions = slices.DeleteFunc(slices.Clone(r.Conditions), func(c document.ConditionForm) bool { return c.Field == "" && c.Value == "" })
}

// mark tells rules apart by what a form shows of them. How lines end, and
// space around a field, does not count.
func mark(c document.ClauseForm) string {
	c.Nested, c.Source, c.Line = false, "", 0
	c.Any = c.Any && len(c.Conditions) > 1
	if len(c.Conditions) == 0 {
		c.Conditions = nil
	}
	c.Conditions = slices.Clone(c.Conditions)
	for _, s := range formTexts(&c) {
		*s = strings.TrimSpace(lineEnds.Replace(*s))
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // texts and truth values
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// formTexts are the texts of c that fields show: first those of one line.
func formTexts(c *document.ClauseForm) []*string {
	all := []*string{&c.Name, &c.Decision, &c.Risk, &c.Timeout, &c.Hold, &c.Role, &c.Count, &c.Groups}
	for i := range c.Conditions {
		one := &c.Conditions[i]
		all = append(all, &one.Field, &one.Operator, &one.Value)
	}
	return append(all, &c.When, &c.Reason)
}

// readRules reads the rules of a form that was sent.
func readRules(f url.Values) []builderRule {
	rules := make([]builderRule, number(f.Get("rules"), builderRules))
	for i := range rules {
		get := func(name string) string {
			return strings.TrimSpace(lineEnds.Replace(f.Get("r." + strconv.Itoa(i) + "." + name)))
		}
		rules[i] = builderRule{mark: get("mark"), ClauseForm: document.ClauseForm{
			Name: get("name"), Decision: get("decision"), Reason: get("reason"), Risk: get("risk"), When: get("when"),
			Role: get("role"), Count: get("count"), Timeout: get("timeout"), Hold: get("hold"), Any: get("any") == "yes",
			Groups: get("groups"), NotSelf: get("self") == yes, StepUp: get("proof") == yes,
		}}
		count, err := strconv.Atoi(get("conditions"))
		if get("conditions") != "" && (err != nil || count < 0 || count > builderConditions+1) {
			rules[i].mark = "" // to read a part of them would drop the others
			continue
		}
		for j := range count {
			of := strconv.Itoa(j) + "."
			rules[i].Conditions = append(rules[i].Conditions, document.ConditionForm{
				Field: views.JoinField(get(of+"field"), get(of+"rest")), Operator: get(of + "operator"), Value: get(of + "value"),
			})
		}
	}
	return rules
}

// number reads how many there are, at most so many.
func number(s string, most int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return min(n, most)
}

// readWay reads what a button says: "remove.2.0".
func readWay(s string) (way string, at []int) {
	way, rest, _ := strings.Cut(s, ".")
	for part := range strings.SplitSeq(rest, ".") {
		if n, err := strconv.Atoi(part); err == nil && n >= 0 {
			at = append(at, n)
		}
	}
	return way, at
}

// builder is the form of a text's rules.
func builder(b built, text string) views.Builder {
	out := views.Builder{Note: b.note, Here: b.here || b.note != ""}
	f, err := document.ReadForm([]byte(text))
	if err != nil {
		out.Unreadable = true
		return out
	}
	for i, c := range f.Clauses {
		if i == builderRules {
			out.Left = len(f.Clauses) - i
			break
		}
		out.Rules = append(out.Rules, views.BuilderRule{ClauseForm: c, Mark: mark(c), Spare: b.spare == i+1, Odd: odd(c)})
	}
	return out
}

// odd reports whether fields would not show all that c says.
func odd(c document.ClauseForm) bool {
	if len(c.Conditions) > builderConditions {
		return true
	}
	all := formTexts(&c)
	lines := len(all) - 2 // When and Reason may have several
	for i, s := range all {
		if !views.Plain(*s) || i < lines && strings.Contains(*s, "\n") {
			return true
		}
	}
	return slices.ContainsFunc(c.Conditions, func(one document.ConditionForm) bool {
		kind, rest := views.SplitField(one.Field)
		return strings.TrimSpace(kind) != kind || strings.TrimSpace(rest) != rest
	})
}
