package document_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy/document"
)

const commented = `# A policy of ours.

name: protect-main # its name
# What it is about.
scope: # where
  gateways: [deploy-*] # the bots
rules: # in any order

  # The first one.
  - name: first # one
    # Which action.
    conditions: # all of these
      # to begin with
      all:
        # a merge
        - {field: action, operator: equals, value: github.branch.merge} # this
        # into main
        - field: params.base # the base
          operator: equals
          value: main
        # the end
    decision: require_approval # not deny
    # How long.
    approval: {timeout: 1h} # an hour
    # after the first

  # The second one.
  - name: second
    when: |
      params.amount > 100
      # CEL has no such comment; it stays
    decision: deny
    reason: Too much. # said

  # The third one.
  - name: third
    conditions:
      any:
        - not: {field: owner, operator: equals, value: acme} # nested
        - {field: class, operator: equals, value: admin}
    decision: deny
  # The end of the rules.

# The tests.
tests: # some
  - name: t # one
    action: {action: github.branch.merge, params: {base: main}}
    expect: require_approval
# The end.
`

func form(t *testing.T, text string) document.Form {
	t.Helper()
	f, err := document.ReadForm([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFormShowsWhatADocumentSays(t *testing.T) {
	t.Parallel()

	want := document.Form{
		Name: "protect-main", Gateways: []string{"deploy-*"},
		Clauses: []document.ClauseForm{
			{Name: "first", Decision: "require_approval", Timeout: "1h", Line: 10, Conditions: []document.ConditionForm{
				{Field: "action", Operator: "equals", Value: "github.branch.merge"}, {Field: "params.base", Operator: "equals", Value: "main"},
			}},
			{Name: "second", Decision: "deny", Reason: "Too much.", When: "params.amount > 100\n# CEL has no such comment; it stays", Line: 28},
			{Name: "third", Decision: "deny", Nested: true, Line: 36, Source: "conditions:\n  any:\n    - not: {field: owner, operator: equals, value: acme} # nested\n    - {field: class, operator: equals, value: admin}"},
		},
	}
	if diff := cmp.Diff(want, form(t, commented)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAnEditChangesNothingElse(t *testing.T) {
	t.Parallel()

	clause := func(i int, change func(*document.ClauseForm)) func(string) ([]byte, error) {
		return func(text string) ([]byte, error) {
			c := form(t, text).Clauses[i]
			change(&c)
			return document.SetClause([]byte(text), i, c)
		}
	}
	for name, tt := range map[string]struct {
		edit func(string) ([]byte, error)
		want string
	}{
		"nothing":    {clause(0, func(*document.ClauseForm) {}), ""},
		"a name":     {clause(0, func(c *document.ClauseForm) { c.Name = "one" }), "- - name: first # one\n+ - name: one # one\n"},
		"a decision": {clause(1, func(c *document.ClauseForm) { c.Decision = "allow" }), "- decision: deny\n+ decision: allow\n"},
		"a reason":   {clause(1, func(c *document.ClauseForm) { c.Reason = "No: too much." }), "- reason: Too much. # said\n+ reason: \\\"No: too much.\\\" # said\n"},
		"no reason":  {clause(1, func(c *document.ClauseForm) { c.Reason = "" }), "- reason: Too much. # said\n+ # said\n"},
		"a new risk": {clause(1, func(c *document.ClauseForm) { c.Risk = "70" }), "+ risk_score: 70\n"},
		"a condition": {
			clause(0, func(c *document.ClauseForm) { c.Conditions[1].Value = "next" }),
			"- - field: params.base # the base\n- operator: equals\n- value: main\n+ # the base\n+ - {field: params.base, operator: equals, value: next}\n",
		},
		"a condition more": {
			clause(0, func(c *document.ClauseForm) {
				c.Conditions = append(c.Conditions, document.ConditionForm{Field: "owner", Operator: "in", Value: "acme,beta"})
			}),
			"+ - {field: owner, operator: in, value: [acme, beta]}\n",
		},
		"a condition less": {
			clause(0, func(c *document.ClauseForm) { c.Conditions = c.Conditions[1:] }),
			"- - {field: action, operator: equals, value: github.branch.merge} # this\n+ # this\n",
		},
		"the approval": {clause(0, func(c *document.ClauseForm) { c.Count, c.Role = "2", "admin" }), "- approval: {timeout: 1h} # an hour\n+ approval: {timeout: 1h, approver_roles: [admin], count: 2} # an hour\n"},
		"who approves": {clause(0, func(c *document.ClauseForm) {
			c.Count, c.Role, c.Groups, c.NotSelf, c.StepUp = "2", "admin", "release, ops 0x1", true, true
		}), "- approval: {timeout: 1h} # an hour\n+ approval: {timeout: 1h, approvers: {role: admin, group: [release, ops, \\\"0x1\\\"], count: 2, prevent_self_approval: true, step_up: true}} # an hour\n"},
		"a nested one's name": {clause(2, func(c *document.ClauseForm) { c.Name = "3rd" }), "- - name: third\n+ - name: \\\"3rd\\\"\n"},
		"CEL":                 {clause(1, func(c *document.ClauseForm) { c.When = "params.amount > 200" }), "- when: |\n- params.amount > 100\n- # CEL has no such comment; it stays\n+ when: \\\"params.amount > 200\\\"\n"},
		"a rule more": {func(s string) ([]byte, error) {
			return document.AddClause([]byte(s), document.ClauseForm{Name: "fourth", Decision: "deny"})
		}, "+ - name: fourth\n+ decision: deny\n"},
		"a rule less": {func(s string) ([]byte, error) { return document.RemoveClause([]byte(s), 1) }, "- - name: second\n- when: |\n- params.amount > 100\n- # CEL has no such comment; it stays\n- decision: deny\n- reason: Too much. # said\n"},
		"the scope": {func(s string) ([]byte, error) {
			f := form(t, s)
			f.Patterns = []string{"github.*"}
			return document.SetHead([]byte(s), f)
		}, "- scope: # where\n- gateways: [deploy-*] # the bots\n+ # where\n+ # the bots\n+ scope:\n+ gateways: [\\\"deploy-*\\\"]\n+ actions: [\\\"github.*\\\"]\n"},
		"the name": {func(s string) ([]byte, error) {
			f := form(t, s)
			f.Name = "main"
			return document.SetHead([]byte(s), f)
		}, "- name: protect-main # its name\n+ name: main # its name\n"},
		"a description": {func(s string) ([]byte, error) {
			f := form(t, s)
			f.Description = "Ours."
			return document.SetHead([]byte(s), f)
		}, "+ description: Ours.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := tt.edit(commented)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(strings.ReplaceAll(tt.want, `\"`, `"`), `\\`, `\`)
			if got := lineDiff(commented, string(out)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			for comment := range strings.SplitSeq(commented, "\n") {
				if _, after, ok := strings.Cut(comment, "# "); ok && name != "a rule less" && name != "CEL" && !strings.Contains(string(out), "# "+after) {
					t.Errorf("the comment %q is gone", after)
				}
			}
		})
	}
}

// lineDiff is what a line diff of two texts has, by the longest run in common.
func lineDiff(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			length[i][j] = max(length[i+1][j], length[i][j+1])
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			}
		}
	}
	var gone, come strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && length[i+1][j] >= length[i][j+1]:
			gone.WriteString("- " + strings.TrimSpace(a[i]) + "\n")
			i++
		default:
			come.WriteString("+ " + strings.TrimSpace(b[j]) + "\n")
			j++
		}
	}
	return gone.String() + come.String()
}

func TestARuleIsMovedWithItsComment(t *testing.T) {
	t.Parallel()

	out, err := document.MoveClause([]byte(commented), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for line := range strings.SplitSeq(string(out), "\n") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "# The ") || strings.HasPrefix(line, "- name:") {
			order = append(order, line)
		}
	}
	want := []string{"# The second one.", "- name: second", "# The first one.", "- name: first # one", "# The third one.", "- name: third", "# The end of the rules.", "# The tests.", "- name: t # one", "# The end."}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, out)
	}
	back, err := document.MoveClause(out, 0, 1)
	if err != nil || form(t, string(back)).Clauses[1].Name != "second" {
		t.Errorf("back: %v\n%s", err, back)
	}
}

func TestDocumentsOfOtherStylesCanBeEdited(t *testing.T) {
	t.Parallel()

	for name, text := range map[string]string{
		"braces":             "name: p\nrules: [{name: a, decision: deny}, {name: b, decision: deny}] # both\n",
		"braces in a list":   "name: p\nrules:\n- {name: a, decision: deny}\n- {name: b, decision: deny} # two\n",
		"not set in":         "name: p\nrules:\n- name: a\n  decision: deny\n- name: b\n  conditions: {field: owner, operator: exists}\n  decision: deny\n# end\ntests: []\n",
		"set in far":         "name: p\nrules:\n      - name: a\n        decision: deny\n      - decision: deny\n        name: b\n",
		"Windows line ends":  "name: p\r\nrules:\r\n  - name: a\r\n    decision: deny\r\n  - name: b\r\n    decision: deny\r\n",
		"no line end at end": "name: p\nrules:\n  - name: a\n    decision: deny\n  - name: b\n    decision: deny",
		"rules first":        "rules:\n  - name: a\n    decision: deny\n  - name: b\n    decision: deny\nname: p\n",
		"metadata":           "metadata:\n  name: p\nrules:\n  - name: a\n    decision: deny\n  - name: b\n    decision: deny\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := document.ClauseForm{Name: "c", Any: true, Decision: "require_approval", Reason: "No: never.", Role: "owner", Conditions: []document.ConditionForm{
				{Field: "params.a", Operator: "between", Value: "1, 2"}, {Field: "params.b", Operator: "eq", Value: `"12"`},
			}}
			out, err := document.SetClause([]byte(text), 1, c)
			if err != nil {
				t.Fatal(err)
			}
			if out, err = document.AddClause(out, document.ClauseForm{Name: "d", When: "true ||\n  false", Decision: "deny"}); err != nil {
				t.Fatal(err)
			}
			if out, err = document.RemoveClause(out, 0); err != nil {
				t.Fatal(err)
			}
			got := form(t, string(out))
			if got.Name != "p" || len(got.Clauses) != 2 || got.Clauses[0].Name != "c" || got.Clauses[1].Name != "d" || got.Clauses[1].When != "true ||\n  false" {
				t.Fatalf("%+v\n%s", got, out)
			}
			if diff := cmp.Diff([]document.ConditionForm{{Field: "params.a", Operator: "between", Value: "1, 2"}, {Field: "params.b", Operator: "equals", Value: `"12"`}}, got.Clauses[0].Conditions); diff != "" || !got.Clauses[0].Any {
				t.Errorf("(-want +got)\n%s\n%s", diff, out)
			}
			if strings.Contains(text, "#") != strings.Contains(string(out), "#") {
				t.Errorf("the comment is gone:\n%s", out)
			}
		})
	}
}

func TestAnEditThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		err  error
		kind fault.Kind
	}{
		"no YAML":          {second(document.AddClause([]byte("a: ["), document.ClauseForm{})), fault.Invalid},
		"no policy":        {second(document.AddClause([]byte("- a"), document.ClauseForm{})), fault.Invalid},
		"no such rule":     {second(document.SetClause([]byte(commented), 3, document.ClauseForm{})), fault.NotFound},
		"none to remove":   {second(document.RemoveClause([]byte(commented), -1)), fault.NotFound},
		"nowhere to move":  {second(document.MoveClause([]byte(commented), 0, 3)), fault.NotFound},
		"quotes that stay": {second(document.AddClause([]byte(commented), document.ClauseForm{Name: "x", Conditions: []document.ConditionForm{{Field: "owner", Operator: "in", Value: `"a`}}})), fault.Invalid},
	} {
		if fault.Of(tt.err) != tt.kind {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
}

func second(_ []byte, err error) error { return err }

func TestWhatAFormSaysIsReadBack(t *testing.T) {
	t.Parallel()

	f := document.Form{
		Name: "p", Description: "All: of it", Gateways: []string{"a-*"}, Environments: []string{"prod"}, Patterns: []string{"github.*", "*"},
		Clauses: []document.ClauseForm{
			{Name: "one", Decision: "require_approval", Reason: "a \"b\" # c", Risk: "70", Timeout: "1h", Hold: "30s", Role: "admin", Count: "2", Conditions: []document.ConditionForm{
				{Field: "params.amount", Operator: "gt", Value: "100"}, {Field: "owner", Operator: "in", Value: `acme, "a, b"`},
				{Field: "time", Operator: "not_time_window", Value: "mon-fri 09:00-17:00 Europe/Berlin"}, {Field: "params.a", Operator: "exists"},
				{Field: "reversible", Operator: "equals", Value: "false"}, {Field: "owner", Operator: "equals", Value: `"12"`},
			}},
			{Name: "two", Decision: "deny", When: "params.amount > 100 &&\n  owner == \"acme\""},
		},
	}
	data, err := document.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	got := form(t, string(data))
	for i := range got.Clauses {
		got.Clauses[i].Line = 0
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, data)
	}
	if d := read(t, strings.ReplaceAll(string(data), "when: |", "description: |")); len(d.Policy.Clauses) != 2 {
		t.Errorf("%d rules", len(d.Policy.Clauses))
	}
}

func TestWhatIsTypedIsWrittenAsTheFieldWantsIt(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ field, operator, typed, want string }{
		{"owner", "equals", "12", `value: "12"`},
		{"owner", "equals", "true", `value: "true"`},
		{"owner", "in", "12, acme", `value: ["12", acme]`},
		{"params.a", "equals", "12", "value: 12"},
		{"params.a", "equals", `"12"`, `value: "12"`},
		{"risk_level", "gte", "3", "value: 3"},
		{"reversible", "equals", "false", "value: false"},
		{"owner", "exists", "ignored", "operator: exists}"},
		{"owner", "equals", "", "operator: equals}"},
		{"resource", "glob", "acme/*", `value: "acme/*"`},
		{"resource", "glob", "acme/*, b", `value: ["acme/*", b]`},
		{"params.a", "between", "1, 2.5", "value: [1, 2.5]"},
		{"owner", "equals", "no: #x", `value: "no: #x"`},
	} {
		c := document.ClauseForm{Name: "a", Decision: "deny", Any: true, Conditions: []document.ConditionForm{{Field: tt.field, Operator: tt.operator, Value: tt.typed}}}
		out, err := document.AddClause([]byte(commented), c)
		if err != nil {
			t.Errorf("%+v: %v", tt, err)
			continue
		}
		if !strings.Contains(string(out), tt.want) {
			t.Errorf("%+v:\n%s", tt, lineDiff(commented, string(out)))
		}
	}
}

func TestAConditionBesideTheEditedOneMeansWhatItDid(t *testing.T) {
	t.Parallel()

	for _, value := range []string{`"a,b*"`, `["a,b*"]`, `["a,b*", c]`, `"a*"`} {
		kept := "{field: resource, operator: glob, value: " + value + "}"
		for _, text := range []string{
			one("- " + kept + "\n- {field: owner, operator: equals, value: acme}"),
			"name: p\nrules: [{name: r, decision: deny, conditions: [" + kept + ", {field: owner, operator: equals, value: acme}]}]\n",
		} {
			c := form(t, text).Clauses[0]
			c.Conditions[1].Value = "other"
			out, err := document.SetClause([]byte(text), 0, c)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			want := read(t, strings.Replace(text, "acme", "other", 1)).Policy.Clauses[0].If.Args[0]
			got := read(t, string(out)).Policy.Clauses[0].If.Args[0]
			list := func(v string) string { return strings.Trim(v, "[]") }
			if a, b := list(said(t, &want)), list(said(t, &got)); a != b && !strings.Contains(string(out), strings.Trim(value, "[]")) {
				t.Errorf("%s became %s:\n%s", a, b, out)
			}
		}
	}
}
