package document_test

import (
	"strings"
	"testing"
)

func TestWhatIsWorthALookIsNoted(t *testing.T) {
	t.Parallel()

	const deny = "\n    decision: deny\n"
	for name, tt := range map[string]struct {
		text string
		line int
		says string
	}{
		"a parameter":             {clauses("  - name: a\n    conditions:\n      - {field: action, operator: equals, value: github.branch.merge}\n      - {field: params.bsae, operator: equals, value: main}" + deny), 6, `did you mean "base"?`},
		"a parameter in CEL":      {clauses("  - name: a\n    when: |\n      action == 'stripe.refund.create' &&\n      params.amuont > 5" + deny), 6, `did you mean "amount"?`},
		"a parameter of a begin":  {clauses("  - name: a\n    conditions:\n      - {field: action, operator: starts_with, value: stripe.refund.}\n      - {field: params.amuont, operator: gt, value: 5}" + deny), 6, `did you mean "amount"?`},
		"a parameter in scope":    {"name: p\nscope: {actions: [stripe.refund.create]}\nrules:\n  - name: a\n    conditions: {field: params.amuont, operator: gt, value: 5}" + deny, 5, `did you mean "amount"?`},
		"a branch of nobody":      {one("- {field: action, operator: equals, value: stripe.refund.create}\n- {field: params.branch, operator: equals, value: main}"), 6, `has the parameter branch`},
		"a parameter of a test":   {clauses("  - {name: a, decision: deny}\ntests:\n  - {name: t, expect: deny, action: {action: stripe.refund.create, params: {amuont: 5}}}\n"), 5, `did you mean "amount"?`},
		"a whole name":            {one("- {field: repository, operator: equals, value: acme/site}"), 5, "after its first slash"},
		"a service":               {one("- {field: service, operator: equals, value: githb}"), 5, `did you mean "github"?`},
		"actions of nobody":       {one("- {field: action, operator: equals, value: payment.transfer.initiate}"), 5, `no connector type is called "payment"`},
		"out of scope":            {"name: p\nscope: {actions: [\"github.pr.*\"]}\nrules:\n  - name: a\n    conditions: {field: action, operator: equals, value: github.repo.delete}" + deny, 5, "never applies"},
		"the same twice":          {clauses("  - {name: a, decision: deny, conditions: {field: owner, operator: exists}}\n  - {name: b, decision: require_approval, conditions: {field: owner, operator: exists}}\n"), 4, `"a" applies to the same`},
		"after a denial of all":   {clauses("  - {name: a, decision: require_approval, conditions: {field: owner, operator: exists}}\n  - {name: b, decision: deny}\n"), 3, `"b" applies to everything`},
		"a policy that only lets": {clauses("  - {name: a, decision: allow}\n"), 3, "this policy changes nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := read(t, tt.text)
			for _, n := range d.Notes {
				if n.Line == tt.line && strings.Contains(n.Message, tt.says) {
					return
				}
			}
			t.Errorf("%+v, want one in line %d that says %q", d.Notes, tt.line, tt.says)
		})
	}
}

func TestWhatIsFineIsNotNoted(t *testing.T) {
	t.Parallel()

	for name, text := range map[string]string{
		"a parameter":              clauses("  - {name: a, decision: deny, conditions: [{field: action, operator: equals, value: github.branch.merge}, {field: params.base, operator: equals, value: main}]}\n"),
		"one of several actions":   clauses("  - {name: a, decision: deny, conditions: [{field: action, operator: in, value: [github.branch.merge, github.issue.create]}, {field: params.base, operator: equals, value: main}]}\n"),
		"one of an open list":      clauses("  - {name: a, decision: deny, conditions: [{field: action, operator: equals, value: mcp.tools.call}, {field: params.arg.path, operator: equals, value: a}]}\n"),
		"a service of nobody":      clauses("  - {name: a, decision: deny, conditions: {field: params.anything, operator: exists}}\n"),
		"what nobody knows":        clauses("  - {name: a, decision: deny, conditions: {field: action, operator: equals, value: github.unknown}}\n"),
		"a lenient one besides":    clauses("  - {name: a, decision: deny, conditions: {field: owner, operator: exists}}\n  - {name: b, decision: allow, risk_score: 3}\n"),
		"an approval that is more": clauses("  - {name: a, decision: require_approval}\n  - {name: b, decision: deny, conditions: {field: owner, operator: exists}}\n"),
	} {
		if d := read(t, text); len(d.Notes) > 0 {
			t.Errorf("%s: %+v", name, d.Notes)
		}
	}
}
